/**
 * CRC-32C (Castagnoli), the checksum that GCS and S3 store beside an object: incremental and combinable.
 *
 * The polynomial is that of RFC 3720 section 12.1, reflected. Where the optional package `@node-rs/crc32` is installed and
 * works, the processor's own instruction is used, at two fifths of the cost of the module of WebAssembly that takes its place;
 * where there is neither, eight bytes are taken a step through eight tables (slicing by 8), read as words where the memory
 * allows it.
 *
 * @since 0.1.0
 */
import { type Crc, crcAddon } from "./crcAddon.ts"
import { makeCrcModule } from "./crcModule.ts"
import { makeCrcTables } from "./crcTables.ts"

const polynomial = 0x82f63b78

const { low } = makeCrcTables({ high: 0, low: polynomial }, 8)
const row = (n: number): Int32Array => low.subarray(256 * n, 256 * (n + 1))
const [T0, T1, T2, T3, T4, T5, T6, T7] = [row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)] as const

/** Words are little-endian in the tables' order, and so they are on every machine that Node is built for but s390x. */
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

const byteByByte = (bytes: Uint8Array, start: number, end: number, sum: number): number => {
  for (let i = start; i < end; i++) sum = (sum >>> 8) ^ T0[(sum ^ bytes[i]!) & 255]!
  return sum
}

const wordByWord = (words: Int32Array, sum: number): number => {
  const end = words.length & ~1
  for (let i = 0; i < end; i += 2) {
    const a = words[i]! ^ sum
    const b = words[i + 1]!
    sum = T7[a & 255]! ^ T6[(a >>> 8) & 255]! ^ T5[(a >>> 16) & 255]! ^ T4[a >>> 24]! ^
      T3[b & 255]! ^ T2[(b >>> 8) & 255]! ^ T1[(b >>> 16) & 255]! ^ T0[b >>> 24]!
  }
  return sum
}

/** Below this a view of words costs more than it saves. */
const smallest = 64

/** The same by tables alone. @internal */
export const crc32cByTables = (bytes: Uint8Array, previous = 0): number => {
  const { length } = bytes
  let sum = ~previous
  if (length < smallest || !littleEndian) return ~byteByByte(bytes, 0, length, sum) >>> 0
  const head = -bytes.byteOffset & 3
  const count = ((length - head) >>> 3) << 1
  sum = byteByByte(bytes, 0, head, sum)
  sum = wordByWord(new Int32Array(bytes.buffer, bytes.byteOffset + head, count), sum)
  return ~byteByByte(bytes, head + count * 4, length, sum) >>> 0
}

/** Below this a call of WebAssembly costs more than it saves. */
const smallestForModule = 512

const loadModule = (): Crc | undefined => {
  const module = makeCrcModule({ high: 0, low: polynomial })
  if (module === undefined) return undefined
  const sum: Crc = (bytes, previous = 0) => {
    if (bytes.length < smallestForModule) return crc32cByTables(bytes, previous)
    const { sum, taken } = module.take(bytes, BigInt(~previous >>> 0))
    return crc32cByTables(bytes.subarray(taken), ~Number(sum) >>> 0)
  }
  const check = new Uint8Array(512)
  return sum(check) === crc32cByTables(check) ? sum : undefined
}

let module: Crc | "none" | undefined

/** The same without the addon. @internal */
export const crc32cByModule: Crc = (bytes, previous) => {
  module ??= loadModule() ?? "none"
  return module === "none" ? crc32cByTables(bytes, previous) : module(bytes, previous)
}

let best: Crc | undefined

/** What takes the sums of more than a few bytes. @internal */
export const crc32cImplementation = () => {
  if (crcAddon() !== undefined) return "@node-rs/crc32"
  module ??= loadModule() ?? "none"
  return module === "none" ? "tables" : "WebAssembly"
}

/**
 * The CRC-32C of bytes, as a number from 0 to 2^32 - 1. `previous` is the sum of all bytes before these, 0 if there are
 * none, so a body may be summed in whatever pieces it comes.
 *
 * @category checksums
 * @since 0.1.0
 */
export const crc32c: Crc = (bytes, previous = 0) => {
  if (bytes.length < smallest) return crc32cByTables(bytes, previous)
  best ??= crcAddon()?.crc32c ?? crc32cByModule
  return best(bytes, previous)
}

/**
 * A CRC-32C as services write it: base64 of its four bytes, the most significant one first.
 *
 * @category checksums
 * @since 0.1.0
 */
export const printCrc32c = (sum: number): string => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(sum)
  return bytes.toString("base64")
}
