/**
 * GetObject, HeadObject, PutObject, DeleteObject, DeleteObjects.
 *
 * @internal
 */
import * as Option from "effect/Option"
import { xmlElement, xmlText } from "../../http/Xml.ts"
import type { ServerReply } from "../protocol/Server.ts"
import { checkBody, checksumHeaders, keptOf } from "./checksums.ts"
import { checkDelete, checkRead, checkWrite } from "./conditions.ts"
import { elements, readText } from "./documents.ts"
import { document, nothing, objectHeaders, refuse, rootElement } from "./replies.ts"
import {
  type Bucket,
  currentOf,
  type Described,
  md5Hex,
  type ModelRequest,
  type Operation,
  publish,
  type State,
  type Version
} from "./state.ts"

const attributeNames = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "cache-control",
  "expires"
]

/** What a request says of the object that it makes, besides its bytes. */
export const describedBy = ({ headers }: ModelRequest): Described => {
  const attributes = new Map<string, string>()
  for (const name of attributeNames) {
    // What a body is wrapped in on its way is no attribute of the object.
    const value = headers[name]?.split(",").map((one) => one.trim()).filter((one) => one !== "aws-chunked").join(", ")
    if (value !== undefined && value !== "") attributes.set(name, value)
  }
  if (!attributes.has("content-type")) attributes.set("content-type", "binary/octet-stream")
  const metadata = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("x-amz-meta-") && value !== undefined) metadata.set(name.slice("x-amz-meta-".length), value)
  }
  return { attributes, metadata, tags: headers["x-amz-tagging"], storageClass: headers["x-amz-storage-class"] }
}

/** Runs an operation in a bucket that is there. */
export const inBucket =
  (run: (state: State, request: ModelRequest, bucket: Bucket) => ServerReply): Operation => (state, request) => {
    const bucket = state.buckets.get(request.bucket)
    return bucket === undefined ? refuse(404, "NoSuchBucket") : run(state, request, bucket)
  }

/** The version of a request, or why there is none. */
export const findVersion = (bucket: Bucket, key: string, id: string | undefined): Version | ServerReply => {
  if (id === undefined) return currentOf(bucket, key) ?? refuse(404, "NoSuchKey")
  const found = bucket.objects.get(key)?.find((version) => version.id === id)
  if (found === undefined) return refuse(404, "NoSuchVersion")
  return found.isMarker ? refuse(405, "MethodNotAllowed", { headers: { "x-amz-delete-marker": "true" } }) : found
}

/** PutObject. */
export const putObject: Operation = inBucket((state, request, bucket) => {
  const { body, headers, key, now } = request
  const refusal = checkBody(request) ?? checkWrite(headers, currentOf(bucket, key))
  if (refusal !== undefined) return refusal
  const version = publish(state, bucket, {
    key,
    body,
    etag: `"${md5Hex(body)}"`,
    lastModified: now,
    described: describedBy(request),
    checksum: keptOf(request)
  })
  return nothing(200, {
    etag: version.etag,
    "x-amz-version-id": version.id,
    "x-amz-server-side-encryption": "AES256",
    ...checksumHeaders(version.checksum)
  })
})

type Range = { readonly first: number; readonly last: number }

/** The bytes that a `Range` asks for; `None` where there are none, `undefined` where it is no range. */
const rangeOf = (text: string | undefined, size: number): Option.Option<Range> | undefined => {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(text ?? "") ?? []
  if (first === "" && last === "") return undefined
  const range = first === ""
    ? { first: Math.max(0, size - Number(last)), last: size - 1 }
    : { first: Number(first), last: last === "" ? size - 1 : Math.min(size - 1, Number(last)) }
  return range.first < size && range.first <= range.last && !(first === "" && Number(last) === 0)
    ? Option.some(range)
    : Option.none()
}

/** GetObject and HeadObject. */
export const getObject: Operation = inBucket((_, { headers, key, method, query }, bucket) => {
  const version = findVersion(bucket, key, query.get("versionId"))
  if ("status" in version) return version
  const refusal = checkRead(headers, version)
  if (refusal !== undefined) return refusal
  const size = version.body.length
  const told = objectHeaders(version)
  const sum = headers["x-amz-checksum-mode"] === "ENABLED" ? checksumHeaders(version.checksum) : {}
  const range = rangeOf(headers["range"], size)
  if (range === undefined) {
    return {
      status: 200,
      headers: { ...told, ...sum, "content-length": String(size) },
      body: method === "HEAD" ? "" : version.body
    }
  }
  if (Option.isNone(range)) {
    return refuse(416, "InvalidRange", {
      headers: { "content-range": `bytes */${size}` },
      elements: [xmlText("ActualObjectSize", size)]
    })
  }
  const { first, last } = range.value
  return {
    status: 206,
    headers: {
      ...told,
      // The checksum is that of all bytes, and told with all of them alone.
      ...(last - first + 1 === size ? sum : {}),
      "content-range": `bytes ${first}-${last}/${size}`,
      "content-length": String(last - first + 1)
    },
    body: method === "HEAD" ? "" : version.body.subarray(first, last + 1)
  }
})

/** GetObjectTagging. */
export const getTagging: Operation = inBucket((_, { key, query }, bucket) => {
  const version = findVersion(bucket, key, query.get("versionId"))
  if ("status" in version) return version
  const tags = [...new URLSearchParams(version.described.tags ?? "")].map(([name, value]) =>
    xmlElement("Tag", xmlText("Key", name), xmlText("Value", value))
  )
  return document(rootElement("Tagging", xmlElement("TagSet", ...tags)), { "x-amz-version-id": version.id })
})

const remove = (state: State, bucket: Bucket, key: string, id: string | undefined, now: number): string | undefined => {
  const versions = bucket.objects.get(key) ?? []
  if (id !== undefined || !bucket.versioning) {
    const left = id === undefined ? [] : versions.filter((version) => version.id !== id)
    if (left.length === 0) bucket.objects.delete(key)
    else bucket.objects.set(key, left)
    return undefined
  }
  const described = { attributes: new Map(), metadata: new Map(), tags: undefined, storageClass: undefined }
  const nobody = { key, body: new Uint8Array(), etag: "", lastModified: now, described, checksum: undefined }
  return publish(state, bucket, nobody, true).id
}

/** DeleteObject. */
export const deleteObject: Operation = inBucket((state, { headers, key, now, query }, bucket) => {
  const id = query.get("versionId")
  const refusal = checkDelete(headers, currentOf(bucket, key))
  if (refusal !== undefined) return refusal
  const marker = remove(state, bucket, key, id, now)
  return nothing(204, marker === undefined ? {} : { "x-amz-delete-marker": "true", "x-amz-version-id": marker })
})

const maxDeleted = 1000

/** DeleteObjects. */
export const deleteObjects: Operation = inBucket((state, request, bucket) => {
  const { headers, now } = request
  const refusal = checkBody(request)
  if (refusal !== undefined) return refusal
  const names = Object.keys(headers)
  if (headers["content-md5"] === undefined && !names.some((name) => name.startsWith("x-amz-checksum-"))) {
    return refuse(400, "InvalidRequest")
  }
  const text = Buffer.from(request.body).toString()
  const objects = elements(text, "Object")
  if (objects.length === 0 || objects.length > maxDeleted) return refuse(400, "MalformedXML")
  const quiet = readText(text, "Quiet") === "true"
  const lines: Array<string> = []
  for (const object of objects) {
    const key = readText(object, "Key")
    if (key === undefined) return refuse(400, "MalformedXML")
    const match = readText(object, "ETag")
    if (checkDelete({ "if-match": match }, currentOf(bucket, key)) !== undefined) {
      lines.push(
        xmlElement("Error", xmlText("Key", key), xmlText("Code", "PreconditionFailed"), xmlText("Message", ""))
      )
      continue
    }
    remove(state, bucket, key, readText(object, "VersionId"), now)
    if (!quiet) lines.push(xmlElement("Deleted", xmlText("Key", key)))
  }
  return document(rootElement("DeleteResult", ...lines))
})
