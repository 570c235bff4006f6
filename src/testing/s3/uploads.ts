/**
 * Uploads in parts (docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).
 *
 * @internal
 */
import { xmlElement, xmlText } from "../../http/Xml.ts"
import type { ServerReply } from "../protocol/Server.ts"
import { algorithms, broughtBy, checkBody, type Checksum, composite, elementOf, headerOf, sumOf } from "./checksums.ts"
import { checkWrite } from "./conditions.ts"
import { sourceOf } from "./copies.ts"
import { elements, readText } from "./documents.ts"
import { describedBy, inBucket } from "./objects.ts"
import { document, isoDate, nothing, refuse, rootElement } from "./replies.ts"
import {
  type Bucket,
  currentOf,
  md5Hex,
  type ModelRequest,
  nextId,
  type Operation,
  type Part,
  publish,
  type State,
  type Upload
} from "./state.ts"

/** CreateMultipartUpload. */
export const createUpload: Operation = inBucket((state, request, bucket) => {
  const { headers, key, now } = request
  const algorithm = headers["x-amz-checksum-algorithm"]?.toLowerCase()
  if (algorithm !== undefined && !algorithms.includes(algorithm)) return refuse(400, "InvalidRequest")
  const id = nextId(state)
  const wholeChecksum = headers["x-amz-checksum-type"] === "FULL_OBJECT" || algorithm === "crc64nvme"
  bucket.uploads.set(id, {
    id,
    key,
    initiated: now,
    described: describedBy(request),
    algorithm,
    wholeChecksum,
    parts: new Map()
  })
  return document(rootElement(
    "InitiateMultipartUploadResult",
    xmlText("Bucket", bucket.name),
    xmlText("Key", key),
    xmlText("UploadId", id)
  ))
})

const onUpload = (
  run: (state: State, request: ModelRequest, bucket: Bucket, upload: Upload) => ServerReply
): Operation =>
  inBucket((state, request, bucket) => {
    const upload = bucket.uploads.get(request.query.get("uploadId") ?? "")
    return upload === undefined || upload.key !== request.key
      ? refuse(404, "NoSuchUpload")
      : run(state, request, bucket, upload)
  })

const maxParts = 10_000

const keep = (upload: Upload, { query }: ModelRequest, body: Uint8Array): Part | ServerReply => {
  const number = Number(query.get("partNumber"))
  if (!(Number.isInteger(number) && number >= 1 && number <= maxParts)) return refuse(400, "InvalidArgument")
  const { algorithm } = upload
  const part: Part = {
    body,
    etag: `"${md5Hex(body)}"`,
    checksum: algorithm === undefined
      ? undefined
      : { algorithm, value: sumOf(algorithm, body), type: "FULL_OBJECT" }
  }
  upload.parts.set(number, part)
  return part
}

/** UploadPart. */
export const uploadPart: Operation = onUpload((_, request, __, upload) => {
  const brought = broughtBy(request)
  if (brought !== undefined && upload.algorithm !== undefined && brought.algorithm !== upload.algorithm) {
    return refuse(400, "InvalidRequest")
  }
  const refusal = checkBody(request)
  if (refusal !== undefined) return refusal
  const part = keep(upload, request, request.body)
  if ("status" in part) return part
  const told = brought === undefined ? {} : { [headerOf(brought.algorithm)]: brought.value }
  return nothing(200, { etag: part.etag, ...told })
})

/** UploadPartCopy. */
export const copyPart: Operation = onUpload((state, request, _, upload) => {
  const source = sourceOf(state, request)
  if ("status" in source) return source
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers["x-amz-copy-source-range"] ?? "") ?? []
  if (last !== undefined && Number(last) >= source.body.length) return refuse(416, "InvalidRange")
  const body = first === undefined ? source.body : source.body.subarray(Number(first), Number(last) + 1)
  const part = keep(upload, request, body)
  if ("status" in part) return part
  return document(rootElement(
    "CopyPartResult",
    xmlText("LastModified", isoDate(request.now)),
    xmlText("ETag", part.etag),
    part.checksum === undefined ? "" : xmlText(elementOf(part.checksum.algorithm), part.checksum.value)
  ))
})

const bare = (etag: string | undefined): string | undefined => etag?.replaceAll("\"", "")

/** The parts that a completion names, or why they cannot be put together. */
const namedParts = (state: State, { body }: ModelRequest, upload: Upload): ReadonlyArray<Part> | ServerReply => {
  const parts: Array<Part> = []
  let previous = 0
  const named = elements(Buffer.from(body).toString(), "Part")
  if (named.length === 0) return refuse(400, "MalformedXML")
  for (const text of named) {
    const number = Number(readText(text, "PartNumber"))
    const part = upload.parts.get(number)
    if (part === undefined || bare(readText(text, "ETag")) !== bare(part.etag)) return refuse(400, "InvalidPart")
    if (number <= previous) return refuse(400, "InvalidPartOrder")
    previous = number
    const sum = part.checksum === undefined ? undefined : readText(text, elementOf(part.checksum.algorithm))
    if (sum !== undefined && sum !== part.checksum?.value) return refuse(400, "InvalidPart")
    parts.push(part)
  }
  return parts.slice(0, -1).some((part) => part.body.length < state.minPartSize) ? refuse(400, "EntityTooSmall") : parts
}

const checksumOf = (upload: Upload, parts: ReadonlyArray<Part>, body: Uint8Array): Checksum => {
  const { algorithm = "crc64nvme", wholeChecksum } = upload
  return wholeChecksum || upload.algorithm === undefined
    ? { algorithm, value: sumOf(algorithm, body), type: "FULL_OBJECT" }
    : { algorithm, value: composite(algorithm, parts.map((part) => part.checksum!.value)), type: "COMPOSITE" }
}

/** CompleteMultipartUpload. */
export const completeUpload: Operation = onUpload((state, request, bucket, upload) => {
  const { headers, now } = request
  const { described, id, key } = upload
  const refusal = checkWrite(headers, currentOf(bucket, key))
  if (refusal !== undefined) return refusal
  const parts = namedParts(state, request, upload)
  if ("status" in parts) return parts
  const body = parts.length === 1 ? parts[0]!.body : Buffer.concat(parts.map((part) => part.body))
  const size = headers["x-amz-mp-object-size"]
  if (size !== undefined && size !== String(body.length)) return refuse(400, "InvalidRequest")
  const checksum = checksumOf(upload, parts, body)
  const told = headers[headerOf(checksum.algorithm)]
  if (told !== undefined && told !== checksum.value) return refuse(400, "BadDigest")
  const sums = Buffer.concat(parts.map((part) => Buffer.from(bare(part.etag)!, "hex")))
  const version = publish(state, bucket, {
    key,
    body,
    etag: `"${md5Hex(sums)}-${parts.length}"`,
    lastModified: now,
    described,
    checksum
  })
  bucket.uploads.delete(id)
  return document(
    rootElement(
      "CompleteMultipartUploadResult",
      xmlText("Location", `/${bucket.name}/${key}`),
      xmlText("Bucket", bucket.name),
      xmlText("Key", key),
      xmlText("ETag", version.etag),
      xmlText(elementOf(checksum.algorithm), checksum.value),
      xmlText("ChecksumType", checksum.type)
    ),
    { "x-amz-version-id": version.id }
  )
})

/** AbortMultipartUpload. */
export const abortUpload: Operation = onUpload((_, __, bucket, upload) => {
  bucket.uploads.delete(upload.id)
  return nothing(204)
})

/** ListParts. */
export const listParts: Operation = onUpload((_, __, bucket, upload) =>
  document(rootElement(
    "ListPartsResult",
    xmlText("Bucket", bucket.name),
    xmlText("Key", upload.key),
    xmlText("UploadId", upload.id),
    xmlText("IsTruncated", false),
    ...[...upload.parts].sort(([a], [b]) => a - b).map(([number, { body, checksum, etag }]) =>
      xmlElement(
        "Part",
        xmlText("PartNumber", number),
        xmlText("ETag", etag),
        xmlText("Size", body.length),
        checksum === undefined ? "" : xmlText(elementOf(checksum.algorithm), checksum.value)
      )
    )
  ))
)
