/**
 * CopyObject, and the source of UploadPartCopy.
 *
 * @internal
 */
import { xmlText } from "../../http/Xml.ts"
import type { ServerReply } from "../protocol/Server.ts"
import { elementOf } from "./checksums.ts"
import { checkSource, checkWrite } from "./conditions.ts"
import { describedBy, findVersion, inBucket } from "./objects.ts"
import { document, isoDate, refuse, rootElement } from "./replies.ts"
import { currentOf, md5Hex, type ModelRequest, type Operation, publish, type State, type Version } from "./state.ts"

/** The source that a request names, if it may be copied. */
export const sourceOf = (state: State, { headers }: ModelRequest): Version | ServerReply => {
  const [path = "", version] = (headers["x-amz-copy-source"] ?? "").split("?versionId=")
  let decoded: string
  try {
    decoded = decodeURIComponent(path.replace(/^\//, ""))
  } catch {
    return refuse(400, "InvalidArgument")
  }
  const slash = decoded.indexOf("/")
  if (slash <= 0) return refuse(400, "InvalidArgument")
  const bucket = state.buckets.get(decoded.slice(0, slash))
  if (bucket === undefined) return refuse(404, "NoSuchBucket")
  const source = findVersion(bucket, decoded.slice(slash + 1), version)
  return "status" in source ? source : checkSource(headers, source) ?? source
}

/** CopyObject. */
export const copyObject: Operation = inBucket((state, request, bucket) => {
  const { headers, key, now } = request
  const source = sourceOf(state, request)
  if ("status" in source) return source
  const refusal = checkWrite(headers, currentOf(bucket, key))
  if (refusal !== undefined) return refusal
  const replaces = headers["x-amz-metadata-directive"] === "REPLACE"
  const given = describedBy(request)
  if (source === currentOf(bucket, key) && !replaces && given.storageClass === undefined) {
    return refuse(400, "InvalidRequest")
  }
  const { attributes, metadata } = replaces ? given : source.described
  const tags = headers["x-amz-tagging-directive"] === "REPLACE" ? given.tags : source.described.tags
  const version = publish(state, bucket, {
    key,
    body: source.body,
    etag: `"${md5Hex(source.body)}"`,
    lastModified: now,
    described: { attributes, metadata, tags, storageClass: given.storageClass },
    checksum: source.checksum
  })
  return document(
    rootElement(
      "CopyObjectResult",
      xmlText("LastModified", isoDate(now)),
      xmlText("ETag", version.etag),
      version.checksum === undefined ? "" : xmlText(elementOf(version.checksum.algorithm), version.checksum.value)
    ),
    { "x-amz-version-id": version.id, "x-amz-copy-source-version-id": source.id }
  )
})
