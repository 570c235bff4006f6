/**
 * Pages of a listing.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { ListedObject, ListPage, ListRequest } from "../../src/Backend.ts"
import { readText } from "../../src/http/replyBody.ts"
import { parseSize, timeOf } from "../../src/http/replyStat.ts"
import { parseXml, refuseXml, type XmlReader } from "../../src/http/Xml.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { type Client, send } from "./client.ts"
import { backendName } from "./errors.ts"

const asked = { backend: backendName, operation: "list" }

/** A page of 5,000 blobs whose names are 1,024 characters, percent-encoded, and more. */
const maxReply = 64 * 1024 * 1024

/** Lists one page; `include` names what the service leaves out otherwise. */
export const listBlobs = (
  client: Client,
  request: ListRequest,
  include?: "uncommittedblobs"
): Effect.Effect<ListPage, ObjectStoreError> => {
  const { container, cursor, delimiter, limit, prefix } = request
  if (cursor !== undefined && typeof cursor !== "string") {
    return Effect.fail(makeError("InvalidRequest", { ...asked, description: "the cursor is not one of this store" }))
  }
  return send(client, {
    operation: "list",
    mutation: false,
    ofContainer: true,
    method: "GET",
    container,
    query: {
      restype: "container",
      comp: "list",
      prefix: prefix === "" ? undefined : prefix,
      delimiter,
      marker: cursor,
      maxresults: String(Math.min(limit, client.settings.capabilities.maxPageSize)),
      include
    },
    accept: [200]
  }).pipe(
    Effect.flatMap((reply) => readText(asked, reply, maxReply)),
    Effect.flatMap((text) => parseXml(asked, text, "EnumerationResults", toPage)),
    Effect.scoped
  )
}

const toPage = (xml: XmlReader): ListPage => {
  const objects: Array<ListedObject> = []
  const prefixes: Array<string> = []
  let next: string | undefined
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Blobs") readEntries(xml, objects, prefixes)
    else if (name === "NextMarker") next = xml.text()
    else xml.skip()
  }
  return next === undefined || next === "" ? { objects, prefixes } : { objects, prefixes, next }
}

const readEntries = (xml: XmlReader, objects: Array<ListedObject>, prefixes: Array<string>): void => {
  for (let entry = xml.child(); entry !== undefined; entry = xml.child()) {
    if (entry === "Blob") {
      const object = readBlob(xml)
      if (object !== undefined) objects.push(object)
    } else if (entry === "BlobPrefix") {
      prefixes.push(readPrefix(xml))
    } else {
      xml.skip()
    }
  }
}

/** A name that XML cannot hold comes percent-encoded, and says so. */
const readName = (xml: XmlReader): string => {
  const encoded = xml.attribute("Encoded") === "true"
  const name = xml.text()
  if (!encoded) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return refuseXml("a name is said to be percent-encoded, and is not")
  }
}

const readPrefix = (xml: XmlReader): string => {
  let prefix = ""
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Name") prefix = readName(xml)
    else xml.skip()
  }
  return prefix === "" ? refuseXml("a prefix has no name") : prefix
}

interface Draft {
  key: string
  size: number | undefined
  etag: string | undefined
  lastModified: string | undefined
  tier: string | undefined
  isDirectory: boolean
}

/** A blob; `undefined` for a directory of a hierarchical namespace, which is no object. */
const readBlob = (xml: XmlReader): ListedObject | undefined => {
  const draft: Draft = {
    key: "",
    size: undefined,
    etag: undefined,
    lastModified: undefined,
    tier: undefined,
    isDirectory: false
  }
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Name") draft.key = readName(xml)
    else if (name === "Properties") readProperties(xml, draft)
    else xml.skip()
  }
  const { etag, isDirectory, key, lastModified, size, tier } = draft
  if (isDirectory) return undefined
  if (key === "") return refuseXml("a blob has no name")
  if (size === undefined) return refuseXml("a blob has no size")
  return {
    key,
    size,
    // Headers have the quotes that the document leaves out.
    etag: etag === undefined || etag === "" || etag.startsWith("\"") ? etag : `"${etag}"`,
    lastModified: timeOf(lastModified),
    storageClass: tier
  }
}

const readProperties = (xml: XmlReader, draft: Draft): void => {
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    switch (name) {
      case "Content-Length":
        draft.size = parseSize(xml.text())
        break
      case "Etag":
        draft.etag = xml.text()
        break
      case "Last-Modified":
        draft.lastModified = xml.text()
        break
      case "AccessTier":
        draft.tier = xml.text()
        break
      case "ResourceType":
        draft.isDirectory = xml.text() === "directory"
        break
      default:
        xml.skip()
    }
  }
}
