/**
 * Checksums that services keep, taken of bytes as they pass and compared.
 *
 * @internal
 */
import * as Stream from "effect/Stream"
import * as NodeCrypto from "node:crypto"
import type { Checksums } from "../ObjectInfo.ts"
import { crc32 } from "./Crc32.ts"
import { crc32c, printCrc32c } from "./Crc32c.ts"

/** A checksum in the making. */
interface Sum {
  readonly name: keyof Checksums
  readonly update: (chunk: Uint8Array) => void
  /** Base64, as services write it. */
  readonly digest: () => string
}

const cyclic = (name: "crc32" | "crc32c", next: (chunk: Uint8Array, previous: number) => number): Sum => {
  let value = 0
  return {
    name,
    update: (chunk) => {
      value = next(chunk, value)
    },
    digest: () => printCrc32c(value)
  }
}

const hashed = (name: "md5" | "sha256"): Sum => {
  const hash = NodeCrypto.createHash(name)
  return {
    name,
    update: (chunk) => {
      hash.update(chunk)
    },
    digest: () => hash.digest("base64")
  }
}

/** From the quickest to the slowest. */
const kinds: ReadonlyArray<readonly [name: keyof Checksums, make: () => Sum]> = [
  ["crc32", () => cyclic("crc32", crc32)],
  ["crc32c", () => cyclic("crc32c", crc32c)],
  ["sha256", () => hashed("sha256")],
  ["md5", () => hashed("md5")]
]

/** The quickest checksum that is known of an object and can be taken here. */
const sumFor = (known: Checksums): Sum | undefined => kinds.find(([name]) => known[name] !== undefined)?.[1]()

/**
 * Lets the bytes of an object pass; at their end, a checksum that is not the one known of it fails the stream, so that
 * what is written of it is not published.
 */
export const compared = <E>(
  body: Stream.Stream<Uint8Array, E>,
  known: Checksums,
  differs: (description: string) => E
): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() => {
    const sum = sumFor(known)
    if (sum === undefined) return body
    const { digest, name, update } = sum
    const passed = Stream.map(body, (chunk) => {
      update(chunk)
      return chunk
    })
    const end = Stream.suspend(() => {
      const read = digest()
      return read === known[name]
        ? Stream.empty
        : Stream.fail(differs(`the ${name} of what was read is ${read}, the object's is ${known[name]}`))
    })
    return Stream.concat(passed, end)
  })

/** Whether two sets of checksums agree; `undefined` if they have none in common. */
export const agree = (one: Checksums, other: Checksums): boolean | undefined => {
  const shared = Object.entries(one).filter(([name, value]) =>
    value !== undefined && other[name as keyof Checksums] !== undefined
  )
  return shared.length === 0
    ? undefined
    : shared.every(([name, value]) => other[name as keyof Checksums] === value)
}
