import { assert, layer } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { Zstd } from "effect-objectstore"
import { command, content, libraries, noise, pieces, poolOf, reasonOf, same } from "./content.ts"

const frameSize = 64 * 1024
const boundaries = [0, 1, 2, 255, 256, 65_535, 65_536, 65_537, 131_072, 131_073, 200_000]

for (const library of libraries) {
  layer(poolOf(library), { excludeTestServices: true })(`zstd by ${library}`, (it) => {
    it.effect("says what it is", () =>
      Effect.gen(function*() {
        const found = yield* Zstd.implementation
        assert.strictEqual(found.library, library)
        assert.match(found.version, /^1\.\d+\.\d+$/)
        assert.strictEqual(found.threads, 2)
      }))

    it.effect("brings back what it compressed, at sizes around every boundary, and so does the zstd command", () =>
      Effect.gen(function*() {
        for (const size of boundaries) {
          for (const original of [content(size), noise(size), new Uint8Array(size)]) {
            let told: Zstd.CompressSummary | undefined
            const stored = yield* Zstd.compress(original, {
              frameSize,
              onSummary: (summary) =>
                Effect.sync(() => {
                  told = summary
                })
            })
            assert.strictEqual(told!.size, size)
            assert.strictEqual(told!.storedSize, stored.length)
            assert.strictEqual(told!.frames, Math.max(1, Math.ceil(size / frameSize)))
            assert.strictEqual(told!.seekable, size > frameSize)
            assert.isTrue(same(yield* Zstd.decompress(stored), original), `${size}`)
            assert.isTrue(same(command("zstd", ["-d"], stored), original), `${size} by the command`)
          }
        }
      }))

    it.effect.prop(
      "brings back anything at any level, in whatever pieces it comes",
      [
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 22 })),
        Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300_000 })),
        Schema.Int.check(Schema.isBetween({ minimum: 1000, maximum: 70_000 }))
      ],
      ([level, size, piece]) =>
        Effect.gen(function*() {
          const original = content(size, level)
          const stored = yield* pieces(original, piece).pipe(
            Zstd.compressStream({ level, frameSize: 100_000 }),
            Stream.mkUint8Array
          )
          const back = yield* pieces(stored, piece).pipe(Zstd.decompressStream(), Stream.mkUint8Array)
          assert.isTrue(same(back, original))
        }),
      { arbitrary: { runs: 30 } }
    )

    it.effect("refuses what is no bytes", () =>
      Effect.gen(function*() {
        for (const wrong of ["text", null, 7, [1, 2], new ArrayBuffer(3)]) {
          assert.strictEqual(yield* reasonOf(Zstd.compress(wrong as never)), "InvalidRequest")
          assert.strictEqual(yield* reasonOf(Zstd.decompress(wrong as never)), "InvalidRequest")
        }
      }))

    it.effect("refuses options that are out of range", () =>
      Effect.gen(function*() {
        const bytes = new Uint8Array(1)
        for (const level of [0, 23, 1.5, -1, Number.NaN]) {
          assert.strictEqual(yield* reasonOf(Zstd.compress(bytes, { level })), "InvalidRequest")
        }
        for (const options of [{ frameSize: 1 }, { frameSize: 2 ** 30 }, { concurrency: 0 }]) {
          assert.strictEqual(yield* reasonOf(Zstd.compress(bytes, options)), "InvalidRequest")
        }
        for (const options of [{ maxWindow: 1 }, { maxWindow: 2 ** 32 }, { maxOutput: -1 }, { concurrency: 0.5 }]) {
          assert.strictEqual(yield* reasonOf(Zstd.decompress(bytes, options)), "InvalidRequest")
        }
      }))
  })
}
