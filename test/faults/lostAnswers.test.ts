/**
 * Changes whose answers are lost on the wire, and what the store is asked then: by the id that a write carries in its
 * metadata, by checksums, by the age of what is there.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Random, type Scope } from "effect"
import {
  defaultRetryPolicy,
  type ObjectStoreError,
  type ObjectStoreOperations,
  type PutResult,
  RetryPolicy
} from "effect-objectstore"
import { type FaultServer, on, WireFault } from "effect-objectstore/testing"
import { bytesOf } from "./operations.ts"
import { type Server, type ServiceName, services, sizes } from "./services.ts"

const policy = { ...defaultRetryPolicy, baseDelay: 1, throttleDelay: 1, maxAttempts: 3 }
const times = { headersTimeout: 400, stallTimeout: 400, connectTimeout: 2000 }

const mine = bytesOf(1, 600)
const theirs = bytesOf(2, 600)

type Write = (store: ObjectStoreOperations) => Effect.Effect<PutResult, ObjectStoreError>

/** Changes that are not idempotent, and the exchange by which each takes effect. */
const changes: Readonly<Record<string, readonly [FaultServer.WireOperation, Write]>> = {
  create: ["write", (store) => store.put("a", mine, { mode: "create" })],
  update: [
    "write",
    (store) => Effect.flatMap(store.stat("a"), ({ etag }) => store.put("a", mine, { mode: { update: etag! } }))
  ],
  "completion of an upload": ["completeUpload", (store) => store.putMultipart("a", mine)],
  "completion of an upload that creates": [
    "completeUpload",
    (store) => store.putMultipart("a", mine, { mode: "create" })
  ],
  copy: ["copy", (store) => store.copy("from", "a")]
}

const lost = {
  "reset": WireFault.resetAfterApply,
  "an answer that is cut": WireFault.cutBody(0, "reset"),
  "a service that fails": WireFault.status(500, { applied: true }),
  "an error under a success": WireFault.errorInSuccess({ applied: true }),
  "silence": WireFault.stallAfterApply
}

const test = (
  title: string,
  body: () => Effect.Effect<void, unknown, Scope.Scope>
): void =>
  it.live(title, () => body().pipe(Effect.provideService(RetryPolicy, policy), Effect.scoped), { timeout: 30_000 })

/** What goes over a connection that was kept, and is found dead. */
const kept: Readonly<Record<string, (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError>>> = {
  ...Object.fromEntries(Object.entries(changes).map(([title, [, write]]) => [title, write])),
  overwrite: (store) => store.put("a", mine),
  "a look": (store) => store.stat("from"),
  "a read": (store) => store.get("from")
}

for (const name of Object.keys(sizes) as ReadonlyArray<ServiceName>) {
  describe(`a kept connection to ${name} that is dead`, () => {
    for (const [title, run] of Object.entries(kept)) {
      for (
        const [what, fault] of Object.entries({ reset: WireFault.resetBeforeApply, end: WireFault.hangupAfterApply })
      ) {
        it.live(`${title}, ${what}: the request goes at once over a new one`, () =>
          Effect.gen(function*() {
            const objects = { from: mine, ...(title === "update" ? { a: theirs } : {}) }
            const { connect, server } = yield* services[name]({ objects }, times)
            const store = yield* connect
            const [operation = "read"] = changes[title] ?? [title === "overwrite" ? "write" : undefined]
            yield* store.stat("from")
            yield* server.setScript([on(title === "a look" ? "head" : operation, undefined, 1, fault)])
            yield* run(store)
            assert.isTrue((yield* server.journal).some(({ fault }) => fault !== undefined))
          }).pipe(
            // Whoever waits does not end in time.
            Effect.provideService(RetryPolicy, { ...policy, baseDelay: 1e9, maxDelay: 1e9, maxElapsed: 1e9 }),
            Random.withSeed(title),
            Effect.scoped
          ), { timeout: 10_000 })
      }
    }
  })

  const running = Effect.fnUntraced(function*(title: string) {
    const there = title === "update" ? { a: theirs } : {}
    const { connect, server } = yield* services[name]({ objects: { from: mine, ...there } }, times)
    return { server, store: yield* connect }
  })

  /** Runs a change while its first effective exchange is held up, and does something behind its back. */
  const meanwhile = Effect.fnUntraced(function*(
    server: Server,
    write: Effect.Effect<PutResult, ObjectStoreError>,
    behind: Effect.Effect<void>
  ) {
    const fiber = yield* Effect.forkChild(Effect.flip(write))
    while (!(yield* server.journal).some(({ fault }) => fault !== undefined)) yield* Effect.sleep(1)
    yield* behind
    return yield* Fiber.join(fiber)
  })

  describe(`answers that are lost, on ${name}`, () => {
    for (const [title, [operation, write]] of Object.entries(changes)) {
      for (const [how, fault] of Object.entries(lost)) {
        test(`${title}, lost by ${how}: it is found to be done, and is not done again`, () =>
          Effect.gen(function*() {
            const { server, store } = yield* running(title)
            yield* server.setScript([on(operation, "a", 1, fault)])
            const result = yield* write(store)
            const changed = (yield* server.changes).filter(({ key }) => key === "a")
            assert.lengthOf(changed, 1)
            assert.strictEqual(result.etag, changed[0]!.etag)
            assert.deepStrictEqual(Buffer.from((yield* server.stored("a"))!), Buffer.from(mine))
            // The id is ours, and nobody else sees it.
            const info = yield* store.stat("a")
            assert.deepStrictEqual({ ...info.metadata }, {})
            assert.notInclude(JSON.stringify(result), "objectstorewriteid")
          }))
      }

      test(`${title}, done by a service that says it is too busy: it succeeds, and the etag is that of what is there`, () =>
        Effect.gen(function*() {
          const { server, store } = yield* running(title)
          yield* server.setScript([on(operation, "a", 1, WireFault.status(503, { applied: true }))])
          const result = yield* write(store)
          const changed = (yield* server.changes).filter(({ key }) => key === "a")
          // A copy or a completion that overwrites may be done twice: a busy service is believed.
          assert.strictEqual(result.etag, changed.at(-1)!.etag)
          if (title !== "copy") assert.lengthOf(changed, 1)
          assert.deepStrictEqual(Buffer.from((yield* server.stored("a"))!), Buffer.from(mine))
        }))

      test(`${title}, lost before it was applied: it is done once`, () =>
        Effect.gen(function*() {
          const { server, store } = yield* running(title)
          yield* server.setScript([on(operation, "a", 1, WireFault.resetBeforeApply)])
          const result = yield* write(store)
          const changed = (yield* server.changes).filter(({ key }) => key === "a")
          assert.deepStrictEqual(changed.map(({ etag }) => etag), [result.etag])
        }))

      if (title === "copy" || title === "completion of an upload") continue
      test(`${title}, lost while another writer came: nobody knows, and nobody guesses`, () =>
        Effect.gen(function*() {
          const { server, store } = yield* running(title)
          yield* server.setScript([on(operation, "a", 1, WireFault.stallBeforeApply)])
          const error = yield* meanwhile(server, write(store), server.store("a", "another writer's"))
          // A session of GCS knows that it was not finished; an object that another one replaced tells nothing.
          const isSure = name === "GCS" && operation === "completeUpload"
          assert.deepStrictEqual(
            [error.reason._tag, error.outcome],
            isSure ? ["AlreadyExists", "not-applied"] : ["OutcomeUnknown", "unknown"]
          )
          assert.strictEqual(Buffer.from((yield* server.stored("a"))!).toString(), "another writer's")
        }))
    }

    test("a second look tells an object that is not what was sent", () =>
      Effect.gen(function*() {
        const { server, store } = yield* running("create")
        const { verified } = yield* store.put("a", mine, { verify: "head" })
        assert.include(["checksum", "size"], verified)
        assert.deepStrictEqual((yield* server.journal).map(({ operation }) => operation), ["write", "head"])
        const lie = name === "GCS"
          ? WireFault.change({ body: (text) => text.replace(/"size":"\d+"/, "\"size\":\"599\"") })
          : WireFault.change({ headers: { "content-length": "599" } })
        yield* server.setScript([on("head", "b", undefined, lie)])
        const error = yield* Effect.flip(store.put("b", mine, { verify: "head" }))
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["IntegrityFailed", "applied"])
        yield* server.setScript([on("head", "c", undefined, WireFault.status(404))])
        const gone = yield* Effect.flip(store.put("c", mine, { verify: "head" }))
        assert.deepStrictEqual([gone.reason._tag, gone.outcome], ["IntegrityFailed", "unknown"])
      }))

    test("a removal of one version whose answer is lost is done", () =>
      Effect.gen(function*() {
        const { server, store } = yield* running("update")
        const { etag } = yield* store.stat("a")
        yield* server.setScript([on("delete", "a", 1, WireFault.resetAfterApply)])
        yield* store.delete("a", { ifMatch: etag! })
        assert.lengthOf(yield* server.changes, 1)
      }))
  })
}
