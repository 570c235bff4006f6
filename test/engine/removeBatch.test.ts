import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Random, Stream } from "effect"
import {
  type Backend,
  defaultMatrix,
  defaultRetryPolicy,
  fromBackend,
  type ObjectStoreError,
  RetryPolicy
} from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { failure } from "./failure.ts"
import { inTime } from "./inTime.ts"

type Answers = Readonly<Record<string, ObjectStoreError>>

/**
 * Removes `a`, `b` and `c` from a backend that answers by the script, a request a line: a failure of the whole, or of
 * the keys that are named. What the script does not say is removed.
 */
const removing = (script: ReadonlyArray<ObjectStoreError | Answers>) =>
  Effect.gen(function*() {
    const memory = yield* makeBackend()
    const sent: Array<{ readonly keys: string; readonly at: number }> = []
    const backend: Backend = {
      ...memory,
      deleteBatch: (_, entries) =>
        Effect.flatMap(Clock.currentTimeMillis, (at) => {
          const answer = script[sent.length] ?? {}
          sent.push({ keys: entries.map(({ key }) => key).join(""), at })
          return "reason" in answer
            ? Effect.fail(answer as ObjectStoreError)
            : Effect.succeed(entries.map(({ key }) => (answer as Answers)[key]))
        })
    }
    const store = yield* fromBackend(backend, { base: "mem://memory/" })
    const results = yield* inTime(Stream.runCollect(store.deleteMany(["a", "b", "c"])))
    return {
      times: sent.map(({ at }) => at),
      sent: sent.map(({ keys }) => keys),
      results: results.map(({ error, key }) =>
        error === undefined ? key : `${key} ${error.reason._tag} ${error.outcome} after ${error.attempts}`
      )
    }
  }).pipe(Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 }))

describe("a batch of removals", () => {
  it.effect("sends only the keys again that may succeed, and tells the others as they were answered", () =>
    Effect.gen(function*() {
      const found = yield* removing([
        { a: failure("PermissionDenied"), b: failure("Unavailable") },
        { b: failure("Throttled") }
      ])
      assert.deepStrictEqual(found.sent, ["abc", "b", "b"])
      assert.deepStrictEqual(found.results, ["a PermissionDenied not-applied after 1", "b", "c"])
    }))

  it.effect("sends a key that an answer leaves out once more, and then says that nobody knows", () =>
    Effect.gen(function*() {
      const leftOut = failure("ProtocolViolation", { outcome: "unknown" })
      assert.deepStrictEqual((yield* removing([{ b: leftOut }])).results, ["a", "b", "c"])
      const found = yield* removing([{ b: leftOut }, { b: leftOut }])
      assert.deepStrictEqual(found.sent, ["abc", "b"])
      assert.deepStrictEqual(found.results, ["a", "b ProtocolViolation unknown after 2", "c"])
    }))

  it.effect("does not say that nothing was removed once an answer was lost", () =>
    Effect.gen(function*() {
      const lost = failure("ConnectionFailed", { phase: "headers" })
      const refused = failure("Throttled", { outcome: "not-applied" })
      const late = yield* removing([{ b: refused }, lost, lost, lost, lost])
      assert.deepStrictEqual(late.sent, ["abc", "b", "b", "b", "b"])
      assert.deepStrictEqual(late.results, ["a", "b ConnectionFailed unknown after 5", "c"])
      const early = yield* removing([lost, { b: failure("PermissionDenied") }])
      assert.deepStrictEqual(early.sent, ["abc", "abc"])
      assert.deepStrictEqual(early.results, ["a", "b PermissionDenied unknown after 2", "c"])
    }))

  it.effect("waits as long as the key that has to wait longest", () =>
    Effect.gen(function*() {
      const found = yield* removing([{
        a: failure("Throttled", { retryAfter: 3000 }),
        b: failure("Throttled", { retryAfter: 7000 }),
        c: failure("Unavailable", { retryAfter: 9000 })
      }])
      assert.deepStrictEqual(found.sent, ["abc", "abc"])
      assert.deepStrictEqual(found.times, [0, 9000])
    }))

  it.effect("asks the policy, not the error, whether a key is sent again", () =>
    Effect.gen(function*() {
      const matrix = { ...defaultMatrix, Throttled: { ...defaultMatrix.Throttled, delete: "fail" as const } }
      const found = yield* Effect.provideService(
        removing([{ a: failure("Throttled"), b: failure("Unavailable") }]),
        RetryPolicy,
        { ...defaultRetryPolicy, matrix }
      )
      assert.deepStrictEqual(found.sent, ["abc", "b"])
      assert.deepStrictEqual(found.results, ["a Throttled not-applied after 1", "b", "c"])
    }))

  it.effect("removes nothing where the policy makes no sense", () =>
    Effect.gen(function*() {
      const found = yield* Effect.provideService(removing([]), RetryPolicy, { maxAttempts: 3 } as never)
      assert.deepStrictEqual(found.sent, [])
      assert.deepStrictEqual(found.results, ["a", "b", "c"].map((key) => `${key} Configuration not-applied after 0`))
    }))
})
