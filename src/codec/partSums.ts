/**
 * Checksums of bytes that come in parts: CRCs of parts in any order are combined, hashes take the parts in their order.
 *
 * @internal
 */
import { type ChecksumName, type Cyclic, make, withCyclic } from "./Checksum.ts"

/** A checksum in the making. */
export interface PartSum {
  /** Takes the bytes that lie at `start`; they must not change before `digest`. */
  readonly add: (start: number, bytes: Uint8Array) => void
  /** Base64, as services write it. */
  readonly digest: () => string
}

interface Run<A> {
  readonly start: number
  end: number
  sum: A
}

const combined = <A>({ combine, empty, print, sum }: Cyclic<A>): PartSum => {
  // A run ends where the next part has not come yet; parts in order make a single run.
  const runs: Array<Run<A>> = []
  let last: Run<A> | undefined
  return {
    add: (start, bytes) => {
      if (bytes.length === 0) return
      if (last === undefined || last.end !== start) {
        last = runs.find(({ end }) => end === start)
        if (last === undefined) runs.push(last = { start, end: start, sum: empty })
      }
      last.sum = sum(bytes, last.sum)
      last.end = start + bytes.length
    },
    digest: () => {
      const [first, ...rest] = runs.sort((a, b) => a.start - b.start)
      if (first === undefined) return print(empty)
      return print(rest.reduce((whole, run) => combine(whole, run.sum, run.end - run.start), first.sum))
    }
  }
}

const inOrder = (name: ChecksumName): PartSum => {
  const { digest, update } = make(name)
  const waiting = new Map<number, Uint8Array>()
  let done = 0
  return {
    add: (start, bytes) => {
      if (bytes.length > 0) waiting.set(start, bytes)
      for (let next = waiting.get(done); next !== undefined; next = waiting.get(done)) {
        waiting.delete(done)
        update(next)
        done += next.length
      }
    },
    digest
  }
}

/** Begins a sum. */
export const beginSum = (name: ChecksumName): PartSum =>
  name === "sha256" || name === "md5" ? inOrder(name) : withCyclic(name, combined)
