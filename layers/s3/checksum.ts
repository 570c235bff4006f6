/**
 * The checksums that travel with uploads.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { createHash, hash } from "node:crypto"
import { combineCrc32, combineCrc32c, combineCrc64 } from "../../src/codec/combineCrc.ts"
import { crc32 } from "../../src/codec/Crc32.ts"
import { crc32c } from "../../src/codec/Crc32c.ts"
import { crc64nvme } from "../../src/codec/Crc64nvme.ts"

/**
 * A checksum that goes with an upload, and that the service compares before it stores anything. `md5` is the `Content-MD5`
 * that every service knows; the others are also kept with the object.
 *
 * @category models
 * @since 0.1.0
 */
export type S3Checksum = "crc32" | "crc32c" | "crc64nvme" | "md5"

/** How one checksum is computed and sent. */
export interface ChecksumMethod {
  readonly name: S3Checksum
  /** The header of a request and a reply, and the element of a document. */
  readonly header: string
  readonly element: string
  /** The name in `x-amz-checksum-algorithm`; `undefined` where the service keeps nothing. */
  readonly algorithm: string | undefined
  /** The sum of bytes, base64. */
  readonly of: (bytes: Uint8Array) => string
  /** The sum of two runs of bytes that follow each other. */
  readonly combine: ((first: string, second: string, secondLength: number) => string) | undefined
  /** The sum of bytes that come in pieces. */
  readonly start: (() => { readonly add: (bytes: Uint8Array) => void; readonly value: () => string }) | undefined
}

const base64 = (sum: number): string => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(sum >>> 0)
  return bytes.toString("base64")
}
const number = (text: string): number => Buffer.from(text, "base64").readUInt32BE()
const base64Wide = (sum: bigint): string => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(sum)
  return bytes.toString("base64")
}
const wide = (text: string): bigint => Buffer.from(text, "base64").readBigUInt64BE()

const running = <A>(empty: A, add: (bytes: Uint8Array, sum: A) => A, print: (sum: A) => string) => () => {
  let sum = empty
  return {
    add: (bytes: Uint8Array) => {
      sum = add(bytes, sum)
    },
    value: () => print(sum)
  }
}

/** The methods by name. */
export const checksums: Readonly<Record<S3Checksum, ChecksumMethod>> = {
  crc32: {
    name: "crc32",
    header: "x-amz-checksum-crc32",
    element: "ChecksumCRC32",
    algorithm: "CRC32",
    of: (bytes) => base64(crc32(bytes)),
    combine: (first, second, length) => base64(combineCrc32(number(first), number(second), length)),
    start: running(0, crc32, base64)
  },
  crc32c: {
    name: "crc32c",
    header: "x-amz-checksum-crc32c",
    element: "ChecksumCRC32C",
    algorithm: "CRC32C",
    of: (bytes) => base64(crc32c(bytes)),
    combine: (first, second, length) => base64(combineCrc32c(number(first), number(second), length)),
    start: running(0, crc32c, base64)
  },
  crc64nvme: {
    name: "crc64nvme",
    header: "x-amz-checksum-crc64nvme",
    element: "ChecksumCRC64NVME",
    algorithm: "CRC64NVME",
    of: (bytes) => base64Wide(crc64nvme(bytes)),
    combine: (first, second, length) => base64Wide(combineCrc64(wide(first), wide(second), length)),
    start: running(0n, crc64nvme, base64Wide)
  },
  md5: {
    name: "md5",
    header: "content-md5",
    element: "",
    algorithm: undefined,
    of: (bytes) => hash("md5", bytes, "base64"),
    combine: undefined,
    start: undefined
  }
}

/** Other fibers, and sockets, have a turn each time that so many bytes were summed. */
const turn = 16 * 1024 * 1024

/** The sum of bytes that are many, base64. */
export const sumOf = (method: ChecksumMethod, bytes: Uint8Array): Effect.Effect<string> =>
  bytes.length <= turn ? Effect.sync(() => method.of(bytes)) : sumInTurns(method.start?.() ?? runningMd5(), bytes)

const sumInTurns = Effect.fnUntraced(function*(
  { add, value }: { readonly add: (bytes: Uint8Array) => void; readonly value: () => string },
  bytes: Uint8Array
) {
  for (let at = 0; at < bytes.length; at += turn) {
    if (at > 0) yield* Effect.yieldNow
    add(bytes.subarray(at, at + turn))
  }
  return value()
})

const runningMd5 = () => {
  const sum = createHash("md5")
  return {
    add: (bytes: Uint8Array) => {
      sum.update(bytes)
    },
    value: () => sum.digest("base64")
  }
}

/** The etag that an object of plain bytes has where it is their MD5. */
export const md5Etag = (md5: string): string => `"${Buffer.from(md5, "base64").toString("hex")}"`
