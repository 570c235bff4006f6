/**
 * Objects as the service describes them: documents of the JSON API, and headers of the XML API.
 *
 * @since 0.1.0
 */
import type { ObjectOptions, ObjectStat } from "../../src/Backend.ts"
import { attributesOf, lastModifiedOf, metadataOf, parseSize, timeOf } from "../../src/http/replyStat.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { attributeNames, type Attributes, type Checksums, type Metadata } from "../../src/ObjectInfo.ts"
import type { Resource } from "./client.ts"
import { isGeneration } from "./conditions.ts"

/** A field that holds text; an empty one is none. */
export const textField = (resource: Resource, name: string): string | undefined => {
  const value = resource[name]
  return typeof value === "string" && value !== "" ? value : undefined
}

/** A field that holds a number as text, as the JSON API writes 64-bit ones. */
export const sizeField = (resource: Resource, name: string): number | undefined => parseSize(textField(resource, name))

/** A generation, which is the etag of this backend. */
export const generationField = (resource: Resource): string | undefined => {
  const generation = textField(resource, "generation")
  return generation !== undefined && isGeneration(generation) ? generation : undefined
}

const attributesField = (resource: Resource): Attributes => {
  const attributes: { -readonly [Name in keyof Attributes]: string } = {}
  for (const name of attributeNames) {
    const value = textField(resource, name)
    if (value !== undefined) attributes[name] = value
  }
  return attributes
}

const metadataField = (resource: Resource): Metadata => {
  const metadata: Record<string, string> = Object.create(null)
  const given = resource["metadata"]
  if (typeof given === "object" && given !== null) {
    for (const [name, value] of Object.entries(given)) {
      if (typeof value === "string") metadata[name.toLowerCase()] = value
    }
  }
  return metadata
}

const checksumsOf = (crc32c: string | undefined, md5: string | undefined): Checksums => ({
  ...(crc32c === undefined ? undefined : { crc32c }),
  ...(md5 === undefined ? undefined : { md5 })
})

/** What a document tells of an object; `undefined` if it lacks what every object has. */
export const statOfResource = (resource: Resource): ObjectStat | undefined => {
  const size = sizeField(resource, "size")
  const generation = generationField(resource)
  if (size === undefined || generation === undefined) return undefined
  return {
    size,
    etag: generation,
    version: generation,
    lastModified: timeOf(textField(resource, "updated")),
    attributes: attributesField(resource),
    metadata: metadataField(resource),
    checksums: checksumsOf(textField(resource, "crc32c"), textField(resource, "md5Hash")),
    storageClass: textField(resource, "storageClass")
  }
}

/** The fields of an object that `statOfResource` reads. */
export const statFields = [
  "name",
  "size",
  "generation",
  "updated",
  ...attributeNames,
  "metadata",
  "crc32c",
  "md5Hash",
  "storageClass"
].join(",")

/** One checksum of `x-goog-hash: crc32c=…,md5=…`. */
const hashOf = (headers: TransportReply["headers"], name: "crc32c" | "md5"): string | undefined =>
  new RegExp(`(?:^|,)\\s*${name}=([A-Za-z0-9+/]+=*)`).exec(headers["x-goog-hash"] ?? "")?.[1]

// oxlint-disable-next-line no-control-regex
const ascii = /^[\u0000-\u007f]*$/

/** Headers come as Latin-1; the service sends metadata as UTF-8. */
const decodeHeader = (value: string): string => {
  if (ascii.test(value)) return value
  const bytes = Buffer.from(value, "latin1")
  const text = bytes.toString("utf8")
  return Buffer.from(text).equals(bytes) ? text : value
}

const metadataOfHeaders = (headers: TransportReply["headers"]): Metadata => {
  const metadata = metadataOf(headers, "x-goog-meta-")
  const decoded: Record<string, string> = Object.create(null)
  for (const name in metadata) decoded[name] = decodeHeader(metadata[name]!)
  return decoded
}

/** What the headers of a reply tell of an object of `size` bytes; `undefined` if they tell no generation. */
export const statOfHeaders = (headers: TransportReply["headers"], size: number): ObjectStat | undefined => {
  const generation = headers["x-goog-generation"]
  if (generation === undefined || !isGeneration(generation)) return undefined
  return {
    size,
    etag: generation,
    version: generation,
    lastModified: lastModifiedOf(headers),
    attributes: attributesOf(headers),
    metadata: metadataOfHeaders(headers),
    checksums: checksumsOf(hashOf(headers, "crc32c"), hashOf(headers, "md5")),
    storageClass: headers["x-goog-storage-class"]
  }
}

/** The document of an object that is to be written. */
export const resourceOf = (
  key: string,
  { attributes, metadata, storageClass }: ObjectOptions,
  crc32c?: string
): string => {
  const resource: Record<string, unknown> = { name: key, ...attributes, storageClass, crc32c }
  if (Object.keys(metadata).length > 0) resource["metadata"] = Object.fromEntries(Object.entries(metadata))
  return JSON.stringify(resource)
}

const defaultType = "application/octet-stream"

// It is told in a header or a line like one, where other attributes are in the document alone.
const mediaType = /^[\u0020-\u007e]+$/

/** What an object is served as, also if nobody said so; `undefined` if no header can say it. */
export const typeOf = ({ attributes: { contentType = defaultType } }: ObjectOptions): string | undefined =>
  mediaType.test(contentType) ? contentType : undefined
