/**
 * What the stub answers: just so much of each service's protocol as the layers and the SDKs ask for in the workloads.
 */

import { crc32c, printCrc32c } from "../../src/codec/Crc32c.ts"
import { touched } from "../harness.ts"

/** A request, whose body was received and thrown away but for its beginning. */
export interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  received: number
  body: string
}

/** A reply; a number as the body is so many bytes of anything. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: number | string
}

const modified = "Thu, 20 Nov 2026 10:00:00 GMT"
const etag = "\"0123456789abcdef0123456789abcdef\""
const xml = { "content-type": "application/xml" }

const reply = (status: number, headers: Readonly<Record<string, string>> = {}, body: number | string = ""): Reply => ({
  status,
  headers,
  body
})

/** The object of a key: its size is the number in it. */
const sizeOf = (path: string): number => Number(/(\d+)\.bin/.exec(path)?.[1] ?? 0)

/** The whole object, or the range that is asked for. */
const content = (request: Request, range: string | undefined, headers: Readonly<Record<string, string>>): Reply => {
  const size = sizeOf(request.path)
  const all = { "last-modified": modified, etag, "accept-ranges": "bytes", "content-type": "application/octet-stream" }
  const asked = /bytes=(\d+)-(\d*)/.exec(range ?? "")
  if (asked === null) return reply(200, { ...all, ...headers }, size)
  const start = Number(asked[1])
  const end = Math.min(size, asked[2] === "" ? size : Number(asked[2]) + 1)
  return start >= size
    ? reply(416, { "content-range": `bytes */${size}` })
    : reply(206, { ...all, ...headers, "content-range": `bytes ${start}-${end - 1}/${size}` }, end - start)
}

/** What GCS tells of an object in headers, over its XML API and with `alt=media`. */
const generation = (path: string): Readonly<Record<string, string>> => ({
  "x-goog-generation": "1",
  "x-goog-metageneration": "1",
  "x-goog-stored-content-encoding": "identity",
  "x-goog-stored-content-length": String(sizeOf(path)),
  "x-goog-storage-class": "STANDARD"
})

/** Listed keys; they repeat in every listing. */
const listed = 100_000

const pages = new Map<string, string>()

const keyOf = (index: number): string => `data/part-${String(index).padStart(8, "0")}-of-many.parquet`

/** A page of a listing as S3 writes it. */
const listPage = (after: number, limit: number): string => {
  const name = `${after} ${limit}`
  const known = pages.get(name)
  if (known !== undefined) return known
  const end = Math.min(listed, after + limit)
  let text =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
    `<Name>bucket</Name><Prefix></Prefix><KeyCount>${end - after}</KeyCount><MaxKeys>${limit}</MaxKeys>` +
    `<EncodingType>url</EncodingType><IsTruncated>${end < listed}</IsTruncated>` +
    (end < listed ? `<NextContinuationToken>${end}</NextContinuationToken>` : "")
  for (let index = after; index < end; index++) {
    text += `<Contents><Key>${keyOf(index)}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>` +
      `<ETag>&quot;${index.toString(16).padStart(32, "0")}&quot;</ETag><Size>${1000 + index}</Size>` +
      "<StorageClass>STANDARD</StorageClass></Contents>"
  }
  text += "</ListBucketResult>"
  pages.set(name, text)
  return text
}

const s3 = (request: Request, query: URLSearchParams): Reply => {
  const { method } = request
  if (method === "GET" && query.has("list-type")) {
    return reply(
      200,
      xml,
      listPage(Number(query.get("continuation-token") ?? 0), Number(query.get("max-keys") ?? 1000))
    )
  }
  if (method === "GET" || method === "HEAD") {
    return content(request, request.headers["range"], request.path.startsWith("/gcs/") ? generation(request.path) : {})
  }
  if (method === "POST" && query.has("uploads")) {
    return reply(
      200,
      xml,
      "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>"
    )
  }
  if (method === "POST") {
    return reply(
      200,
      xml,
      `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`
    )
  }
  const checksums = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => /^x-amz-checksum-(crc32|crc32c|crc64nvme)$/.test(name))
  )
  return reply(200, { etag, ...checksums })
}

const azure = (request: Request): Reply => {
  const headers = {
    "x-ms-request-id": "r",
    "x-ms-version": "2025-11-05",
    "x-ms-blob-type": "BlockBlob",
    "x-ms-creation-time": modified
  }
  if (request.method === "GET" || request.method === "HEAD") {
    return content(request, request.headers["x-ms-range"] ?? request.headers["range"], headers)
  }
  const sums = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      name === "content-md5" || name === "x-ms-content-crc64" ? [[name, value]] : []
    )
  )
  return reply(201, { ...headers, ...sums, etag, "last-modified": modified })
}

const sums = new Map<number, string>()

/** The checksum of what the workloads upload: Google's client compares it with its own. It is computed once a size. */
const sumOf = (size: number): string => {
  const known = sums.get(size)
  if (known !== undefined) return known
  const sum = printCrc32c(crc32c(touched(new Uint8Array(size))))
  sums.set(size, sum)
  return sum
}

/** An object; with `sum`, one that was just uploaded. */
const resource = (size: number, sum = false): string =>
  JSON.stringify({
    ...(sum ? { crc32c: sumOf(size) } : {}),
    kind: "storage#object",
    id: "bucket/object/1",
    name: "object",
    bucket: "bucket",
    generation: "1",
    metageneration: "1",
    contentType: "application/octet-stream",
    size: String(size),
    etag: "CAE=",
    timeCreated: "2026-11-20T10:00:00.000Z",
    updated: "2026-11-20T10:00:00.000Z"
  })

const gcs = (request: Request, query: URLSearchParams): Reply => {
  const { headers, method, path } = request
  const json = { "content-type": "application/json" }
  if (method === "GET" || method === "HEAD") {
    return query.get("alt") === "media"
      ? content(request, headers["range"], generation(path))
      : reply(200, json, resource(sizeOf(path)))
  }
  if (method === "POST" && query.get("uploadType") === "resumable") {
    return reply(200, { location: `http://${headers["host"]}${path.split("?")[0]}?upload_id=u` })
  }
  if (method === "PUT") {
    const [, last, total] = /^bytes (?:\d+-(\d+)|\*)\/(\d+|\*)$/.exec(headers["content-range"] ?? "") ?? []
    if (total === "*" && last !== undefined) return reply(308, { range: `bytes=0-${last}` })
    if (total !== undefined && total !== "*") {
      // The last bytes, or none but the size.
      return last === undefined || Number(last) + 1 === Number(total)
        ? reply(200, json, resource(Number(total), true))
        : reply(308, { range: `bytes=0-${last}` })
    }
  }
  // What stands around the bytes of a multipart upload is less than a MiB, and what is uploaded here are whole ones.
  const around = query.get("uploadType") === "multipart" ? request.received % (1024 * 1024) : 0
  return reply(200, json, resource(request.received - around, true))
}

/** Answers a request of any of the three: GCS by its path, Azure by its version header, else S3. */
export const answer = (request: Request): Reply => {
  const { headers, path } = request
  const mark = path.indexOf("?")
  const query = new URLSearchParams(mark < 0 ? "" : path.slice(mark + 1))
  if (/^\/(?:upload|download|resumable)?\/?(?:upload\/|download\/)?storage\/v1\//.test(path)) return gcs(request, query)
  return headers["x-ms-version"] === undefined ? s3(request, query) : azure(request)
}
