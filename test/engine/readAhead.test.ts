import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, fromBackend } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { inTime } from "./inTime.ts"

const partSize = 100
const parts = 20

/** Streams 20 parts, each of which takes so long to fetch and to consume; tells how many were ahead of the consumer, part for part. */
const ahead = (fetch: number, consume: number, concurrency: number) =>
  Effect.gen(function*() {
    const memory = yield* makeBackend()
    let fetched = 0
    const slow: Backend = {
      ...memory,
      read: (at, request) =>
        Effect.tap(Effect.delay(memory.read(at, request), fetch), () =>
          Effect.sync(() => {
            fetched++
          }))
    }
    const store = yield* fromBackend(slow, { base: "mem://memory/" })
    yield* store.put("a", new Uint8Array(parts * partSize))
    const seen: Array<number> = []
    yield* inTime(
      store.stream("a", { partSize, concurrency }).pipe(
        Stream.runForEach(() =>
          Effect.andThen(
            Effect.sleep(consume),
            Effect.sync(() => seen.push(fetched - seen.length - 1))
          )
        )
      )
    )
    assert.strictEqual(seen.length, parts)
    return seen
  })

describe("what a stream reads ahead", () => {
  it.effect("is nothing for a consumer that would not notice", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ahead(10, 700, 4), Array.from({ length: parts }, () => 0))
    }))

  it.effect("is one part for a consumer that takes as long as the store", () =>
    Effect.gen(function*() {
      assert.strictEqual(Math.max(...(yield* ahead(100, 100, 4))), 1)
    }))

  it.effect("is as much as is allowed for a consumer that is faster than the store, and never more", () =>
    Effect.gen(function*() {
      for (const concurrency of [1, 2, 4, 8]) {
        assert.strictEqual(Math.max(...(yield* ahead(1000, 10, concurrency))), concurrency - 1, `${concurrency}`)
      }
    }))

  it.effect("grows for a consumer that becomes faster, and shrinks for one that becomes slower", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend()
      let fetched = 0
      const slow: Backend = {
        ...memory,
        read: (at, request) =>
          Effect.tap(Effect.delay(memory.read(at, request), 100), () => Effect.sync(() => fetched++))
      }
      const store = yield* fromBackend(slow, { base: "mem://memory/" })
      yield* store.put("a", new Uint8Array(60 * partSize))
      const seen: Array<number> = []
      yield* inTime(
        store.stream("a", { partSize, concurrency: 4 }).pipe(
          Stream.runForEach(() =>
            Effect.andThen(
              Effect.sleep(seen.length >= 20 && seen.length < 40 ? 5 : 5000),
              Effect.sync(() => seen.push(fetched - seen.length - 1))
            )
          )
        )
      )
      assert.deepStrictEqual(seen.slice(10, 20), Array.from({ length: 10 }, () => 0))
      assert.isAtLeast(Math.max(...seen.slice(30, 40)), 2)
      assert.deepStrictEqual(seen.slice(50), Array.from({ length: 10 }, () => 0))
    }))
})
