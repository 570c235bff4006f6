/**
 * The bytes of one reply's body, from the connection that brings them to the memory of who asks for them.
 *
 * @internal
 */

/** Bytes that are kept while nobody asks for them; then there are enough. */
const maxKept = 64 * 1024

/** Bytes that one read may bring into a waiting target: what the processor's caches hold; and the fewest that are worth it. */
const maxRead = 256 * 1024
const minRead = 16 * 1024

export class ReplyBytes {
  /** Bytes that came. */
  came = 0
  /** Bytes that were delivered. */
  delivered = 0
  /** Bytes that came and were not asked for yet. */
  #kept: Array<Uint8Array> = []
  #keptBytes = 0
  #target: Uint8Array | undefined
  #filled = 0

  /** Whether so much is kept that no more should come. */
  get ample(): boolean {
    return this.#keptBytes >= maxKept
  }

  /** Whether the target is full. */
  get full(): boolean {
    return this.#filled === this.#target?.length
  }

  /** Takes what the connection read, into its own memory or into the place that it was given. Says whether the target became full. */
  push(chunk: Uint8Array): boolean {
    this.came += chunk.length
    const target = this.#target
    const room = target === undefined ? 0 : target.length - this.#filled
    if (chunk.length <= room) {
      if (!isAt(chunk, target!, this.#filled)) target!.set(chunk, this.#filled)
      this.#filled += chunk.length
      return chunk.length === room
    }
    if (room > 0) {
      target!.set(chunk.subarray(0, room), this.#filled)
      this.#filled += room
    }
    // The connection reads into this memory again.
    this.#kept.push(new Uint8Array(chunk.subarray(room)))
    this.#keptBytes += chunk.length - room
    return room > 0
  }

  /** Memory in which the next bytes of a body of `length` belong. */
  place(length: number): Uint8Array | undefined {
    const target = this.#target
    if (target === undefined || !isFixed(target)) return undefined
    const count = Math.min(maxRead, target.length - this.#filled, length - this.came)
    return count < minRead ? undefined : target.subarray(this.#filled, this.#filled + count)
  }

  /** Fills a target with what is kept, and from now on with what comes. Says whether it is full. */
  aim(target: Uint8Array): boolean {
    this.#target = target
    this.#filled = 0
    while (this.#filled < target.length && this.#kept.length > 0) {
      const chunk = this.#kept[0]!
      const taken = Math.min(chunk.length, target.length - this.#filled)
      target.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.#filled)
      if (taken === chunk.length) this.#kept.shift()
      else this.#kept[0] = chunk.subarray(taken)
      this.#keptBytes -= taken
      this.#filled += taken
    }
    return this.full
  }

  /** Delivers the target: how many bytes are in it. */
  deliver(): number {
    const count = this.#filled
    this.#target = undefined
    this.#filled = 0
    this.delivered += count
    return count
  }

  /** Forgets the target, and what is kept. */
  drop(): void {
    this.#target = undefined
    this.#kept = []
  }
}

/** Whether bytes were read to where they belong. */
const isAt = (bytes: Uint8Array, target: Uint8Array, offset: number): boolean =>
  bytes.buffer === target.buffer && bytes.byteOffset === target.byteOffset + offset

/** Memory that stays what it is while the system writes to it. */
const isFixed = ({ buffer }: Uint8Array): boolean => buffer instanceof ArrayBuffer && !buffer.resizable
