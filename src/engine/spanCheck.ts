/**
 * Compares the bytes of a read with checksums, part by part.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { ObjectStat } from "../Backend.ts"
import { names } from "../codec/Checksum.ts"
import { beginSum } from "../codec/partSums.ts"
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

/** The quickest checksum of these whose parts can be summed side by side, if there is one. */
const quickest = (known: Checksums | undefined): Checksums | undefined => {
  if (known === undefined) return undefined
  const name = (["crc32", "crc32c", "crc64nvme"] as const).find((name) => known[name] !== undefined)
  return name === undefined ? undefined : { [name]: known[name] }
}

/** Begins the comparison with every checksum in `known`. */
export const makeSpanCheck = (engine: Engine, known: Checksums): Effect.Effect<SpanCheck> =>
  Effect.sync((): SpanCheck => {
    const sums = names.filter((name) => known[name] !== undefined)
      .map((name) => ({ name, ...beginSum(name) }))
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

/** What a read is compared with: what the program expects, and what an earlier request told of the version. */
export interface Known extends TransferOptions {
  readonly expected?: Checksums | undefined
  readonly pinned?: ObjectStat | undefined
  /** The most bytes that may be delivered. */
  readonly maxSize?: number | undefined
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
  const whole = pieced && length === stat.size
    ? quickest({ ...known?.pinned?.checksums, ...stat.checksums })
    : undefined
  const expected = known?.expected
  return expected === undefined && whole === undefined
    ? Effect.succeed(undefined)
    // What the program expects is what the store tells, or the read fails by the other one.
    : makeSpanCheck(engine, { ...whole, ...expected })
}
