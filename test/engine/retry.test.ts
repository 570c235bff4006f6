import { assert, describe, it } from "@effect/vitest"
import { Clock, type Duration, Effect, Fiber, Random, Stream } from "effect"
import {
  type Backend,
  defaultMatrix,
  defaultRetryPolicy,
  type ErrorReasonTag,
  fromBackend,
  type ObjectStoreError,
  RetryPolicy
} from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { TestClock } from "effect/testing"
import { makeRetryQuota, retrying } from "../../src/engine/retry.ts"
import { failure } from "./failure.ts"

const halfJitter = { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 }

/** A memory store that fails with the given errors first, each after a time; answers the times of its requests. */
const storeFailing = Effect.fnUntraced(function*(
  method: "head" | "write" | "read",
  errors: ReadonlyArray<ObjectStoreError | undefined>,
  duration: Duration.Input = 0
) {
  const backend = yield* makeBackend()
  const times: Array<number> = []
  const left = [...errors]
  const fail = <A, R>(effect: Effect.Effect<A, ObjectStoreError, R>): Effect.Effect<A, ObjectStoreError, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      times.push(now)
      const error = left.shift()
      return error === undefined ? effect : Effect.andThen(Effect.sleep(duration), Effect.fail(error))
    })
  const flaky: Backend = {
    ...backend,
    read: method === "read" ? (at, request) => fail(backend.read(at, request)) : backend.read,
    head: method === "head" ? (at, conditions) => fail(backend.head(at, conditions)) : backend.head,
    write: method === "write" ? (at, body, options) => fail(backend.write(at, body, options)) : backend.write
  }
  const store = yield* fromBackend(flaky, { base: "mem://memory/" })
  return { store, times }
})

const inTime = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(effect))
    yield* TestClock.adjust("10 minutes")
    return yield* yield* Fiber.join(fiber)
  }).pipe(Effect.provideService(Random.Random, halfJitter))

describe("retry", () => {
  it.effect("makes five requests, doubling a jittered delay, and says how many it made", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("head", Array.from({ length: 9 }, () => failure("Unavailable")))
      const error = yield* Effect.flip(inTime(store.stat("a")))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.strictEqual(error.attempts, 5)
      assert.deepStrictEqual(times, [0, 50, 150, 350, 750])
      assert.strictEqual(error.elapsed, 750)
    }))

  it.effect("waits as long as the service asks, but never longer than the policy's longest delay", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("head", [
        failure("Throttled", { retryAfter: 3000 }),
        failure("Throttled", { retryAfter: 1e12 }),
        failure("Throttled", { retryAfter: Number.NaN })
      ])
      const error = yield* Effect.flip(inTime(store.stat("a")))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.deepStrictEqual(times, [0, 3000, 23_000, 24_000])
    }))

  it.effect("does not repeat what cannot become better", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("head", [failure("PermissionDenied")])
      const error = yield* Effect.flip(inTime(store.stat("a")))
      assert.strictEqual(error.reason._tag, "PermissionDenied")
      assert.strictEqual(error.attempts, 1)
      assert.deepStrictEqual(times, [0])
    }))

  it.effect("repeats a conditional write that certainly was not applied", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("write", [failure("Unavailable", { outcome: "not-applied" })])
      assert.strictEqual((yield* inTime(store.put("a", "x", { mode: "create" }))).size, 1)
      assert.deepStrictEqual(times, [0, 50])
    }))

  it.effect("repeats an overwrite whose answer was lost", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("write", [failure("Timeout", { phase: "headers" })])
      assert.strictEqual((yield* inTime(store.put("a", "x"))).size, 1)
      assert.strictEqual(times.length, 2)
    }))

  it.effect("obeys the policy that is provided", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("head", [failure("Unavailable")])
      const error = yield* Effect.flip(inTime(store.stat("a"))).pipe(
        Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 1 })
      )
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.deepStrictEqual(times, [0])
    }))

  it.effect("repeats at once what a dead connection lost, but not twice in a row", () =>
    Effect.gen(function*() {
      const lost = failure("ConnectionFailed", { phase: "headers" })
      const dead = failure("ConnectionFailed", { phase: "headers", reused: true })
      const { store, times } = yield* storeFailing("head", [dead, dead, lost, dead])
      yield* Effect.flip(inTime(store.stat("a")))
      assert.deepStrictEqual(times, [0, 0, 50, 150, 150])
      const other = yield* storeFailing("head", [dead, dead, dead, dead, dead])
      assert.strictEqual((yield* Effect.flip(inTime(other.store.stat("a")))).attempts, 5)
    }))

  it.effect("takes no token for what a dead connection lost, and asks first where the matrix says so", () =>
    Effect.gen(function*() {
      const quota = { ...makeRetryQuota("test"), tokens: 0 }
      let left = 1
      const asked: Array<number> = []
      const request = Effect.suspend(() =>
        left-- > 0
          ? Effect.fail(failure("ConnectionFailed", { phase: "headers", reused: true, outcome: "unknown" }))
          : Effect.succeed("answer")
      )
      const verify = () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          asked.push(now)
          return { _tag: "NotApplied" } as const
        })
      const start = yield* Clock.currentTimeMillis
      for (const kind of ["read", "conditional", "complete", "copy"] as const) {
        left = 1
        assert.strictEqual(yield* retrying("test", kind, quota, request, { verify }), "answer")
      }
      assert.deepStrictEqual(asked, [start, start, start])
      left = 2
      const error = yield* Effect.flip(retrying("test", "read", quota, request))
      assert.strictEqual(error.attempts, 2)
    }))

  it.effect("stops repeating when the store's retry quota is used up", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("head", Array.from({ length: 1000 }, () => failure("Unavailable")))
      // 500 tokens at 10 a retry pay for 50 retries of all operations together.
      yield* inTime(Effect.forEach(Array.from({ length: 40 }), () => Effect.exit(store.stat("a"))))
      assert.strictEqual(times.length, 40 + 50)
    }))

  it.effect("repeats again once successes have refilled the retry quota", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("head", Array.from({ length: 91 }, () => failure("Unavailable")))
      yield* inTime(Effect.forEach(Array.from({ length: 40 }), () => Effect.exit(store.stat("a"))))
      assert.strictEqual(times.length, 90)
      yield* Effect.forEach(Array.from({ length: 10 }), () => store.put("a", "x"))
      assert.strictEqual((yield* inTime(store.stat("a"))).size, 1)
      assert.strictEqual(times.length, 92)
    }))

  it.effect("takes five tokens after a throttle and ten after anything else, and gives back what led to a success", () =>
    Effect.gen(function*() {
      const quota = { ...makeRetryQuota("test"), tokens: 100 }
      const seen: Array<number> = []
      /** Tokens at each request and at the end of requests that fail one after the other, and what came of them. */
      const after = (errors: ReadonlyArray<ErrorReasonTag | undefined>) => {
        const left = [...errors]
        seen.length = 0
        const request = Effect.suspend(() => {
          seen.push(quota.tokens)
          const tag = left.shift()
          return tag === undefined ? Effect.void : Effect.fail(failure(tag))
        })
        return Effect.map(Effect.exit(inTime(retrying("test", "read", quota, request))), () => [...seen, quota.tokens])
      }
      assert.deepStrictEqual(yield* after(["Throttled"]), [100, 95, 100])
      assert.deepStrictEqual(yield* after(["Unavailable"]), [100, 90, 100])
      assert.deepStrictEqual(yield* after(["Unavailable", "Throttled"]), [100, 90, 85, 90])
      assert.deepStrictEqual(yield* after(["Throttled", "NotFound"]), [90, 85, 85])
      assert.deepStrictEqual(yield* after([]), [85, 86])
    }))

  it.effect("gives back what a retry took that brought a body further, and never has more than 500", () =>
    Effect.gen(function*() {
      const quota = { ...makeRetryQuota("test"), tokens: 495 }
      const left = [1, 1, 0]
      let come = 0
      const request = Effect.suspend(() => {
        come += left.shift() ?? 0
        return left.length === 0 ? Effect.void : Effect.fail(failure("BodyInterrupted", { received: 0 }))
      })
      const tokens: Array<number> = []
      const progress = () => {
        tokens.push(quota.tokens)
        return come
      }
      yield* inTime(retrying("test", "body", quota, request, { progress }))
      assert.deepStrictEqual([...tokens, quota.tokens], [495, 485, 495])
      assert.strictEqual(yield* inTime(retrying("test", "read", quota, Effect.succeed("x"))), "x")
      yield* Effect.forEach(Array.from({ length: 9 }), () => retrying("test", "read", quota, Effect.void))
      assert.strictEqual(quota.tokens, 500)
    }))

  it.effect("counts the first request's own time, and makes a last request when the time is over", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing(
        "head",
        Array.from({ length: 9 }, () => failure("Throttled", { retryAfter: 9000 })),
        "5 seconds"
      )
      const error = yield* Effect.flip(
        inTime(store.stat("a")).pipe(
          Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxElapsed: 20_000 })
        )
      )
      assert.strictEqual(error.reason._tag, "Throttled")
      // 5 s of request, 9 s as asked for, 5 s of request: 1 s is left.
      assert.deepStrictEqual(times, [0, 14_000, 20_000])
      assert.strictEqual(error.attempts, 3)
    }))

  it.effect("counts no time that a request waits for its turn", () =>
    Effect.gen(function*() {
      const backend = yield* makeBackend()
      const left = ["held", "failed"]
      const busy = <A, R>(effect: Effect.Effect<A, ObjectStoreError, R>): Effect.Effect<A, ObjectStoreError, R> =>
        Effect.suspend(() => {
          const what = left.shift()
          if (what === "failed") return Effect.fail(failure("Unavailable"))
          // Longer than anything is repeated.
          return what === "held" ? Effect.andThen(Effect.sleep("4 minutes"), effect) : effect
        })
      const store = yield* fromBackend({
        ...backend,
        head: (at, conditions) => busy(backend.head(at, conditions)),
        read: (at, request) => busy(backend.read(at, request))
      }, { base: "mem://memory/", requests: 1 })
      yield* store.put("a", "x")
      for (const operation of [store.stat("a"), store.get("a"), Stream.runDrain(store.stream("a"))]) {
        left.splice(0, left.length, "held", "failed")
        yield* inTime(Effect.all([store.exists("a"), operation], { concurrency: 2 }))
        assert.deepStrictEqual(left, [])
      }
    }))

  it.effect("never lets a retry-after reach a timer that could not hold it", () =>
    Effect.gen(function*() {
      for (const retryAfter of [Number.MAX_VALUE, 2 ** 31, -1, 0, Number.NEGATIVE_INFINITY]) {
        const { store, times } = yield* storeFailing("head", [failure("Unavailable", { retryAfter })])
        yield* Effect.exit(inTime(store.stat("a")))
        assert.deepStrictEqual(times.map((time) => time - times[0]!), [0, retryAfter > 0 ? 20_000 : 50])
      }
    }))

  it.effect("counts every attempt once: what opens a body and what reads it share them", () =>
    Effect.gen(function*() {
      const { store, times } = yield* storeFailing("read", [
        undefined,
        ...Array.from({ length: 30 }, () => failure("Unavailable"))
      ], 0)
      yield* store.put("a", "0123456789")
      const error = yield* Effect.flip(inTime(store.get("a", { partSize: 5, concurrency: 1 })))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.strictEqual(error.attempts, 5)
      assert.strictEqual(times.length, 1 + 5)
    }))

  it.effect.each(["BodyInterrupted", "Timeout"] as const)(
    "counts anew when a body has come further, so that it ends however often it breaks: %s",
    (tag) =>
      Effect.gen(function*() {
        const backend = yield* makeBackend()
        const body = Uint8Array.from({ length: 40 }, (_, index) => index)
        const asked: Array<unknown> = []
        const breaking: Backend = {
          ...backend,
          read: (at, request) =>
            Effect.map(backend.read(at, request), (reply) => {
              asked.push(reply.offset)
              return {
                ...reply,
                into: (target) =>
                  Effect.flatMap(
                    reply.into(target.subarray(0, 1)),
                    () => Effect.fail(failure(tag, { received: 1, phase: "stall" }))
                  )
              }
            })
        }
        const store = yield* fromBackend(breaking, { base: "mem://memory/" })
        yield* store.put("a", body)
        assert.deepStrictEqual(yield* inTime(store.get("a")), body)
        assert.deepStrictEqual(asked, Array.from(body))
      })
  )

  it.effect("stops when a body does not come further", () =>
    Effect.gen(function*() {
      const backend = yield* makeBackend()
      let requests = 0
      const breaking: Backend = {
        ...backend,
        read: (at, request) =>
          Effect.map(backend.read(at, request), (reply) => {
            requests++
            return { ...reply, into: () => Effect.fail(failure("BodyInterrupted", { received: 0 })) }
          })
      }
      const store = yield* fromBackend(breaking, { base: "mem://memory/" })
      yield* store.put("a", "hello")
      const error = yield* Effect.flip(inTime(store.get("a")))
      assert.deepStrictEqual([error.reason._tag, error.attempts, requests], ["BodyInterrupted", 5, 5])
    }))

  it.effect("refuses a policy that makes no sense before anything is sent", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "RetryPolicy is undefined and no object"],
        [{ ...defaultRetryPolicy, maxAttemps: 3 }, "there is no option \"RetryPolicy.maxAttemps\""],
        [{ maxAttempts: 3 }, "RetryPolicy.baseDelay is no time in milliseconds"],
        [{ ...defaultRetryPolicy, matrix: undefined }, "RetryPolicy.matrix is no object"],
        [{ ...defaultRetryPolicy, maxAttempts: 0 }, "RetryPolicy.maxAttempts is no positive integer"],
        [{ ...defaultRetryPolicy, maxAttempts: NaN }, "RetryPolicy.maxAttempts is no positive integer"],
        [{ ...defaultRetryPolicy, maxDelay: "5 seconds" }, "RetryPolicy.maxDelay is no time in milliseconds"],
        [{ ...defaultRetryPolicy, maxElapsed: NaN }, "RetryPolicy.maxElapsed is no time in milliseconds"],
        [{ ...defaultRetryPolicy, matrix: { Trottled: {} } }, "RetryPolicy.matrix: no failure is called \"Trottled\""],
        [
          { ...defaultRetryPolicy, matrix: { Throttled: { ...defaultMatrix.Throttled, put: "verify" } } },
          "RetryPolicy.matrix: Throttled.put is none of retry, once, twice, fail"
        ]
      ]
      const { store, times } = yield* storeFailing("write", [])
      for (const [policy, message] of wrong) {
        const provided = Effect.provideService(store.put("a", "x"), RetryPolicy, policy as never)
        const error = yield* Effect.flip(provided)
        assert.strictEqual(error.message, `Configuration: put mem://memory/a: ${message}`)
        assert.strictEqual(error.outcome, "not-applied")
        const reading = Effect.provideService(store.get("a"), RetryPolicy, policy as never)
        assert.strictEqual((yield* Effect.flip(reading)).message, `Configuration: get mem://memory/a: ${message}`)
      }
      assert.deepStrictEqual(times, [])
      const patient = { ...defaultRetryPolicy, maxElapsed: Infinity, matrix: {} }
      yield* Effect.provideService(store.put("a", "x"), RetryPolicy, patient)
      assert.strictEqual(times.length, 1)
    }))
})
