/**
 * Parts of requests to the model of GCS: conditions, ranges, checksums and descriptions of objects.
 *
 * @internal
 */
import type { ServerRequest } from "../protocol/Server.ts"
import type { ByteRange, ChunkRange } from "./Operation.ts"
import type { Json } from "./replies.ts"
import type { Chosen, Conditions } from "./state.ts"

/** Whether something is a JSON object; operations have a tag, which documents have not. */
export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !("_tag" in value)

/** Reads a JSON object. */
export const parseJson = (body: Uint8Array): Json | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString())
    return isJson(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Text, if it is some. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** A number in text. */
export const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined

const chosenFields = [
  "contentType",
  "contentEncoding",
  "contentLanguage",
  "contentDisposition",
  "cacheControl",
  "storageClass"
]

/** Whether a document says anything of an object. */
export const describes = (resource: Json): boolean =>
  "metadata" in resource || chosenFields.some((name) => name in resource)

/** What a document says of an object. */
export const chosenOf = (resource: Json): Chosen => {
  const metadata: Record<string, string> = Object.create(null)
  const given = resource["metadata"]
  if (isJson(given)) {
    for (const [name, value] of Object.entries(given)) if (value !== null) metadata[name] = String(value)
  }
  const chosen: Record<string, unknown> = {}
  for (const name of chosenFields) {
    const value = textOf(resource[name])
    if (value !== undefined) chosen[name] = value
  }
  return { ...chosen, metadata }
}

/** The conditions of the JSON API; `kind` is `"Source"` for those on the source of a copy. */
export const conditionsOf = (query: ServerRequest["query"], kind: "" | "Source" = ""): Conditions => ({
  generationMatch: numberOf(query.get(`if${kind}GenerationMatch`)),
  generationNotMatch: numberOf(query.get(`if${kind}GenerationNotMatch`)),
  metagenerationMatch: numberOf(query.get(`if${kind}MetagenerationMatch`)),
  metagenerationNotMatch: numberOf(query.get(`if${kind}MetagenerationNotMatch`))
})

/** The conditions of the XML API that are on generations. */
export const xmlConditionsOf = (headers: ServerRequest["headers"]): Conditions => ({
  generationMatch: numberOf(headers["x-goog-if-generation-match"]),
  metagenerationMatch: numberOf(headers["x-goog-if-metageneration-match"])
})

/** The checksums of `x-goog-hash`, and of `content-md5`. */
export const hashesOf = (
  headers: ServerRequest["headers"]
): { readonly crc32c: string | undefined; readonly md5: string | undefined } => {
  const hash = headers["x-goog-hash"] ?? ""
  return {
    crc32c: /(?:^|,)\s*crc32c=([^,\s]+)/.exec(hash)?.[1],
    md5: /(?:^|,)\s*md5=([^,\s]+)/.exec(hash)?.[1] ?? headers["content-md5"]
  }
}

/** A range of bytes; one that is not understood is none. */
export const parseRange = (header: string | undefined): ByteRange | undefined => {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "")
  if (match === null) return undefined
  const [first, last] = [numberOf(match[1]), numberOf(match[2])]
  if (first === undefined) return last === undefined ? undefined : { suffix: last }
  return last !== undefined && last < first ? undefined : { first, last }
}

/** The `content-range` of a session's request; without one the body is the whole object. */
export const parseChunkRange = (header: string | undefined, length: number): ChunkRange | undefined => {
  if (header === undefined) return { first: 0, total: length }
  const match = /^bytes (?:(\d+)-(\d+)|(\d+)-\*|\*)\/(\d+|\*)$/.exec(header)
  if (match === null) return undefined
  const total = numberOf(match[4])
  // What is sent up to the end of the request is the end of the object.
  if (match[3] !== undefined) return { first: Number(match[3]), total: total ?? Number(match[3]) + length }
  if (match[1] === undefined) return length === 0 ? { total } : undefined
  const [first, last] = [Number(match[1]), Number(match[2])]
  return last - first + 1 === length && (total === undefined || last < total) ? { first, total } : undefined
}
