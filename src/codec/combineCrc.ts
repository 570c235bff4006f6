/**
 * The CRC of two runs of bytes that follow each other, from the CRC of each: parts that were summed side by side give the
 * sum of the whole. Polynomials are reflected, sums begin and end inverted, as in zlib and NVMe.
 *
 * @since 0.1.0
 */

/** Arithmetic of polynomials modulo one of them; the highest bit is the coefficient of x^0. */
interface Field<A> {
  readonly multiply: (a: A, b: A) => A
  readonly add: (a: A, b: A) => A
  /** x^0. */
  readonly one: A
  /** x^8: what a byte behind the others does to their sum. */
  readonly byte: A
}

const field32 = (polynomial: number): Field<number> => ({
  multiply: (a, b) => {
    let product = 0
    let factor = b
    for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
      if ((a & bit) !== 0) product ^= factor
      factor = factor & 1 ? (factor >>> 1) ^ polynomial : factor >>> 1
    }
    return product
  },
  add: (a, b) => (a ^ b) >>> 0,
  one: 0x80000000,
  byte: 0x00800000
})

const field64 = (polynomial: bigint): Field<bigint> => ({
  multiply: (a, b) => {
    let product = 0n
    let factor = b
    for (let bit = 1n << 63n; bit !== 0n; bit >>= 1n) {
      if ((a & bit) !== 0n) product ^= factor
      factor = (factor & 1n) === 1n ? (factor >> 1n) ^ polynomial : factor >> 1n
    }
    return product
  },
  add: (a, b) => a ^ b,
  one: 1n << 63n,
  byte: 1n << 55n
})

/** Parts mostly have one length: what was found for the last ones is kept. */
const maxShifts = 16

const combineIn = <A>({ add, byte, multiply, one }: Field<A>) => {
  const shifts = new Map<number, A>()
  /** x^(8 * length), by repeated squaring. */
  const shift = (length: number): A => {
    const known = shifts.get(length)
    if (known !== undefined) return known
    let result = one
    let power = byte
    for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = multiply(power, result)
      power = multiply(power, power)
    }
    if (shifts.size >= maxShifts) shifts.clear()
    shifts.set(length, result)
    return result
  }
  return (first: A, second: A, secondLength: number): A => add(multiply(shift(secondLength), first), second)
}

/**
 * The CRC-32 (that of zlib) of two runs of bytes, from the sum of each and the length of the second.
 *
 * @category checksums
 * @since 0.1.0
 */
export const combineCrc32: (first: number, second: number, secondLength: number) => number = combineIn(
  field32(0xedb88320)
)

/**
 * The CRC-32C of two runs of bytes, from the sum of each and the length of the second.
 *
 * @category checksums
 * @since 0.1.0
 */
export const combineCrc32c: (first: number, second: number, secondLength: number) => number = combineIn(
  field32(0x82f63b78)
)

/**
 * The CRC-64/NVME of two runs of bytes, from the sum of each and the length of the second.
 *
 * @category checksums
 * @since 0.1.0
 */
export const combineCrc64: (first: bigint, second: bigint, secondLength: number) => bigint = combineIn(
  field64(0x9a6c9329ac4bc9b5n)
)
