/**
 * The CRC of two runs of bytes that follow each other, from the CRC of each: parts that were summed side by side give the
 * sum of the whole. Polynomials are reflected, sums begin and end inverted, as in zlib and NVMe.
 *
 * @since 0.1.0
 */

interface Field {
  readonly width: bigint
  readonly polynomial: bigint
  /** x^(8 * length) by length; parts mostly have one length. */
  readonly shifts: Map<number, bigint>
}

const ieee: Field = { width: 32n, polynomial: 0xedb88320n, shifts: new Map() }
const nvme: Field = { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n, shifts: new Map() }
const maxShifts = 16

/** The product of two polynomials modulo the field's; the highest bit is the coefficient of x^0. */
const multiply = ({ polynomial, width }: Field, a: bigint, b: bigint): bigint => {
  let product = 0n
  let factor = b
  for (let bit = 1n << (width - 1n); bit !== 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= factor
    factor = (factor & 1n) === 1n ? (factor >> 1n) ^ polynomial : factor >> 1n
  }
  return product
}

/** x^(8 * length), by repeated squaring. */
const shift = (field: Field, length: number): bigint => {
  const known = field.shifts.get(length)
  if (known !== undefined) return known
  let result = 1n << (field.width - 1n)
  let power = 1n << (field.width - 9n)
  for (let rest = BigInt(length); rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(field, power, result)
    power = multiply(field, power, power)
  }
  if (field.shifts.size >= maxShifts) field.shifts.clear()
  field.shifts.set(length, result)
  return result
}

/**
 * The CRC-32 (that of zlib) of two runs of bytes, from the sum of each and the length of the second.
 *
 * @category checksums
 * @since 0.1.0
 */
export const combineCrc32 = (first: number, second: number, secondLength: number): number =>
  Number(multiply(ieee, shift(ieee, secondLength), BigInt(first)) ^ BigInt(second))

/**
 * The CRC-64/NVME of two runs of bytes, from the sum of each and the length of the second.
 *
 * @category checksums
 * @since 0.1.0
 */
export const combineCrc64 = (first: bigint, second: bigint, secondLength: number): bigint =>
  multiply(nvme, shift(nvme, secondLength), first) ^ second
