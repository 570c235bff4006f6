/**
 * The checksums that services keep: CRC-32, CRC-32C, CRC-64/NVME, SHA-256 and MD5, of bytes in memory, of a stream, or piece by
 * piece; CRCs of parts give that of the whole. They are written as services write them: base64, the most significant byte
 * first.
 *
 * Each is taken by the quickest implementation at hand, and all of them give the same: instructions of the processor through
 * the optional package `@node-rs/crc32`, Node's own zlib and crypto, a module of WebAssembly, or tables.
 *
 * **Example** (A checksum of parts that were summed side by side)
 *
 * ```ts
 * import { Checksum } from "effect-objectstore"
 *
 * const [first, second] = [new TextEncoder().encode("12345"), new TextEncoder().encode("6789")]
 * const whole = Checksum.combine("crc32c", [
 *   { checksum: Checksum.of("crc32c", first), size: first.length },
 *   { checksum: Checksum.of("crc32c", second), size: second.length }
 * ])
 * console.log(whole) // 4waSgw==
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeCrypto from "node:crypto"
import type { Checksums } from "../ObjectInfo.ts"
import { combineCrc32, combineCrc32c, combineCrc64 } from "./combineCrc.ts"
import { crc32, crc32Implementation } from "./Crc32.ts"
import { crc32c, crc32cImplementation, printCrc32c } from "./Crc32c.ts"
import { crc64nvme, crc64nvmeImplementation } from "./Crc64nvme.ts"

/**
 * The name of a checksum.
 *
 * @category models
 * @since 0.1.0
 */
export type ChecksumName = keyof Checksums

/**
 * The name of a checksum that can be combined.
 *
 * @category models
 * @since 0.1.0
 */
export type CombinableName = "crc32" | "crc32c" | "crc64nvme"

/**
 * What takes a checksum: the addon `@node-rs/crc32`, Node itself, our module of WebAssembly, or tables in JavaScript.
 *
 * @category models
 * @since 0.1.0
 */
export type ChecksumImplementation = "@node-rs/crc32" | "node:zlib" | "node:crypto" | "WebAssembly" | "tables"

/**
 * A checksum in the making.
 *
 * @category models
 * @since 0.1.0
 */
export interface Running {
  readonly name: ChecksumName
  /** Takes the next bytes. */
  readonly update: (bytes: Uint8Array) => void
  /** The checksum of all bytes, base64; nothing is taken after it. */
  readonly digest: () => string
}

/** A CRC as numbers. @internal */
export interface Cyclic<A> {
  readonly bytes: number
  readonly empty: A
  readonly sum: (bytes: Uint8Array, previous: A) => A
  readonly combine: (first: A, second: A, secondLength: number) => A
  readonly print: (sum: A) => string
  readonly parse: (bytes: Buffer) => A
  readonly implementation: () => ChecksumImplementation
}

const print64 = (sum: bigint): string => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(sum)
  return bytes.toString("base64")
}

const cyclic32 = (
  sum: Cyclic<number>["sum"],
  combine: Cyclic<number>["combine"],
  implementation: Cyclic<number>["implementation"]
): Cyclic<number> => ({
  bytes: 4,
  empty: 0,
  sum,
  combine,
  print: printCrc32c,
  parse: (bytes) => bytes.readUInt32BE(),
  implementation
})

const cyclic64: Cyclic<bigint> = {
  bytes: 8,
  empty: 0n,
  sum: crc64nvme,
  combine: combineCrc64,
  print: print64,
  parse: (bytes) => bytes.readBigUInt64BE(),
  implementation: crc64nvmeImplementation
}

const crcs = {
  crc32: cyclic32(crc32, combineCrc32, crc32Implementation),
  crc32c: cyclic32(crc32c, combineCrc32c, crc32cImplementation),
  crc64nvme: cyclic64
} as const

const hashBytes = { sha256: 32, md5: 16 } as const

/**
 * All names, from the quickest checksum to the slowest.
 *
 * @category models
 * @since 0.1.0
 */
export const names = ["crc32", "crc32c", "crc64nvme", "sha256", "md5"] as const satisfies ReadonlyArray<ChecksumName>

const isCombinable = (name: ChecksumName): name is CombinableName => Object.hasOwn(crcs, name)

/** Uses a CRC, whatever its numbers are. @internal */
export const withCyclic = <B>(name: CombinableName, use: <A>(crc: Cyclic<A>) => B): B =>
  name === "crc64nvme" ? use(crcs.crc64nvme) : use(crcs[name])

/**
 * Bytes of a checksum; `undefined` if there is none of this name.
 *
 * @category models
 * @since 0.1.0
 */
export const sizeOf = (name: string): number | undefined => {
  const known = names.find((one) => one === name)
  return known === undefined ? undefined : isCombinable(known) ? crcs[known].bytes : hashBytes[known]
}

/**
 * What takes this checksum here.
 *
 * @category constructors
 * @since 0.1.0
 */
export const implementation = (name: ChecksumName): ChecksumImplementation => {
  checkName(name)
  return isCombinable(name) ? crcs[name].implementation() : "node:crypto"
}

/** A program without types may say anything: some of what takes sums would take text too, and each in its way. */
const checkName = (name: ChecksumName): void => {
  if (!names.includes(name)) throw new TypeError(`Checksum: there is no checksum "${String(name)}"`)
}

const checked = (running: Running): Running => ({
  ...running,
  update: (bytes) => {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("Checksum: what is to be summed is no Uint8Array")
    running.update(bytes)
  }
})

const runningCrc = <A>(name: ChecksumName, { empty, print, sum }: Cyclic<A>): Running => {
  let value = empty
  return {
    name,
    update: (bytes) => {
      value = sum(bytes, value)
    },
    digest: () => print(value)
  }
}

/**
 * Begins a checksum of bytes that come piece by piece. A name that is none throws a `TypeError`, and so does what is no bytes.
 *
 * **Example** (The same in one piece and in two)
 *
 * ```ts
 * import { Checksum } from "effect-objectstore"
 *
 * const sum = Checksum.make("crc64nvme")
 * sum.update(new TextEncoder().encode("12345"))
 * sum.update(new TextEncoder().encode("6789"))
 * console.log(sum.digest()) // rosUhgp5mIg=
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: ChecksumName): Running => {
  checkName(name)
  if (isCombinable(name)) return checked(withCyclic(name, (crc) => runningCrc(name, crc)))
  const hash = NodeCrypto.createHash(name)
  return checked({
    name,
    update: (bytes) => {
      hash.update(bytes)
    },
    digest: () => hash.digest("base64")
  })
}

/**
 * The checksum of bytes in memory. It is taken in one go: of more than some MiB, `ofStream` lets others have a turn.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (name: ChecksumName, bytes: Uint8Array): string => {
  const sum = make(name)
  sum.update(bytes)
  return sum.digest()
}

/** Other fibers have a turn each time that so many bytes were summed. */
const turn = 4 * 1024 * 1024

/**
 * The checksum of a stream of bytes, and how many they were.
 *
 * **Example** (Of an object)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Checksum, ObjectStore } from "effect-objectstore"
 *
 * export const sha256Of = (at: string) =>
 *   Effect.flatMap(ObjectStore, (store) => Checksum.ofStream("sha256", store.stream(at)))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofStream = <E, R>(
  name: ChecksumName,
  stream: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<{ readonly checksum: string; readonly size: number }, E, R> =>
  Effect.suspend(() => {
    const sum = make(name)
    let size = 0
    return Effect.map(
      Stream.runForEach(stream, (bytes) => {
        size += bytes.length
        return updateInTurns(sum, bytes)
      }),
      () => ({ checksum: sum.digest(), size })
    )
  })

const updateInTurns = (sum: Running, bytes: Uint8Array): Effect.Effect<void> => {
  sum.update(bytes.subarray(0, turn))
  return bytes.length <= turn
    ? Effect.void
    : Effect.andThen(Effect.yieldNow, Effect.suspend(() => updateInTurns(sum, bytes.subarray(turn))))
}

/**
 * The checksum of runs of bytes that follow each other, from the checksum and the size of each; `undefined` if one of them is
 * no checksum of this name. A size that is none throws a `RangeError`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const combine = (
  name: CombinableName,
  parts: Iterable<{ readonly checksum: string; readonly size: number }>
): string | undefined => {
  if (!isCombinable(name)) throw new TypeError(`Checksum: ${String(name)} cannot be combined`)
  return withCyclic(name, (crc) => combineIn(crc, parts))
}

const combineIn = <A>(
  crc: Cyclic<A>,
  parts: Iterable<{ readonly checksum: string; readonly size: number }>
): string | undefined => {
  let whole = crc.empty
  for (const { checksum, size } of parts) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`Checksum: ${String(size)} is no size`)
    const bytes = Buffer.from(checksum, "base64")
    // Buffer passes over what is no base64: only what is written in the same way again was one.
    if (bytes.length !== crc.bytes || bytes.toString("base64") !== checksum) return undefined
    whole = crc.combine(whole, crc.parse(bytes), size)
  }
  return crc.print(whole)
}
