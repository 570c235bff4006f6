import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Option, Schema, Stream } from "effect"
import { SeekTable, Zstd } from "effect-objectstore"
import { createXXHash64 } from "hash-wasm"
import { printSeekTable } from "../../src/codec/SeekTable.ts"
import { command, content, libraries, noise, poolOf, reasonOf, same } from "./content.ts"

const tableOf = (object: Uint8Array) =>
  SeekTable.read(object.length, (count) => Effect.succeed(object.subarray(object.length - count)))

const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

/** A table without checksums. */
const plainTable = (sizes: ReadonlyArray<readonly [stored: number, size: number]>): Uint8Array => {
  const bytes = new Uint8Array(8 + 8 * sizes.length + 9)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x184d2a5e, true)
  view.setUint32(4, bytes.length - 8, true)
  for (const [index, [stored, size]] of sizes.entries()) {
    view.setUint32(8 + 8 * index, stored, true)
    view.setUint32(12 + 8 * index, size, true)
  }
  view.setUint32(bytes.length - 9, sizes.length, true)
  view.setUint32(bytes.length - 4, 0x8f92eab1, true)
  return bytes
}

const lastXxh64 = (bytes: Uint8Array) =>
  Effect.map(
    Effect.promise(() => createXXHash64()),
    (hasher) => Buffer.from(hasher.init().update(bytes).digest("binary")).readUInt32BE(4)
  )

describe("the table of frames", () => {
  const frameSize = 10_000
  const original = content(95_000)
  const compressed = Zstd.compress(original, { frameSize })

  it.effect("tells of each frame what it is: sizes, places, XXH64 of the content", () =>
    Effect.gen(function*() {
      const stored = yield* compressed
      const table = (yield* tableOf(stored))!
      // The last one is the table's checksum.
      assert.strictEqual(table.frames, 11)
      assert.strictEqual(table.size, original.length)
      assert.strictEqual(table.storedSize, stored.length)
      for (let index = 0; index < 10; index++) {
        const frame = stored.subarray(table.storedOffsets[index]!, table.storedOffsets[index + 1]!)
        const part = original.subarray(table.offsets[index]!, table.offsets[index + 1]!)
        assert.isTrue(same(command("zstd", ["-d"], frame), part))
        assert.strictEqual(table.checksums![index], yield* lastXxh64(part))
      }
      assert.strictEqual(table.offsets[10], original.length)
      assert.strictEqual(table.storedOffsets[10], stored.length - (16 + 8 + 12 * 11 + 9))
      assert.strictEqual(table.checksums![10], yield* lastXxh64(new Uint8Array(0)))
    }))

  it.effect("is written where there is more than one frame, and not where nobody wants it", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* tableOf(yield* Zstd.compress(original)))
      const without = yield* Zstd.compress(original, { frameSize, seekable: false })
      assert.isUndefined(yield* tableOf(without))
      assert.isTrue(same(yield* Zstd.decompress(without), original))
      assert.isUndefined(yield* tableOf(command("zstd", ["-3"], original)))
      assert.isUndefined(yield* tableOf(new Uint8Array(0)))
    }))

  it.effect.prop(
    "names the frames of a range and no others, of which exactly the range comes out",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))
    ],
    ([offset, length]) =>
      Effect.gen(function*() {
        const stored = yield* compressed
        const table = (yield* tableOf(stored))!
        const range = { offset, length }
        const selection = SeekTable.framesFor(table, range)
        const wanted = original.subarray(offset, offset + length)
        assert.strictEqual(selection.length, wanted.length)
        const frames = wanted.length === 0
          ? 0
          : Math.floor((offset + wanted.length - 1) / frameSize) - Math.floor(offset / frameSize) + 1
        assert.strictEqual(selection.count, frames)
        const { offset: from, length: count } = selection.stored
        const got = yield* Stream.succeed(stored.subarray(from, from + count)).pipe(
          Zstd.decompressRange(table, range),
          Stream.mkUint8Array
        )
        assert.isTrue(same(got, wanted))
      }),
    { arbitrary: { runs: 60 } }
  )

  it.effect("is read with one read, or with a second one where there are many frames", () =>
    Effect.gen(function*() {
      for (const [frames, reads] of [[2, 1], [1300, 1], [1400, 2], [100_000, 2]] as const) {
        const entries = Array.from(
          { length: frames },
          (_, index) => ({ storedSize: 20, size: 1000 + index, checksum: index })
        )
        const bytes = printSeekTable(entries)
        const size = bytes.length + 20 * frames
        const lengths: Array<number> = []
        const table = yield* SeekTable.read(size, (length) => {
          lengths.push(length)
          return Effect.succeed(join(new Uint8Array(size - bytes.length), bytes).subarray(size - length))
        })
        assert.strictEqual(table!.frames, frames + 1)
        assert.strictEqual(lengths.length, reads)
      }
    }))

  it.effect("is refused if it does not fit the object", () =>
    Effect.gen(function*() {
      // Another tool's: two frames of 10 and 20 bytes.
      const foreign = join(new Uint8Array(30), plainTable([[10, 100], [20, 200]]))
      const ours = yield* compressed
      const turned = (object: Uint8Array, at: number, value: number): Uint8Array => {
        const copy = Uint8Array.from(object)
        copy[at < 0 ? object.length + at : at] = value
        return copy
      }
      assert.strictEqual((yield* tableOf(foreign))!.size, 300)
      const cases: ReadonlyArray<readonly [string, Uint8Array, string]> = [
        ["a frame longer", turned(foreign, 30 + 8, 11), "IntegrityFailed"],
        ["the size of its own frame", turned(foreign, 30 + 4, 5), "IntegrityFailed"],
        ["bytes before it", join(Uint8Array.of(1), foreign), "IntegrityFailed"],
        ["a reserved bit", turned(foreign, -5, 0x04), "Unsupported"],
        ["content of a frame, in ours", turned(ours, ours.length - 9 - 12 * 11 + 4, 1), "IntegrityFailed"],
        ["its checksum, in ours", turned(ours, ours.length - 9 - 12 * 11 - 8 - 1, 1), "IntegrityFailed"]
      ]
      for (const [name, object, reason] of cases) assert.strictEqual(yield* reasonOf(tableOf(object)), reason, name)
      // Not at the place that the count leads to: these bytes are no table.
      assert.isUndefined(yield* tableOf(turned(foreign, -9, 1)))
      assert.isUndefined(yield* tableOf(turned(foreign, -6, 0xff)))
      assert.isUndefined(yield* tableOf(turned(foreign, -1, 1)))
      // Bits that the format keeps for additions mean nothing.
      assert.isDefined(yield* tableOf(turned(foreign, -5, 0x03)))
      // What the program knows, what the read answers, and what would take too much memory.
      const tail = (count: number) => Effect.succeed(foreign.subarray(foreign.length - count))
      assert.isDefined(yield* SeekTable.read(foreign.length, tail, 300))
      assert.strictEqual(yield* reasonOf(SeekTable.read(foreign.length, tail, 299)), "IntegrityFailed")
      assert.strictEqual(yield* reasonOf(SeekTable.read(1000, tail)), "IntegrityFailed")
      const vast = turned(foreign, -7, 0xff)
      const padded = (count: number) => Effect.succeed(join(new Uint8Array(count), vast).subarray(-count))
      assert.strictEqual(yield* reasonOf(SeekTable.read(2 ** 40, padded)), "LimitExceeded")
    }))

  it.effect("is never read wrong after a bit was turned over: what comes out is right, or fails", () =>
    Effect.gen(function*() {
      const stored = yield* compressed
      const from = stored.length - (8 + 12 * 11 + 9)
      const range = { offset: 25_000, length: 30_000 }
      for (let bit = from * 8; bit < stored.length * 8; bit++) {
        const turned = Uint8Array.from(stored)
        turned[bit >> 3]! ^= 1 << (bit & 7)
        const ranged = yield* Effect.option(Effect.gen(function*() {
          const table = yield* tableOf(turned)
          if (table === undefined) return original.subarray(range.offset, range.offset + range.length)
          const { length, offset } = SeekTable.framesFor(table, range).stored
          return yield* Stream.succeed(turned.subarray(offset, offset + length)).pipe(
            Zstd.decompressRange(table, range),
            Stream.mkUint8Array
          )
        }))
        if (Option.isSome(ranged)) {
          assert.isTrue(same(ranged.value, original.subarray(range.offset, range.offset + range.length)), `${bit}`)
        }
        const whole = yield* Effect.option(Zstd.decompress(turned))
        if (Option.isSome(whole)) assert.isTrue(same(whole.value, original), `${bit}`)
        // A reader of everything sees what the table tells of each frame, but for the checksum of the one to skip.
        const at = bit >> 3
        if (at >= from + 8 && at < stored.length - 9 - 4) assert.isTrue(Option.isNone(whole), `${bit}`)
      }
    }))

  it.effect("without checksums, and one of frames that have none of their own, are read too", () =>
    Effect.gen(function*() {
      const parts = [noise(5000), new Uint8Array(0), content(7000)]
      const frames = parts.map((part) => command("zstd", ["-3", "--no-check"], part))
      const plain = join(...frames, plainTable(frames.map(({ length }, index) => [length, parts[index]!.length])))
      const range = { offset: 4000, length: 5000 }
      const wanted = join(...parts).subarray(4000, 9000)
      const readRange = Effect.fnUntraced(function*(object: Uint8Array) {
        const table = (yield* tableOf(object))!
        const { length, offset } = SeekTable.framesFor(table, range).stored
        let verified: boolean | undefined
        const bytes = yield* Stream.succeed(object.subarray(offset, offset + length)).pipe(
          Zstd.decompressRange(table, range, {
            onSummary: (summary) =>
              Effect.sync(() => {
                verified = summary.verified
              })
          }),
          Stream.mkUint8Array
        )
        return { bytes, verified }
      })
      const read = yield* readRange(plain)
      assert.isTrue(same(read.bytes, wanted))
      assert.isFalse(read.verified)
      assert.isTrue(same(yield* Zstd.decompress(plain), join(...parts)))

      // As the tool of zstd's contributions writes it: checksums in the table alone.
      const sums = yield* Effect.forEach(parts, lastXxh64)
      const entries = frames.map(({ length }, index) => ({
        storedSize: length,
        size: parts[index]!.length,
        checksum: sums[index]!
      }))
      const withSums = join(...frames, printSeekTable(entries))
      const summed = yield* readRange(withSums)
      assert.isTrue(same(summed.bytes, wanted))
      assert.isTrue(summed.verified)
      const wrong = join(
        ...frames,
        printSeekTable(entries.map((entry) => ({ ...entry, checksum: entry.checksum ^ 1 })))
      )
      assert.strictEqual(yield* reasonOf(readRange(wrong)), "IntegrityFailed")
    }))
})

for (const library of libraries) {
  layer(poolOf(library), { excludeTestServices: true })(`ranges by ${library}`, (it) => {
    it.effect("fail if the frames are not those of the table", () =>
      Effect.gen(function*() {
        const range = { offset: 1000, length: 2500 }
        const stored = yield* Zstd.compress(content(5000), { frameSize: 1024 })
        const table = (yield* tableOf(stored))!
        const other = yield* Zstd.compress(content(5000, 7), { frameSize: 1024 })
        const { length, offset } = SeekTable.framesFor(table, range).stored
        const read = (bytes: Uint8Array) =>
          Stream.succeed(bytes).pipe(Zstd.decompressRange(table, range), Stream.mkUint8Array)
        assert.strictEqual((yield* read(stored.subarray(offset, offset + length))).length, 2500)
        // Other content of the same length; fewer frames; more of them; other ones.
        const second = table.storedOffsets[1]!
        const cases = [
          other.subarray(offset, offset + length),
          stored.subarray(offset, second),
          stored.subarray(offset, table.storedOffsets[5]),
          stored.subarray(second, table.storedOffsets[5])
        ]
        for (const [index, bytes] of cases.entries()) {
          assert.strictEqual(yield* reasonOf(read(bytes)), "IntegrityFailed", `${index}`)
        }
      }))
  })
}
