/**
 * Compares the bytes of a read with checksums, part by part: CRCs of parts that come in any order are combined, hashes take
 * the parts in their order.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import type { ObjectStat } from "../Backend.ts"
import { combineCrc32, combineCrc64 } from "../codec/combineCrc.ts"
import { crc32 } from "../codec/Crc32.ts"
import { combineCrc32c, crc32c } from "../codec/Crc32c.ts"
import { crc64nvme, loadCrc64nvme } from "../codec/Crc64nvme.ts"
import type { Checksums } from "../ObjectInfo.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { TransferOptions } from "../ObjectStoreOptions.ts"
import type { Engine } from "./engine.ts"

/** A comparison in the making. */
export interface SpanCheck {
  /** Takes the bytes that lie at `start` of the span. They must not change before `verify` has run. */
  readonly add: (start: number, bytes: Uint8Array) => void
  /** Fails with `IntegrityFailed` if the bytes of all parts are not those of the checksums. */
  readonly verify: Effect.Effect<void, ObjectStoreError>
}

/** A checksum of parts. */
interface Parts {
  readonly add: SpanCheck["add"]
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

const cyclic = <A>({ combine, empty, print, sum }: Cyclic<A>) => (): Parts => {
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

const hashed = (name: "md5" | "sha256") => (): Parts => {
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

/** From the quickest to the slowest. */
const kinds: ReadonlyArray<readonly [name: keyof Checksums, bytes: number, make: () => Parts]> = [
  ["crc32", 4, cyclic({ empty: 0, sum: crc32, combine: combineCrc32, print: print32 })],
  ["crc32c", 4, cyclic({ empty: 0, sum: crc32c, combine: combineCrc32c, print: print32 })],
  ["crc64nvme", 8, cyclic({ empty: 0n, sum: crc64nvme, combine: combineCrc64, print: print64 })],
  ["sha256", 32, hashed("sha256")],
  ["md5", 16, hashed("md5")]
]

/** Bytes of a checksum by its name; a name that is not here is none. */
export const checksumBytes: ReadonlyMap<string, number> = new Map(kinds.map(([name, bytes]) => [name, bytes]))

/** The quickest checksum of these whose parts can be summed side by side, if there is one. */
const quickest = (known: Checksums | undefined): Checksums | undefined => {
  if (known === undefined) return undefined
  const name = (["crc32", "crc32c", "crc64nvme"] as const).find((name) => known[name] !== undefined)
  return name === undefined ? undefined : { [name]: known[name] }
}

/** Begins the comparison with every checksum in `known`. */
const makeSpanCheck = (engine: Engine, known: Checksums): Effect.Effect<SpanCheck> => {
  const make = Effect.sync((): SpanCheck => {
    const sums = kinds.filter(([name]) => known[name] !== undefined).map(([name, , begin]) => ({ name, ...begin() }))
    return {
      add: (start, bytes) => {
        for (const sum of sums) sum.add(start, bytes)
      },
      verify: Effect.suspend(() => {
        for (const { digest, name } of sums) {
          const read = digest()
          if (read !== known[name]) {
            return Effect.fail(makeError("IntegrityFailed", {
              operation: "read",
              backend: engine.backend.name,
              description: `the ${name} of what was read is ${read}, it should be ${known[name]}`
            }))
          }
        }
        return Effect.void
      })
    }
  })
  return known.crc64nvme === undefined ? make : Effect.andThen(loadCrc64nvme, make)
}

/** What a read is compared with: what the program expects, and what an earlier request told of the version. */
export interface Known extends TransferOptions {
  readonly expected?: Checksums | undefined
  readonly told?: Checksums | undefined
}

/**
 * The comparison that a span needs. One request for the whole object is compared by the backend, where the store tells
 * a checksum; `pieced` says that several were needed, which the engine alone sees together.
 */
export const checkOf = (
  engine: Engine,
  { length, stat }: { readonly length: number; readonly stat: ObjectStat },
  known: Known | undefined,
  pieced: boolean
): Effect.Effect<SpanCheck | undefined> => {
  const whole = pieced && length === stat.size ? quickest({ ...known?.told, ...stat.checksums }) : undefined
  const expected = known?.expected
  return expected === undefined && whole === undefined
    ? Effect.succeed(undefined)
    // What the program expects is what the store tells, or the read fails by the other one.
    : makeSpanCheck(engine, { ...whole, ...expected })
}
