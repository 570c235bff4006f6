import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, fromBackend } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { inTime } from "./inTime.ts"

const partSize = 100

/**
 * Streams parts, each of which takes so long to fetch, and so long to consume; tells how many were ahead of the consumer, part
 * for part.
 */
const ahead = (parts: number, fetch: number, consume: (part: number) => number, concurrency: number) =>
  Effect.gen(function*() {
    const memory = yield* makeBackend()
    let fetched = 0
    const slow: Backend = {
      ...memory,
      read: (at, request) =>
        Effect.tap(Effect.delay(memory.read(at, request), fetch), () => Effect.sync(() => fetched++))
    }
    const store = yield* fromBackend(slow, { base: "mem://memory/" })
    yield* store.put("a", new Uint8Array(parts * partSize))
    const seen: Array<number> = []
    yield* inTime(
      store.stream("a", { partSize, concurrency }).pipe(
        Stream.runForEach(() =>
          Effect.andThen(
            Effect.sleep(consume(seen.length)),
            Effect.sync(() => seen.push(fetched - seen.length - 1))
          )
        )
      )
    )
    assert.strictEqual(seen.length, parts)
    return seen
  })

const none = (parts: number) => Array.from({ length: parts }, () => 0)

describe("what a stream reads ahead", () => {
  it.effect("is nothing for a consumer that would not notice", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ahead(20, 10, () => 700, 4), none(20))
    }))

  it.effect("is one part for a consumer that takes as long as the store", () =>
    Effect.gen(function*() {
      assert.strictEqual(Math.max(...(yield* ahead(20, 100, () => 100, 4))), 1)
    }))

  it.effect("is as much as is allowed for a consumer that is faster than the store, and never more", () =>
    Effect.gen(function*() {
      for (const concurrency of [1, 2, 4, 8]) {
        assert.strictEqual(
          Math.max(...(yield* ahead(20, 1000, () => 10, concurrency))),
          concurrency - 1,
          `${concurrency}`
        )
      }
    }))

  it.effect("grows for a consumer that becomes faster, and shrinks for one that becomes slower", () =>
    Effect.gen(function*() {
      const seen = yield* ahead(60, 100, (part) => part >= 20 && part < 40 ? 5 : 5000, 4)
      assert.deepStrictEqual(seen.slice(10, 20), none(10))
      assert.isAtLeast(Math.max(...seen.slice(30, 40)), 2)
      assert.deepStrictEqual(seen.slice(50), none(10))
    }))
})
