/**
 * Put Blob, Get Blob, Get Blob Properties, Delete Blob, Get Blob Tags.
 *
 * @internal
 */
import { xmlElement, xmlText } from "../../http/Xml.ts"
import { checkRead, checkWrite } from "./conditions.ts"
import { blobHeaders, document, refuse, stored } from "./replies.ts"
import {
  type Blob,
  type Container,
  crc64Of,
  findBlob,
  md5Of,
  type ModelRequest,
  nextEtag,
  nextVersion,
  type Operation,
  publish,
  type State
} from "./state.ts"

const attributeNames = ["content-type", "content-encoding", "content-language", "content-disposition", "cache-control"]

/** What a request says of the blob that it makes, besides its bytes. */
export const described = (
  state: State,
  { headers, now }: ModelRequest
): Omit<Blob, "body" | "blocks" | "contentMd5" | "copy"> => {
  const attributes = new Map<string, string>()
  for (const name of attributeNames) {
    const value = headers[`x-ms-blob-${name}`]
    if (value !== undefined && value !== "") attributes.set(name, value)
  }
  if (!attributes.has("content-type")) attributes.set("content-type", "application/octet-stream")
  const metadata = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("x-ms-meta-") && value !== undefined) metadata.set(name.slice("x-ms-meta-".length), value)
  }
  return {
    etag: nextEtag(state),
    lastModified: now,
    versionId: nextVersion(state, now),
    attributes,
    metadata,
    tags: headers["x-ms-tags"],
    tier: headers["x-ms-access-tier"] ?? "Hot"
  }
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The refusal of metadata whose names are no identifiers. */
export const checkMetadata = ({ headers }: ModelRequest) =>
  Object.keys(headers).every((name) => !name.startsWith("x-ms-meta-") || identifier.test(name.slice(10)))
    ? undefined
    : refuse(400, "InvalidMetadata")

/** The refusal of bytes that are not those that were sent. */
export const checkBody = ({ body, headers }: ModelRequest) => {
  const { "content-md5": md5, "x-ms-content-crc64": crc64 } = headers
  if (md5 !== undefined && crc64 !== undefined) return refuse(400, "BothCrc64AndMd5HeaderPresent")
  if (md5 !== undefined && md5 !== md5Of(body)) return refuse(400, "Md5Mismatch")
  return crc64 === undefined || crc64 === crc64Of(body) ? undefined : refuse(400, "Crc64Mismatch")
}

const noContainer = () => refuse(404, "ContainerNotFound")
const noBlob = () => refuse(404, "BlobNotFound")

/** Runs an operation in a container that is there. */
export const inContainer = (
  run: (state: State, request: ModelRequest, container: Container) => ReturnType<Operation>
): Operation =>
(state, request) => {
  const container = state.containers.get(request.container ?? "")
  return container === undefined ? noContainer() : run(state, request, container)
}

/** Runs an operation on a blob that is there. */
export const onBlob = (
  run: (state: State, request: ModelRequest, blob: Blob, container: Container) => ReturnType<Operation>
): Operation =>
  inContainer((state, request, container) => {
    const blob = findBlob(container, request)
    return blob === undefined ? noBlob() : run(state, request, blob, container)
  })

/** Put Blob. */
export const putBlob: Operation = inContainer((state, request, container) => {
  const { body, headers, key = "" } = request
  if (headers["x-ms-blob-type"] !== "BlockBlob") return refuse(400, "InvalidHeaderValue")
  const refusal = checkMetadata(request) ?? checkBody(request) ?? checkWrite(headers, container.blobs.get(key))
  if (refusal !== undefined) return refusal
  const contentMd5 = md5Of(body)
  const blob = { ...described(state, request), body, blocks: [], contentMd5 }
  publish(container, key, blob)
  return stored(blob, { "content-md5": contentMd5, "x-ms-content-crc64": crc64Of(body) })
})

const range = /^bytes=(\d+)-(\d*)$/

/** Get Blob. */
export const getBlob: Operation = onBlob((_, request, blob) => {
  const { headers } = request
  const refusal = checkRead(headers, blob)
  if (refusal !== undefined) return refusal
  const asked = range.exec(headers["x-ms-range"] ?? headers["range"] ?? "")
  const told = blobHeaders(blob)
  const size = blob.body.length
  if (asked === null) return { status: 200, headers: { ...told, "content-md5": blob.contentMd5 }, body: blob.body }
  const first = Number(asked[1])
  const last = Math.min(size - 1, asked[2] === "" ? size - 1 : Number(asked[2]))
  if (first >= size) return refuse(416, "InvalidRange", { headers: { "content-range": `bytes */${size}` } })
  if (last < first) return refuse(400, "InvalidHeaderValue")
  const ranged = {
    ...told,
    "content-range": `bytes ${first}-${last}/${size}`,
    "x-ms-blob-content-md5": blob.contentMd5
  }
  return { status: 206, headers: ranged, body: blob.body.subarray(first, last + 1) }
})

/** Get Blob Properties, which is also how a copy that is pending is watched. */
export const headBlob: Operation = onBlob((state, request, found, container) => {
  const refusal = checkRead(request.headers, found)
  if (refusal !== undefined) return refusal
  const blob = proceed(state, request, found, container)
  return {
    status: 200,
    headers: { ...blobHeaders(blob), "content-md5": blob.contentMd5, "content-length": String(blob.body.length) }
  }
})

/** Lets a copy that is pending go on by one step. */
const proceed = (state: State, { key = "", now }: ModelRequest, blob: Blob, container: Container): Blob => {
  const { copy } = blob
  if (copy === undefined || copy.status !== "pending" || --copy.left > 0) return blob
  copy.status = "success"
  const done = {
    ...blob,
    body: copy.source.body,
    contentMd5: copy.source.contentMd5,
    etag: nextEtag(state),
    lastModified: now
  }
  container.blobs.set(key, done)
  return done
}

/** Delete Blob. */
export const deleteBlob: Operation = onBlob((_, { headers, key = "" }, blob, container) => {
  const refusal = checkWrite(headers, blob)
  if (refusal !== undefined) return refusal
  container.blobs.delete(key)
  return { status: 202, headers: { "x-ms-delete-type-permanent": "true" } }
})

/** Get Blob Tags. */
export const getTags: Operation = onBlob((_, __, blob) =>
  document(xmlElement(
    "Tags",
    xmlElement(
      "TagSet",
      ...[...new URLSearchParams(blob.tags ?? "")].map(([name, value]) =>
        xmlElement("Tag", xmlText("Key", name), xmlText("Value", value))
      )
    )
  ))
)
