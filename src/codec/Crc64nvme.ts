/**
 * CRC-64/NVME, the checksum that S3 computes of every object by itself, and that Azure compares: incremental and combinable.
 *
 * The polynomial is that of the NVM Express command set specification (Rocksoft model, reflected). WebAssembly (`hash-wasm`)
 * takes half to two thirds of the time of tables in JavaScript, and its module has to be loaded first. In the tables a sum is kept as two words,
 * since `BigInt` arithmetic for each byte would be a hundred times slower; eight bytes are taken a step.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { combineCrc64 } from "./combineCrc.ts"

const polynomialHigh = 0x9a6c9329
const polynomialLow = 0xac4bc9b5

/** Tables of high and low words; table `n` is what a byte does when `n` more bytes follow it in the same step. */
const makeTables = () => {
  const high = new Int32Array(8 * 256)
  const low = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let h = 0
    let l = byte
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1
      l = (l >>> 1) | (h << 31)
      h = h >>> 1
      if (odd === 1) {
        h ^= polynomialHigh
        l ^= polynomialLow
      }
    }
    high[byte] = h
    low[byte] = l
  }
  for (let n = 1; n < 8; n++) {
    for (let byte = 0; byte < 256; byte++) {
      const h = high[(n - 1) * 256 + byte]!
      const l = low[(n - 1) * 256 + byte]!
      high[n * 256 + byte] = (h >>> 8) ^ high[l & 255]!
      low[n * 256 + byte] = ((l >>> 8) | (h << 24)) ^ low[l & 255]!
    }
  }
  return { high, low }
}

const { high: H, low: L } = makeTables()

/** The same by tables alone. @internal */
export const crc64nvmeByTables = (bytes: Uint8Array, previous = 0n): bigint => {
  const start = BigInt.asUintN(64, ~previous)
  let h = Number(start >> 32n) | 0
  let l = Number(start & 0xffffffffn) | 0
  const length = bytes.length
  const whole = length - (length % 8)
  let i = 0
  for (; i < whole; i += 8) {
    const x = l ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
    const y = h ^ (bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24))
    const a = 1792 + (x & 255)
    const b = 1536 + ((x >>> 8) & 255)
    const c = 1280 + ((x >>> 16) & 255)
    const d = 1024 + (x >>> 24)
    const e = 768 + (y & 255)
    const f = 512 + ((y >>> 8) & 255)
    const g = 256 + ((y >>> 16) & 255)
    const k = y >>> 24
    h = H[a]! ^ H[b]! ^ H[c]! ^ H[d]! ^ H[e]! ^ H[f]! ^ H[g]! ^ H[k]!
    l = L[a]! ^ L[b]! ^ L[c]! ^ L[d]! ^ L[e]! ^ L[f]! ^ L[g]! ^ L[k]!
  }
  for (; i < length; i++) {
    const at = (l ^ bytes[i]!) & 255
    l = ((l >>> 8) | (h << 24)) ^ L[at]!
    h = (h >>> 8) ^ H[at]!
  }
  return BigInt.asUintN(64, ~((BigInt(h >>> 0) << 32n) | BigInt(l >>> 0)))
}

/** The sum by WebAssembly, once it was loaded; by tables where it could not be. */
let quick: ((bytes: Uint8Array) => bigint) | undefined

/** Below this a call of WebAssembly, and joining its sum to the one before, cost more than they save. */
const smallest = 64 * 1024

const load = Effect.tryPromise(() => import("hash-wasm")).pipe(
  Effect.flatMap(({ createCRC64 }) => Effect.tryPromise(() => createCRC64("9a6c9329ac4bc9b5"))),
  Effect.flatMap((hash) =>
    Effect.try(() => {
      const sum = (bytes: Uint8Array): bigint =>
        Buffer.from(hash.init().update(bytes).digest("binary")).readBigUInt64BE()
      return sum(Buffer.from("123456789")) === 0xae8b14860a799888n ? sum : crc64nvmeByTables
    })
  ),
  // Node may run without WebAssembly: the tables give the same sums.
  Effect.orElseSucceed(() => crc64nvmeByTables),
  Effect.map((sum) => {
    quick = sum
  })
)

/**
 * Loads what makes sums of many bytes quick. Without it they are the same, and take up to twice as long.
 *
 * @category checksums
 * @since 0.1.0
 */
export const loadCrc64nvme: Effect.Effect<void> = Effect.suspend(() => quick === undefined ? load : Effect.void)

/**
 * The sum of `bytes`, or of what `previous` is the sum of and `bytes` behind it.
 *
 * @category checksums
 * @since 0.1.0
 */
export const crc64nvme = (bytes: Uint8Array, previous = 0n): bigint => {
  if (quick === undefined || bytes.length < smallest) return crc64nvmeByTables(bytes, previous)
  const sum = quick(bytes)
  return previous === 0n ? sum : combineCrc64(previous, sum, bytes.length)
}
