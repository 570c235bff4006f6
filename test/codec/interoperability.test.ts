import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { SeekTable, Zstd } from "effect-objectstore"
import { command, content, libraries, noise, pieces, poolOf, same } from "./content.ts"

const MiB = 2 ** 20
const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

/** A frame that every decoder skips. */
const skippable = (length: number, variant: number): Uint8Array => {
  const bytes = new Uint8Array(8 + length).fill(variant)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x184d2a50 + variant, true)
  view.setUint32(4, length, true)
  return bytes
}

const small = [new Uint8Array(0), Uint8Array.of(7), content(1000), content(300_000), noise(150_000)]
const large = [content(3 * MiB), noise(MiB + 1)]
const ways: ReadonlyArray<readonly ["zstd" | "pzstd", ReadonlyArray<string>, ReadonlyArray<Uint8Array>]> = [
  ["zstd", ["-1"], [...small, ...large]],
  ["zstd", ["-3", "--no-check"], [...small, ...large]],
  ["zstd", ["-9", "--no-content-size"], [...small, ...large]],
  ["zstd", ["-19"], small],
  ["zstd", ["--ultra", "-22"], [content(300_000)]],
  ["zstd", ["--long=27"], large],
  ["zstd", ["--fast=5", "-T2", "-B512KiB"], [...small, ...large]],
  ["zstd", ["--rsyncable"], large],
  ["pzstd", ["-p", "2"], [...small, ...large]],
  ["pzstd", ["-p", "2", "--no-check"], small]
]

/** What the commands write, written once for both libraries. */
const written = (() => {
  let all: ReadonlyArray<Written> | undefined
  return () =>
    all ??= ways.flatMap(([name, args, inputs]) =>
      inputs.map((input): Written => ({ name, args, input, stored: command(name, args, input) }))
    )
})()

interface Written {
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly input: Uint8Array
  readonly stored: Uint8Array
}

const decompress = Effect.fnUntraced(function*(stored: Uint8Array, piece: number) {
  let summary: Zstd.DecompressSummary | undefined
  const bytes = yield* pieces(stored, piece).pipe(
    Zstd.decompressStream({
      onSummary: (found) =>
        Effect.sync(() => {
          summary = found
        })
    }),
    Stream.mkUint8Array
  )
  return { bytes, summary: summary! }
})

for (const library of libraries) {
  layer(poolOf(library), { excludeTestServices: true })(`${library} beside the commands`, (it) => {
    it.effect("reads what zstd and pzstd write, however they were told to", () =>
      Effect.gen(function*() {
        for (const { args, input, name, stored } of written()) {
          const { bytes, summary } = yield* decompress(stored, 65_536)
          const what = `${name} ${args.join(" ")} of ${input.length}`
          assert.isTrue(same(bytes, input), what)
          assert.strictEqual(summary.size, input.length, what)
          assert.strictEqual(summary.verified, input.length === 0 || !args.includes("--no-check"), what)
        }
      }))

    it.effect("reads frames one after another, with skipped ones before, between and behind them", () =>
      Effect.gen(function*() {
        const parts = [content(100_000), new Uint8Array(0), noise(50_000), content(2 * MiB)]
        const ours = yield* Zstd.compress(content(10_000), { frameSize: 4096 })
        const stored = join(
          skippable(0, 0),
          skippable(100_000, 3),
          command("zstd", ["-3"], parts[0]!),
          command("zstd", ["-3"], parts[1]!),
          skippable(5, 14),
          command("pzstd", ["-p", "2"], parts[2]!),
          ours,
          command("zstd", ["-1", "--no-content-size"], parts[3]!),
          ours,
          skippable(17, 15)
        )
        const original = join(parts[0]!, parts[1]!, parts[2]!, content(10_000), parts[3]!, content(10_000))
        for (const piece of [997, 65_536, stored.length]) {
          const { bytes, summary } = yield* decompress(stored, piece)
          assert.isTrue(same(bytes, original), `in pieces of ${piece}`)
          assert.strictEqual(summary.storedSize, stored.length)
          assert.isTrue(summary.verified)
        }
      }))

    it.effect("writes what both commands read, at every level", () =>
      Effect.gen(function*() {
        const original = content(150_000)
        for (let level = 1; level <= 22; level++) {
          const stored = yield* Zstd.compress(original, { level, frameSize: 64 * 1024 })
          assert.isTrue(same(command("zstd", ["-d"], stored), original), `level ${level}`)
          assert.isTrue(same(command("pzstd", ["-d"], stored), original), `level ${level}, pzstd`)
        }
        command("zstd", ["-t"], yield* Zstd.compress(original))
      }))

    it.effect("takes 64 MiB there and back, also a MiB of its middle", () =>
      Effect.gen(function*() {
        const original = content(64 * MiB)
        const stored = yield* pieces(original, 3 * MiB - 1).pipe(Zstd.compressStream({ level: 1 }), Stream.mkUint8Array)
        assert.isTrue(same(command("zstd", ["-d"], stored), original))
        assert.isTrue(same((yield* decompress(stored, MiB)).bytes, original))
        const table = (yield* SeekTable.read(stored.length, (count) => Effect.succeed(stored.subarray(-count))))!
        assert.strictEqual(table.frames, 17)
        const range = { offset: 33 * MiB + 5, length: MiB }
        const selection = SeekTable.framesFor(table, range)
        assert.strictEqual(selection.count, 1)
        const { length, offset } = selection.stored
        const bytes = yield* Stream.succeed(stored.subarray(offset, offset + length)).pipe(
          Zstd.decompressRange(table, range),
          Stream.mkUint8Array
        )
        assert.isTrue(same(bytes, original.subarray(range.offset, range.offset + MiB)))
      }), 120_000)

    it.effect("brings repetitive text to a fiftieth", () =>
      Effect.gen(function*() {
        const line = "2026-11-26T12:00:00Z INFO objectstore request completed status=200 bucket=data "
        const text = Array.from({ length: 40_000 }, (_, index) => `${line}${index % 1000}\n`).join("")
        let ratio = 1
        const stored = yield* Zstd.compress(new TextEncoder().encode(text), {
          onSummary: (summary) =>
            Effect.sync(() => {
              ratio = summary.ratio
            })
        })
        assert.isAtMost(ratio, 0.025)
        assert.strictEqual(new TextDecoder().decode(yield* Zstd.decompress(stored)), text)
      }))
  })
}
