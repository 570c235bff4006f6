/**
 * Pages of objects and of open uploads.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { ListedObject, ListPage, ListRequest, ListUploadsRequest, UploadsPage } from "../../src/Backend.ts"
import { parseSize, timeOf } from "../../src/http/replyStat.ts"
import { violation } from "../../src/http/violation.ts"
import { missing, refuseXml, type XmlReader } from "../../src/http/Xml.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { askedOf, type S3Client, sendForDocument } from "./client.ts"
import { type Intent, refuse } from "./errors.ts"

const intent: Intent = { operation: "list", mutation: false, about: "container" }
const uploadsIntent: Intent = { operation: "listUploads", mutation: false, about: "container" }

/** Where the next page begins: what the service gave. */
class PageCursor {
  readonly token: string
  constructor(token: string) {
    this.token = token
  }
}

class UploadsCursor {
  readonly key: string
  readonly id: string
  /** Both as one text, by which a circle is noticed. */
  readonly token: string
  constructor(key: string, id: string) {
    this.key = key
    this.id = id
    this.token = `${id} ${key}`
  }
}

/** Keys that the service would fold into others do not exist, and asking for them would list those others. */
const holdsNothing = ({ profile }: S3Client, prefix: string): boolean =>
  !profile.keys.emptySegments && (prefix.startsWith("/") || prefix.includes("//"))

/** A key of a listing that is encoded as a form is: spaces are `+`. */
const decode = (text: string): string => {
  if (!text.includes("%") && !text.includes("+")) return text
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return refuseXml("it has a key that is not encoded as it says")
  }
}

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** The form that S3 writes, without the cost of the general case: a page has a thousand of them. */
const timeFrom = (text: string): DateTime.Utc | undefined => {
  if (!iso.test(text)) return timeOf(text)
  const two = (at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528
  return DateTime.makeUnsafe(
    Date.UTC(
      two(0) * 100 + two(2),
      two(5) - 1,
      two(8),
      two(11),
      two(14),
      two(17),
      two(20) * 10 + text.charCodeAt(22) - 48
    )
  )
}

/** A yes or no of XML Schema, in any case; a guess would leave out keys. */
const flagFrom = (text: string): boolean => {
  const word = text.trim().toLowerCase()
  if (word === "true" || word === "1") return true
  return word === "false" || word === "0" ? false : refuseXml("it does not say whether there is more")
}

/** `Backend.listPage`. */
export const listPage = (client: S3Client, request: ListRequest): Effect.Effect<ListPage, ObjectStoreError> => {
  const { container, cursor, delimiter, limit, prefix, startAfter } = request
  if (cursor !== undefined && !(cursor instanceof PageCursor)) {
    return Effect.fail(refuse("InvalidRequest", "list", "the cursor is not one of this store", false))
  }
  if (holdsNothing(client, prefix)) return Effect.succeed({ objects: [], prefixes: [] })
  return Effect.flatMap(
    sendForDocument(
      client,
      {
        intent,
        method: "GET",
        container,
        query: {
          "list-type": 2,
          prefix: prefix === "" ? undefined : prefix,
          delimiter,
          "max-keys": limit,
          "encoding-type": client.profile.encodedLists ? "url" : undefined,
          "start-after": cursor === undefined ? startAfter : undefined,
          "continuation-token": cursor?.token
        }
      },
      "ListBucketResult",
      readPage
    ),
    ({ document, reply }) => {
      const { next, objects, prefixes, truncated } = document
      if (!truncated) return Effect.succeed({ objects, prefixes })
      return next === undefined || next === cursor?.token
        ? Effect.fail(violation(askedOf(intent), "there are more keys, but no new place to go on from", reply))
        : Effect.succeed({ objects, prefixes, next: new PageCursor(next) })
    }
  )
}

const readPage = (xml: XmlReader) => {
  const objects: Array<ListedObject> = []
  const prefixes: Array<string> = []
  let next: string | undefined
  let told: boolean | undefined
  let encoded = false
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Contents") objects.push(readObject(xml))
    else if (name === "CommonPrefixes") prefixes.push(readPrefix(xml))
    else if (name === "IsTruncated") told = flagFrom(xml.text())
    else if (name === "NextContinuationToken") next = xml.text()
    else if (name === "EncodingType") encoded = xml.text() === "url"
    else xml.skip()
  }
  // A listing that is silent about it might be half of one.
  const truncated = told ?? missing("IsTruncated")
  // The document may say how it is encoded after its keys.
  return encoded
    ? {
      objects: objects.map((object) => ({ ...object, key: decode(object.key) })),
      prefixes: prefixes.map(decode),
      next,
      truncated
    }
    : { objects, prefixes, next, truncated }
}

const readObject = (xml: XmlReader): ListedObject => {
  let key: string | undefined
  let size: number | undefined
  let etag: string | undefined
  let lastModified: DateTime.Utc | undefined
  let storageClass: string | undefined
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    switch (name) {
      case "Key":
        key = xml.text()
        break
      case "Size":
        size = parseSize(xml.text())
        break
      case "ETag":
        etag = xml.text()
        break
      case "LastModified":
        lastModified = timeFrom(xml.text())
        break
      case "StorageClass":
        storageClass = xml.text()
        break
      default:
        xml.skip()
    }
  }
  return { key: key ?? missing("Key"), size: size ?? missing("Size"), etag, lastModified, storageClass }
}

const readPrefix = (xml: XmlReader): string => {
  let prefix: string | undefined
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Prefix") prefix = xml.text()
    else xml.skip()
  }
  return prefix ?? missing("Prefix")
}

/** `Backend.listUploads`. */
export const listUploads = (
  client: S3Client,
  { container, cursor, prefix }: ListUploadsRequest
): Effect.Effect<UploadsPage, ObjectStoreError> => {
  if (cursor !== undefined && !(cursor instanceof UploadsCursor)) {
    return Effect.fail(refuse("InvalidRequest", "listUploads", "the cursor is not one of this store", false))
  }
  if (holdsNothing(client, prefix)) return Effect.succeed({ uploads: [] })
  return Effect.flatMap(
    sendForDocument(
      client,
      {
        intent: uploadsIntent,
        method: "GET",
        container,
        query: {
          uploads: "",
          prefix: prefix === "" ? undefined : prefix,
          "encoding-type": client.profile.encodedLists ? "url" : undefined,
          "key-marker": cursor?.key,
          "upload-id-marker": cursor?.id
        }
      },
      "ListMultipartUploadsResult",
      readUploads(container)
    ),
    ({ document, reply }) => {
      const { id, key, truncated, uploads } = document
      if (!truncated) return Effect.succeed({ uploads })
      return key === undefined || id === undefined || (key === cursor?.key && id === cursor.id)
        ? Effect.fail(
          violation(askedOf(uploadsIntent), "there are more uploads, but no new place to go on from", reply)
        )
        : Effect.succeed({ uploads, next: new UploadsCursor(key, id) })
    }
  )
}

const readUploads = (container: string) => (xml: XmlReader) => {
  const uploads: Array<{ container: string; key: string; id: string; initiated: DateTime.Utc | undefined }> = []
  let key: string | undefined
  let id: string | undefined
  let truncated = false
  let encoded = false
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Upload") uploads.push({ container, ...readUpload(xml) })
    else if (name === "IsTruncated") truncated = flagFrom(xml.text())
    else if (name === "NextKeyMarker") key = xml.text()
    else if (name === "NextUploadIdMarker") id = xml.text()
    else if (name === "EncodingType") encoded = xml.text() === "url"
    else xml.skip()
  }
  return encoded
    ? {
      uploads: uploads.map((upload) => ({ ...upload, key: decode(upload.key) })),
      key: key === undefined ? undefined : decode(key),
      id,
      truncated
    }
    : { uploads, key, id, truncated }
}

const readUpload = (xml: XmlReader) => {
  let key: string | undefined
  let id: string | undefined
  let initiated: DateTime.Utc | undefined
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Key") key = xml.text()
    else if (name === "UploadId") id = xml.text()
    else if (name === "Initiated") initiated = timeFrom(xml.text())
    else xml.skip()
  }
  return { key: key ?? missing("Key"), id: id ?? missing("UploadId"), initiated }
}
