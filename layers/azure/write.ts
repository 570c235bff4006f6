/**
 * Whole blobs in one request, and what every write carries.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Location, ObjectOptions, WriteReply } from "../../src/Backend.ts"
import { encodeParameters } from "../../src/http/percentEncoding.ts"
import { attributeHeaders } from "../../src/http/replyStat.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { WriteMode } from "../../src/ObjectStoreOptions.ts"
import { checksumHeaders, confirm } from "./checksum.ts"
import { type Client, etagOf, sendForHead } from "./client.ts"
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

/** Writes a whole blob. */
export const write = Effect.fnUntraced(function*(
  client: Client,
  { container, key }: Location,
  body: Uint8Array,
  options: ObjectOptions
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  yield* checkOptions(options)
  const checksum = yield* checksumHeaders(client.settings.checksum, body)
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
  const etag = yield* etagOf({ operation: "write", mutation: true }, reply)
  const verified = yield* confirm("write", checksum, reply)
  return { etag, version: reply.headers["x-ms-version-id"], size: body.length, verified }
})
