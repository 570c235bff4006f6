/**
 * Compression with zstd, beside the event loop: content goes into independent frames that threads of a pool compress side by
 * side, each with the size and a checksum of its content, and a table of them follows where there is more than one (the
 * seekable format). Any zstd tool reads what comes out, and what any zstd tool wrote is read here: several frames,
 * skippable ones, frames without size or checksum.
 *
 * What is damaged, cut off or followed by anything else fails with `IntegrityFailed`, and what asks for more memory or room
 * than is allowed with `LimitExceeded`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import * as CompressStream from "./compressStream.ts"
import { decompressFrames } from "./decompressStream.ts"
import { framesFor, type SeekTable } from "./SeekTable.ts"
import { exceeded } from "./zstdErrors.ts"
import { type CompressOptions, type DecompressOptions, defaultMaxOutput } from "./ZstdOptions.ts"

export type { CompressOptions, CompressSummary, DecompressOptions, DecompressSummary } from "./ZstdOptions.ts"
export { implementation, layer, ZstdPool, type ZstdPoolOptions } from "./ZstdPool.ts"
export type { ZstdLibraryName } from "./zstdProtocol.ts"

/**
 * Compresses a stream of bytes. A failure of the stream ends what comes out with that failure. Frames come out in order, one
 * element each; the memory of the elements that go in may be used again as soon as the next one is asked for.
 *
 * Fails with `InvalidRequest` where an option is wrong, and with `LimitExceeded` where memory ends.
 *
 * **Example** (Compressing on the way)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { ObjectStore, Zstd } from "effect-objectstore"
 *
 * export const keep = (lines: Stream.Stream<string>) =>
 *   Effect.gen(function*() {
 *     const store = yield* ObjectStore
 *     const stored = lines.pipe(
 *       Stream.encodeText,
 *       Zstd.compressStream({
 *         level: 9,
 *         onSummary: ({ ratio, size }) => Effect.log(`${size} bytes, ratio ${ratio}`)
 *       })
 *     )
 *     return yield* store.put("lines.txt.zst", stored)
 *   })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const compressStream: (
  options?: CompressOptions
) => <E, R>(self: Stream.Stream<Uint8Array, E, R>) => Stream.Stream<Uint8Array, E | ObjectStoreError, R> =
  CompressStream.compressStream

/**
 * Decompresses a stream of bytes, whatever pieces it comes in. Each frame's checksum is compared when its content has come
 * out, so what came is only known to be right when the stream ends without a failure.
 *
 * Fails with `IntegrityFailed` where content is damaged, cut off or followed by anything else, with `LimitExceeded` where
 * `maxOutput` or `maxWindow` is passed, and with `Unsupported` where a dictionary is needed.
 *
 * **Example** (Reading what may be hostile)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { ObjectStore, Zstd } from "effect-objectstore"
 *
 * export const lines = Stream.unwrap(Effect.map(ObjectStore, (store) =>
 *   store.stream("lines.txt.zst").pipe(
 *     Zstd.decompressStream({ maxOutput: 2 ** 30, maxWindow: 2 ** 23 }),
 *     Stream.decodeText(),
 *     Stream.splitLines
 *   )))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const decompressStream = (
  options?: DecompressOptions
): <E, R>(self: Stream.Stream<Uint8Array, E, R>) => Stream.Stream<Uint8Array, E | ObjectStoreError, R> =>
  decompressFrames(options)

/**
 * Decompresses a range of the original from the frames that hold it: the stream is that of the bytes
 * `SeekTable.framesFor(table, range).stored`, and exactly the range comes out. Every frame is held against the table.
 *
 * `expected` and `onSummary` are about all frames that are read, not about the range. Fails as `decompressStream` does.
 *
 * **Example** (A range of an object)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { ObjectStore, SeekTable, Zstd } from "effect-objectstore"
 *
 * const range = { offset: 1_000_000_000, length: 1000 }
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   const reader = yield* store.open("lines.txt.zst")
 *   const table = yield* SeekTable.read(reader.info.size, (suffix) => reader.read({ suffix }))
 *   if (table === undefined) return undefined
 *   const { stored } = SeekTable.framesFor(table, range)
 *   return yield* reader.stream(stored).pipe(Zstd.decompressRange(table, range), Stream.mkUint8Array)
 * })
 *
 * Effect.scoped(program)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const decompressRange = (
  table: SeekTable,
  range: { readonly offset: number; readonly length: number },
  options?: DecompressOptions
) =>
<E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E | ObjectStoreError, R> => {
  const { count, first, length, skip } = framesFor(table, range)
  if (length === 0) return Stream.empty
  const { checksums, offsets, storedOffsets } = table
  const frame = (index: number) => {
    const at = first + index
    return {
      storedSize: storedOffsets[at + 1]! - storedOffsets[at]!,
      size: offsets[at + 1]! - offsets[at]!,
      // An empty frame's is not looked at: one that is skipped has none.
      checksum: offsets[at + 1] === offsets[at] ? undefined : checksums?.[at]
    }
  }
  return Stream.suspend(() => {
    let position = -skip
    return self.pipe(
      decompressFrames(options, { count, frame }),
      Stream.map((content) => {
        const start = Math.max(0, -position)
        const end = Math.min(content.length, length - position)
        position += content.length
        return content.subarray(start, Math.max(start, end))
      }),
      Stream.filter((piece) => piece.length > 0)
    )
  })
}

const join = (pieces: ReadonlyArray<Uint8Array>): Effect.Effect<Uint8Array, ObjectStoreError> => {
  if (pieces.length === 1) return Effect.succeed(pieces[0]!)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Effect.try({
    try: () => new Uint8Array(length),
    catch: () => exceeded("join", "memory", `there is no memory for ${length} bytes at once; use a stream`)
  }).pipe(
    Effect.tap(Effect.fnUntraced(function*(bytes) {
      let at = 0
      for (const piece of pieces) {
        bytes.set(piece, at)
        at += piece.length
        // Other fibers have a turn.
        yield* Effect.yieldNow
      }
    }))
  )
}

/**
 * Compresses bytes that are in memory. They are copied for the threads; nothing becomes of the caller's memory.
 *
 * Fails as `compressStream` does.
 *
 * **Example** (There and back)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Zstd } from "effect-objectstore"
 *
 * const program = Effect.gen(function*() {
 *   const stored = yield* Zstd.compress(new TextEncoder().encode("again ".repeat(1000)), { level: 19 })
 *   return yield* Zstd.decompress(stored, { maxOutput: 10_000 })
 * })
 *
 * Effect.runPromise(program)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const compress = (bytes: Uint8Array, options?: CompressOptions): Effect.Effect<Uint8Array, ObjectStoreError> =>
  Stream.succeed(bytes).pipe(compressStream(options), Stream.runCollect, Effect.flatMap(join))

/**
 * Decompresses bytes that are in memory, to at most 1 GiB unless `maxOutput` says otherwise.
 *
 * Fails as `decompressStream` does.
 *
 * **Example** (Not more than a MiB)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Zstd } from "effect-objectstore"
 *
 * export const small = (stored: Uint8Array) =>
 *   Zstd.decompress(stored, { maxOutput: 2 ** 20 }).pipe(
 *     Effect.catchReason("ObjectStoreError", "LimitExceeded", () => Effect.succeed(new Uint8Array()))
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const decompress = (
  bytes: Uint8Array,
  options?: DecompressOptions
): Effect.Effect<Uint8Array, ObjectStoreError> =>
  Stream.succeed(bytes).pipe(
    decompressStream({ ...options, maxOutput: options?.maxOutput ?? defaultMaxOutput }),
    Stream.runCollect,
    Effect.flatMap(join)
  )
