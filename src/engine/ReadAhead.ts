/**
 * How many parts a stream fetches at a time: as many as its consumer needs not to wait (Little's law: the time of a fetch over
 * the time in which a part is consumed), so that a slow consumer does not hold memory that gains it nothing.
 *
 * @internal
 */

/** A part is not fetched ahead when to wait for it costs less than this part of the time. */
const negligible = 1 / 20

/** The last time counts as much as all the others before it. */
const smooth = (before: number | undefined, now: number): number => before === undefined ? now : (before + now) / 2

/** Times are milliseconds. */
export class ReadAhead {
  readonly #most: number
  #fetch: number | undefined
  #consume: number | undefined
  #deliveredAt: number | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** A part was fetched, in so much time. */
  fetched(time: number): void {
    this.#fetch = smooth(this.#fetch, Math.max(0, time))
  }

  /** A part was handed to the consumer. */
  delivered(now: number): void {
    this.#deliveredAt = now
  }

  /** The consumer wants the next part; the number of parts to be fetched now, that one included. */
  wanted(now: number): number {
    if (this.#deliveredAt !== undefined) {
      this.#consume = smooth(this.#consume, Math.max(0, now - this.#deliveredAt))
      this.#deliveredAt = undefined
    }
    if (this.#fetch === undefined || this.#consume === undefined || this.#consume === 0) return this.#most
    const parts = this.#fetch / this.#consume
    return parts < negligible ? 1 : Math.min(this.#most, 1 + Math.ceil(parts))
  }
}
