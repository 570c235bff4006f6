import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import {
  type Backend,
  compress,
  fromBackend,
  makeError,
  type ObjectStore,
  type ObjectStoreError,
  SeekTable,
  Zstd
} from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import * as NodeZlib from "node:zlib"
import { reasonOf } from "../engine/reasonOf.ts"
import { recording } from "../engine/RecordingBackend.ts"
import { content } from "./content.ts"
import { assertSame } from "./describeRoundTrip.ts"

const KiB = 1024
const MiB = 1024 * KiB

const setUp = Effect.gen(function*() {
  const memory = yield* makeBackend()
  const recorded = recording(memory)
  const plain = yield* fromBackend(memory, { base: "mem://memory/" })
  const store = yield* fromBackend(recorded.backend, { base: "mem://memory/" })
  return { ...recorded, plain, store }
})

type Store = ObjectStore["Service"]

/** What every way to read it all says of an object. */
const reads = (store: Store, key: string) => {
  const options = { decompress: true } as const
  return [
    store.get(key, options),
    Effect.map(Stream.runCollect(store.stream(key, options)), (chunks) => Buffer.concat(chunks)),
    Effect.scoped(Effect.flatMap(store.open(key, options), (reader) => reader.read())),
    Effect.suspend(() => {
      const target = new Uint8Array(MiB)
      return Effect.map(store.getInto(key, target, options), ({ bytes }) => target.subarray(0, bytes))
    })
  ]
}

/** Which limit was passed. */
const limitOf = <A>(read: Effect.Effect<A, ObjectStoreError>) =>
  Effect.map(Effect.flip(read), ({ reason }) => reason._tag === "LimitExceeded" ? reason.limit : reason._tag)

const body = content("mixed", 20 * KiB + 17)

describe("stored content that is damaged", () => {
  for (const seekable of [true, false]) {
    it.live(
      `is an error by every way to read, ${seekable ? "with a table" : "as one frame"}: never other bytes`,
      () =>
        Effect.gen(function*() {
          const { plain } = yield* setUp
          const compression = { frameSize: seekable ? 4 * KiB : MiB }
          yield* plain.put("a", body, { compression })
          const stored = yield* plain.get("a.zst")
          const { metadata } = yield* plain.stat("a.zst")
          const silent: Array<string> = []
          const check = Effect.fnUntraced(function*(what: string, damaged: Uint8Array, marked: boolean, all: boolean) {
            yield* plain.put("b.zst", damaged, marked ? { metadata } : {})
            for (const read of all ? reads(plain, "b.zst") : reads(plain, "b.zst").slice(0, 1)) {
              const tag = yield* Effect.match(read, {
                onFailure: ({ reason }) => reason._tag,
                onSuccess: () => "Success"
              })
              if (!["IntegrityFailed", "LimitExceeded", "Unsupported"].includes(tag)) silent.push(`${what}: ${tag}`)
            }
            if (!all || !seekable) return
            // A range is right, or an error: what lies in other frames may be damaged.
            const range = { offset: 5000, length: 3000 }
            const part = yield* Effect.option(plain.getRange("b.zst", range, { decompress: true }))
            if (part._tag === "Some" && !Buffer.from(part.value).equals(body.subarray(5000, 8000))) {
              silent.push(`${what}: other bytes in a range`)
            }
          })
          let seed = 1
          const chance = (below: number) => {
            seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
            return Math.floor((seed / 2 ** 32) * below)
          }
          for (let turn = 0; turn < 150; turn++) {
            const flipped = stored.slice()
            const at = chance(stored.length)
            flipped[at]! ^= 1 << chance(8)
            yield* check(`bit of byte ${at} of ${stored.length} flipped`, flipped, turn % 2 === 0, turn % 10 === 0)
          }
          for (let turn = 0; turn < 150; turn++) {
            const length = turn < 20 ? turn : turn < 60 ? stored.length - 1 - (turn - 20) : chance(stored.length)
            yield* check(`cut to ${length} of ${stored.length}`, stored.subarray(0, length), true, turn % 10 === 0)
          }
          // The table behind the frames, and its own checksum: every bit of them.
          const behind = seekable ? 16 + 17 + 12 * 7 : 0
          for (let bit = 0; bit < behind * 8; bit++) {
            const flipped = stored.slice()
            flipped[stored.length - behind + (bit >> 3)]! ^= 1 << (bit & 7)
            yield* check(`bit ${bit} of the table flipped`, flipped, true, bit % 50 === 0)
          }
          for (let length = stored.length - behind; length < stored.length; length++) {
            yield* check(`cut to ${length} of ${stored.length}`, stored.subarray(0, length), true, length % 20 === 0)
          }
          for (const garbage of [[0], [1, 2, 3], [0x28, 0xb5, 0x2f, 0xfd], stored.subarray(0, 20)]) {
            yield* check("garbage behind", Buffer.concat([stored, Uint8Array.from(garbage)]), true, true)
          }
          assert.deepStrictEqual(silent, [])
        }),
      120_000
    )
  }

  it.live("is an error where it was cut off between two frames, without any mark of its size", () =>
    Effect.gen(function*() {
      const { plain } = yield* setUp
      const { compression } = yield* plain.putMultipart("a", Stream.succeed(body), {
        compression: { frameSize: 4 * KiB }
      })
      const stored = yield* plain.get("a.zst")
      // What the mark says of a stream in several requests: its size was not known when the upload began.
      const metadata = { objectstorecompression: "zstd" }
      const table = yield* SeekTable.read(
        stored.length,
        (length) => Effect.succeed(stored.subarray(stored.length - length))
      )
      for (let frames = 1; frames <= compression!.frames; frames++) {
        const rest = stored.subarray(0, table!.storedOffsets[frames]!)
        // What is left is whole in itself: it is our table that is missing.
        assertSame(yield* Zstd.decompress(rest), body.subarray(0, table!.offsets[frames]!), `${frames} frames`)
        yield* plain.put("b.zst", rest, { metadata })
        for (const read of reads(plain, "b.zst")) assert.strictEqual(yield* reasonOf(read), "IntegrityFailed")
      }
    }))

  it.live("is an error where one frame is all that is left, and none where there never was another", () =>
    Effect.gen(function*() {
      const { plain } = yield* setUp
      for (const size of [0, 1, 4 * KiB, 4 * KiB + 1]) {
        const original = body.subarray(0, size)
        const key = `unsized-${size}`
        yield* plain.putMultipart(key, Stream.succeed(original), { compression: { frameSize: 4 * KiB } })
        for (const read of reads(plain, `${key}.zst`)) assertSame(yield* read, original, key)
        assert.strictEqual((yield* compress()(plain).stat(key)).size, size)
      }
    }))

  it.live("is an error of a range, too, where the table tells another size than the mark", () =>
    Effect.gen(function*() {
      const { plain } = yield* setUp
      yield* plain.put("a", body, { compression: { frameSize: 4 * KiB } })
      const stored = yield* plain.get("a.zst")
      const range = plain.getRange("b.zst", { offset: 100, length: 10 }, { decompress: true })
      for (const [size, tag] of [[body.length, "Success"], [body.length + 1, "IntegrityFailed"]] as const) {
        yield* plain.put("b.zst", stored, { metadata: { objectstorecompression: `zstd;size=${size}` } })
        assert.strictEqual(yield* reasonOf(range), tag)
      }
      // A size that is no number tells nothing.
      for (const size of ["", "-1", "0x10", "1e99", "99999999999999999"]) {
        yield* plain.put("b.zst", stored, { metadata: { objectstorecompression: `zstd;size=${size}` } })
        assertSame(yield* plain.get("b.zst", { decompress: true }), body, size)
      }
    }))

  it.live("a reader looks again for the table where it could not", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend()
      const plain = yield* fromBackend(memory, { base: "mem://memory/" })
      yield* plain.put("a", body, { compression: { frameSize: 4 * KiB } })
      let denied = true
      const store = yield* fromBackend({
        ...memory,
        read: (at, request) =>
          denied
            ? Effect.fail(makeError("PermissionDenied", { operation: "read", backend: "memory" }))
            : memory.read(at, request)
      }, { base: "mem://memory/" })
      const reader = yield* store.open("a.zst", { decompress: true })
      assert.strictEqual(yield* reasonOf(reader.read()), "PermissionDenied")
      denied = false
      assertSame(yield* reader.read(), body, "again")
    }))
})

describe("content from elsewhere", () => {
  it.live("is read by its name and its first bytes, or because it was asked for", () =>
    Effect.gen(function*() {
      const { plain } = yield* setUp
      const text = Buffer.from("text that was compressed elsewhere ".repeat(500))
      const foreign = NodeZlib.zstdCompressSync(text)
      const twice = Buffer.concat([foreign, foreign])
      yield* plain.put("foreign.zst", twice)
      yield* plain.put("foreign.bin", foreign)
      yield* plain.put("text.zst", "not zstd at all")
      yield* plain.put("short.zst", "ab")
      yield* plain.put("empty.zst", "")
      yield* plain.put("marked", "hello", { compression: {} })
      yield* plain.rename("marked.zst", "renamed")
      const auto = { decompress: "auto" } as const
      const all = Buffer.concat([text, text])
      assertSame(yield* plain.get("foreign.zst", auto), all, "by name")
      assertSame(yield* plain.get("foreign.bin", auto), foreign, "no name")
      assertSame(yield* plain.get("foreign.bin", { decompress: true }), text, "asked for")
      assertSame(yield* plain.get("foreign.zst", { decompress: false }), twice, "as stored")
      assertSame(yield* plain.get("foreign.zst"), twice, "as stored without an option")
      assert.strictEqual(Buffer.from(yield* plain.get("renamed", auto)).toString(), "hello")
      assert.strictEqual(Buffer.from(yield* plain.getRange("renamed", { offset: 1 }, auto)).toString(), "ello")
      for (const [key, raw] of [["text.zst", "not zstd at all"], ["short.zst", "ab"], ["empty.zst", ""]] as const) {
        assert.strictEqual(Buffer.from(yield* plain.get(key, auto)).toString(), raw)
        const reader = yield* plain.open(key, auto)
        assert.strictEqual(Buffer.from(yield* reader.read()).toString(), raw)
        for (const read of reads(plain, key)) assert.strictEqual(yield* reasonOf(read), "IntegrityFailed", key)
      }
      // Ranges of frames without a table: from the beginning, to the end of the frame that holds the last byte.
      const ranges = [{ offset: 0, length: 10 }, { offset: text.length - 5, length: 10 }, {
        offset: all.length - 1,
        length: 9
      }]
      for (const range of ranges) {
        const part = all.subarray(range.offset, range.offset + range.length)
        assertSame(yield* plain.getRange("foreign.zst", range, auto), part, JSON.stringify(range))
      }
      assertSame(yield* plain.getRange("foreign.zst", { suffix: 7 }, auto), all.subarray(-7), "suffix")
      const some = yield* plain.getRanges("foreign.zst", [{ suffix: 3 }, { offset: 3, length: 4 }, {
        offset: 0,
        length: 0
      }], auto)
      assert.deepStrictEqual(some.map((bytes) => Buffer.from(bytes).toString()), [
        all.subarray(-3).toString(),
        all.subarray(3, 7).toString(),
        ""
      ])
      for (const offset of [all.length, all.length + 1]) {
        const past = plain.getRange("foreign.zst", { offset }, auto)
        assert.strictEqual(yield* reasonOf(past), "RangeNotSatisfiable")
      }
    }))
})

describe("limits", () => {
  it.live("stop a bomb before it is unpacked, or soon after", () =>
    Effect.gen(function*() {
      const { plain } = yield* setUp
      const { compression } = yield* plain.put("bomb", new Uint8Array(64 * MiB), {
        compression: { frameSize: 64 * MiB }
      })
      assert.isBelow(compression!.storedSize, 8 * KiB)
      const stored = yield* plain.get("bomb.zst")
      yield* plain.put("unmarked.zst", stored)
      for (const key of ["bomb.zst", "unmarked.zst"]) {
        const options = { decompress: true, maxSize: MiB } as const
        const before = process.memoryUsage().arrayBuffers
        assert.strictEqual(yield* limitOf(plain.get(key, options)), "maxSize")
        let delivered = 0
        const streamed = Stream.runForEach(plain.stream(key, options), (chunk) =>
          Effect.sync(() => {
            delivered += chunk.length
          }))
        assert.strictEqual(yield* limitOf(streamed), "maxSize")
        assert.isAtMost(delivered, 2 * MiB)
        assert.isBelow(process.memoryUsage().arrayBuffers - before, 32 * MiB)
        const reader = yield* plain.open(key, { decompress: true })
        assert.strictEqual(yield* limitOf(reader.read(undefined, { maxSize: MiB })), "maxSize")
        assert.strictEqual(
          yield* reasonOf(plain.getInto(key, new Uint8Array(MiB), { decompress: true })),
          "LimitExceeded"
        )
        assert.lengthOf(yield* plain.getRange(key, { offset: 5, length: 9 }, options), 9)
      }
    }))

  it.live("hold reads of what is stored, too", () =>
    Effect.gen(function*() {
      const { plain } = yield* setUp
      yield* plain.put("a", body)
      assert.strictEqual(yield* reasonOf(plain.get("a", { maxSize: body.length - 1 })), "LimitExceeded")
      assert.strictEqual(yield* reasonOf(Stream.runDrain(plain.stream("a", { maxSize: 10 }))), "LimitExceeded")
      assertSame(yield* plain.get("a", { maxSize: body.length }), body, "exactly")
      assert.strictEqual(yield* reasonOf(plain.get("a", { maxSize: -1 })), "InvalidRequest")
    }))
})

describe("an original that changes while it is read", () => {
  it.live("is ObjectChanged, or one version, never a mix", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend()
      const plain = yield* fromBackend(memory, { base: "mem://memory/" })
      const [one, other] = [content("mixed", 300_000, 1), content("mixed", 300_000, 2)]
      const compression = { frameSize: 16 * KiB }
      let reads = 0
      let change = 0
      const changing: Backend = {
        ...memory,
        // Before one of the requests, another version is written.
        read: (at, request) =>
          Effect.andThen(
            Effect.suspend(() =>
              ++reads === change ? Effect.orDie(plain.put("a", other, { compression })) : Effect.void
            ),
            memory.read(at, request)
          )
      }
      const store = yield* fromBackend(changing, { base: "mem://memory/" })
      const options = { decompress: true, partSize: 64 * KiB } as const
      const range = { offset: 100_000, length: 100_000 }
      const found = new Set<string>()
      for (change = 1; change <= 6; change++) {
        const attempts = [
          Effect.map(store.get("a.zst", options), (bytes) => [bytes, one, other] as const),
          Effect.map(
            store.getRange("a.zst", range, options),
            (bytes) => [bytes, one.subarray(100_000, 200_000), other.subarray(100_000, 200_000)] as const
          ),
          Effect.scoped(
            Effect.flatMap(
              store.open("a.zst", { decompress: true }),
              (reader) =>
                Effect.map(reader.read(undefined, { partSize: 64 * KiB }), (bytes) => [bytes, one, other] as const)
            )
          )
        ]
        for (const attempt of attempts) {
          yield* plain.put("a", one, { compression })
          reads = 0
          found.add(
            yield* Effect.match(attempt, {
              onFailure: ({ reason }) => reason._tag,
              onSuccess: ([bytes, first, second]) =>
                Buffer.from(bytes).equals(first) ? "one" : Buffer.from(bytes).equals(second) ? "other" : "a mix"
            })
          )
        }
      }
      assert.deepStrictEqual([...found].sort(), ["ObjectChanged", "one", "other"])
    }))
})

describe("reads of ranges", () => {
  it.live("take one frame and the table out of 1 GiB", () =>
    Effect.gen(function*() {
      const { calls, store } = yield* setUp
      const piece = content("text", 4 * MiB)
      const { compression } = yield* store.put("big", Stream.fromIterable(Array.from({ length: 256 }, () => piece)), {
        compression: { level: 1 },
        size: 1024 * MiB
      })
      assert.deepInclude(compression, { size: 1024 * MiB, frames: 256, seekable: true })
      calls.length = 0
      const range = { offset: 600 * MiB + 12_345, length: MiB }
      const part = yield* store.getRange("big.zst", range, { decompress: true })
      assertSame(part, piece.subarray(12_345, 12_345 + MiB), "range")
      const lengths = calls.map(({ detail }) => detail as { suffix?: number; length?: number })
      const read = lengths.reduce((sum, { length = 0, suffix = 0 }) => sum + length + suffix, 0)
      const frame = Math.ceil(compression!.storedSize / 256)
      // The table of 1,300 frames fits into what is read of the end at once.
      assert.isAtMost(read, frame * 1.1 + 16 * KiB, JSON.stringify(calls))
      assert.strictEqual(calls.length, 2)
    }), 180_000)
})
