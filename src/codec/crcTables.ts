/**
 * Tables of reflected CRCs of up to 64 bits: `row` n holds what a byte does to the sum when n more bytes follow it, for all 256
 * bytes. A sum is two words of 32 bits, since `BigInt` arithmetic for each byte would be a hundred times slower.
 *
 * @internal
 */

/** A polynomial without its highest term, reflected: the lowest bit is the coefficient of the highest power. */
export interface Polynomial {
  readonly high: number
  readonly low: number
}

export interface CrcTables {
  readonly high: Int32Array
  readonly low: Int32Array
}

export const makeCrcTables = (polynomial: Polynomial, rows: number): CrcTables => {
  const high = new Int32Array(rows * 256)
  const low = new Int32Array(rows * 256)
  for (let byte = 0; byte < 256; byte++) {
    let [h, l] = [0, byte]
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1
      l = (l >>> 1) | (h << 31)
      h = h >>> 1
      if (odd === 1) {
        h ^= polynomial.high
        l ^= polynomial.low
      }
    }
    high[byte] = h
    low[byte] = l
  }
  for (let at = 256; at < rows * 256; at++) {
    const h = high[at - 256]!
    const l = low[at - 256]!
    high[at] = (h >>> 8) ^ high[l & 255]!
    low[at] = ((l >>> 8) | (h << 24)) ^ low[l & 255]!
  }
  return { high, low }
}
