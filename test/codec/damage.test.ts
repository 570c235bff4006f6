import { assert, layer } from "@effect/vitest"
import { Effect, Random, Result, Stream } from "effect"
import { Zstd } from "effect-objectstore"
import { makeFrameWalker } from "../../src/codec/frames.ts"
import { command, content, libraries, noise, pieces, poolOf, reasonOf, same } from "./content.ts"

const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

/** Where each frame of `stored` ends, by a walk of its own. */
const ends = (stored: Uint8Array): ReadonlyArray<number> => {
  const walker = makeFrameWalker({ wholeSize: 2 ** 30, keep: () => false })
  walker.feed(stored)
  const found: Array<number> = []
  for (let event = walker.next(), at = 0; event !== undefined; event = walker.next()) {
    if (event._tag !== "Whole" && event._tag !== "Skipped") continue
    at += event._tag === "Whole" ? event.end.storedSize : event.storedSize
    found.push(at)
  }
  return found
}

for (const library of libraries) {
  layer(poolOf(library), { excludeTestServices: true })(`damaged zstd, read by ${library}`, (it) => {
    const original = content(3000)
    const one = Zstd.compress(original)
    const three = Zstd.compress(original, { frameSize: 1024 })

    it.effect("fails wherever it is cut off", () =>
      Effect.gen(function*() {
        const stored = yield* one
        for (let length = 0; length < stored.length; length++) {
          assert.strictEqual(
            yield* reasonOf(Zstd.decompress(stored.subarray(0, length))),
            "IntegrityFailed",
            `${length}`
          )
        }
        assert.isTrue(same(yield* Zstd.decompress(stored), original))
      }))

    it.effect("fails wherever several frames are cut off, between two of them if the size is known", () =>
      Effect.gen(function*() {
        const stored = yield* three
        const between = new Set(ends(stored))
        // Three frames, the table's checksum, the table.
        assert.strictEqual(between.size, 5)
        const table = 8 + 12 * 4 + 9
        for (let length = 0; length < stored.length; length++) {
          const expected = between.has(length) ? { size: original.length } : undefined
          // Only the table is missing: all of the original is there.
          if (between.has(length) && length >= stored.length - table - 16) continue
          assert.strictEqual(
            yield* reasonOf(Zstd.decompress(stored.subarray(0, length), { expected })),
            "IntegrityFailed",
            `${length}`
          )
        }
      }))

    it.effect("never gives anything else after a bit was turned over, wherever it is", () =>
      Effect.gen(function*() {
        const all = [
          yield* one,
          yield* three,
          yield* Zstd.compress(noise(3000)),
          yield* Zstd.compress(new Uint8Array(3000))
        ]
        const originals = [original, original, noise(3000), new Uint8Array(3000)]
        let failed = 0
        let unchanged = 0
        for (let run = 0; run < 2000; run++) {
          const which = run % all.length
          const stored = Uint8Array.from(all[which]!)
          const bit = yield* Random.nextIntBetween(0, stored.length * 8 - 1)
          stored[bit >> 3]! ^= 1 << (bit & 7)
          // A defect is no answer.
          const result = yield* Effect.result(Zstd.decompress(stored))
          if (Result.isFailure(result)) failed += 1
          else {
            unchanged += 1
            assert.isTrue(same(result.success, originals[which]!), `bit ${bit} of content ${which}`)
          }
        }
        // What the format calls unused may change without a word: a bit of a header, the magic number of a skipped frame.
        assert.isAtMost(unchanged, failed / 20)
      }).pipe(Random.withSeed("flips")))

    it.effect("answers whatever comes with content or a reason", () =>
      Effect.gen(function*() {
        const reasons = new Set<string>()
        for (let run = 0; run < 1500; run++) {
          const length = yield* Random.nextIntBetween(9, 300)
          const bytes = noise(length, run + 1)
          // A header that is taken, so that the blocks are looked at.
          bytes.set([0x28, 0xb5, 0x2f, 0xfd, run % 256], 0)
          // Blocks of any kind, of a size that is there.
          if (run % 3 === 0) bytes.set([0, 0x58, (run >> 2) % 256, run % 2, 0], 4)
          const result = yield* Effect.result(Zstd.decompress(bytes, { maxOutput: 2 ** 24 }))
          reasons.add(Result.isSuccess(result) ? "content" : result.failure.reason._tag)
        }
        assert.isTrue(reasons.has("IntegrityFailed"))
        const answers = new Set(["content", "IntegrityFailed", "LimitExceeded", "Unsupported"])
        assert.deepStrictEqual([...reasons].filter((one) => !answers.has(one)), [])
      }).pipe(Random.withSeed("noise")))

    it.effect("fails if anything follows it", () =>
      Effect.gen(function*() {
        for (const stored of [yield* one, yield* three]) {
          for (
            const tail of [[0], [0x28], [0x28, 0xb5, 0x2f, 0xfd], noise(5), noise(100_000), [0x50, 0x2a, 0x4d, 0x18, 9]]
          ) {
            const long = join(stored, Uint8Array.from(tail))
            assert.strictEqual(yield* reasonOf(Zstd.decompress(long)), "IntegrityFailed")
            assert.strictEqual(
              yield* reasonOf(Stream.runDrain(Zstd.decompressStream()(pieces(long, 7)))),
              "IntegrityFailed"
            )
          }
        }
      }))

    it.effect("fails if it is something else", () =>
      Effect.gen(function*() {
        for (const other of [new Uint8Array(0), original, noise(1000), new TextEncoder().encode("plain text")]) {
          assert.strictEqual(yield* reasonOf(Zstd.decompress(other)), "IntegrityFailed")
        }
      }))

    it.effect("fails in a large frame as in a small one: a bit, an end, a tail", () =>
      Effect.gen(function*() {
        // Without its size the frame is decoded blocks by blocks.
        const large = noise(1_500_000)
        const stored = command("zstd", ["-1", "--no-content-size", "--check"], large)
        let verified: boolean | undefined
        const back = yield* Zstd.decompress(stored, {
          onSummary: (summary) =>
            Effect.sync(() => {
              verified = summary.verified
            })
        })
        assert.isTrue(same(back, large))
        assert.isTrue(verified)
        for (const at of [100, 200_000, 1_000_000, stored.length - 1]) {
          const turned = Uint8Array.from(stored)
          turned[at]! ^= 4
          assert.strictEqual(yield* reasonOf(Zstd.decompress(turned)), "IntegrityFailed", `${at}`)
        }
        for (const length of [5, 131_000, 131_084, 1_000_000, stored.length - 1]) {
          assert.strictEqual(
            yield* reasonOf(Zstd.decompress(stored.subarray(0, length))),
            "IntegrityFailed",
            `${length}`
          )
        }
        assert.strictEqual(yield* reasonOf(Zstd.decompress(join(stored, Uint8Array.of(1)))), "IntegrityFailed")
      }))

    it.effect("fails if a header tells another size than the content has", () =>
      Effect.gen(function*() {
        const stored = yield* Zstd.compress(new Uint8Array(1000))
        // A single segment with a size of two bytes, 256 less than it is.
        assert.strictEqual(stored[4]! >>> 5, 0b011)
        for (const size of [999, 1001, 256, 60_000]) {
          const wrong = Uint8Array.from(stored)
          new DataView(wrong.buffer).setUint16(5, size - 256, true)
          assert.strictEqual(yield* reasonOf(Zstd.decompress(wrong)), "IntegrityFailed", `${size}`)
        }
      }))

    it.effect("fails if the program knows better", () =>
      Effect.gen(function*() {
        let crc32c = ""
        const stored = yield* Zstd.compress(original, {
          onSummary: (summary) =>
            Effect.sync(() => {
              crc32c = summary.crc32c
            })
        })
        assert.isTrue(same(yield* Zstd.decompress(stored, { expected: { size: 3000, crc32c } }), original))
        assert.strictEqual(yield* reasonOf(Zstd.decompress(stored, { expected: { size: 2999 } })), "IntegrityFailed")
        assert.strictEqual(
          yield* reasonOf(Zstd.decompress(stored, { expected: { crc32c: "AAAAAA==" } })),
          "IntegrityFailed"
        )
      }))
  })
}
