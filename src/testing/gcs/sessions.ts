/**
 * Sessions of uploads in the model of GCS (cloud.google.com/storage/docs/performing-resumable-uploads).
 *
 * @internal
 */
import type { ServerReply } from "../protocol/Server.ts"
import { insert } from "./objects.ts"
import type { Operation } from "./Operation.ts"
import { document, nothing, objectResource, refusals, refuse } from "./replies.ts"
import { nextToken, type Session, type State } from "./state.ts"

type Of<Tag extends Operation["_tag"]> = Extract<Operation, { readonly _tag: Tag }>

const chunkMultiple = 256 * 1024

/** Begins a session. Conditions wait until it ends. */
export const startSession = (state: State, { origin, upload }: Of<"StartSession">): ServerReply => {
  if (!state.buckets.has(upload.bucket)) return refuse("json", refusals.noBucket)
  const id = nextToken(state)
  state.sessions.set(id, {
    id,
    ...upload,
    crc32c: upload.crc32c,
    md5: upload.md5,
    chunks: [],
    committed: 0,
    state: "open",
    result: undefined
  })
  const bucket = encodeURIComponent(upload.bucket)
  return nothing(200, {
    "location": `${origin}/upload/storage/v1/b/${bucket}/o?uploadType=resumable&upload_id=${id}`,
    "x-guploader-uploadid": id.slice(0, 16)
  })
}

/** What the service has; without a `range`, nothing. */
const incomplete = ({ committed }: Session): ServerReply =>
  nothing(308, committed === 0 ? {} : { range: `bytes=0-${committed - 1}` })

/** Takes bytes, tells how much there is, or publishes the object. */
export const putSession = (state: State, operation: Of<"PutSession">, now: number): ServerReply => {
  const { id, media, range: { first, total } } = operation
  const session = state.sessions.get(id)
  if (session === undefined || session.state === "ended") return refuse("json", refusals.noSession)
  // Whatever is asked of a session that is done, it answers with its object.
  if (session.result !== undefined) return document(objectResource(session.bucket, session.result))
  if (total !== undefined && total < session.committed) {
    return refuse("json", refusals.invalid("The object cannot be smaller than what was uploaded."))
  }
  const last = first !== undefined && total !== undefined && first + media.length === total
  if (first !== undefined) {
    if (first > session.committed) return refuse("json", refusals.gap)
    take(session, media.subarray(Math.min(media.length, session.committed - first)), last)
  }
  return total !== undefined && session.committed === total
    ? finish(state, session, operation, now)
    : incomplete(session)
}

/** Stores bytes that follow those that are there: whole multiples of 256 KiB, but for the end. */
const take = (session: Session, bytes: Uint8Array, last: boolean): void => {
  const end = session.committed + bytes.length
  const kept = last ? bytes.length : Math.max(0, end - (end % chunkMultiple) - session.committed)
  session.chunks.push(bytes.slice(0, kept))
  session.committed += kept
}

const finish = (state: State, session: Session, { crc32c, md5 }: Of<"PutSession">, now: number): ServerReply => {
  const media = session.chunks.length === 1 ? session.chunks[0]! : Buffer.concat(session.chunks)
  const made = insert(state, { ...session, crc32c: crc32c ?? session.crc32c, md5: md5 ?? session.md5 }, media, now)
  session.chunks = []
  if ("status" in made) {
    session.state = "ended"
    return refuse("json", made)
  }
  session.state = "done"
  session.result = made
  return document(objectResource(session.bucket, made))
}

/** Drops a session. */
export const deleteSession = (state: State, { id }: Of<"DeleteSession">): ServerReply => {
  const session = state.sessions.get(id)
  if (session === undefined || session.state !== "open") return refuse("json", refusals.noSession)
  session.state = "ended"
  session.chunks = []
  return nothing(499)
}
