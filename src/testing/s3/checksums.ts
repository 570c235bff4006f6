/**
 * Checksums in the model of S3: what requests bring, and what objects keep
 * (docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
 *
 * @internal
 */
import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { crc32c } from "../../codec/Crc32c.ts"
import { crc64nvme } from "../../codec/Crc64nvme.ts"
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import { refuse } from "./replies.ts"

/** A checksum that is kept: of all bytes, or of the sums of the parts. */
export interface Checksum {
  readonly algorithm: string
  /** Base64; ends in `-N` where it is one of sums. */
  readonly value: string
  readonly type: "FULL_OBJECT" | "COMPOSITE"
}

const number = (sum: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(sum >>> 0)
  return bytes
}

const wide = (sum: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(sum)
  return bytes
}

const sums: ReadonlyMap<string, (body: Uint8Array) => Buffer> = new Map([
  ["crc32", (body: Uint8Array) => number(crc32(body))],
  ["crc32c", (body: Uint8Array) => number(crc32c(body))],
  ["crc64nvme", (body: Uint8Array) => wide(crc64nvme(body))],
  ["sha1", (body: Uint8Array) => createHash("sha1").update(body).digest()],
  ["sha256", (body: Uint8Array) => createHash("sha256").update(body).digest()]
])

/** The names of all checksums. */
export const algorithms: ReadonlyArray<string> = [...sums.keys()]

/** The header and the element of a checksum. */
export const headerOf = (algorithm: string): string => `x-amz-checksum-${algorithm}`

/** The element of a document that holds a checksum. */
export const elementOf = (algorithm: string): string => `Checksum${algorithm.toUpperCase()}`

/** The sum of bytes, base64. */
export const sumOf = (algorithm: string, body: Uint8Array): string => sums.get(algorithm)!(body).toString("base64")

/** The sum of the sums of parts. */
export const composite = (algorithm: string, parts: ReadonlyArray<string>): string =>
  `${sumOf(algorithm, Buffer.concat(parts.map((part) => Buffer.from(part, "base64"))))}-${parts.length}`

/** The checksum that a request brings of its body, if any. */
export const broughtBy = (
  { headers }: ServerRequest
): { readonly algorithm: string; readonly value: string } | undefined => {
  for (const algorithm of algorithms) {
    const value = headers[headerOf(algorithm)]
    if (value !== undefined) return { algorithm, value }
  }
  return undefined
}

/** The refusal of a body that is not the one that was sent. */
export const checkBody = (request: ServerRequest): ServerReply | undefined => {
  const { body, headers } = request
  const md5 = headers["content-md5"]
  if (md5 !== undefined) {
    if (Buffer.from(md5, "base64").length !== 16) return refuse(400, "InvalidDigest")
    if (createHash("md5").update(body).digest("base64") !== md5) return refuse(400, "BadDigest")
  }
  const sha256 = headers["x-amz-content-sha256"]
  if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256)) {
    if (createHash("sha256").update(body).digest("hex") !== sha256) return refuse(400, "XAmzContentSHA256Mismatch")
  }
  const brought = broughtBy(request)
  return brought === undefined || sumOf(brought.algorithm, body) === brought.value
    ? undefined
    : refuse(400, "BadDigest")
}

/** The checksum of bytes that came in one request. */
export const checksumOfBytes = (algorithm: string, body: Uint8Array): Checksum => ({
  algorithm,
  value: sumOf(algorithm, body),
  type: "FULL_OBJECT"
})

/** The checksum that an object of one request keeps: the one that it came with, or else CRC-64/NVME. */
export const keptOf = (request: ServerRequest): Checksum =>
  checksumOfBytes(broughtBy(request)?.algorithm ?? "crc64nvme", request.body)

/** The headers that tell a checksum. */
export const checksumHeaders = (checksum: Checksum | undefined): Record<string, string> =>
  checksum === undefined
    ? {}
    : { [headerOf(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type }
