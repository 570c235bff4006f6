/** Chance from a seed: Mulberry32, the same on every platform and for ever, so that a kept seed means the same run. */
export interface Draw {
  /** From 0 to 1. */
  readonly next: () => number
  readonly below: (n: number) => number
  readonly chance: (probability: number) => boolean
  readonly one: <A>(values: ReadonlyArray<A>) => A
}

export const makeDraw = (seed: number): Draw => {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n: number): number => Math.floor(next() * n)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    one: (values) => values[below(values.length)]!
  }
}
