/**
 * The header of a zstd frame, as RFC 8878 section 3.1.1 has it. Headers come from outside, so nothing in them is believed.
 *
 * @internal
 */

export const zstdMagic = 0xfd2fb528
/** Sixteen magic numbers begin a frame that every decoder skips. */
export const skippableMagic = 0x184d2a50

export const isSkippable = (magic: number): boolean => (magic & 0xfffffff0) >>> 0 === skippableMagic

/** A header is no longer than that, its magic number with it. */
export const maxHeaderLength = 18

/** Blocks hold no more than that, whatever the window. */
export const maxBlockSize = 128 * 1024

export interface FrameHeader {
  /** Bytes of the header, the magic number with it. */
  readonly length: number
  /** What the decoder has to keep of its output. */
  readonly windowSize: number
  /** Bytes of the content, where the frame tells it. */
  readonly contentSize: number | undefined
  /** 0: no dictionary, or none that has a name. */
  readonly dictionary: number
  /** Whether four bytes of XXH64 of the content follow the last block. */
  readonly hasChecksum: boolean
  /** No block holds more of the content. */
  readonly blockSize: number
}

const dictionaryLengths = [0, 1, 2, 4] as const

/**
 * The header at the start of `bytes`, which begin with the magic number; `undefined` if more bytes are needed, text if it is
 * wrong.
 */
export const parseFrameHeader = (bytes: Uint8Array): FrameHeader | string | undefined => {
  if (bytes.length < 5) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const descriptor = view.getUint8(4)
  if ((descriptor & 0b1000) !== 0) return "a frame's reserved bit is set"
  const singleSegment = (descriptor & 0b10_0000) !== 0
  const sizeFlag = descriptor >>> 6
  const sizeLength = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag
  const dictionaryLength = dictionaryLengths[descriptor & 0b11]!
  const windowLength = singleSegment ? 0 : 1
  const length = 5 + windowLength + dictionaryLength + sizeLength
  if (bytes.length < length) return undefined

  const contentSize = readSize(view, length - sizeLength, sizeLength)
  const windowSize = singleSegment ? contentSize! : readWindow(view.getUint8(5))
  return {
    length,
    windowSize,
    contentSize,
    dictionary: readNumber(view, 5 + windowLength, dictionaryLength),
    hasChecksum: (descriptor & 0b100) !== 0,
    blockSize: Math.min(windowSize, maxBlockSize)
  }
}

const readNumber = (view: DataView, at: number, length: 0 | 1 | 2 | 4): number => {
  switch (length) {
    case 0:
      return 0
    case 1:
      return view.getUint8(at)
    case 2:
      return view.getUint16(at, true)
    case 4:
      return view.getUint32(at, true)
  }
}

const readSize = (view: DataView, at: number, length: number): number | undefined => {
  switch (length) {
    case 0:
      return undefined
    case 2:
      return view.getUint16(at, true) + 256
    case 8:
      // Exact up to 2^53; what is larger is larger than any limit.
      return Number(view.getBigUint64(at, true))
    default:
      return readNumber(view, at, length as 1 | 4)
  }
}

const readWindow = (byte: number): number => {
  const base = 2 ** (10 + (byte >>> 3))
  return base + (base / 8) * (byte & 7)
}

/** A block: its header is three bytes, and so many bytes follow. */
export interface BlockHeader {
  readonly last: boolean
  readonly length: number
}

/** The header of a block, or text if it is wrong. */
export const parseBlockHeader = (header: number, { blockSize }: FrameHeader): BlockHeader | string => {
  const size = header >>> 3
  const type = (header >>> 1) & 3
  if (type === 3) return "a block is of a type that does not exist"
  if (size > blockSize) return `a block of ${size} bytes is larger than its frame allows`
  // One byte that is repeated `size` times.
  return { last: (header & 1) === 1, length: type === 1 ? 1 : size }
}
