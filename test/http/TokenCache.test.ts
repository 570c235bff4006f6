import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"
import { makeTokenCache, type Token } from "../../src/http/TokenCache.ts"
import { makeError, type ObjectStoreError } from "../../src/index.ts"

const refusal = makeError("Unauthenticated", { operation: "token", backend: "test" })

/** A source that counts, and answers `token-1`, `token-2` … which live for an hour, after a second. */
const source = () => {
  let calls = 0
  let failing = false
  const fetch: Effect.Effect<Token, ObjectStoreError> = Effect.suspend(() => {
    const call = ++calls
    return Effect.gen(function*() {
      yield* Effect.sleep("1 second")
      if (failing) return yield* refusal
      const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      return { value: Redacted.make(`token-${call}`), expiresAt: now + 3_600_000 }
    })
  })
  return { fetch, calls: () => calls, fail: (value: boolean) => failing = value }
}

const settled = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

describe("TokenCache", () => {
  it.effect("fetches once for all who ask at a time", () =>
    Effect.gen(function*() {
      const { calls, fetch } = source()
      const cache = yield* makeTokenCache("test", fetch)
      const tokens = yield* settled(
        Effect.forEach(Array.from({ length: 100 }), () => cache.get, { concurrency: "unbounded" })
      )
      assert.deepStrictEqual([...new Set(tokens.map(Redacted.value))], ["token-1"])
      assert.strictEqual(Redacted.value(yield* cache.get), "token-1")
      assert.strictEqual(calls(), 1)
    }))

  it.effect("waits no longer than a minute for a fetch, and begins another one for those who ask after that", () =>
    Effect.gen(function*() {
      let calls = 0
      const value = Redacted.make("token")
      const cache = yield* makeTokenCache(
        "test",
        Effect.suspend(() => ++calls === 2 ? Effect.succeed({ value }) : Effect.never)
      )
      const waiting = yield* Effect.forkChild(Effect.flip(cache.get), { startImmediately: true })
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(waiting)
      assert.deepStrictEqual([error.reason._tag, error.outcome], ["Timeout", "not-applied"])
      assert.strictEqual(yield* cache.get, value)
    }))

  it.effect("uses the token in hand while the next one does not come", () =>
    Effect.gen(function*() {
      let calls = 0
      const value = Redacted.make("token")
      const cache = yield* makeTokenCache(
        "test",
        Effect.suspend(() => calls++ === 0 ? Effect.succeed({ value, expiresAt: 400_000 }) : Effect.never)
      )
      yield* cache.get
      for (let minute = 1; minute <= 6; minute++) {
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* cache.get, value)
      }
      yield* TestClock.adjust("70 seconds")
      const ended = yield* Effect.forkChild(Effect.flip(cache.get), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(ended)).reason._tag, "Timeout")
    }))

  it.effect("goes on for the others when the one who began is interrupted", () =>
    Effect.gen(function*() {
      const { calls, fetch } = source()
      const cache = yield* makeTokenCache("test", fetch)
      const first = yield* Effect.forkChild(cache.get, { startImmediately: true })
      const second = yield* Effect.forkChild(cache.get, { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(Redacted.value(yield* Fiber.join(second)), "token-1")
      assert.strictEqual(calls(), 1)
    }))

  it.effect("hands out the old token while the next is fetched ahead of the end", () =>
    Effect.gen(function*() {
      const { calls, fetch } = source()
      const cache = yield* makeTokenCache("test", fetch)
      yield* settled(cache.get)
      yield* TestClock.adjust("54 minutes")
      yield* cache.get
      assert.strictEqual(calls(), 1)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(Redacted.value(yield* cache.get), "token-1")
      assert.strictEqual(Redacted.value(yield* cache.get), "token-1")
      assert.strictEqual(calls(), 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(Redacted.value(yield* cache.get), "token-2")
      assert.strictEqual(calls(), 2)
    }))

  it.effect("waits for the next token when the old one has ended or is about to", () =>
    Effect.gen(function*() {
      const { fetch } = source()
      const cache = yield* makeTokenCache("test", fetch)
      yield* settled(cache.get)
      yield* TestClock.adjust(59 * 60_000 + 40_000)
      assert.strictEqual(Redacted.value(yield* settled(cache.get)), "token-2")
      yield* TestClock.adjust("3 hours")
      assert.strictEqual(Redacted.value(yield* settled(cache.get)), "token-3")
    }))

  it.effect("does not keep a failure", () =>
    Effect.gen(function*() {
      const { calls, fail, fetch } = source()
      const cache = yield* makeTokenCache("test", fetch)
      fail(true)
      const waiting = yield* settled(Effect.forEach([1, 2, 3], () => Effect.flip(cache.get), { concurrency: 3 }))
      assert.deepStrictEqual(waiting.map((error) => error.reason._tag), Array(3).fill("Unauthenticated"))
      assert.strictEqual(calls(), 1)
      fail(false)
      assert.strictEqual(Redacted.value(yield* settled(cache.get)), "token-2")
    }))

  it.effect("uses the token in hand when the next cannot be fetched, and tries again after a pause", () =>
    Effect.gen(function*() {
      const { calls, fail, fetch } = source()
      const cache = yield* makeTokenCache("test", fetch)
      yield* settled(cache.get)
      yield* TestClock.adjust("56 minutes")
      fail(true)
      for (let i = 0; i < 5; i++) assert.strictEqual(Redacted.value(yield* settled(cache.get)), "token-1")
      assert.strictEqual(calls(), 2)
      fail(false)
      yield* TestClock.adjust("10 seconds")
      yield* settled(cache.get)
      assert.strictEqual(Redacted.value(yield* cache.get), "token-3")
    }))

  it.effect("does not fetch with every request where tokens live shorter than the time ahead", () =>
    Effect.gen(function*() {
      let calls = 0
      const short = Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (now) => {
        calls++
        return { value: Redacted.make(`t${calls}`), expiresAt: now + 240_000 }
      })
      const cache = yield* makeTokenCache("test", short)
      for (let i = 0; i < 10; i++) yield* cache.get
      assert.strictEqual(calls, 1)
      yield* TestClock.adjust("10 seconds")
      for (let i = 0; i < 10; i++) yield* cache.get
      assert.strictEqual(calls, 2)
    }))

  it.effect("forgets a token that was refused, and only that one", () =>
    Effect.gen(function*() {
      const { calls, fetch } = source()
      const cache = yield* makeTokenCache("test", fetch)
      const first = yield* settled(cache.get)
      yield* cache.refused(first)
      const second = yield* settled(cache.get)
      assert.strictEqual(Redacted.value(second), "token-2")
      yield* cache.refused(first)
      assert.strictEqual(Redacted.value(yield* cache.get), "token-2")
      assert.strictEqual(calls(), 2)
    }))

  it.effect("keeps a token without an end until it is refused", () =>
    Effect.gen(function*() {
      let calls = 0
      const cache = yield* makeTokenCache("test", Effect.sync(() => ({ value: Redacted.make(`t${++calls}`) })))
      const token = yield* cache.get
      yield* TestClock.adjust("1000 days")
      yield* cache.get
      assert.strictEqual(calls, 1)
      yield* cache.refused(token)
      assert.strictEqual(Redacted.value(yield* cache.get), "t2")
    }))

  it.effect("says that there is no other where the source gives the refused one again, for a while", () =>
    Effect.gen(function*() {
      let calls = 0
      const cache = yield* makeTokenCache(
        "test",
        Effect.sync(() => {
          calls++
          return { value: Redacted.make("same") }
        })
      )
      assert.isTrue(yield* cache.refused(yield* cache.get))
      assert.isFalse(yield* cache.refused(yield* cache.get))
      assert.isFalse(yield* cache.refused(yield* cache.get))
      assert.strictEqual(calls, 2)
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(yield* cache.refused(yield* cache.get))
    }))

  it.effect("uses what comes although it has ended by this machine's clock, and does not ask with every request", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("2 hours")
      let calls = 0
      const cache = yield* makeTokenCache(
        "test",
        Effect.sync(() => ({ value: Redacted.make(`t${++calls}`), expiresAt: 1000 }))
      )
      for (let i = 0; i < 10; i++) assert.strictEqual(Redacted.value(yield* cache.get), "t1")
      yield* TestClock.adjust("10 seconds")
      for (let i = 0; i < 10; i++) assert.strictEqual(Redacted.value(yield* cache.get), "t2")
    }))

  it.effect("interrupts a fetch when its scope closes", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const cache = yield* Scope.provide(
        makeTokenCache(
          "test",
          Effect.onInterrupt(
            Effect.andThen(Deferred.succeed(begun, undefined), Effect.never),
            () => Deferred.succeed(ended, undefined)
          )
        ),
        scope
      )
      const waiting = yield* Effect.forkChild(cache.get)
      yield* Deferred.await(begun)
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.await(ended)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(waiting)))
    }))
})
