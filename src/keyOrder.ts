/**
 * The order of keys: by their UTF-8 bytes.
 *
 * @internal
 */

/** Two code units in the order of the UTF-8 bytes they end up as: halves of surrogate pairs come last. */
const rank = (unit: number): number => unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit

/** Compares two keys by their UTF-8 bytes. */
export const compareKeys = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

const isHigh = /[\ud800-\uffff]/

/** Sorts by keys, in place. */
export const sortByKey = <A>(items: Array<A>, keyOf: (item: A) => string): Array<A> =>
  items.some((item) => isHigh.test(keyOf(item)))
    ? items.sort((a, b) => compareKeys(keyOf(a), keyOf(b)))
    : items.sort((a, b) => keyOf(a) < keyOf(b) ? -1 : 1)
