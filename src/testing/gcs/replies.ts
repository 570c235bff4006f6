/**
 * Replies of the model of GCS: documents and errors of the JSON API, headers and errors of the XML API.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import { toImfFixdate } from "../../http/conditionHeaders.ts"
import { xmlDocument, xmlElement, xmlText } from "../../http/Xml.ts"
import type { ServerReply } from "../protocol/Server.ts"
import type { Bucket, Version } from "./state.ts"

/** A JSON document. */
export type Json = Readonly<Record<string, unknown>>

/** A document as a reply. */
export const document = (body: Json, status = 200, headers: Readonly<Record<string, string>> = {}): ServerReply => ({
  status,
  headers: { "content-type": "application/json; charset=UTF-8", ...headers },
  body: JSON.stringify(body)
})

/** A reply without a body. */
export const nothing = (status = 204, headers: Readonly<Record<string, string>> = {}): ServerReply => ({
  status,
  headers
})

/** Why a request is refused: a status, the JSON API's reason, the XML API's code and a sentence. */
export interface Refusal {
  readonly status: number
  readonly reason: string
  readonly code: string
  readonly message: string
}

const refusal = (status: number, reason: string, code: string, message: string): Refusal => ({
  status,
  reason,
  code,
  message
})

/** The refusals that the public references name, in their words. */
export const refusals = {
  noBucket: refusal(404, "notFound", "NoSuchBucket", "The specified bucket does not exist."),
  noObject: (bucket: string, key: string) => refusal(404, "notFound", "NoSuchKey", `No such object: ${bucket}/${key}`),
  condition: refusal(
    412,
    "conditionNotMet",
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold."
  ),
  range: refusal(416, "requestedRangeNotSatisfiable", "InvalidRange", "The requested range cannot be satisfied."),
  bucketExists: refusal(
    409,
    "conflict",
    "BucketAlreadyOwnedByYou",
    "Your previous request to create the named bucket succeeded and you already own it."
  ),
  bucketNotEmpty: refusal(409, "conflict", "BucketNotEmpty", "The bucket you tried to delete is not empty."),
  checksum: (name: "CRC32C" | "MD5 hash", given: string, found: string) =>
    refusal(
      400,
      "invalid",
      "BadDigest",
      `Provided ${name} "${given}" doesn't match calculated ${name} "${found}".`
    ),
  invalid: (message: string) => refusal(400, "invalid", "InvalidArgument", message),
  required: (message: string) => refusal(400, "required", "InvalidArgument", message),
  key: (message: string) => refusal(400, "invalid", "InvalidObjectName", message),
  credentials: refusal(401, "authError", "AuthenticationRequired", "Invalid Credentials"),
  login: refusal(401, "required", "AuthenticationRequired", "Anonymous caller does not have access to the resource."),
  signature: refusal(
    403,
    "forbidden",
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided."
  ),
  expired: refusal(400, "invalid", "ExpiredToken", "The provided token has expired."),
  forbidden: (permission: string) =>
    refusal(403, "forbidden", "AccessDenied", `The caller does not have ${permission} access to the resource.`),
  noSession: refusal(404, "notFound", "NoSuchUpload", "No such upload session."),
  gap: refusal(503, "backendError", "ServiceUnavailable", "The bytes do not follow those that are there."),
  unknown: refusal(404, "notFound", "NotFound", "Not Found"),
  notHere: (what: string) => refusal(501, "notImplemented", "NotImplemented", `This model does not know ${what}.`)
} as const

/** A refusal in the form of an API. */
export const refuse = (
  api: "json" | "xml",
  { code, message, reason, status }: Refusal,
  headers: Readonly<Record<string, string>> = {}
): ServerReply =>
  api === "json"
    ? document({ error: { code: status, message, errors: [{ message, domain: "global", reason }] } }, status, headers)
    : {
      status,
      headers: { "content-type": "application/xml; charset=UTF-8", ...headers },
      body: xmlDocument(xmlElement("Error", xmlText("Code", code), xmlText("Message", message)))
    }

const time = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

/** The etag of the JSON API: it changes with the description, too. */
const etagOf = ({ generation, metageneration }: Version): string =>
  Buffer.from(`${generation}/${metageneration}`).toString("base64")

/** The etag of the XML API: the MD5 of the bytes, or else another text. */
export const xmlEtagOf = (version: Version): string =>
  `"${version.md5 === undefined ? etagOf(version) : Buffer.from(version.md5, "base64").toString("hex")}"`

/** The resource of an object. */
export const objectResource = (bucket: string, version: Version): Json => {
  const { chosen, created, generation, key, metageneration } = version
  const { metadata, ...named } = chosen
  return {
    kind: "storage#object",
    id: `${bucket}/${key}/${generation}`,
    selfLink: `https://www.googleapis.com/storage/v1/b/${bucket}/o/${encodeURIComponent(key)}`,
    name: key,
    bucket,
    generation: String(generation),
    metageneration: String(metageneration),
    ...named,
    storageClass: chosen.storageClass ?? "STANDARD",
    size: String(version.media.length),
    ...(version.md5 === undefined ? {} : { md5Hash: version.md5 }),
    crc32c: version.crc32c,
    etag: etagOf(version),
    ...(version.componentCount === undefined ? {} : { componentCount: version.componentCount }),
    ...(metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }),
    timeCreated: time(created),
    updated: time(version.updated)
  }
}

/** The resource of a bucket. */
export const bucketResource = (bucket: Bucket): Json => ({
  kind: "storage#bucket",
  id: bucket.name,
  name: bucket.name,
  metageneration: String(bucket.metageneration),
  location: bucket.location,
  storageClass: "STANDARD",
  ...(bucket.versioning ? { versioning: { enabled: true } } : {}),
  etag: Buffer.from(String(bucket.metageneration)).toString("base64"),
  timeCreated: time(bucket.created),
  updated: time(bucket.created)
})

/** The headers of an object's bytes. The XML API tells metadata in them too. */
export const mediaHeaders = (api: "json" | "xml", version: Version): Record<string, string> => {
  const { chosen } = version
  const headers: Record<string, string> = {
    "content-type": chosen.contentType ?? "application/octet-stream",
    "accept-ranges": "bytes",
    "etag": api === "xml" ? xmlEtagOf(version) : etagOf(version),
    "last-modified": toImfFixdate(DateTime.makeUnsafe(version.updated)),
    "x-goog-generation": String(version.generation),
    "x-goog-metageneration": String(version.metageneration),
    "x-goog-hash": `crc32c=${version.crc32c}${version.md5 === undefined ? "" : `,md5=${version.md5}`}`,
    "x-goog-storage-class": chosen.storageClass ?? "STANDARD",
    "x-goog-stored-content-length": String(version.media.length),
    "x-goog-stored-content-encoding": chosen.contentEncoding ?? "identity"
  }
  const named = [
    ["cache-control", chosen.cacheControl],
    ["content-disposition", chosen.contentDisposition],
    ["content-encoding", chosen.contentEncoding],
    ["content-language", chosen.contentLanguage]
  ] as const
  for (const [name, value] of named) if (value !== undefined) headers[name] = value
  if (api === "xml") {
    for (const [name, value] of Object.entries(chosen.metadata ?? {})) {
      // Bytes of UTF-8, which node:http takes as Latin-1.
      headers[`x-goog-meta-${name}`] = Buffer.from(value).toString("latin1")
    }
  }
  return headers
}
