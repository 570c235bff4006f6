/**
 * A map that keeps its keys in order, so that a page of a listing costs what it holds and not what the store holds.
 *
 * @since 0.1.0
 */
import { compareKeys } from "../../src/keyOrder.ts"

/** An order of keys, in which all keys that begin with the same text stand together. */
export type KeyOrder = (a: string, b: string) => number

/** An order that is not that of the bytes, for stores that list in one of their own. */
export const byOwnOrder: KeyOrder = (a, b) =>
  a.startsWith(b) || b.startsWith(a) ? a.length - b.length : compareKeys(b, a)

/** A map in the order of its keys. */
export interface KeyIndex<A> {
  readonly order: KeyOrder
  readonly size: () => number
  readonly get: (key: string) => A | undefined
  readonly set: (key: string, value: A) => void
  readonly delete: (key: string) => void
  /**
   * Keys in order from the first one for which `reached` is true; it must then be true for all that follow. The index must
   * not change meanwhile.
   */
  readonly from: (reached: (key: string) => boolean) => Iterable<string>
}

const blockSize = 1024

/** Where a predicate that is true from somewhere on begins to be true. */
const firstTrue = (length: number, isTrue: (index: number) => boolean): number => {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isTrue(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Makes an empty index. */
export const makeKeyIndex = <A>(order: KeyOrder): KeyIndex<A> => {
  const values = new Map<string, A>()
  // Blocks are never empty: an insertion moves at most one block's keys.
  const blocks: Array<Array<string>> = []

  const blockOf = (key: string): number =>
    Math.min(firstTrue(blocks.length, (index) => order(blocks[index]!.at(-1)!, key) >= 0), blocks.length - 1)

  const insert = (key: string): void => {
    if (blocks.length === 0) {
      blocks.push([key])
      return
    }
    const index = blockOf(key)
    const block = blocks[index]!
    block.splice(firstTrue(block.length, (at) => order(block[at]!, key) >= 0), 0, key)
    if (block.length > blockSize) blocks.splice(index + 1, 0, block.splice(blockSize / 2))
  }

  return {
    order,
    size: () => values.size,
    get: (key) => values.get(key),
    set: (key, value) => {
      if (!values.has(key)) insert(key)
      values.set(key, value)
    },
    delete: (key) => {
      if (!values.delete(key)) return
      const index = blockOf(key)
      const block = blocks[index]!
      block.splice(firstTrue(block.length, (at) => order(block[at]!, key) >= 0), 1)
      if (block.length === 0) blocks.splice(index, 1)
    },
    *from(reached) {
      const start = firstTrue(blocks.length, (index) => reached(blocks[index]!.at(-1)!))
      for (let index = start; index < blocks.length; index++) {
        const block = blocks[index]!
        const at = index === start ? firstTrue(block.length, (position) => reached(block[position]!)) : 0
        for (let position = at; position < block.length; position++) yield block[position]!
      }
    }
  }
}
