/**
 * Whole blobs in one request, and what every write carries.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import type { Location, ObjectOptions, WriteReply } from "../../src/Backend.ts"
import { encodeParameters } from "../../src/http/percentEncoding.ts"
import { attributeHeaders, requestIdOf } from "../../src/http/replyStat.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import type { Verified } from "../../src/ObjectInfo.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { WriteMode } from "../../src/ObjectStoreOptions.ts"
import { type Client, sendForHead } from "./client.ts"
import { backendName } from "./errors.ts"

/** The condition of a write. */
export const modeHeaders = (mode: WriteMode): Record<string, string> =>
  mode === "overwrite" ? {} : mode === "create" ? { "if-none-match": "*" } : { "if-match": mode.update }

const printable = /^[\u0020-\u007e]*$/

/** What is wrong with metadata and attributes, which travel as headers and come back only if they are ASCII. */
export const checkOptions = (options: ObjectOptions): Effect.Effect<void, ObjectStoreError> => {
  for (const [name, value] of Object.entries({ ...options.attributes, ...options.metadata })) {
    if (value !== undefined && !printable.test(value)) {
      return Effect.fail(makeError("InvalidRequest", {
        operation: "write",
        backend: backendName,
        description: `"${name}" holds characters that are not ASCII, which Azure does not keep`,
        outcome: "not-applied"
      }))
    }
  }
  return Effect.void
}

/** Attributes, metadata, tags, tier and condition, as headers of the request that publishes a blob. */
export const optionHeaders = (
  { attributes, metadata, mode, storageClass, tags }: ObjectOptions
): Record<string, string> => {
  const headers = { ...modeHeaders(mode), ...attributeHeaders(attributes, "x-ms-blob-") }
  for (const [name, value] of Object.entries(metadata)) headers[`x-ms-meta-${name}`] = value
  if (storageClass !== undefined) headers["x-ms-access-tier"] = storageClass
  const pairs = encodeParameters(tags ?? {})
  if (pairs !== "") headers["x-ms-tags"] = pairs
  return headers
}

/** The checksum that goes with bytes, and that the service compares before it stores them. */
export const checksumHeaders = (client: Client, body: Uint8Array): Record<string, string> =>
  client.settings.checksum === "md5"
    ? { "content-md5": NodeCrypto.createHash("md5").update(body).digest("base64") }
    : {}

/** What a stored request confirms: a checksum that was sent has been compared, and one that is answered is compared here. */
export const confirm = (
  operation: string,
  sent: Readonly<Record<string, string>>,
  { headers, status }: TransportReply
): Effect.Effect<Verified, ObjectStoreError> => {
  const md5 = sent["content-md5"]
  if (md5 === undefined) return Effect.succeed("size")
  const answered = headers["content-md5"]
  return answered === undefined || answered === md5
    ? Effect.succeed("checksum")
    : Effect.fail(makeError("IntegrityFailed", {
      operation,
      backend: backendName,
      status,
      requestId: requestIdOf(headers),
      description: "the service stored bytes with another MD5",
      outcome: "applied"
    }))
}

/** Writes a whole blob. */
export const write = Effect.fnUntraced(function*(
  client: Client,
  { container, key }: Location,
  body: Uint8Array,
  options: ObjectOptions
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  yield* checkOptions(options)
  const checksum = checksumHeaders(client, body)
  const reply = yield* sendForHead(client, {
    operation: "write",
    mutation: true,
    create: options.mode === "create",
    method: "PUT",
    container,
    key,
    headers: { ...optionHeaders(options), ...checksum, "x-ms-blob-type": "BlockBlob" },
    body,
    accept: [201]
  })
  const verified = yield* confirm("write", checksum, reply)
  return { etag: reply.headers["etag"], version: reply.headers["x-ms-version-id"], size: body.length, verified }
})
