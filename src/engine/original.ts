/**
 * Reads the original of what is stored compressed: whole, from its beginning, or a range, from the frames that hold it where
 * there is a table of them. All of one read is of one version.
 *
 * @internal
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ObjectStat } from "../Backend.ts"
import { markOf, suffix } from "../codec/compressionMark.ts"
import { decompressFrames } from "../codec/decompressStream.ts"
import * as SeekTable from "../codec/SeekTable.ts"
import { decompressRange } from "../codec/Zstd.ts"
import type { DecompressSummary } from "../codec/ZstdOptions.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { ReadOptions, TransferOptions } from "../ObjectStoreOptions.ts"
import { type Engine, request } from "./engine.ts"
import { allocateOrFail } from "./memory.ts"
import { readSpan } from "./read.ts"
import type { Place } from "./resolve.ts"
import { changed, conditionsOf, heldTo } from "./span.ts"
import { openStream } from "./stream.ts"
import { tooLarge } from "./upload.ts"
import type { BackendRangeOrEmpty } from "./validate.ts"

/** `true`: it has to be compressed. `"auto"`: it may be. */
export type Mode = true | "auto"

type Content = Stream.Stream<Uint8Array, ObjectStoreError>

/** What is delivered: its length where that is known, and its bytes, once, in the scope that it was opened in. */
export interface Delivery {
  readonly stat: ObjectStat
  readonly length: number | undefined
  readonly content: Content
}

/** How one version is stored. */
export type Layout =
  | { readonly _tag: "Raw" }
  /** Frames, and nothing that tells where they are. */
  | { readonly _tag: "Plain" }
  | { readonly _tag: "Seekable"; readonly table: SeekTable.SeekTable }

const raw: Layout = { _tag: "Raw" }
const plain: Layout = { _tag: "Plain" }

/** Read of the end at first: what a table of 1,300 frames takes. */
const tailLength = 16 * 1024

/** What begins a frame, or one that is skipped (RFC 8878 section 3.1). */
const beginsAsZstd = (bytes: Uint8Array): boolean => {
  if (bytes.length < 4) return false
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50
}

/** Whether it is worth a look at the bytes. */
const mayBe = (place: Place, stat: ObjectStat, mode: Mode): boolean =>
  mode === true || markOf(stat.metadata) !== undefined || place.key.endsWith(suffix)

const isCompressed = (place: Place, stat: ObjectStat, mode: Mode, first: Uint8Array): boolean =>
  mode === true || markOf(stat.metadata) !== undefined || (place.key.endsWith(suffix) && beginsAsZstd(first))

const corrupt = (engine: Engine, description: string): ObjectStoreError =>
  makeError("IntegrityFailed", { operation: "decompress", backend: engine.backend.name, description })

/** What this library wrote without knowing its size ends in a table, also if it is one frame: cut off, it does not. */
const endsInTable = (stat: ObjectStat): boolean => {
  const mark = markOf(stat.metadata)
  return mark !== undefined && mark.size === undefined
}

const cutOff = (engine: Engine): ObjectStoreError =>
  corrupt(engine, "it was cut off: there is no table behind its frames")

const transferOf = (options: TransferOptions | undefined): TransferOptions => ({
  partSize: options?.partSize,
  concurrency: options?.concurrency
})

/** The end of what has passed, as much as a table is looked for in. */
const keepTail = () => {
  let tail: Uint8Array = new Uint8Array(0)
  return {
    add: (chunk: Uint8Array): Uint8Array => {
      tail = chunk.length >= tailLength
        ? chunk.subarray(-tailLength)
        : Buffer.concat([tail, chunk]).subarray(-tailLength)
      return chunk
    },
    get: () => tail
  }
}

/** All of the original, out of all that is stored. */
const decompressed = (
  engine: Engine,
  place: Place,
  stored: Content,
  stat: ObjectStat,
  maxSize: number | undefined,
  onContent?: (ends: boolean) => void
): Content =>
  Stream.suspend(() => {
    const mark = markOf(stat.metadata)
    let found: DecompressSummary | undefined
    const tail = keepTail()
    // What this library wrote in several frames, or without knowing its size, ends in a table.
    const whole = Effect.gen(function*() {
      if (mark === undefined || found === undefined || (found.frames < 2 && !endsInTable(stat))) return
      const table = yield* tableOf(engine, place, stat, tail.get())
      if (table?.size !== found.size) return yield* cutOff(engine)
    })
    return stored.pipe(
      mark === undefined ? (same) => same : Stream.map(tail.add),
      decompressFrames(
        {
          ...(maxSize !== undefined && { maxOutput: maxSize }),
          expected: mark,
          onSummary: (summary) =>
            Effect.sync(() => {
              found = summary
            })
        },
        undefined,
        onContent
      ),
      Stream.mapError((error) =>
        error.reason._tag === "LimitExceeded" && error.reason.limit === "maxOutput"
          ? tooLarge(engine, "maxSize", error.reason.description ?? "the original is too large")
          : error
      ),
      Stream.concat(Stream.drain(Stream.fromEffect(whole)))
    )
  })

/** Opens all of what a place holds, with one request where it is small. */
export const openWhole = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  mode: Mode,
  options: ReadOptions | undefined,
  wantsLength: boolean
): Effect.fn.Return<Delivery, ObjectStoreError, Scope.Scope> {
  const opened = yield* openStream(engine, place, undefined, { ...conditionsOf(options), ...transferOf(options) })
  const { stat } = opened.span
  if (!isCompressed(place, stat, mode, opened.first)) {
    return { stat, length: opened.span.length, content: opened.stream }
  }
  // Of a large object, the table is worth a request where memory is to be taken at once.
  const length = markOf(stat.metadata)?.size ?? (wantsLength && opened.first.length < stat.size
    ? (yield* tableOf(engine, place, stat, new Uint8Array(0)))?.size
    : undefined)
  return { stat, length, content: decompressed(engine, place, opened.stream, stat, options?.maxSize) }
})

/** A span of the stored bytes of one version, in memory. */
const readStored = (
  engine: Engine,
  place: Place,
  stat: ObjectStat,
  range: { readonly offset: number; readonly length: number }
): Effect.Effect<Uint8Array, ObjectStoreError> =>
  range.length === 0
    ? Effect.succeed(new Uint8Array(0))
    : readSpan(
      engine,
      place,
      range,
      heldTo(engine, stat),
      (span) => allocateOrFail(engine, span.length)
    ).pipe(Effect.map(({ target }) => target), Effect.mapError(changed(engine)))

/** The same as a stream. */
const streamStored = (
  engine: Engine,
  place: Place,
  stat: ObjectStat,
  range: { readonly offset: number; readonly length: number },
  options: TransferOptions | undefined
): Content =>
  range.length === 0 ? Stream.empty : Stream.mapError(
    Stream.scoped(Stream.unwrap(Effect.map(
      openStream(engine, place, range, { ...heldTo(engine, stat), ...transferOf(options) }),
      ({ stream }) => stream
    ))),
    changed(engine)
  )

/** The table of frames behind them, if there is one; that of what is marked has a checksum of itself. */
const tableOf = Effect.fnUntraced(function*(engine: Engine, place: Place, stat: ObjectStat, tail: Uint8Array) {
  const mark = markOf(stat.metadata)
  const readTail = (length: number) =>
    length <= tail.length
      ? Effect.succeed(tail.subarray(tail.length - length))
      : readStored(engine, place, stat, { offset: stat.size - length, length })
  const table = yield* SeekTable.read(stat.size, readTail, mark?.size)
  if (table !== undefined && mark !== undefined && !table.verified) {
    return yield* corrupt(engine, "the table of its frames has lost its checksum")
  }
  return table
})

/** Looks how a version is stored. `tail`: its last bytes, as far as they have been read. */
export const layoutOf = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  mode: Mode,
  stat: ObjectStat,
  tail: Uint8Array
): Effect.fn.Return<Layout, ObjectStoreError> {
  if (!mayBe(place, stat, mode)) return raw
  const table = yield* tableOf(engine, place, stat, tail)
  if (table !== undefined) return { _tag: "Seekable", table }
  if (endsInTable(stat)) return yield* cutOff(engine)
  if (mode === true || markOf(stat.metadata) !== undefined) return plain
  const first = yield* readStored(engine, place, stat, { offset: 0, length: Math.min(4, stat.size) })
  return beginsAsZstd(first) ? plain : raw
})

/** Where a range lies in `size` bytes. */
const locate = (
  engine: Engine,
  range: BackendRangeOrEmpty,
  size: number
): Effect.Effect<{ readonly offset: number; readonly length: number }, ObjectStoreError> => {
  if (range === "empty") return Effect.succeed({ offset: 0, length: 0 })
  if ("suffix" in range) {
    const length = Math.min(range.suffix, size)
    return Effect.succeed({ offset: size - length, length })
  }
  return range.offset < size
    ? Effect.succeed({ offset: range.offset, length: Math.min(range.length, size - range.offset) })
    : Effect.fail(pastTheEnd(engine, range.offset, size))
}

const pastTheEnd = (engine: Engine, offset: number, size: number): ObjectStoreError =>
  makeError("RangeNotSatisfiable", {
    operation: "read",
    backend: engine.backend.name,
    size,
    description: `the range starts at ${offset}, the original has ${size} bytes`
  })

/** A range of one version, or all of it. */
export const rangeOf = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  stat: ObjectStat,
  layout: Layout,
  range: BackendRangeOrEmpty | undefined,
  options: (TransferOptions & { readonly maxSize?: number | undefined }) | undefined
): Effect.fn.Return<Delivery, ObjectStoreError> {
  const all = { offset: 0, length: stat.size }
  if (layout._tag === "Raw") {
    const span = range === undefined ? all : yield* locate(engine, range, stat.size)
    return { stat, length: span.length, content: streamStored(engine, place, stat, span, options) }
  }
  if (layout._tag === "Seekable") {
    const { table } = layout
    const span = range === undefined ? { offset: 0, length: table.size } : yield* locate(engine, range, table.size)
    const { stored } = SeekTable.framesFor(table, span)
    // The whole of it is held against the mark, too.
    const content = span.length === table.size
      ? decompressed(engine, place, streamStored(engine, place, stat, all, options), stat, undefined)
      : streamStored(engine, place, stat, stored, options).pipe(decompressRange(table, span))
    return { stat, length: span.length, content }
  }
  const stored = streamStored(engine, place, stat, all, options)
  const known = markOf(stat.metadata)?.size
  if (range === undefined) {
    return { stat, length: known, content: decompressed(engine, place, stored, stat, options?.maxSize) }
  }
  if (range === "empty") return { stat, length: 0, content: Stream.empty }
  // A suffix is found by the size, and that by reading all of it once.
  const size = "suffix" in range ? known ?? (yield* count(decompressed(engine, place, stored, stat, undefined))) : known
  const { length, offset } = size === undefined && !("suffix" in range) ? range : yield* locate(engine, range, size!)
  return {
    stat,
    length: size === undefined ? undefined : length,
    content: sliced(
      engine,
      (onContent) => decompressed(engine, place, stored, stat, undefined, onContent),
      offset,
      length
    )
  }
})

/** The size of the original; where nothing tells it, all of it is decompressed once. */
export const sizeOf = (
  engine: Engine,
  place: Place,
  stat: ObjectStat,
  layout: Layout
): Effect.Effect<number, ObjectStoreError> => {
  if (layout._tag === "Raw") return Effect.succeed(stat.size)
  if (layout._tag === "Seekable") return Effect.succeed(layout.table.size)
  const known = markOf(stat.metadata)?.size
  if (known !== undefined) return Effect.succeed(known)
  const stored = streamStored(engine, place, stat, { offset: 0, length: stat.size }, undefined)
  return count(decompressed(engine, place, stored, stat, undefined))
}

const count = (content: Content): Effect.Effect<number, ObjectStoreError> =>
  Stream.runFold(content, () => 0, (sum, chunk) => sum + chunk.length)

/**
 * A range of content that comes from its beginning. It ends when the frame that the range ends in was compared with its
 * checksum, and what comes behind that is not read.
 */
const sliced = (
  engine: Engine,
  make: (onContent: (ends: boolean) => void) => Content,
  offset: number,
  length: number
): Content =>
  Stream.suspend(() => {
    let compared = false
    let position = 0
    const end = offset + length
    const content = make((ends) => {
      compared = ends
    })
    const cut = (chunk: Uint8Array): Uint8Array => {
      const piece = chunk.subarray(Math.max(0, offset - position), Math.max(0, end - position))
      position += chunk.length
      return piece
    }
    const next = (
      pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, ObjectStoreError>
    ): Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, ObjectStoreError> =>
      Effect.gen(function*() {
        for (;;) {
          if (position >= end && compared) return yield* Cause.done()
          const chunks = yield* Pull.catchDone(pull, () => Effect.succeed(undefined))
          if (chunks === undefined) {
            if (position <= offset) return yield* pastTheEnd(engine, offset, position)
            return yield* Cause.done()
          }
          const [first, ...rest] = chunks.map(cut).filter((piece) => piece.length > 0)
          if (first !== undefined) return [first, ...rest] as const
        }
      })
    return length === 0 ? Stream.empty : Stream.transformPull(content, (pull) => Effect.succeed(next(pull)))
  })

/** Opens a range of what a place holds: its end tells the version and the table. */
export const openRange = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  mode: Mode,
  range: BackendRangeOrEmpty,
  options: ReadOptions | undefined
): Effect.fn.Return<Delivery, ObjectStoreError, Scope.Scope> {
  const conditions = conditionsOf(options)
  // A name that does not say so leaves it to the metadata, which the end is not needed for.
  const { stat, tail } = mode === true || place.key.endsWith(suffix)
    ? yield* Effect.map(
      readSpan(engine, place, { suffix: tailLength }, conditions, (span) => allocateOrFail(engine, span.length)),
      ({ span, target }) => ({ stat: span.stat, tail: target })
    )
    : {
      stat: yield* request(engine, "read", engine.backend.head(place, conditions)),
      tail: new Uint8Array(0)
    }
  const layout = yield* layoutOf(engine, place, mode, stat, tail)
  return yield* rangeOf(engine, place, stat, layout, range, options)
})
