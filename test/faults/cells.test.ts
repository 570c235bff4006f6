/**
 * Every cell of the retry matrix that a server can bring about, met over the wire.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Logger, Random } from "effect"
import {
  defaultMatrix,
  defaultRetryPolicy,
  type RequestClass,
  requestClasses,
  type RetryFailure,
  RetryPolicy,
  type Verdict
} from "effect-objectstore"
import { type FaultServer, on } from "effect-objectstore/testing"
import { env } from "node:process"
import { faultOf, outage, reasonOfNone, secure, targetsOf } from "./cells.ts"
import { checkConnections, checkStore, reasonOf } from "./invariants.ts"
import { type Cells, watched } from "./points.ts"
import { limitsOf, type ServiceName, services, sizes } from "./services.ts"

const isFull = env["MODE"] === "faults"

const failures = Object.keys(defaultMatrix) as ReadonlyArray<RetryFailure>
const names = Object.keys(sizes) as ReadonlyArray<ServiceName>

/** Verdicts after which a request is not repeated. */
const final: ReadonlySet<Verdict> = new Set<Verdict>(["fail", "recheck", "done"])

interface Try {
  readonly met: boolean
  readonly wrong: ReadonlyArray<string>
}

/** The exchange before the first one of a name, in peace. */
const exchangeBefore = (name: ServiceName, failure: RetryFailure, kind: RequestClass) =>
  Effect.gen(function*() {
    const { operation, wire } = targetsOf(sizes[name], failure)[kind]
    const { connect, server } = yield* services[name]({ objects: operation.objects }, limitsOf[name])
    yield* operation.run(yield* connect)
    return (yield* server.journal).findIndex((one) => one.operation === wire) - 1
  }).pipe(Effect.scoped, Effect.orDie)

/** Has a request of a kind fail once, and looks at what becomes of it. */
const meet = Effect.fnUntraced(function*(name: ServiceName, failure: RetryFailure, kind: RequestClass) {
  const happening = faultOf(name, failure, kind)
  if (happening === undefined) return { met: false, wrong: [] } satisfies Try
  const { fault, isBefore } = happening
  const { before, hit, operation, wire } = targetsOf(sizes[name], failure)[kind]
  const rule = isBefore
    ? { exchange: yield* exchangeBefore(name, failure, kind), fault }
    : on(wire, undefined, hit, fault)
  const cells: Cells = new Set()
  const wrong: Array<string> = []
  const note = (what: string) => void wrong.push(what)
  const met = yield* Effect.gen(function*() {
    let journalNow = (): ReadonlyArray<FaultServer.WireExchange> => []
    let since: number | undefined
    /** Where nobody listens, as long as the outage lasts. */
    const lookup = (): string | undefined => {
      if (journalNow().some((one) => one.fault === fault)) since ??= performance.now()
      return since !== undefined && performance.now() - since < outage ? "127.0.0.2" : undefined
    }
    const { connect, server } = yield* services[name](
      { script: [...before, rule], objects: operation.objects, tls: secure.has(failure) },
      { ...limitsOf[name], lookup: failure === "ConnectionFailed.connect" ? lookup : undefined }
    )
    const now = Effect.runSyncWith(yield* Effect.context<never>())
    journalNow = () => now(server.journal)
    const exit = yield* Effect.scoped(Effect.gen(function*() {
      const store = yield* connect
      const fiber = yield* Effect.forkChild(operation.run(store))
      if ((yield* Effect.timeoutOption(Fiber.await(fiber), "30 seconds"))._tag === "None") {
        note("it hangs")
        yield* Fiber.interrupt(fiber)
      }
      return yield* Fiber.await(fiber)
    }))
    const met = cells.has(`${failure} ${kind}`)
    yield* checkStore(operation, exit, server, note)
    yield* checkConnections(server, note)
    const journal = yield* server.journal
    if (met) {
      const verdict = defaultMatrix[failure][kind]
      const at = journal.findIndex((one) => one.fault === fault)
      const isRepeated = journal.slice(at + 1).some((one) => one.operation === wire)
      // What is found to have been applied is not repeated.
      const found = verdict === "verify" && journal[at]?.changed === true
      if (isRepeated !== (!final.has(verdict) && !found)) note(`${verdict}: it was ${isRepeated ? "" : "not "}repeated`)
      const succeeds = kind === "abort" || !final.has(verdict) || verdict === "done"
      if (Exit.isSuccess(exit) !== succeeds) {
        note(`${verdict}: it ${Exit.isSuccess(exit) ? "succeeded" : `failed: ${reasonOf(exit)}`}`)
      }
    }
    if (wrong.length > 0) {
      wrong.push(...journal.map((one) => `${one.operation} ${one.key} ${one.fault?._tag ?? ""} ${one.status ?? "-"}`))
      wrong.push(Exit.isSuccess(exit) ? "succeeded" : reasonOf(exit), [...cells].join(", "))
    }
    return met
  }).pipe(
    Effect.provideService(RetryPolicy, {
      ...defaultRetryPolicy,
      matrix: watched(cells),
      // Outlasts an outage, and does not sleep it out.
      maxAttempts: 100,
      baseDelay: 10,
      throttleDelay: 2,
      maxDelay: 20
    }),
    Random.withSeed(`${failure} ${kind}`),
    Effect.provide(Logger.layer([])),
    Effect.scoped,
    Effect.orDie
  )
  return { met, wrong } satisfies Try
})

/** Services that met a cell. */
const met = new Map<string, ReadonlyArray<ServiceName>>()

const all = failures.flatMap((failure) => requestClasses.map((kind) => ({ failure, kind })))
const meetable = all.filter(({ failure, kind }) => reasonOfNone(failure, kind) === undefined)

afterAll(() => {
  const by = names.map((name) => `${[...met.values()].filter((some) => some.includes(name)).length} on ${name}`)
  console.log(
    `cells of the matrix met over the wire: ${met.size} of ${meetable.length} that a server can bring about, of ${all.length}${
      isFull ? ` (${by.join(", ")})` : ""
    }`
  )
})

describe("met over the wire, every cell of", () => {
  for (const failure of failures) {
    const kinds = meetable.filter((cell) => cell.failure === failure).map(({ kind }) => kind)
    if (kinds.length === 0) continue
    it.live(failure, () =>
      Effect.gen(function*() {
        const wrong: Array<string> = []
        yield* Effect.forEach(kinds, (kind) =>
          Effect.gen(function*() {
            const cell = `${failure} ${kind}`
            // One service is enough, unless there is time; another one for the next cell.
            const first = (failures.indexOf(failure) + requestClasses.indexOf(kind)) % names.length
            for (const name of [...names.slice(first), ...names.slice(0, first)]) {
              const one = yield* meet(name, failure, kind)
              if (one.wrong.length > 0) wrong.push([`${cell} on ${name}:`, ...one.wrong].join("\n    "))
              if (!one.met) continue
              met.set(cell, [...met.get(cell) ?? [], name])
              if (!isFull) return
            }
            if (!met.has(cell)) wrong.push(`${cell} was not met`)
          }), { concurrency: 4, discard: true })
        assert.deepStrictEqual(wrong, [], wrong.join("\n"))
      }), { timeout: 120_000 })
  }
})
