/**
 * What the headers of a reply tell of an object: attributes, metadata, time and size.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Attributes, Metadata } from "../ObjectInfo.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { TransportReply } from "./Transport.ts"
import { type Asked, violation } from "./violation.ts"

export { requestIdOf } from "./requestId.ts"

type Headers = TransportReply["headers"]

const attributeHeaderNames = [
  ["contentType", "content-type"],
  ["contentEncoding", "content-encoding"],
  ["contentLanguage", "content-language"],
  ["contentDisposition", "content-disposition"],
  ["cacheControl", "cache-control"]
] as const satisfies ReadonlyArray<readonly [keyof Attributes, string]>

/** The standard attributes of an object, out of the headers of a reply; an empty one is none. */
export const attributesOf = (headers: Headers): Attributes => {
  const attributes: { -readonly [Name in keyof Attributes]: string } = {}
  for (const [name, header] of attributeHeaderNames) {
    const value = headers[header]
    if (value !== undefined && value !== "") attributes[name] = value
  }
  return attributes
}

/**
 * The standard attributes of an object as headers of a request, under a prefix where the service wants one (`x-ms-blob-`).
 */
export const attributeHeaders = (attributes: Attributes, prefix = ""): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, header] of attributeHeaderNames) {
    const value = attributes[name]
    if (value !== undefined) headers[`${prefix}${header}`] = value
  }
  return headers
}

/** User metadata: the headers that begin with `prefix` (`x-amz-meta-`), without it. */
export const metadataOf = (headers: Headers, prefix: string): Metadata => {
  const metadata: Record<string, string> = Object.create(null)
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && name.length > prefix.length && name.startsWith(prefix)) {
      metadata[name.slice(prefix.length)] = value
    }
  }
  return metadata
}

/** When the object was changed last, where the reply tells a sensible time. */
export const lastModifiedOf = (headers: Headers): DateTime.Utc | undefined => timeOf(headers["last-modified"])

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"
const imfFixdate = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
// JavaScript reads a date into almost any text.
const isoDate = /^\d{4}-\d\d-\d\dT/

/** A time as services write it: IMF-fixdate or ISO 8601. */
export const timeOf = (text: string | undefined): DateTime.Utc | undefined => {
  if (text === undefined) return undefined
  const m = imfFixdate.exec(text)
  if (m === null) {
    return isoDate.test(text) ? Option.getOrUndefined(Option.map(DateTime.make(text), DateTime.toUtc)) : undefined
  }
  // Read by hand, because every reply has one and the general way takes longer than all other headers.
  const month = months.indexOf(m[2]!)
  return month % 3 === 0
    ? DateTime.makeUnsafe(Date.UTC(Number(m[3]), month / 3, Number(m[1]), Number(m[4]), Number(m[5]), Number(m[6])))
    : undefined
}

/** A number of bytes as text, if it is one that can be counted exactly. */
export const parseSize = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const size = Number(text)
  return Number.isSafeInteger(size) ? size : undefined
}

/** The size that a reply tells in a header, `content-length` without another name; else `ProtocolViolation`. */
export const sizeOf = (
  asked: Asked,
  reply: Pick<TransportReply, "status" | "headers">,
  name = "content-length"
): Effect.Effect<number, ObjectStoreError> => {
  const size = parseSize(reply.headers[name])
  return size === undefined
    ? Effect.fail(violation(asked, `the answer does not tell a size in ${name}`, reply))
    : Effect.succeed(size)
}
