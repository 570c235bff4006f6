/**
 * ListObjectsV2 and ListMultipartUploads.
 *
 * @internal
 */
import { encodeKey } from "../../http/percentEncoding.ts"
import { xmlElement, xmlText } from "../../http/Xml.ts"
import { compareKeys } from "../../keyOrder.ts"
import { elementOf } from "./checksums.ts"
import { inBucket } from "./objects.ts"
import { document, isoDate, refuse, rootElement } from "./replies.ts"
import {
  currentOf,
  type ModelRequest,
  type Operation,
  sortedKeys,
  type State,
  type Upload,
  type Version
} from "./state.ts"

/** How keys are printed: encoded as a form is, where that was asked for. */
const printer = ({ query }: ModelRequest): (key: string) => string =>
  query.get("encoding-type") === "url" ? (key) => encodeKey(key).replaceAll("%20", "+") : (key) => key

const printVersion = (
  print: (key: string) => string,
  { body, checksum, described, etag, key, lastModified }: Version
) =>
  xmlElement(
    "Contents",
    xmlText("Key", print(key)),
    xmlText("LastModified", isoDate(lastModified)),
    xmlText("ETag", etag),
    checksum === undefined ? "" : xmlText("ChecksumAlgorithm", elementOf(checksum.algorithm).slice("Checksum".length)),
    xmlText("Size", body.length),
    xmlText("StorageClass", described.storageClass ?? "STANDARD")
  )

/** Pages go on after a name: an opaque text for the client. */
const tokenOf = (name: string): string => `1/${Buffer.from(name).toString("base64url")}`

const nameOf = (token: string): string | undefined =>
  token.startsWith("1/") ? Buffer.from(token.slice(2), "base64url").toString() : undefined

const mostOf = (state: State, text: string | undefined): number | undefined => {
  const most = text === undefined ? state.pageSize : Number(text)
  return Number.isInteger(most) && most >= 0 ? Math.min(most, state.pageSize) : undefined
}

/** ListObjectsV2. */
export const listObjects: Operation = inBucket((state, request, bucket) => {
  const { query } = request
  const print = printer(request)
  const most = mostOf(state, query.get("max-keys"))
  const token = query.get("continuation-token")
  const after = token === undefined ? query.get("start-after") ?? "" : nameOf(token)
  if (most === undefined || after === undefined) return refuse(400, "InvalidArgument")
  const prefix = query.get("prefix") ?? ""
  const delimiter = query.get("delimiter") ?? ""
  const entries: Array<{ readonly name: string; readonly version: Version | undefined }> = []
  let more = false
  for (const key of sortedKeys(bucket)) {
    if (!key.startsWith(prefix)) continue
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
    const name = end === -1 ? key : key.slice(0, end + delimiter.length)
    if (compareKeys(name, after) <= 0 && !(token === undefined && end !== -1 && compareKeys(key, after) > 0)) continue
    if (end !== -1 && entries.at(-1)?.name === name) continue
    if (entries.length === most) {
      more = most > 0
      break
    }
    entries.push({ name, version: end === -1 ? currentOf(bucket, key) : undefined })
  }
  return document(rootElement(
    "ListBucketResult",
    xmlText("Name", bucket.name),
    xmlText("Prefix", print(prefix)),
    delimiter === "" ? "" : xmlText("Delimiter", print(delimiter)),
    xmlText("MaxKeys", most),
    query.get("encoding-type") === "url" ? xmlText("EncodingType", "url") : "",
    xmlText("KeyCount", entries.length),
    xmlText("IsTruncated", more),
    token === undefined ? "" : xmlText("ContinuationToken", token),
    more ? xmlText("NextContinuationToken", tokenOf(entries.at(-1)!.name)) : "",
    ...entries.map(({ name, version }) =>
      version === undefined
        ? xmlElement("CommonPrefixes", xmlText("Prefix", print(name)))
        : printVersion(print, version)
    )
  ))
})

const isAfter = (upload: Upload, key: string, id: string): boolean => {
  const order = compareKeys(upload.key, key)
  return order > 0 || (order === 0 && id !== "" && upload.id > id)
}

/** ListMultipartUploads. */
export const listUploads: Operation = inBucket((state, request, bucket) => {
  const { query } = request
  const print = printer(request)
  const most = mostOf(state, query.get("max-uploads"))
  if (most === undefined) return refuse(400, "InvalidArgument")
  const key = query.get("key-marker") ?? ""
  const id = query.get("upload-id-marker") ?? ""
  const prefix = query.get("prefix") ?? ""
  const all = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix) && (key === "" || isAfter(upload, key, id)))
    .sort((a, b) => compareKeys(a.key, b.key) || (a.id < b.id ? -1 : 1))
  const page = all.slice(0, most)
  const more = all.length > page.length && page.length > 0
  return document(rootElement(
    "ListMultipartUploadsResult",
    xmlText("Bucket", bucket.name),
    xmlText("KeyMarker", print(key)),
    xmlText("UploadIdMarker", id),
    query.get("encoding-type") === "url" ? xmlText("EncodingType", "url") : "",
    xmlText("MaxUploads", most),
    xmlText("IsTruncated", more),
    more ? xmlText("NextKeyMarker", print(page.at(-1)!.key)) + xmlText("NextUploadIdMarker", page.at(-1)!.id) : "",
    ...page.map((upload) =>
      xmlElement(
        "Upload",
        xmlText("Key", print(upload.key)),
        xmlText("UploadId", upload.id),
        xmlText("Initiated", isoDate(upload.initiated)),
        xmlText("StorageClass", upload.described.storageClass ?? "STANDARD")
      )
    )
  ))
})
