/**
 * CRC-32C (Castagnoli), the checksum that GCS and S3 store beside an object: incremental and combinable.
 *
 * The polynomial is that of RFC 3720 section 12.1, reflected. Where the optional package `@node-rs/crc32` is installed and
 * works, the processor's own instruction is used, at a quarter of the cost; else eight bytes are taken a step through eight
 * tables (slicing by 8), read as words where the memory allows it.
 *
 * @since 0.1.0
 */
import { type Crc, crcAddon } from "./crcAddon.ts"

const polynomial = 0x82f63b78

/** Table `n` is what a byte does to the sum when `n` more bytes follow it in the same step. */
const makeTables = (): ReadonlyArray<Int32Array> => {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ polynomial : sum >>> 1
    tables[0]![byte] = sum
  }
  for (let n = 1; n < 8; n++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[n - 1]![byte]!
      tables[n]![byte] = (before >>> 8) ^ tables[0]![before & 255]!
    }
  }
  return tables
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = makeTables() as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array
]

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

let best: Crc | undefined

/**
 * The CRC-32C of bytes, as a number from 0 to 2^32 - 1. `previous` is the sum of all bytes before these, 0 if there are
 * none, so a body may be summed in whatever pieces it comes.
 *
 * @category checksums
 * @since 0.1.0
 */
export const crc32c: Crc = (bytes, previous = 0) => {
  if (bytes.length < smallest) return crc32cByTables(bytes, previous)
  best ??= crcAddon()?.crc32c ?? crc32cByTables
  return best(bytes, previous)
}

/** The product of two polynomials modulo the polynomial; bit 31 is the coefficient of x^0. */
const multiply = (a: number, b: number): number => {
  let product = 0
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= b
    b = b & 1 ? (b >>> 1) ^ polynomial : b >>> 1
  }
  return product
}

/** x^(8 * length), by repeated squaring. */
const shift = (length: number): number => {
  let result = 0x80000000
  let power = 0x00800000
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(power, result)
    power = multiply(power, power)
  }
  return result
}

/**
 * The CRC-32C of two runs of bytes that follow each other, from the sum of each and the length of the second: parts that
 * were summed side by side give the sum of the whole.
 *
 * @category checksums
 * @since 0.1.0
 */
export const combineCrc32c = (first: number, second: number, secondLength: number): number =>
  (multiply(shift(secondLength), first) ^ second) >>> 0

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
