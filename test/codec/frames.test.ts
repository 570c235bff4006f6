import { assert, describe, it } from "@effect/vitest"
import { type FrameEvent, makeFrameWalker } from "../../src/codec/frames.ts"

const magic = [0x28, 0xb5, 0x2f, 0xfd]
/** A raw block of `length` bytes. */
const block = (length: number, last: boolean): ReadonlyArray<number> => [
  ((length << 3) | (last ? 1 : 0)) & 255,
  (length >> 5) & 255,
  (length >> 13) & 255,
  ...Array.from({ length }, () => 7)
]
/** A single segment that tells its size in one byte. */
const header = (size: number): ReadonlyArray<number> => [...magic, 0x20, size]
/** A window of 1 KiB, no size, a checksum. */
const open = [...magic, 0x04, 0]

const walk = (chunks: ReadonlyArray<ReadonlyArray<number>>, wholeSize = 1000) => {
  const walker = makeFrameWalker({ wholeSize, keep: (_, length) => length === 3 })
  const events: Array<FrameEvent> = []
  for (const chunk of chunks) {
    walker.feed(Uint8Array.from(chunk))
    for (let event = walker.next(); event !== undefined; event = walker.next()) events.push(event)
  }
  return { events, tags: events.map(({ _tag }) => _tag), end: walker.end() }
}

describe("walking frames", () => {
  const whole = [...header(5), ...block(2, false), ...block(3, true)]

  it("finds the same frames however the bytes come", () => {
    const bytes = [...whole, ...open, ...block(9, true), 1, 2, 3, 4, 0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 8, 7]
    const wanted = ["Begin", "Whole", "Begin", "Blocks", "Skipped"]
    assert.deepStrictEqual(walk([bytes]).tags, wanted)
    const { end, events, tags } = walk(bytes.map((byte) => [byte]))
    assert.deepStrictEqual(tags, wanted)
    assert.isUndefined(end)
    const [, first, , second, skipped] = events
    assert.deepStrictEqual(first?._tag === "Whole" ? [...first.frame] : [], whole)
    assert.strictEqual(second?._tag === "Blocks" ? second.end?.checksum : 0, 0x04030201)
    assert.deepStrictEqual(skipped?._tag === "Skipped" ? [...skipped.content ?? []] : [], [9, 8, 7])
  })

  it("says where it was cut off", () => {
    for (let length = 0; length < whole.length; length++) {
      assert.isDefined(walk([whole.slice(0, length)]).end, `${length}`)
    }
    assert.strictEqual(walk([]).end, "there is not a single frame")
    assert.strictEqual(walk([[...whole, 0x28]]).end, "frame 2 is cut off")
    assert.strictEqual(walk([[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9]]).end, "frame 1 is cut off")
  })

  it("gives blocks out as they come, so many that a bound of their content holds", () => {
    const { events } = walk([[...open, ...block(1000, false), ...block(1000, false)], [...block(24, true), 0, 0, 0, 0]])
    const blocks = events.filter((event) => event._tag === "Blocks")
    assert.deepStrictEqual(blocks.map(({ most }) => most), [2048, 1024])
    assert.deepStrictEqual(blocks.map(({ end }) => end !== undefined), [false, true])
  })

  it("refuses blocks that there cannot be", () => {
    const corrupt = (bytes: ReadonlyArray<number>): string => {
      const last = walk([bytes]).events.at(-1)
      return last?._tag === "Corrupt" ? last.description : "fine"
    }
    assert.strictEqual(corrupt([...header(5), 0b111, 0, 0]), "a block is of a type that does not exist")
    assert.strictEqual(
      corrupt([...open, ...block(1025, true)]),
      "a block of 1025 bytes is larger than its frame allows"
    )
    assert.strictEqual(corrupt([...magic, 0x08, 0]), "a frame's reserved bit is set")
    assert.strictEqual(corrupt([...whole, 1, 2, 3, 4]), "what follows frame 1 is no frame")
    assert.strictEqual(corrupt([1, 2, 3, 4]), "it does not begin as zstd")
  })

  it("does not gather a frame of ever more empty blocks", () => {
    const empty = Array.from({ length: 10_000 }, () => block(0, false)).flat()
    const { tags } = walk([[...header(5), ...empty, ...block(5, true)]])
    assert.deepStrictEqual(tags, ["Begin", "Blocks", "Blocks", "Blocks"])
    // Nor one that takes more room than its content.
    const { tags: long } = walk([[
      ...header(5),
      ...Array.from({ length: 5 }, () => block(5, false)).flat(),
      ...block(5, true)
    ]], 5)
    assert.include(long, "Blocks")
  })
})
