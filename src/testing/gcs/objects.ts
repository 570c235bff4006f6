/**
 * What the model of GCS does with objects: describe, read, write, change, remove and compose.
 *
 * @internal
 */
import { gunzipSync } from "node:zlib"
import type { ServerReply } from "../protocol/Server.ts"
import type { ByteRange, Operation, Upload } from "./Operation.ts"
import { chosenOf, isJson } from "./parts.ts"
import {
  document,
  mediaHeaders,
  nothing,
  objectResource,
  type Refusal,
  refusals,
  refuse,
  xmlEtagOf
} from "./replies.ts"
import {
  type Bucket,
  checksumsOf,
  type Chosen,
  holds,
  liveOf,
  publish,
  redescribe,
  remove,
  type State,
  type Version,
  versionOf
} from "./state.ts"

type Of<Tag extends Operation["_tag"]> = Extract<Operation, { readonly _tag: Tag }>

type Found = { readonly bucket: Bucket; readonly version: Version } | { readonly refusal: Refusal }

/** The version that is asked for. What is missing is missing, whatever the conditions. */
const find = (state: State, { bucket: name, generation, key }: Of<"GetObject">["target"]): Found => {
  const bucket = state.buckets.get(name)
  if (bucket === undefined) return { refusal: refusals.noBucket }
  const version = versionOf(bucket, key, generation)
  return version === undefined ? { refusal: refusals.noObject(name, key) } : { bucket, version }
}

/** A condition that says "another one" is 304 for a read. */
const notModified = (conditions: Of<"GetObject">["conditions"], version: Version): boolean =>
  conditions.generationNotMatch === version.generation || conditions.metagenerationNotMatch === version.metageneration

/** Describes an object. */
export const getObject = (state: State, { conditions, target }: Of<"GetObject">): ServerReply => {
  const found = find(state, target)
  if ("refusal" in found) return refuse("json", found.refusal)
  if (notModified(conditions, found.version)) return nothing(304)
  return holds(conditions, found.version)
    ? document(objectResource(target.bucket, found.version))
    : refuse("json", refusals.condition)
}

const secondsOf = (date: string): number => Math.floor(Date.parse(date) / 1000)

/** The conditions of HTTP that the XML API knows besides (RFC 9110, section 13.2.2). */
const decideHttp = (headers: Of<"GetMedia">["headers"], version: Version): 304 | 412 | undefined => {
  const etag = xmlEtagOf(version)
  const changed = Math.floor(version.updated / 1000)
  const {
    "if-match": match,
    "if-modified-since": since,
    "if-none-match": noneMatch,
    "if-unmodified-since": unmodified
  } = headers
  if (match !== undefined) {
    if (match !== "*" && match !== etag) return 412
  } else if (unmodified !== undefined && changed > secondsOf(unmodified)) return 412
  if (noneMatch !== undefined) {
    if (noneMatch === "*" || noneMatch === etag) return 304
  } else if (since !== undefined && changed <= secondsOf(since)) return 304
  return undefined
}

/** What is stored as gzip is unpacked for those who do not say that they take it, but for `no-transform`. */
const unpacked = ({ chosen, media }: Version, headers: Of<"GetMedia">["headers"]): Uint8Array | undefined => {
  if (chosen.contentEncoding !== "gzip" || chosen.cacheControl?.includes("no-transform") === true) return undefined
  if (headers["accept-encoding"]?.includes("gzip") === true) return undefined
  try {
    return gunzipSync(media)
  } catch {
    return undefined
  }
}

/** The bytes that a range means: from where, to where (exclusive); `undefined` if there are none. */
const spanOf = (range: ByteRange, size: number): readonly [number, number] | undefined => {
  if ("suffix" in range) return range.suffix === 0 || size === 0 ? undefined : [Math.max(0, size - range.suffix), size]
  return range.first < size ? [range.first, Math.min(size, (range.last ?? size) + 1)] : undefined
}

/** Sends the bytes of an object, or of a range of it. */
export const getMedia = (state: State, operation: Of<"GetMedia">): ServerReply => {
  const { api, conditions, head, headers, range, target } = operation
  const found = find(state, target)
  if ("refusal" in found) return refuse(api, found.refusal)
  const { version } = found
  if (notModified(conditions, version)) return nothing(304)
  if (!holds(conditions, version)) return refuse(api, refusals.condition)
  const decided = api === "xml" ? decideHttp(headers, version) : undefined
  if (decided !== undefined) return decided === 304 ? nothing(304) : refuse(api, refusals.condition)
  const named = mediaHeaders(api, version)
  const plain = unpacked(version, headers)
  if (plain !== undefined) {
    // Ranges mean nothing then.
    const { "content-encoding": _, ...rest } = named
    return { status: 200, headers: { ...rest, "content-length": String(plain.length) }, body: plain }
  }
  const { media } = version
  if (head) return { status: 200, headers: { ...named, "content-length": String(media.length) } }
  if (range === undefined) return { status: 200, headers: named, body: media }
  const span = spanOf(range, media.length)
  if (span === undefined) return refuse(api, refusals.range, { "content-range": `bytes */${media.length}` })
  const [start, end] = span
  return {
    status: 206,
    headers: { ...named, "content-range": `bytes ${start}-${end - 1}/${media.length}` },
    body: media.subarray(start, end)
  }
}

/** Publishes an object, if its checksums and conditions hold. */
export const insert = (
  state: State,
  { bucket: name, chosen, conditions, crc32c, key, md5 }: Upload,
  media: Uint8Array,
  now: number
): Version | Refusal => {
  const bucket = state.buckets.get(name)
  if (bucket === undefined) return refusals.noBucket
  const sums = checksumsOf(media)
  if (crc32c !== undefined && crc32c !== sums.crc32c) return refusals.checksum("CRC32C", crc32c, sums.crc32c)
  if (md5 !== undefined && md5 !== sums.md5) return refusals.checksum("MD5 hash", md5, sums.md5)
  return holds(conditions, liveOf(bucket, key))
    ? publish(state, bucket, key, media, chosen, now)
    : refusals.condition
}

/** Writes an object with one request. */
export const insertObject = (
  state: State,
  { api, media, upload }: Of<"InsertObject">,
  now: number
): ServerReply => {
  const made = insert(state, upload, media, now)
  if ("status" in made) return refuse(api, made)
  return api === "json"
    ? document(objectResource(upload.bucket, made))
    : nothing(200, {
      "etag": xmlEtagOf(made),
      "x-goog-generation": String(made.generation),
      "x-goog-metageneration": "1",
      "x-goog-hash": `crc32c=${made.crc32c},md5=${made.md5}`
    })
}

/** Changes the description of an object. `null` takes a field, or one name of the metadata, away. */
export const patchObject = (state: State, operation: Of<"PatchObject">, now: number): ServerReply => {
  const { change, conditions, replace, target } = operation
  const found = find(state, target)
  if ("refusal" in found) return refuse("json", found.refusal)
  if (!holds(conditions, found.version)) return refuse("json", refusals.condition)
  const before: Chosen = replace ? {} : found.version.chosen
  const next: Record<string, unknown> = { ...before, ...chosenOf(change) }
  for (const [name, value] of Object.entries(change)) if (value === null) delete next[name]
  const metadata: Record<string, string> = Object.assign(Object.create(null), before.metadata)
  const given = change["metadata"]
  if (isJson(given)) {
    for (const [name, value] of Object.entries(given)) {
      if (value === null) delete metadata[name]
      else metadata[name] = String(value)
    }
  }
  const chosen: Chosen = { ...next, metadata: given === null ? undefined : metadata }
  return document(objectResource(target.bucket, redescribe(found.bucket, found.version, chosen, now)))
}

/** Removes an object or a version of it. */
export const deleteObject = (state: State, { api, conditions, target }: Of<"DeleteObject">): ServerReply => {
  const found = find(state, target)
  if ("refusal" in found) return refuse(api, found.refusal)
  if (!holds(conditions, found.version)) return refuse(api, refusals.condition)
  remove(found.bucket, found.version, target.generation !== undefined)
  return nothing()
}

const mostSources = 32

/** Makes an object of others. */
export const compose = (state: State, { sources, to }: Of<"Compose">, now: number): ServerReply => {
  const bucket = state.buckets.get(to.bucket)
  if (bucket === undefined) return refuse("json", refusals.noBucket)
  if (sources.length === 0 || sources.length > mostSources) {
    return refuse("json", refusals.invalid(`The number of source components must be from 1 to ${mostSources}.`))
  }
  const found: Array<Version> = []
  for (const { conditions, target } of sources) {
    const version = versionOf(bucket, target.key, target.generation)
    if (version === undefined) return refuse("json", refusals.noObject(to.bucket, target.key))
    if (!holds(conditions, version)) return refuse("json", refusals.condition)
    found.push(version)
  }
  if (!holds(to.conditions, liveOf(bucket, to.key))) return refuse("json", refusals.condition)
  const count = found.reduce((sum, version) => sum + (version.componentCount ?? 1), 0)
  const media = Buffer.concat(found.map((version) => version.media))
  return document(objectResource(to.bucket, publish(state, bucket, to.key, media, to.chosen, now, count)))
}
