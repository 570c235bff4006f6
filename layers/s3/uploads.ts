/**
 * Objects written in parts. Each part carries its checksum, the completion names it again, and tells the sum of the whole.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Location, ObjectOptions, Part, PartReceipt, Upload, UploadId, WriteReply } from "../../src/Backend.ts"
import { violation } from "../../src/http/violation.ts"
import { missing, xmlDocument, xmlElement, xmlText } from "../../src/http/Xml.ts"
import type { Verified } from "../../src/ObjectInfo.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { copiedHeaders } from "./carried.ts"
import { sumOf } from "./checksum.ts"
import { askedOf, type S3Client, sendForDocument, sendOnly } from "./client.ts"
import { corrupted, type Intent } from "./errors.ts"
import { checkWrite, modeHeaders, objectHeaders } from "./headers.ts"
import { confirmed } from "./write.ts"

/** What a part's receipt carries to the completion. */
export class PartState {
  /** The part's checksum, base64; `undefined` where the service told none of a copied one. */
  readonly sum: string | undefined
  readonly verified: Verified
  constructor(sum: string | undefined, verified: Verified) {
    this.sum = sum
    this.verified = verified
  }
}

const openIntent: Intent = { operation: "openUpload", mutation: true, about: "container" }

/** `Backend.openUpload`. */
export const openUpload = Effect.fnUntraced(function*(
  client: S3Client,
  at: Location,
  options: ObjectOptions
): Effect.fn.Return<Upload, ObjectStoreError> {
  yield* checkWrite(client, "openUpload", at, options)
  const { checksum, profile } = client
  const { copiedFrom } = options
  const headers = {
    ...objectHeaders(client, options),
    ...(copiedFrom === undefined ? undefined : yield* copiedHeaders(client, copiedFrom))
  }
  if (checksum.algorithm !== undefined && (copiedFrom === undefined || profile.copiedChecksums)) {
    headers["x-amz-checksum-algorithm"] = checksum.algorithm
    if (profile.wholeChecksum) headers["x-amz-checksum-type"] = "FULL_OBJECT"
  }
  const { document: id } = yield* sendForDocument(
    client,
    {
      intent: openIntent,
      method: "POST",
      ...at,
      query: { uploads: "" },
      headers
    },
    "InitiateMultipartUploadResult",
    (xml) => {
      let id = ""
      for (let name = xml.child(); name !== undefined; name = xml.child()) {
        if (name === "UploadId") id = xml.text()
        else xml.skip()
      }
      return id === "" ? missing("UploadId") : id
    }
  )
  return { ...at, id, options, state: new UploadState() }
})

const partIntent: Intent = { operation: "uploadPart", mutation: true, about: "upload" }

/** `Backend.uploadPart`. */
export const uploadPart = Effect.fnUntraced(function*(
  client: S3Client,
  upload: Upload,
  { body, number, offset }: Part
): Effect.fn.Return<PartReceipt, ObjectStoreError> {
  const sum = yield* sumOf(client.checksum, body)
  const send = sendOnly(client, {
    intent: partIntent,
    method: "PUT",
    container: upload.container,
    key: upload.key,
    query: { partNumber: number, uploadId: upload.id },
    headers: { ...client.encryption?.access, [client.checksum.header]: sum },
    body
  })
  const reply = yield* notingCuts(upload, send)
  const { etag } = reply.headers
  if (etag === undefined) return yield* violation(askedOf(partIntent), "the answer has no etag", reply)
  const verified = yield* confirmed(client.checksum, sum, reply.headers, "uploadPart", "not-applied")
  return { number, offset, size: body.length, etag, state: new PartState(sum, verified) }
})

/** The checksum of the object, of those of all its parts. */
const wholeSum = ({ checksum, profile }: S3Client, parts: ReadonlyArray<PartReceipt>): string | undefined => {
  if (!profile.wholeChecksum || checksum.combine === undefined) return undefined
  let whole: string | undefined
  for (const part of parts) {
    const sum = part.state instanceof PartState ? part.state.sum : undefined
    if (sum === undefined) return undefined
    whole = whole === undefined ? sum : checksum.combine(whole, sum, part.size)
  }
  return whole
}

const partElement = ({ checksum }: S3Client, { etag, number, state }: PartReceipt): string => {
  const sum = state instanceof PartState ? state.sum : undefined
  return xmlElement(
    "Part",
    xmlText("PartNumber", number),
    xmlText("ETag", etag ?? ""),
    ...(sum === undefined || checksum.algorithm === undefined ? [] : [xmlText(checksum.element, sum)])
  )
}

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

/** `Backend.completeUpload`. */
export const completeUpload = Effect.fnUntraced(function*(
  client: S3Client,
  upload: Upload,
  { parts, size }: { readonly parts: ReadonlyArray<PartReceipt>; readonly size: number }
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const { checksum, profile } = client
  const { mode } = upload.options
  const headers: Record<string, string> = { ...modeHeaders(mode), "content-type": "application/xml" }
  if (client.encryption?.type === "customer") Object.assign(headers, client.encryption.access)
  if (profile.objectSize) headers["x-amz-mp-object-size"] = String(size)
  const sum = wholeSum(client, parts)
  if (sum !== undefined) {
    headers[checksum.header] = sum
    headers["x-amz-checksum-type"] = "FULL_OBJECT"
  }
  const intent: Intent = { operation: "completeUpload", mutation: true, about: "upload", mode, final: true }
  const { document, reply } = yield* sendForDocument(
    client,
    {
      intent,
      method: "POST",
      container: upload.container,
      key: upload.key,
      query: { uploadId: upload.id },
      headers,
      body: Buffer.from(xmlDocument(
        `<CompleteMultipartUpload xmlns="${namespace}">${
          parts.map((part) => partElement(client, part)).join("")
        }</CompleteMultipartUpload>`
      ))
    },
    "CompleteMultipartUploadResult",
    (xml) => {
      const answer: { etag?: string; sum?: string } = {}
      for (let name = xml.child(); name !== undefined; name = xml.child()) {
        if (name === "ETag") answer.etag = xml.text()
        else if (name === checksum.element) answer.sum = xml.text()
        else xml.skip()
      }
      return answer
    }
  )
  const etag = document.etag ?? reply.headers["etag"]
  if (etag === undefined) return yield* violation(askedOf(intent), "the answer has no etag", reply)
  if (sum !== undefined && document.sum !== undefined && !document.sum.includes("-") && document.sum !== sum) {
    return yield* corrupted("completeUpload", `the service stored another ${checksum.name}, ${document.sum}`, "applied")
  }
  return {
    etag,
    version: reply.headers["x-amz-version-id"],
    size,
    verified: parts.every(({ state }) => state instanceof PartState && state.verified === "checksum")
      ? "checksum"
      : profile.objectSize
      ? "size"
      : "none"
  }
})

/** What an upload of this process remembers. */
export class UploadState {
  /** Whether a part was cut off, so that nobody knows what the service still does with it. */
  cut = false
}

/** Remembers of a request of a part that it may still be under way. */
export const notingCuts = <A>(
  { state }: Upload,
  part: Effect.Effect<A, ObjectStoreError>
): Effect.Effect<A, ObjectStoreError> =>
  Effect.onExit(part, (exit) =>
    Effect.sync(() => {
      if (state instanceof UploadState && Exit.isFailure(exit) && mayGoOn(exit.cause)) state.cut = true
    }))

const mayGoOn = (cause: Cause.Cause<ObjectStoreError>): boolean =>
  cause.reasons.some((reason) => reason._tag !== "Fail" || reason.error.outcome !== "not-applied")

/** `Backend.abortUpload`. */
export const abortUpload = Effect.fnUntraced(function*(
  client: S3Client,
  upload: UploadId
): Effect.fn.Return<void, ObjectStoreError> {
  yield* sendAbort(client, upload)
  if (!("state" in upload && upload.state instanceof UploadState && upload.state.cut)) return
  for (const pause of client.profile.abortAgain) {
    yield* Effect.sleep(pause)
    yield* Effect.catchReason(sendAbort(client, upload), "ObjectStoreError", "UploadNotFound", () => Effect.void)
  }
})

const sendAbort = (client: S3Client, { container, id, key }: UploadId): Effect.Effect<void, ObjectStoreError> =>
  Effect.asVoid(sendOnly(client, {
    intent: { operation: "abortUpload", mutation: true, about: "upload" },
    method: "DELETE",
    container,
    key,
    query: { uploadId: id }
  }))
