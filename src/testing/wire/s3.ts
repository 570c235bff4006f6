/**
 * S3 behind a fault server.
 *
 * @internal
 */
import type { ServerHead, ServerReply } from "../protocol/Server.ts"
import { answer, placeOf } from "../s3/answer.ts"
import { checksumOfBytes } from "../s3/checksums.ts"
import { errorDocument, refuse } from "../s3/replies.ts"
import { currentOf, md5Hex, publish, type State } from "../s3/state.ts"
import type { WireRefusal } from "../WireFault.ts"
import type { Described, Protocol, WireOperation } from "./Protocol.ts"

const codes: ReadonlyMap<number, string> = new Map([
  [400, "InvalidRequest"],
  [401, "AccessDenied"],
  [403, "AccessDenied"],
  [404, "NoSuchKey"],
  [405, "MethodNotAllowed"],
  [409, "OperationAborted"],
  [412, "PreconditionFailed"],
  [416, "InvalidRange"],
  [429, "TooManyRequests"],
  [500, "InternalError"],
  [501, "NotImplemented"],
  [503, "ServiceUnavailable"]
])

const refusalOf = (refusal: WireRefusal): ServerReply => {
  switch (refusal._tag) {
    case "Status":
      return refuse(refusal.status, refusal.code ?? codes.get(refusal.status) ?? "InternalError")
    case "Throttle":
      return refuse(503, "SlowDown", {
        headers: refusal.retryAfter === undefined ? {} : { "retry-after": String(refusal.retryAfter) }
      })
    case "ExpiredCredentials":
      return refuse(400, "ExpiredToken")
    case "SkewedClock":
      return refuse(403, "RequestTimeTooSkewed")
  }
}

const ofBucket = ({ method, query }: ServerHead): WireOperation => {
  switch (method) {
    case "HEAD":
      return "headContainer"
    case "PUT":
      return query.has("versioning") ? "other" : "createContainer"
    case "DELETE":
      return "deleteContainer"
    case "POST":
      return "deleteBatch"
    default:
      return query.has("uploads") ? "listUploads" : query.has("list-type") ? "listPage" : "other"
  }
}

const ofObject = ({ headers, method, query }: ServerHead): WireOperation => {
  const isCopy = headers["x-amz-copy-source"] !== undefined
  const isUpload = query.has("uploadId")
  switch (method) {
    case "HEAD":
      return "head"
    case "GET":
      return isUpload || query.has("tagging") ? "other" : "read"
    case "PUT":
      return isUpload ? isCopy ? "copyPart" : "uploadPart" : isCopy ? "copy" : "write"
    case "POST":
      return query.has("uploads") ? "openUpload" : "completeUpload"
    default:
      return isUpload ? "abortUpload" : "delete"
  }
}

const describe = (head: ServerHead): Described => {
  const { bucket, key } = placeOf(head.rawPath) ?? { bucket: "", key: "" }
  return {
    operation: bucket === "" ? "listContainers" : key === "" ? ofBucket(head) : ofObject(head),
    container: bucket,
    key
  }
}

/** S3 with a memory. */
export const s3Protocol = (state: State): Protocol => ({
  respond: (request, now) => answer(state, request, now),
  describe,
  refuse: refusalOf,
  errorDocument: errorDocument("InternalError"),
  places: () =>
    [...state.buckets.values()].flatMap(({ name, objects }) => [...objects.keys()].map((key) => [name, key] as const)),
  find: (container, key) => {
    const bucket = state.buckets.get(container)
    return bucket === undefined ? undefined : currentOf(bucket, key)
  },
  store: (container, key, body, now) => {
    const described = { attributes: new Map(), metadata: new Map(), tags: undefined, storageClass: undefined }
    const checksum = checksumOfBytes("crc32", body)
    publish(state, state.buckets.get(container)!, {
      key,
      body,
      etag: `"${md5Hex(body)}"`,
      lastModified: now,
      described,
      checksum
    })
  },
  openUploads: () => [...state.buckets.values()].reduce((sum, { uploads }) => sum + uploads.size, 0)
})
