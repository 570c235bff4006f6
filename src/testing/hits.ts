/**
 * Which of the calls or exchanges that a rule selects meet its fault.
 *
 * @internal
 */

/** Counted from 1: this one, these, or every n-th; all without it. */
export type Hits = number | ReadonlyArray<number> | { readonly every: number } | undefined

const isList = (hits: NonNullable<Hits>): hits is ReadonlyArray<number> => Array.isArray(hits)

/** What is wrong with them, in one line: a hit that can never come would do nothing. */
export const wrongHits = (hits: Hits): string | undefined => {
  const numbers = hits === undefined ? [] : typeof hits === "number" ? [hits] : isList(hits) ? hits : [hits.every]
  const wrong = numbers.find((hit) => !Number.isSafeInteger(hit) || hit < 1)
  return wrong === undefined ? undefined : `hit ${wrong} is not a positive integer`
}

/** Whether the hit of this number is one of them. */
export const isHit = (hits: Hits, hit: number): boolean => {
  if (hits === undefined) return true
  if (typeof hits === "number") return hits === hit
  return isList(hits) ? hits.includes(hit) : hit % hits.every === 0
}

/** Whether a key is this one, or of this pattern. */
export const isKey = (wanted: string | RegExp, key: string): boolean =>
  // Not `test`, which begins where a global pattern last stopped.
  typeof wanted === "string" ? wanted === key : key.search(wanted) !== -1
