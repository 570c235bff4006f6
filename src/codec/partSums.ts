/**
 * Checksums of bytes that come in parts: CRCs of parts in any order are combined, hashes take the parts in their order.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import type { Checksums } from "../ObjectInfo.ts"
import { combineCrc32, combineCrc64 } from "./combineCrc.ts"
import { crc32 } from "./Crc32.ts"
import { combineCrc32c, crc32c } from "./Crc32c.ts"
import { crc64nvme, loadCrc64nvme } from "./Crc64nvme.ts"

/** A checksum in the making. */
export interface PartSum {
  /** Takes the bytes that lie at `start`; they must not change before `digest`. */
  readonly add: (start: number, bytes: Uint8Array) => void
  /** Base64, as services write it. */
  readonly digest: () => string
}

interface Cyclic<A> {
  readonly empty: A
  readonly sum: (bytes: Uint8Array, previous: A) => A
  readonly combine: (first: A, second: A, secondLength: number) => A
  readonly print: (sum: A) => string
}

interface Run<A> {
  readonly start: number
  end: number
  sum: A
}

const cyclic = <A>({ combine, empty, print, sum }: Cyclic<A>) => (): PartSum => {
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

const hashed = (name: "md5" | "sha256") => (): PartSum => {
  const hash = NodeCrypto.createHash(name)
  const waiting = new Map<number, Uint8Array>()
  let done = 0
  return {
    add: (start, bytes) => {
      if (bytes.length > 0) waiting.set(start, bytes)
      for (let next = waiting.get(done); next !== undefined; next = waiting.get(done)) {
        waiting.delete(done)
        hash.update(next)
        done += next.length
      }
    },
    digest: () => hash.digest("base64")
  }
}

const print32 = (sum: number): string => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(sum >>> 0)
  return bytes.toString("base64")
}

const print64 = (sum: bigint): string => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(sum)
  return bytes.toString("base64")
}

const kinds: Readonly<Record<keyof Checksums, readonly [bytes: number, begin: () => PartSum]>> = {
  crc32: [4, cyclic({ empty: 0, sum: crc32, combine: combineCrc32, print: print32 })],
  crc32c: [4, cyclic({ empty: 0, sum: crc32c, combine: combineCrc32c, print: print32 })],
  crc64nvme: [8, cyclic({ empty: 0n, sum: crc64nvme, combine: combineCrc64, print: print64 })],
  sha256: [32, hashed("sha256")],
  md5: [16, hashed("md5")]
}

/** The names of checksums, from the quickest to the slowest. */
export const checksumNames = ["crc32", "crc32c", "crc64nvme", "sha256", "md5"] as const satisfies ReadonlyArray<
  keyof Checksums
>

/** Bytes of a checksum; `undefined` if there is none of this name. */
export const checksumBytes = (name: string): number | undefined =>
  (checksumNames as ReadonlyArray<string>).includes(name) ? kinds[name as keyof Checksums][0] : undefined

/** Loads what makes the sums of these names quick. */
export const prepareSums = (names: Checksums): Effect.Effect<void> =>
  names.crc64nvme === undefined ? Effect.void : loadCrc64nvme

/** Begins a sum. */
export const beginSum = (name: keyof Checksums): PartSum => kinds[name][1]()
