import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Zstd } from "effect-objectstore"
import { command, libraries, poolOf, reasonOf } from "./content.ts"

const MiB = 2 ** 20

/** A frame that tells no size, of blocks that repeat a byte: four bytes for 128 KiB. */
const bomb = (size: number): Uint8Array => {
  const blocks = size / (128 * 1024)
  const bytes = new Uint8Array(6 + 4 * blocks)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0xfd2fb528, true)
  // A window of 2^20; no checksum, no size.
  view.setUint8(5, 10 << 3)
  for (let index = 0; index < blocks; index++) {
    const header = ((128 * 1024) << 3) | (1 << 1) | (index === blocks - 1 ? 1 : 0)
    view.setUint32(6 + 4 * index, header, true)
  }
  return bytes
}

/** The header of a frame with a window of `2 ** log` bytes, and an empty last block. */
const windowOf = (log: number): Uint8Array => Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 1, 0, 0)

for (const library of libraries) {
  layer(poolOf(library), { excludeTestServices: true })(`limits of zstd by ${library}`, (it) => {
    it.effect("lets no more than 2 MiB of a bomb of 2 KiB out, of which 1 MiB is allowed", () =>
      Effect.gen(function*() {
        const stored = bomb(64 * MiB)
        assert.isAtMost(stored.length, 2100)
        let out = 0
        const reason = yield* Stream.succeed(stored).pipe(
          Zstd.decompressStream({ maxOutput: MiB }),
          Stream.runForEach((chunk) =>
            Effect.sync(() => {
              out += chunk.length
            })
          ),
          reasonOf
        )
        assert.strictEqual(reason, "LimitExceeded")
        assert.isAtMost(out, 2 * MiB)
        assert.strictEqual(yield* reasonOf(Zstd.decompress(stored, { maxOutput: MiB })), "LimitExceeded")
        // It is a right frame otherwise.
        assert.strictEqual((yield* Zstd.decompress(stored, { maxOutput: 64 * MiB })).length, 64 * MiB)
      }))

    it.effect("takes bytes and options that there are", () =>
      Effect.gen(function*() {
        const text = yield* Effect.flip(Zstd.compress("text" as never))
        assert.include(text.message, "is no Uint8Array")
        assert.strictEqual(yield* reasonOf(Zstd.decompress("text" as never)), "InvalidRequest")
        const option = yield* Effect.flip(Zstd.compress(new Uint8Array(1), { levle: 9 } as never))
        assert.strictEqual(option.message, "InvalidRequest: compress: there is no option \"levle\"")
        assert.strictEqual(yield* reasonOf(Zstd.decompress(new Uint8Array(1), { max: 9 } as never)), "InvalidRequest")
      }))

    it.effect("refuses a frame that tells more than is allowed before any of it comes out", () =>
      Effect.gen(function*() {
        const stored = command("zstd", ["-3"], new Uint8Array(3 * MiB))
        let out = 0
        const drain = (maxOutput: number) =>
          Stream.succeed(stored).pipe(
            Zstd.decompressStream({ maxOutput }),
            Stream.runForEach((chunk) =>
              Effect.sync(() => {
                out += chunk.length
              })
            )
          )
        assert.strictEqual(yield* reasonOf(drain(MiB)), "LimitExceeded")
        // Standard input has no size to tell; so the frame has to be cut short by what comes out of it.
        assert.isAtMost(out, MiB)
        const told = yield* Zstd.compress(new Uint8Array(3 * MiB))
        out = 0
        assert.strictEqual(yield* reasonOf(Zstd.decompress(told, { maxOutput: 3 * MiB - 1 })), "LimitExceeded")
        assert.strictEqual((yield* Zstd.decompress(told, { maxOutput: 3 * MiB })).length, 3 * MiB)
      }))

    it.effect("believes a size that is too large, and looks at nothing behind it", () =>
      Effect.gen(function*() {
        // A size of eight bytes, 2^40, and a block that holds nothing.
        const stored = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xc0, 10 << 3, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0)
        assert.strictEqual(yield* reasonOf(Zstd.decompress(stored)), "LimitExceeded")
        assert.strictEqual(yield* reasonOf(Zstd.decompress(stored, { maxOutput: 2 ** 41 })), "IntegrityFailed")
      }))

    it.effect("counts the frames of a bomb together", () =>
      Effect.gen(function*() {
        const stored = yield* Zstd.compress(new Uint8Array(4 * MiB), { frameSize: 512 * 1024 })
        assert.strictEqual(yield* reasonOf(Zstd.decompress(stored, { maxOutput: 4 * MiB - 1 })), "LimitExceeded")
        assert.strictEqual((yield* Zstd.decompress(stored, { maxOutput: 4 * MiB })).length, 4 * MiB)
      }))

    it.effect("refuses a window of 2^30 and takes one of 2^27, unless told otherwise", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* reasonOf(Zstd.decompress(windowOf(30))), "LimitExceeded")
        assert.strictEqual(yield* reasonOf(Zstd.decompress(windowOf(28))), "LimitExceeded")
        assert.strictEqual((yield* Zstd.decompress(windowOf(27))).length, 0)
        assert.strictEqual((yield* Zstd.decompress(windowOf(28), { maxWindow: 2 ** 28 })).length, 0)
        assert.strictEqual(yield* reasonOf(Zstd.decompress(windowOf(24), { maxWindow: 2 ** 23 })), "LimitExceeded")
      }))

    it.effect("refuses a frame that needs a dictionary", () =>
      Effect.gen(function*() {
        const stored = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x50, 7, 1, 0, 0)
        assert.strictEqual(yield* reasonOf(Zstd.decompress(stored)), "Unsupported")
      }))

    it.effect("is not held up by frames of nothing but empty blocks", () =>
      Effect.gen(function*() {
        const empty = new Uint8Array(6 + 3 * 100_000 + 3)
        empty.set(windowOf(20).subarray(0, 6))
        empty[empty.length - 3] = 1
        assert.strictEqual((yield* Zstd.decompress(empty)).length, 0)
      }))
  })
}
