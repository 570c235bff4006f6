/**
 * Content to compress, and the `zstd` and `pzstd` commands to compare with.
 */
import { Effect, Stream } from "effect"
import { Zstd } from "effect-objectstore"
import * as NodeChildProcess from "node:child_process"

/** Bytes that compress to about an eighth: half random nibbles, half repetition. */
export const content = (length: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    if (index % 7 === 0) state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[index] = state >>> 28
  }
  return bytes
}

/** Bytes that do not compress. */
export const noise = (length: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** In pieces of `size` bytes. */
export const pieces = (bytes: Uint8Array, size: number): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, index) => bytes.subarray(index * size, (index + 1) * size)
    )
  )

/** Runs `zstd` or `pzstd`, which have to be installed: input to output. */
export const command = (name: "zstd" | "pzstd", args: ReadonlyArray<string>, input: Uint8Array): Uint8Array =>
  NodeChildProcess.execFileSync(name, ["-q", "-c", ...args], { input, maxBuffer: 2 ** 30 })

/** Both libraries, each in a pool of its own. */
export const libraries = ["zstd-napi", "node:zlib"] as const
export const poolOf = (library: Zstd.ZstdLibraryName) => Zstd.layer({ library, threads: 2 })

/** The reason that `effect` fails with. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, { readonly reason: { readonly _tag: string } }, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)
