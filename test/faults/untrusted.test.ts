import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { defaultRetryPolicy, type ObjectStoreError, type ObjectStoreOperations, RetryPolicy } from "effect-objectstore"
import { inspect } from "node:util"
import { changeLies } from "./lies/changes.ts"
import { documentLies } from "./lies/documents.ts"
import { headLies } from "./lies/heads.ts"
import { type Lie, objects, questions } from "./lies/Lie.ts"
import { listingLies } from "./lies/listings.ts"
import { readLies } from "./lies/reads.ts"
import { type ServiceName, services } from "./services.ts"

// Nothing stalls here; the processor may be busy elsewhere.
const patient = { headersTimeout: 5000, stallTimeout: 5000, connectTimeout: 5000 }

const policy = { ...defaultRetryPolicy, baseDelay: 1, throttleDelay: 1, maxAttempts: 3 }

const lies: Readonly<Record<string, Lie>> = {
  ...readLies,
  ...headLies,
  ...listingLies,
  ...changeLies,
  ...documentLies
}

for (const name of Object.keys(services) as ReadonlyArray<ServiceName>) {
  describe(`answers of ${name} that are not to be trusted`, () => {
    for (const [title, { ask, errors, fault, services: of, to }] of Object.entries(lies)) {
      if (of !== undefined && !of.includes(name)) continue
      it.live(title, () =>
        Effect.gen(function*() {
          const question: (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError> = questions[ask]
          const { connect, server } = yield* services[name]({ objects }, patient)
          const store = yield* connect
          const honest = yield* services[name]({ objects }, patient)
          const truth = yield* Effect.flatMap(honest.connect, question)
          yield* server.setScript([{ operation: to, fault }])
          const before = (yield* server.changes).length
          const told = yield* Effect.result(question(store))
          const met = (yield* server.journal).filter((one) => one.fault !== undefined)
          assert.isNotEmpty(met, "the lie was told")
          const changes = (yield* server.changes).slice(before)
          if (told._tag === "Success") {
            assert.deepStrictEqual(told.success, truth)
            assert.isTrue(errors.includes("truth"), "it was believed, and it was the truth")
            return
          }
          const error = told.failure
          assert.include(errors, error.reason._tag, error.message)
          if (error.outcome === "not-applied") assert.isEmpty(changes)
          if (error.outcome === "applied") assert.isNotEmpty(changes)
          // Nothing foreign was touched, and what is said is one short line.
          assert.isTrue(changes.every(({ key }) =>
            key === "new" || (ask.startsWith("delete") && key !== (ask === "delete" ? "" : "a"))
          ))
          // oxlint-disable-next-line no-control-regex
          assert.notMatch(error.message, /[\u0000-\u001f\u007f]/)
          assert.isBelow(inspect(error.reason, { depth: 0 }).length, 10_000)
        }).pipe(Effect.provideService(RetryPolicy, policy), Effect.scoped), { timeout: 30_000 })
    }
  })
}
