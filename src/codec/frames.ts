/**
 * Walks content frame by frame and block by block, without decompressing it: decoders stop after one frame, or pass over what
 * follows it, so what they get is exactly one frame. What is left over, missing or wrong is found here.
 *
 * @internal
 */
import {
  type FrameHeader,
  isSkippable,
  maxHeaderLength,
  parseBlockHeader,
  parseFrameHeader,
  zstdMagic
} from "./FrameHeader.ts"

type Bytes = Uint8Array<ArrayBuffer>

/** A frame of content, walked to its end. */
export interface FrameEnd {
  readonly header: FrameHeader
  /** Bytes of the frame. */
  readonly storedSize: number
  /** The checksum that the frame carries: the low 32 bits of XXH64 of its content. */
  readonly checksum: number | undefined
}

export type FrameEvent =
  /** A frame begins; nothing of it was given out yet. */
  | { readonly _tag: "Begin"; readonly header: FrameHeader }
  /** A whole frame, of a content small enough to be decompressed in one piece. */
  | { readonly _tag: "Whole"; readonly frame: Bytes; readonly end: FrameEnd & { readonly size: number } }
  /** The next blocks of a frame, which hold no more than `most` bytes of the content. `end` with the last ones. */
  | { readonly _tag: "Blocks"; readonly blocks: Bytes; readonly most: number; readonly end: FrameEnd | undefined }
  /** A frame that decoders skip. `content` if it is of the length that `keep` asked for. */
  | {
    readonly _tag: "Skipped"
    readonly magic: number
    readonly storedSize: number
    readonly content: Bytes | undefined
  }
  /** The content is not what it should be. */
  | { readonly _tag: "Corrupt"; readonly description: string }

export interface WalkOptions {
  /** Up to here the content of a frame is decompressed in one piece. */
  readonly wholeSize: number
  /** Whether the content of a skippable frame of so many bytes is wanted. */
  readonly keep: (magic: number, length: number) => boolean
}

/** Blocks are given out when they may hold so much of the content, or take so much room. */
const pieceSize = 1024 * 1024
/** Blocks may be empty: so many of them are walked in one go, and no frame of more is given out whole. */
const maxBlocks = 4096

/** Bytes that came and were not used; views of what came, taken in order. */
const makeInput = () => {
  let chunks: Array<Uint8Array> = []
  let first = 0
  let length = 0
  return {
    length: () => length,
    add: (chunk: Uint8Array): void => {
      if (chunk.length === 0) return
      chunks.push(chunk)
      length += chunk.length
    },
    /** The next bytes, which stay. */
    peek: (count: number): Uint8Array => {
      const bytes = new Uint8Array(Math.min(count, length))
      let filled = 0
      for (let index = first; filled < bytes.length; index++) {
        const piece = chunks[index]!.subarray(0, bytes.length - filled)
        bytes.set(piece, filled)
        filled += piece.length
      }
      return bytes
    },
    /** Takes the next bytes into `into`, or away. */
    take: (count: number, into?: Array<Uint8Array>): void => {
      length -= count
      for (let rest = count; rest > 0;) {
        const chunk = chunks[first]!
        into?.push(chunk.subarray(0, rest))
        if (chunk.length > rest) {
          chunks[first] = chunk.subarray(rest)
          break
        }
        rest -= chunk.length
        first += 1
      }
      if (first > 64 && first * 2 > chunks.length) {
        chunks = chunks.slice(first)
        first = 0
      }
    }
  }
}

const isFull = ({ blocks, header, length, most }: OpenFrame): boolean =>
  most + header.blockSize > pieceSize || length >= pieceSize || blocks >= maxBlocks

const join = (pieces: ReadonlyArray<Uint8Array>, length: number): Bytes => {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

interface OpenFrame {
  readonly header: FrameHeader
  /** Whether it is still meant to be given out whole. */
  whole: boolean
  storedSize: number
  /** Walked and not yet given out. */
  pieces: Array<Uint8Array>
  length: number
  blocks: number
  most: number
  ended: boolean
}

interface OpenSkip {
  readonly magic: number
  readonly length: number
  readonly pieces: Array<Uint8Array> | undefined
  left: number
}

export interface FrameWalker {
  readonly feed: (chunk: Uint8Array) => void
  /** The next event; `undefined` if more bytes are needed for one. After `Corrupt` there is none. */
  readonly next: () => FrameEvent | undefined
  /** What is wrong if nothing follows what came; `undefined` if it is whole. */
  readonly end: () => string | undefined
}

export const makeFrameWalker = ({ keep, wholeSize }: WalkOptions): FrameWalker => {
  const input = makeInput()
  let frame: OpenFrame | undefined
  let skip: OpenSkip | undefined
  let frames = 0
  let broken = false

  const corrupt = (description: string): FrameEvent => {
    broken = true
    return { _tag: "Corrupt", description }
  }

  const begin = (): FrameEvent | undefined => {
    const bytes = input.peek(maxHeaderLength)
    if (bytes.length < 4) return undefined
    const view = new DataView(bytes.buffer)
    const magic = view.getUint32(0, true)
    if (isSkippable(magic)) return beginSkip(magic, view)
    if (magic !== zstdMagic) {
      return corrupt(frames === 0 ? "it does not begin as zstd" : `what follows frame ${frames} is no frame`)
    }
    const header = parseFrameHeader(bytes)
    if (header === undefined) return undefined
    if (typeof header === "string") return corrupt(header)
    frames += 1
    const whole = header.contentSize !== undefined && header.contentSize <= wholeSize
    frame = { header, whole, storedSize: 0, pieces: [], length: 0, blocks: 0, most: 0, ended: false }
    move(frame, header.length)
    return { _tag: "Begin", header }
  }

  const beginSkip = (magic: number, view: DataView): FrameEvent | undefined => {
    if (view.byteLength < 8) return undefined
    const length = view.getUint32(4, true)
    input.take(8)
    skip = { magic, length, left: length, pieces: keep(magic, length) ? [] : undefined }
    return onSkip(skip)
  }

  const onSkip = (open: OpenSkip): FrameEvent | undefined => {
    const count = Math.min(open.left, input.length())
    input.take(count, open.pieces)
    open.left -= count
    if (open.left > 0) return undefined
    skip = undefined
    frames += 1
    const content = open.pieces === undefined ? undefined : join(open.pieces, open.length)
    return { _tag: "Skipped", magic: open.magic, storedSize: 8 + open.length, content }
  }

  const move = (open: OpenFrame, count: number): void => {
    input.take(count, open.pieces)
    open.length += count
    open.storedSize += count
  }

  /** What was walked of a frame and not given out. */
  const flush = (open: OpenFrame, end: FrameEnd | undefined): FrameEvent => {
    const blocks = join(open.pieces, open.length)
    const { most } = open
    open.pieces = []
    open.length = 0
    open.blocks = 0
    open.most = 0
    return { _tag: "Blocks", blocks, most, end }
  }

  const finish = (open: OpenFrame): FrameEvent => {
    const { hasChecksum, contentSize } = open.header
    const sum = hasChecksum ? input.peek(4) : undefined
    move(open, hasChecksum ? 4 : 0)
    const checksum = sum === undefined ? undefined : new DataView(sum.buffer).getUint32(0, true)
    const end: FrameEnd = { header: open.header, storedSize: open.storedSize, checksum }
    frame = undefined
    return open.whole
      ? { _tag: "Whole", frame: join(open.pieces, open.length), end: { ...end, size: contentSize! } }
      : flush(open, end)
  }

  const walk = (open: OpenFrame): FrameEvent | undefined => {
    while (!open.ended) {
      // A frame of many small blocks takes more room than its content would.
      if (open.length > 2 * wholeSize || open.blocks >= maxBlocks) open.whole = false
      if (!open.whole && open.blocks > 0 && isFull(open)) return flush(open, undefined)
      if (input.length() < 3) return waiting(open)
      const [a, b, c] = input.peek(3)
      const block = parseBlockHeader(a! | (b! << 8) | (c! << 16), open.header)
      if (typeof block === "string") return corrupt(block)
      if (input.length() < 3 + block.length) return waiting(open)
      move(open, 3 + block.length)
      open.blocks += 1
      open.most += open.header.blockSize
      open.ended = block.last
    }
    return open.header.hasChecksum && input.length() < 4 ? waiting(open) : finish(open)
  }

  /** Blocks that are there are given out before more come. The last ones go with the checksum behind them. */
  const waiting = (open: OpenFrame): FrameEvent | undefined =>
    !open.whole && open.blocks > 0 && !open.ended ? flush(open, undefined) : undefined

  return {
    feed: input.add,
    next: () => {
      if (broken) return undefined
      if (skip !== undefined) return onSkip(skip)
      return frame === undefined ? begin() : walk(frame)
    },
    end: () => {
      if (broken || (frame === undefined && skip === undefined && input.length() === 0 && frames > 0)) return undefined
      if (frames === 0 && input.length() === 0 && skip === undefined) return "there is not a single frame"
      return `frame ${frames + (frame === undefined ? 1 : 0)} is cut off`
    }
  }
}
