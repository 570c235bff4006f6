/**
 * Checksums that services keep, taken of bytes as they pass.
 *
 * @internal
 */
import * as NodeCrypto from "node:crypto"
import * as NodeZlib from "node:zlib"
import { crc32c, printCrc32c } from "../../src/codec/Crc32c.ts"
import type { Checksums } from "../../src/ObjectInfo.ts"

/** A checksum in the making. */
export interface Sum {
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
  ["crc32", () => cyclic("crc32", NodeZlib.crc32)],
  ["crc32c", () => cyclic("crc32c", crc32c)],
  ["sha256", () => hashed("sha256")],
  ["md5", () => hashed("md5")]
]

/** The quickest checksum that is known of an object and can be taken here. */
export const sumFor = (known: Checksums): Sum | undefined => kinds.find(([name]) => known[name] !== undefined)?.[1]()
