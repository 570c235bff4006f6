/**
 * Cases of `getRange` and `getRanges`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ByteRange } from "../../ObjectStoreOptions.ts"
import { bytes, failsWith, same, sameBytes } from "./assertions.ts"
import { type Case, subject, test } from "./Case.ts"

/** What a range gives, by the rules of the design; `undefined` where it is not satisfiable. */
const slice = (body: Uint8Array, range: ByteRange): Uint8Array | undefined => {
  if ("suffix" in range) return body.subarray(Math.max(0, body.length - range.suffix))
  if (range.length === 0) return body.subarray(0, 0)
  if (range.offset >= body.length) return undefined
  return body.subarray(range.offset, range.length === undefined ? undefined : range.offset + range.length)
}

const edges = (size: number): ReadonlyArray<number> => [
  ...new Set([0, 1, size - 2, size - 1, size, size + 1, size + 4096].filter((n) => n >= 0))
]

const allRanges = (size: number): ReadonlyArray<ByteRange> => [
  ...edges(size).flatMap((offset) => [{ offset }, ...edges(size).map((length) => ({ offset, length }))]),
  ...edges(size).map((suffix) => ({ suffix }))
]

const single = subject("getRange", [
  test("every range at the edges of an object gives exactly its bytes or RangeNotSatisfiable", function*(t) {
    for (const size of [0, 1, 5000]) {
      const key = t.key(`edges-${size}`)
      const body = bytes(size)
      yield* t.store.put(key, body)
      yield* Effect.forEach(allRanges(size), (range) => {
        const expected = slice(body, range)
        const what = `${JSON.stringify(range)} of ${size} bytes`
        const read = t.store.getRange(key, range)
        return expected === undefined
          ? Effect.asVoid(failsWith("RangeNotSatisfiable", read, what))
          : Effect.map(read, (actual) => sameBytes(actual, expected, what))
      }, { concurrency: 8, discard: true })
    }
  }),
  test("a range past the end is clamped", function*(t) {
    const key = t.key("clamped")
    yield* t.store.put(key, "hello")
    sameBytes(yield* t.store.getRange(key, { offset: 3, length: 100 }), Buffer.from("lo"), "range")
    sameBytes(yield* t.store.getRange(key, { suffix: 100 }), Buffer.from("hello"), "suffix")
  }),
  test(
    "a range that starts at or past the end is RangeNotSatisfiable, and tells the size where it is known",
    function*(t) {
      const key = t.key("past")
      yield* t.store.put(key, "hello")
      for (const offset of [5, 6, 5_000_000_000]) {
        for (const length of [undefined, 1, 100]) {
          const { reason } = yield* failsWith("RangeNotSatisfiable", t.store.getRange(key, { offset, length }))
          if (reason._tag === "RangeNotSatisfiable" && reason.size !== undefined) same(reason.size, 5, "size")
        }
      }
    }
  ),
  test("a zero-length range and a zero suffix are empty, once the object is known to exist", function*(t) {
    const key = t.key("zero")
    yield* t.store.put(key, "hello")
    for (
      const range of [{ offset: 0, length: 0 }, { offset: 5, length: 0 }, { offset: 99, length: 0 }, { suffix: 0 }]
    ) {
      same((yield* t.store.getRange(key, range)).length, 0, JSON.stringify(range))
      yield* failsWith("NotFound", t.store.getRange(t.key("missing"), range), JSON.stringify(range))
    }
  }),
  test("of an empty object only empty ranges and suffixes can be read", function*(t) {
    const key = t.key("empty")
    yield* t.store.put(key, new Uint8Array(0))
    same((yield* t.store.getRange(key, { suffix: 10 })).length, 0, "suffix")
    same((yield* t.store.getRange(key, { offset: 0, length: 0 })).length, 0, "zero-length range")
    yield* failsWith("RangeNotSatisfiable", t.store.getRange(key, { offset: 0 }))
    yield* failsWith("RangeNotSatisfiable", t.store.getRange(key, { offset: 0, length: 1 }))
  }),
  test("a range cut into parts is the same as in one", function*(t) {
    const key = t.key("cut")
    const body = bytes(50_021)
    yield* t.store.put(key, body)
    for (const range of [{ offset: 0 }, { offset: 4097, length: 20_001 }, { offset: 33_333 }, { suffix: 30_007 }]) {
      for (const partSize of [4096, 4099, 1001]) {
        const read = yield* t.store.getRange(key, range, { partSize, concurrency: 3 })
        sameBytes(read, slice(body, range)!, `${JSON.stringify(range)} in parts of ${partSize}`)
      }
    }
  }),
  test("a missing object is NotFound whatever the range", function*(t) {
    for (const range of [{ offset: 0 }, { offset: 7, length: 9 }, { suffix: 3 }]) {
      yield* failsWith("NotFound", t.store.getRange(t.key("missing"), range))
    }
  })
])

const ranges_: ReadonlyArray<{ readonly name: string; readonly ranges: ReadonlyArray<ByteRange> }> = [
  { name: "none", ranges: [] },
  { name: "one", ranges: [{ offset: 10, length: 20 }] },
  { name: "backwards", ranges: [{ offset: 9000, length: 20 }, { offset: 500, length: 20 }, { offset: 0, length: 1 }] },
  { name: "the same twice", ranges: [{ offset: 77, length: 3 }, { offset: 77, length: 3 }] },
  {
    name: "overlapping",
    ranges: [{ offset: 100, length: 100 }, { offset: 150, length: 100 }, { offset: 120, length: 5 }]
  },
  { name: "touching", ranges: [{ offset: 0, length: 100 }, { offset: 100, length: 100 }, { offset: 200, length: 1 }] },
  {
    name: "far apart",
    ranges: [{ offset: 0, length: 1 }, { offset: 19_999, length: 1 }, { offset: 10_000, length: 1 }]
  },
  { name: "clamped", ranges: [{ offset: 19_990, length: 100 }, { offset: 5, length: 5 }] },
  { name: "suffixes", ranges: [{ suffix: 5 }, { offset: 3 }, { suffix: 50_000 }, { suffix: 0 }] },
  { name: "empty ones between", ranges: [{ offset: 5, length: 0 }, { offset: 5, length: 5 }, { offset: 9, length: 0 }] }
]

const several = subject("getRanges", [
  test("gives the ranges in the order asked, overlapping or not, however they are read together", function*(t) {
    const key = t.key("ranges")
    const body = bytes(20_000)
    yield* t.store.put(key, body)
    for (const { name, ranges } of ranges_) {
      for (const coalesce of [undefined, 0, 1, 64, 100_000]) {
        const read = yield* t.store.getRanges(key, ranges, { coalesce, concurrency: 2 })
        const what = `${name}, read together within ${coalesce}`
        same(read.length, ranges.length, `${what}: answers`)
        read.forEach((one, i) => sameBytes(one, slice(body, ranges[i]!)!, `${what}, range ${i}`))
      }
    }
  }),
  test("answers do not share memory that one reader may change under another", function*(t) {
    const key = t.key("shared")
    yield* t.store.put(key, bytes(1000))
    const [first, second] = yield* t.store.getRanges(key, [{ offset: 0, length: 100 }, { offset: 50, length: 100 }])
    first!.fill(0)
    sameBytes(second!, bytes(1000).subarray(50, 150), "the second range")
  }),
  test("one range that starts past the end is RangeNotSatisfiable", function*(t) {
    const key = t.key("one-past")
    yield* t.store.put(key, bytes(100))
    yield* failsWith(
      "RangeNotSatisfiable",
      t.store.getRanges(key, [{ offset: 0, length: 5 }, { offset: 100, length: 1 }])
    )
  }),
  test("many small ranges are all there", function*(t) {
    const key = t.key("many")
    const body = bytes(40_000)
    yield* t.store.put(key, body)
    const ranges = Array.from({ length: 500 }, (_, i) => ({ offset: (i * 7919) % 39_000, length: 1 + (i % 97) }))
    const read = yield* t.store.getRanges(key, ranges, { coalesce: 16 })
    read.forEach((one, i) => sameBytes(one, slice(body, ranges[i]!)!, `range ${i}`))
  })
])

/**
 * Cases of ranges.
 *
 * @category testing
 * @since 0.1.0
 */
export const ranges: ReadonlyArray<Case> = [...single, ...several]
