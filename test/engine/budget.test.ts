import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Random } from "effect"
import { makeBudget } from "../../src/engine/budget.ts"

const capacity = 8

describe("a budget", () => {
  it.live.each([1, 2, 3, 4])(
    "wakes all who wait, is never exceeded, and is whole again, whoever is interrupted (seed %i)",
    (seed) =>
      Effect.gen(function*() {
        for (let round = 0; round < 200; round++) {
          const budget = makeBudget(capacity)
          const fibers: Array<Fiber.Fiber<unknown>> = []
          let inUse = 0
          let most = 0
          for (let i = 0; i < 60; i++) {
            const share = yield* Random.nextIntBetween(1, capacity + 1)
            const held = Math.min(share, capacity)
            const yields = yield* Random.nextIntBetween(0, 3)
            const body = Effect.suspend(() => {
              inUse += held
              most = Math.max(most, inUse)
              return Effect.forEach(Array.from({ length: yields }), () => Effect.yieldNow)
            }).pipe(Effect.ensuring(Effect.sync(() => inUse -= held)))
            const ways = [
              budget.withShareNow(share, body),
              budget.withShare(share, body),
              Effect.uninterruptibleMask((restore) =>
                Effect.andThen(restore(budget.take(share)), Effect.ensuring(body, budget.release(share)))
              )
            ]
            fibers.push(
              yield* Effect.forkChild(ways[yield* Random.nextIntBetween(0, ways.length - 1)]!, {
                startImmediately: yield* Random.nextBoolean
              })
            )
            if (yield* Random.nextBoolean) fibers[yield* Random.nextIntBetween(0, fibers.length - 1)]!.interruptUnsafe()
            if (yield* Random.nextBoolean) yield* Effect.yieldNow
          }
          const ended = yield* Effect.timeoutOption(Fiber.awaitAll(fibers), "10 seconds")
          assert.isTrue(Option.isSome(ended), `round ${round}: somebody waits for ever`)
          assert.isAtMost(most, capacity)
          assert.isTrue(
            Option.isSome(yield* budget.withShareNow(capacity, Effect.void)),
            `round ${round}: shares are lost`
          )
        }
      }).pipe(Random.withSeed(seed))
  )

  it.live("is given in the order of arrival, so that small shares do not pass over a large one", () =>
    Effect.gen(function*() {
      const budget = makeBudget(capacity)
      yield* budget.take(capacity)
      const order: Array<number> = []
      const shares = [3, capacity, 1, 2, capacity, 1]
      const fibers = yield* Effect.forEach(shares, (share, index) => {
        const came = Effect.sync(() => void order.push(index))
        // Both ways to wait are one queue.
        const waits = index % 2 === 0
          ? budget.withShare(share, came)
          : Effect.andThen(budget.take(share), Effect.andThen(came, budget.release(share)))
        return Effect.forkChild(waits, { startImmediately: true })
      })
      for (let i = 0; i < capacity; i++) {
        yield* budget.release(1)
        yield* Effect.yieldNow
      }
      yield* Fiber.awaitAll(fibers)
      assert.deepStrictEqual(order, shares.map((_, index) => index))
    }))
})
