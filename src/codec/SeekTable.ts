/**
 * The table of zstd's seekable format (`contrib/seekable_format/zstd_seekable_compression_format.md`, version 0.1.0): content in
 * frames that stand by themselves, and behind them, in a frame that every decoder skips, their sizes. With it a range of the
 * original is read without what lies before it.
 *
 * **Example** (Which bytes hold a range)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { SeekTable } from "effect-objectstore"
 *
 * export const whereIs = (object: Uint8Array, offset: number, length: number) =>
 *   SeekTable.read(object.length, (count) => Effect.succeed(object.subarray(object.length - count))).pipe(
 *     Effect.map((table) => table === undefined ? undefined : SeekTable.framesFor(table, { offset, length }).stored)
 *   )
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { crc32c } from "./Crc32c.ts"
import { skippableMagic } from "./FrameHeader.ts"
import { corrupt, exceeded, unsupported } from "./zstdErrors.ts"

/** @internal */
export const tableMagic = skippableMagic + 0xe
const footerMagic = 0x8f92eab1
const footerLength = 9
const headerLength = 8
const checksumFlag = 0x80
const reservedBits = 0b0111_1100
/** Of the format's own implementation. */
const maxFrames = 0x8000000
/** Read at first: enough for about 1,300 frames, 5 GiB in frames of the default size. */
const firstRead = 16 * 1024
const maxTableSize = 64 * 1024 * 1024

/**
 * Where frames are, in what is stored and in the original.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeekTable {
  /** Frames, those without content with them: ours have one more than the original fills, the table's checksum. */
  readonly frames: number
  /** Bytes of the original. */
  readonly size: number
  /** Bytes of what is stored, the table with it. */
  readonly storedSize: number
  /** Where each frame begins in the original; one more entry for the end. */
  readonly offsets: Float64Array
  /** Where each frame begins in what is stored; one more entry for the end, where the table begins. */
  readonly storedOffsets: Float64Array
  /** The low 32 bits of XXH64 of the content of each frame, where the table has them. */
  readonly checksums: Uint32Array | undefined
  /** Whether a checksum of the table itself was there, as with all that this library writes; it was compared. */
  readonly verified: boolean
}

/**
 * A frame as the table has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeekTableEntry {
  /** Bytes of the frame. */
  readonly storedSize: number
  /** Bytes of its content. */
  readonly size: number
  /** The low 32 bits of XXH64 of its content. */
  readonly checksum: number
}

/**
 * The format has no checksum of the table itself, and one bit of it turned over would lead to another place of the original.
 * So a frame that decoders skip lies before ours, and is an entry of it: `XSKT` and the CRC-32C of the table's frame.
 */
const checkMagic = skippableMagic + 0xd
const checkTag = 0x544b5358
const checkLength = 16
const checkEntry: SeekTableEntry = {
  storedSize: checkLength,
  size: 0,
  // The low 32 bits of XXH64 of nothing.
  checksum: 0x51d8e999
}

const printCheck = (table: Uint8Array): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(checkLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, checkMagic, true)
  view.setUint32(4, checkLength - headerLength, true)
  view.setUint32(8, checkTag, true)
  view.setUint32(12, crc32c(table), true)
  return bytes
}

/** Whether the table is what was written, if `before`, the bytes before it, end with a checksum of it. */
const checkTable = (before: Uint8Array, table: Uint8Array): boolean | undefined => {
  if (before.length < checkLength) return undefined
  const view = new DataView(before.buffer, before.byteOffset + before.length - checkLength, checkLength)
  const isCheck = view.getUint32(0, true) === checkMagic && view.getUint32(4, true) === checkLength - headerLength &&
    view.getUint32(8, true) === checkTag
  return isCheck ? view.getUint32(12, true) === crc32c(table) : undefined
}

/** What follows the frames: the table's checksum and the table, which end what is stored. @internal */
export const printSeekTable = (entries: ReadonlyArray<SeekTableEntry>): Uint8Array<ArrayBuffer> => {
  const table = printTable([...entries, checkEntry])
  const bytes = new Uint8Array(checkLength + table.length)
  bytes.set(printCheck(table))
  bytes.set(table, checkLength)
  return bytes
}

const printTable = (entries: ReadonlyArray<SeekTableEntry>): Uint8Array<ArrayBuffer> => {
  const length = entries.length * 12 + footerLength
  const bytes = new Uint8Array(headerLength + length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, tableMagic, true)
  view.setUint32(4, length, true)
  let at = headerLength
  for (const { checksum, size, storedSize } of entries) {
    view.setUint32(at, storedSize, true)
    view.setUint32(at + 4, size, true)
    view.setUint32(at + 8, checksum, true)
    at += 12
  }
  view.setUint32(at, entries.length, true)
  view.setUint8(at + 4, checksumFlag)
  view.setUint32(at + 5, footerMagic, true)
  return bytes
}

interface Footer {
  readonly frames: number
  readonly hasChecksums: boolean
  readonly reserved: boolean
  /** Bytes of the table's frame. */
  readonly length: number
}

/** The footer at the end of `tail`; `undefined` if that is none. */
const parseFooter = (tail: Uint8Array): Footer | undefined => {
  if (tail.length < footerLength) return undefined
  const view = new DataView(tail.buffer, tail.byteOffset + tail.length - footerLength, footerLength)
  if (view.getUint32(5, true) !== footerMagic) return undefined
  const frames = view.getUint32(0, true)
  const descriptor = view.getUint8(4)
  const hasChecksums = (descriptor & checksumFlag) !== 0
  return {
    frames,
    hasChecksums,
    reserved: (descriptor & reservedBits) !== 0,
    length: headerLength + frames * (hasChecksums ? 12 : 8) + footerLength
  }
}

/** The table in `bytes`, its whole frame, or text if it is wrong. */
const parseTable = (
  bytes: Uint8Array,
  { frames, hasChecksums }: Footer,
  storedSize: number
): Omit<SeekTable, "verified"> | string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(4, true) !== bytes.length - headerLength) {
    return "the table of frames has another size than its frame"
  }
  const offsets = new Float64Array(frames + 1)
  const storedOffsets = new Float64Array(frames + 1)
  const checksums = hasChecksums ? new Uint32Array(frames) : undefined
  let at = headerLength
  for (let index = 0; index < frames; index++) {
    storedOffsets[index + 1] = storedOffsets[index]! + view.getUint32(at, true)
    offsets[index + 1] = offsets[index]! + view.getUint32(at + 4, true)
    at += 8
    if (checksums !== undefined) {
      checksums[index] = view.getUint32(at, true)
      at += 4
    }
  }
  if (storedOffsets[frames] !== storedSize - bytes.length) {
    return `the table's frames have ${storedOffsets[frames]} bytes, and ${storedSize - bytes.length} lie before it`
  }
  if (!Number.isSafeInteger(offsets[frames])) return "the table's frames have more content than there can be"
  return { frames, size: offsets[frames]!, storedSize, offsets, storedOffsets, checksums }
}

const operation = "seekTable"

/**
 * Reads the table of an object of `size` bytes from its end; `undefined` if it has none, so that its ranges are read by
 * decompressing what lies before them. `readTail` reads so many bytes from the end: once where there are fewer than 1,300
 * frames, else twice. `expectedSize` is what is known of the original from elsewhere.
 *
 * A table that does not fit its object or the size fails with `IntegrityFailed`, one of a later version of the format with
 * `Unsupported`, one of more than 64 MiB with `LimitExceeded`. Tables that we write carry a checksum of themselves; another
 * tool's may be damaged so that it fits nonetheless, and then only `expectedSize` tells.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function*<E, R>(
  size: number,
  readTail: (length: number) => Effect.Effect<Uint8Array, E, R>,
  expectedSize?: number
): Effect.fn.Return<SeekTable | undefined, E | ObjectStoreError, R> {
  const readExactly = (length: number) =>
    Effect.filterOrFail(
      readTail(length),
      (bytes) => bytes.length === length,
      (bytes) => corrupt(operation, `${bytes.length} bytes came from the end of the object in place of ${length}`)
    )
  if (size < headerLength + footerLength) return undefined
  const tail = yield* readExactly(Math.min(firstRead, size))
  const footer = parseFooter(tail)
  if (footer === undefined) return undefined
  const { frames, length, reserved } = footer
  // Four bytes at the end can be there by chance; then what they call a table is none.
  if (length > size) return undefined
  if (frames > maxFrames || length > maxTableSize) {
    return yield* exceeded(operation, "seekTable", `a table of ${frames} frames is too large`)
  }
  const wanted = Math.min(length + checkLength, size)
  const end = wanted <= tail.length ? tail : yield* readExactly(wanted)
  const bytes = end.subarray(end.length - length)
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== tableMagic) return undefined
  if (reserved) return yield* unsupported(operation, "seekTable", "the table of frames is of a later version")
  const verified = checkTable(end.subarray(0, end.length - length), bytes)
  if (verified === false) {
    return yield* corrupt(operation, "the table of frames is not what was written: its checksum differs")
  }
  const table = parseTable(bytes, footer, size)
  if (typeof table === "string") return yield* corrupt(operation, table)
  if (expectedSize !== undefined && table.size !== expectedSize) {
    return yield* corrupt(
      operation,
      `the table's frames have ${table.size} bytes of content in place of ${expectedSize}`
    )
  }
  return { ...table, verified: verified === true }
})

/**
 * What has to be read for a range of the original.
 *
 * @category models
 * @since 0.1.0
 */
export interface FrameSelection {
  /** The first frame, and how many. */
  readonly first: number
  readonly count: number
  /** Where these frames are in what is stored: one run of bytes. */
  readonly stored: { readonly offset: number; readonly length: number }
  /** Bytes of the content of these frames before the range. */
  readonly skip: number
  /** Bytes of the range: fewer than asked for where the original ends. */
  readonly length: number
}

/**
 * The frames that hold a range of the original, and no other. A range past the end, or an empty one, needs none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const framesFor = (
  table: SeekTable,
  range: { readonly offset: number; readonly length: number }
): FrameSelection => {
  const { offsets, size, storedOffsets } = table
  const start = Math.min(Math.max(range.offset, 0), size)
  const end = Math.min(Math.max(range.offset + range.length, start), size)
  if (start === end) return { first: 0, count: 0, stored: { offset: 0, length: 0 }, skip: 0, length: 0 }
  // The last frame that begins at or before the start, and the first one that begins at or after the end.
  const first = lowerBound(offsets, start + 1) - 1
  const after = lowerBound(offsets, end)
  return {
    first,
    count: after - first,
    stored: { offset: storedOffsets[first]!, length: storedOffsets[after]! - storedOffsets[first]! },
    skip: start - offsets[first]!,
    length: end - start
  }
}

/** The first index whose value is at least `value`; values never fall. */
const lowerBound = (values: Float64Array, value: number): number => {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** A frame that was walked, to be held against a table. @internal */
export interface WalkedFrame {
  readonly storedSize: number
  readonly size: number
  readonly checksum: number | undefined
}

/**
 * Whether a table that was come upon behind frames tells of them what they are; `undefined` if it does. What does not end as
 * a table does is none, and is passed over as every decoder does. @internal
 */
export const contradiction = (content: Uint8Array, walked: ReadonlyArray<WalkedFrame>): string | undefined => {
  const footer = parseFooter(content)
  if (footer === undefined) return undefined
  const { frames, hasChecksums, length, reserved } = footer
  if (reserved) return "the table of frames is of a later version"
  if (length !== content.length + headerLength || frames !== walked.length) {
    return `the table has ${frames} frames, and ${walked.length} lie before it`
  }
  const view = new DataView(content.buffer, content.byteOffset, content.length)
  const entry = hasChecksums ? 12 : 8
  const wrong = walked.findIndex(({ checksum, size, storedSize }, index) =>
    view.getUint32(index * entry, true) !== storedSize || view.getUint32(index * entry + 4, true) !== size ||
    (hasChecksums && checksum !== undefined && view.getUint32(index * entry + 8, true) !== checksum)
  )
  return wrong < 0 ? undefined : `the table tells of frame ${wrong + 1} what it is not`
}
