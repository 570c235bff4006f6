import { assert, layer as withLayer } from "@effect/vitest"
import { Effect, type Layer, Stream } from "effect"
import { type CompressionOptions, ObjectStore, type ObjectStoreError, Zstd } from "effect-objectstore"
import { crc32c, printCrc32c } from "../../src/codec/Crc32c.ts"
import { content, type Kind, kinds } from "./content.ts"

const KiB = 1024
const MiB = 1024 * KiB

/** One object to write and read. */
interface Case {
  readonly size: number
  readonly kind: Kind
  readonly compression: CompressionOptions
}

/** The same bytes, compared quickly. */
export const assertSame = (actual: Uint8Array, expected: Uint8Array, message: string): void => {
  assert.strictEqual(actual.length, expected.length, `${message}: length`)
  assert.isTrue(Buffer.from(actual.buffer, actual.byteOffset, actual.length).equals(expected), `${message}: bytes`)
}

/** Chunks of many sizes, empty ones among them. */
export const chunked = (body: Uint8Array, seed: number): Stream.Stream<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let state = seed
  for (let at = 0; at < body.length;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const length = state % 11 === 0 ? 0 : state % Math.max(1, Math.floor(body.length / 3)) + 1
    chunks.push(body.subarray(at, at + length))
    at += length
  }
  return Stream.fromIterable(chunks)
}

const frame = 64 * KiB

/** Sizes around every boundary of frames of 64 KiB. */
const small = [0, 1, 2, 3, 255, 256, frame - 1, frame, frame + 1, 2 * frame, 3 * frame + 7, 17 * frame - 1]

const casesOf = (levels: ReadonlyArray<number>, large: ReadonlyArray<number>): ReadonlyArray<Case> => [
  ...small.map((size, index): Case => ({
    size,
    kind: kinds[index % kinds.length]!,
    compression: { level: levels[index % levels.length], frameSize: frame }
  })),
  ...large.map((size, index): Case => ({
    size,
    kind: index % 2 === 0 ? "mixed" : "text",
    compression: index % 2 === 0 ? {} : { level: 1 }
  }))
]

/** Ranges that begin and end in frames, at their boundaries and past the end. */
const rangesOf = (size: number): ReadonlyArray<{ readonly offset: number; readonly length: number }> =>
  [0, 1, Math.floor(size / 3), frame - 1, frame, frame + 1, size - 1]
    .filter((offset) => offset >= 0 && offset < size)
    .flatMap((offset) => [1, 100, frame, size].map((length) => ({ offset, length })))

const writers = ["bytes", "stream", "parts", "sink", "writer"] as const

const write = Effect.fnUntraced(function*(
  how: typeof writers[number],
  key: string,
  body: Uint8Array,
  compression: CompressionOptions
) {
  const store = yield* ObjectStore
  const options = { compression }
  switch (how) {
    case "bytes":
      return yield* store.put(key, body, options)
    case "stream":
      return yield* store.put(key, chunked(body, 7), { ...options, size: body.length })
    case "parts":
      return yield* store.putMultipart(key, chunked(body, 3), options)
    case "sink":
      return yield* Stream.run(chunked(body, 5), store.sink(key, options))
    case "writer":
      return yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* store.writer(key, options)
        // The memory of a chunk may be used again, so one is used for all.
        const memory = new Uint8Array(body.length)
        yield* Stream.runForEach(chunked(body, 9), (chunk) => {
          memory.set(chunk)
          return Effect.andThen(
            writer.write(memory.subarray(0, chunk.length)),
            Effect.sync(() => memory.fill(0, 0, chunk.length))
          )
        })
        return yield* writer.finish
      }))
  }
})

const roundTrip = Effect.fnUntraced(function*({ compression, kind, size }: Case, how: typeof writers[number]) {
  const store = yield* ObjectStore
  const body = content(kind, size, size + 1)
  const what = `${how} ${kind} ${size} level ${compression.level}`
  const key = `round/${how}-${kind}-${size}`
  const written = yield* write(how, key, body, compression)
  assert.strictEqual(written.key, `${key}.zst`, what)
  const stored = yield* store.get(`${key}.zst`)
  const summary = written.compression!
  assert.deepInclude(summary, {
    size,
    storedSize: stored.length,
    ratio: size === 0 ? 1 : stored.length / size,
    crc32c: printCrc32c(crc32c(body)),
    storedCrc32c: printCrc32c(crc32c(stored))
  }, what)
  assert.strictEqual(written.size, stored.length, what)
  assertSame(yield* Zstd.decompress(stored), body, `${what}: stored`)

  for (const decompress of [true, "auto"] as const) {
    assertSame(yield* store.get(`${key}.zst`, { decompress }), body, `${what}: get`)
  }
  const target = new Uint8Array(size + 10)
  const { bytes } = yield* store.getInto(`${key}.zst`, target, { decompress: true })
  assertSame(target.subarray(0, bytes), body, `${what}: getInto`)
  const streamed = yield* Stream.runCollect(store.stream(`${key}.zst`, { decompress: true }))
  assertSame(Buffer.concat(streamed), body, `${what}: stream`)

  const reader = yield* store.open(`${key}.zst`, { decompress: true })
  assertSame(yield* reader.read(), body, `${what}: reader`)
  const some = rangesOf(size).filter((_, index) => size < MiB || index % 5 === 0)
  for (const range of some) {
    const part = body.subarray(range.offset, range.offset + range.length)
    const at = `${what}: ${range.offset}+${range.length}`
    assertSame(yield* reader.read(range), part, at)
    assertSame(Buffer.concat(yield* Stream.runCollect(reader.stream(range))), part, at)
  }
  for (const suffix of [1, frame + 1, size + 1].filter(() => size > 0)) {
    const part = yield* store.getRange(`${key}.zst`, { suffix }, { decompress: true })
    assertSame(part, body.subarray(Math.max(0, size - suffix)), `${what}: last ${suffix}`)
  }
  yield* store.delete(`${key}.zst`)
}, Effect.scoped)

/** Registers round trips by every way to write and to read, for the store of a layer. */
export const describeRoundTrip = (
  name: string,
  layer: Layer.Layer<ObjectStore, ObjectStoreError>,
  options: { readonly levels?: ReadonlyArray<number>; readonly large?: ReadonlyArray<number> } = {}
): void => {
  const { large = [], levels = [1, 3, 9, 19, 22] } = options
  const cases = casesOf(levels, large)
  withLayer(layer, { excludeTestServices: true, timeout: 60_000 })(`compression on ${name}`, (it) => {
    for (const [index, how] of writers.entries()) {
      it.effect(`gives back what ${how} wrote`, () =>
        Effect.forEach(
          // Every case by one of the ways, and a few by all of them.
          cases.filter((one, at) => at % writers.length === index || one.size === 3 * frame + 7 || one.size <= 1),
          (one) => roundTrip(one, how),
          { discard: true }
        ), 180_000)
    }
  })
}
