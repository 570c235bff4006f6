/**
 * Headers of requests that begin an object, and the conditions of what may replace one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Location, ObjectOptions } from "../../src/Backend.ts"
import { encodeParameters } from "../../src/http/percentEncoding.ts"
import { attributeHeaders } from "../../src/http/replyStat.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { WriteMode } from "../../src/ObjectStoreOptions.ts"
import type { S3Client } from "./client.ts"
import { refuse, unsupported } from "./errors.ts"
import { checkHeaders, metadataHeaders } from "./metadata.ts"
import { checkKey, type S3Profile } from "./vendors.ts"

/** The condition of a write. */
export const modeHeaders = (mode: WriteMode): Record<string, string> =>
  mode === "overwrite" ? {} : mode === "create" ? { "if-none-match": "*" } : { "if-match": mode.update }

/** Headers of a request that begins an object. */
export const objectHeaders = (client: S3Client, options: ObjectOptions): Record<string, string> => {
  const headers: Record<string, string> = {
    ...attributeHeaders(options.attributes),
    ...metadataHeaders(options.metadata),
    ...client.encryption?.create
  }
  if (options.storageClass !== undefined) headers["x-amz-storage-class"] = options.storageClass
  const tags = encodeParameters(options.tags ?? {})
  if (tags !== "") headers["x-amz-tagging"] = tags
  return headers
}

/** Whether a service can do what a write asks for; it is asked before a byte moves. */
export const checkWrite = (
  client: S3Client,
  operation: string,
  at: Location,
  options: ObjectOptions
): Effect.Effect<void, ObjectStoreError> => {
  const unfit = supportsMode(client.profile, options.mode)
  if (unfit !== undefined) return Effect.fail(unfit)
  if (options.storageClass !== undefined && !client.profile.storageClass) {
    return Effect.fail(unsupported("storageClass"))
  }
  if (options.tags !== undefined && !client.profile.tags) return Effect.fail(unsupported("tags"))
  const wrong = checkHeaders(options.attributes, options.metadata)
  if (wrong !== undefined) return Effect.fail(refuse("InvalidRequest", operation, wrong, true))
  return checkPlace(client, operation, at, "target")
}

const supportsMode = (profile: S3Profile, mode: WriteMode): ObjectStoreError | undefined =>
  mode === "create" && !profile.conditionalCreate
    ? unsupported("conditionalCreate")
    : typeof mode === "object" && !profile.conditionalUpdate
    ? unsupported("conditionalUpdate")
    : undefined

/** Refuses a key that the service would not keep as it is, for every operation: it would be another object's. */
export const checkPlace = (
  client: S3Client,
  operation: string,
  { key }: Location,
  role: "target" | "source" | "read"
): Effect.Effect<void, ObjectStoreError> => {
  const wrong = checkKey(client.profile.keys, key, role === "target")
  return wrong === undefined ? Effect.void : Effect.fail(refuse("InvalidKey", operation, wrong, role !== "read"))
}
