/**
 * Copies inside the service: of an object, and of a range of one as a part of another.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { CopiedPart, CopyRequest, Location, PartReceipt, Upload, WriteReply } from "../../src/Backend.ts"
import { encodeKey } from "../../src/http/percentEncoding.ts"
import { retag } from "../../src/http/serviceError.ts"
import { violation } from "../../src/http/violation.ts"
import type { XmlReader } from "../../src/http/Xml.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { classHeaders } from "./carried.ts"
import { askedOf, type S3Client, sendForDocument } from "./client.ts"
import { type Intent, unsupported } from "./errors.ts"
import { checkPlace, modeHeaders } from "./headers.ts"
import { head } from "./read.ts"
import { notingCuts, PartState } from "./uploads.ts"

/** The value of `x-amz-copy-source`. */
const sourceOf = ({ container, key }: Location): string => `/${container}/${encodeKey(key)}`

interface CopyResult {
  readonly etag: string | undefined
  readonly sum: string | undefined
}

const readResult = (element: string) => (xml: XmlReader): CopyResult => {
  let etag: string | undefined
  let sum: string | undefined
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "ETag") etag = xml.text()
    else if (name === element) sum = xml.text()
    else xml.skip()
  }
  return { etag, sum }
}

/**
 * `Backend.copy`. The service does not tell the size of what it copied, so the source is asked first, and the copy holds
 * to that version where the service can.
 */
export const copy = Effect.fnUntraced(function*(
  client: S3Client,
  from: Location,
  to: Location,
  { ifMatch, mode }: CopyRequest
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const { profile } = client
  if (mode !== "overwrite" && !profile.conditionalCopy) return yield* unsupported("conditionalCopy")
  if (ifMatch !== undefined && !profile.conditionalCopySource) return yield* unsupported("conditionalCopySource")
  yield* checkPlace(client, "copy", from, "source")
  yield* checkPlace(client, "copy", to, "target")
  const stat = yield* Effect.mapError(
    head(client, from, { ifMatch }),
    (error) => withContext(error, { outcome: "not-applied" })
  )
  const pinned = profile.conditionalCopySource && stat.etag !== undefined
  const headers: Record<string, string> = {
    ...modeHeaders(mode),
    ...client.encryption?.create,
    ...client.encryption?.source,
    "x-amz-copy-source": sourceOf(from),
    ...classHeaders(client.profile, stat)
  }
  if (pinned) headers["x-amz-copy-source-if-match"] = stat.etag!
  const intent: Intent = { operation: "copy", mutation: true, about: "object", mode }
  const { document, reply } = yield* sendForDocument(
    client,
    { intent, method: "PUT", ...to, headers },
    "CopyObjectResult",
    readResult(client.checksum.element)
  ).pipe(
    Effect.catchIf(
      // Another writer came between the two requests: that is no condition of the program's.
      (error) => pinned && ifMatch === undefined && mode === "overwrite" && error.reason._tag === "PreconditionFailed",
      (error) => {
        const changed = withContext(error, {
          description: "the source changed before it was copied",
          outcome: "not-applied"
        })
        return Effect.fail(retag(changed, "Unavailable"))
      }
    )
  )
  const etag = document.etag ?? reply.headers["etag"]
  if (etag === undefined) return yield* violation(askedOf(intent), "the answer has no etag", reply)
  return {
    etag,
    version: reply.headers["x-amz-version-id"],
    size: stat.size,
    verified: pinned ? "size" : "none"
  }
})

/** `Backend.copyPart`. */
export const copyPart = Effect.fnUntraced(function*(
  client: S3Client,
  upload: Upload,
  { from, ifMatch, length, number, offset }: CopiedPart
): Effect.fn.Return<PartReceipt, ObjectStoreError> {
  const { checksum } = client
  const headers: Record<string, string> = {
    ...client.encryption?.access,
    ...client.encryption?.source,
    "x-amz-copy-source": sourceOf(from),
    "x-amz-copy-source-range": `bytes=${offset}-${offset + length - 1}`
  }
  if (ifMatch !== undefined) headers["x-amz-copy-source-if-match"] = ifMatch
  const intent: Intent = { operation: "copyPart", mutation: true, about: "upload" }
  const send = sendForDocument(
    client,
    {
      intent,
      method: "PUT",
      container: upload.container,
      key: upload.key,
      query: { partNumber: number, uploadId: upload.id },
      headers
    },
    "CopyPartResult",
    readResult(checksum.element)
  )
  const { document: { etag, sum }, reply } = yield* notingCuts(upload, send)
  if (etag === undefined) return yield* violation(askedOf(intent), "the answer has no etag", reply)
  return { number, offset, size: length, etag, state: new PartState(sum, "none") }
})
