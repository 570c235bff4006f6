/**
 * The way of a request through a model of S3: whose it is, where it goes, what it does.
 *
 * @internal
 */
import type { ServerHead, ServerReply, ServerRequest } from "../protocol/Server.ts"
import { authorize } from "./authorize.ts"
import * as Buckets from "./buckets.ts"
import { unwrap } from "./chunked.ts"
import { copyObject } from "./copies.ts"
import { listObjects, listUploads } from "./listing.ts"
import * as Objects from "./objects.ts"
import { refuse } from "./replies.ts"
import type { Operation, State } from "./state.ts"
import * as Uploads from "./uploads.ts"

/** Answers a request. */
export const answer = (state: State, request: ServerRequest, now: number): ServerReply => {
  const reply = decide(state, request, now)
  return { ...reply, headers: { server: "AmazonS3", "x-amz-request-id": "model", ...reply.headers } }
}

const maxKey = 1024

const decide = (state: State, request: ServerRequest, now: number): ServerReply => {
  const refusal = authorize(state, request, now)
  if (refusal !== undefined) return refusal
  const place = placeOf(request.rawPath)
  if (place === undefined) return refuse(400, "InvalidURI")
  if (Buffer.byteLength(place.key) > maxKey) return refuse(400, "KeyTooLongError")
  const operation = operationOf(request, place)
  if (operation === undefined) return refuse(405, "MethodNotAllowed")
  const whole = unwrap(request)
  return whole === undefined ? refuse(400, "IncompleteBody") : operation(state, { ...whole, ...place, now })
}

/** The bucket and key of a path; `undefined` if it is no percent-encoded UTF-8. */
export const placeOf = (rawPath: string): { readonly bucket: string; readonly key: string } | undefined => {
  const inside = rawPath.slice(1)
  const slash = inside.indexOf("/")
  try {
    return slash === -1
      ? { bucket: decodeURIComponent(inside), key: "" }
      : { bucket: decodeURIComponent(inside.slice(0, slash)), key: decodeURIComponent(inside.slice(slash + 1)) }
  } catch {
    return undefined
  }
}

const operationOf = (head: ServerHead, place: { readonly bucket: string; readonly key: string }) =>
  place.bucket === ""
    ? head.method === "GET" ? Buckets.listBuckets : undefined
    : place.key === ""
    ? ofBucket(head)
    : ofObject(head)

const ofBucket = ({ method, query }: ServerHead): Operation | undefined => {
  switch (method) {
    case "HEAD":
      return Buckets.headBucket
    case "PUT":
      return query.has("versioning") ? Buckets.putVersioning : Buckets.createBucket
    case "DELETE":
      return Buckets.deleteBucket
    case "POST":
      return query.has("delete") ? Objects.deleteObjects : undefined
    case "GET":
      return query.has("location")
        ? Buckets.getLocation
        : query.has("versioning")
        ? Buckets.getVersioning
        : query.has("uploads")
        ? listUploads
        : query.get("list-type") === "2"
        ? listObjects
        : undefined
    default:
      return undefined
  }
}

const ofObject = ({ headers, method, query }: ServerHead): Operation | undefined => {
  const isCopy = headers["x-amz-copy-source"] !== undefined
  const isUpload = query.has("uploadId")
  switch (method) {
    case "HEAD":
      return Objects.getObject
    case "GET":
      return isUpload ? Uploads.listParts : query.has("tagging") ? Objects.getTagging : Objects.getObject
    case "PUT":
      return isUpload
        ? isCopy ? Uploads.copyPart : Uploads.uploadPart
        : isCopy
        ? copyObject
        : Objects.putObject
    case "POST":
      return query.has("uploads") ? Uploads.createUpload : isUpload ? Uploads.completeUpload : undefined
    case "DELETE":
      return isUpload ? Uploads.abortUpload : Objects.deleteObject
    default:
      return undefined
  }
}
