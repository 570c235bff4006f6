/**
 * Uploads in parts: resumable sessions (cloud.google.com/storage/docs/performing-resumable-uploads).
 *
 * A session takes the bytes of one object from its beginning to its end. What the service has is what it says with 308 and
 * `Range`, not what was sent; after a request without an answer it is asked. The request that tells the size publishes the
 * object, so the end of it, which is no multiple of 256 KiB, is kept until then.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Location, ObjectOptions, Part, PartReceipt, Upload, UploadId, WriteReply } from "../../src/Backend.ts"
import { printCrc32c } from "../../src/codec/Crc32c.ts"
import { drain } from "../../src/http/replyBody.ts"
import type { TransportReply, TransportRequest } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { bucketPath, type Client, holdsNothing, query, readResource, refusal, type Resource, send } from "./client.ts"
import { generationFor } from "./conditions.ts"
import { backendName, chunkMultiple } from "./config.ts"
import { fail } from "./errors.ts"
import { resourceOf, statOfResource } from "./resource.ts"
import { checkType, explainWrite, neverMatches, sumOf, toReply } from "./write.ts"

/** A part that the session has taken, or is taking. */
interface TakenPart {
  readonly number: number
  readonly offset: number
  readonly size: number
  /** The CRC-32C of all bytes before it, and with it. */
  readonly before: number
  readonly sum: number
}

/** What is known of a session. */
interface Session {
  /** Whoever has it can write the object. */
  readonly uri: Redacted.Redacted<{ readonly origin: string; readonly path: string }>
  readonly parts: Array<TakenPart>
  /** Bytes that the service said it has. */
  committed: number
  /** Bytes that it may have: the end of what was sent. */
  sent: number
  /** Whether a request had no answer, so that `committed` has to be asked for. */
  unsure: boolean
  /** The end of the newest part, beyond the last multiple of 256 KiB. */
  tail: Uint8Array
  /** What it has refused: then it takes nothing any more. */
  refusal: ObjectStoreError | undefined
  /** Whether it certainly is no more: it was finished, or the service does not know it. */
  gone: boolean
}

/** The sessions of a store that are open, by the ids that are no secrets. */
export type Sessions = Map<string, Session>

const none = new Uint8Array(0)

/** Begins a session. Its conditions are decided when it ends. */
export const openUpload = Effect.fnUntraced(function*(
  client: Client,
  sessions: Sessions,
  at: Location,
  options: ObjectOptions
): Effect.fn.Return<Upload, ObjectStoreError> {
  const ifGenerationMatch = generationFor(options.mode)
  if (ifGenerationMatch === "never") return yield* neverMatches("openUpload")
  const contentType = yield* checkType("openUpload", options)
  const request = {
    operation: "openUpload",
    method: "POST",
    path: `/upload${bucketPath(at.container)}/o${query({ uploadType: "resumable", ifGenerationMatch })}`,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-upload-content-type": contentType
    },
    body: Buffer.from(resourceOf(at.key, { ...options, attributes: { ...options.attributes, contentType } })),
    mutation: true
  } as const
  const location = yield* Effect.scoped(Effect.gen(function*() {
    const reply = yield* send(client, request)
    if (reply.status !== 200 && reply.status !== 201) {
      return yield* explainWrite(options.mode)(yield* refusal(request, reply))
    }
    yield* Effect.ignore(drain(reply))
    return reply.headers["location"]
  }))
  const uri = sessionUri(client, location)
  if (uri === undefined) {
    return yield* violation(
      { backend: backendName, operation: "openUpload", outcome: "unknown" },
      "the answer names no session of this service"
    )
  }
  const id = (yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36).padStart(11, "0")
  sessions.set(id, {
    uri: Redacted.make(uri, { label: "session" }),
    parts: [],
    committed: 0,
    sent: 0,
    unsure: false,
    tail: none,
    refusal: undefined,
    gone: false
  })
  return { ...at, id, options }
})

/**
 * A session lives at the service that was asked. An emulator behind a forwarded port may name itself by another address, so
 * the origin is the endpoint's own; a session at another host of a real service is none of ours.
 */
const sessionUri = (client: Client, location: string | undefined) => {
  const { origin } = client.endpoint
  if (location === undefined || !URL.canParse(location, origin)) return undefined
  const url = new URL(location, origin)
  if (client.endpoint.secure && url.origin !== origin) return undefined
  return { origin, path: `${url.pathname}${url.search}` }
}

const notFound = (operation: string): ObjectStoreError =>
  fail(operation, "UploadNotFound", "the upload was completed, aborted or has expired", "not-applied")

const findSession = (
  sessions: Sessions,
  operation: string,
  { id }: UploadId
): Effect.Effect<Session, ObjectStoreError> => {
  const session = sessions.get(id)
  return session === undefined || session.gone
    ? Effect.fail(notFound(operation))
    : session.refusal !== undefined
    ? Effect.fail(session.refusal)
    : Effect.succeed(session)
}

/** What a session answers. */
type Progress =
  | { readonly _tag: "Open"; readonly committed: number }
  | { readonly _tag: "Done"; readonly resource: Resource }

/**
 * Sends one request of a session. Until its answer was understood the session is unsure. A session needs no token: its
 * address is one.
 */
const ask = Effect.fnUntraced(
  function*(
    client: Client,
    session: Session,
    operation: string,
    range: string,
    body: TransportRequest["body"],
    headers: Readonly<Record<string, string>> = {}
  ): Effect.fn.Return<Progress, ObjectStoreError, Scope.Scope> {
    session.unsure = true
    const { origin, path } = Redacted.value(session.uri)
    const reply = yield* client.transport.send({
      method: "PUT",
      origin,
      path,
      headers: { ...headers, "content-range": range },
      body: body ?? none,
      mutation: true
    })
    const request = { operation, mutation: true }
    if (reply.status === 308) {
      yield* Effect.ignore(drain(reply))
      const committed = yield* committedOf(session, operation, reply)
      session.committed = committed
      session.unsure = false
      return { _tag: "Open", committed }
    }
    if (reply.status === 200 || reply.status === 201) {
      const resource = yield* readResource(request, reply)
      if (statOfResource(resource) === undefined) {
        return yield* violation(
          { backend: backendName, operation, outcome: "unknown" },
          "the answer describes no object",
          reply
        )
      }
      session.gone = true
      return { _tag: "Done", resource }
    }
    const error = yield* refusal(request, reply)
    // 408 and 429 ask for patience; any other 4xx ends the session.
    session.gone = reply.status === 404 || reply.status === 410
    if (reply.status >= 400 && reply.status < 500 && reply.status !== 408 && reply.status !== 429) {
      session.refusal = error
    }
    return yield* reply.status === 404 ? notFound(operation) : error
  },
  Effect.scoped
)

/** How much the service has, by its `Range`: `bytes=0-last`, or nothing at all without one. It never becomes less. */
const committedOf = (
  session: Session,
  operation: string,
  reply: Pick<TransportReply, "status" | "headers">
): Effect.Effect<number, ObjectStoreError> => {
  const told = reply.headers["range"]
  const matched = told === undefined ? undefined : /^bytes=0-(\d{1,15})$/.exec(told)
  const committed = matched === undefined ? 0 : matched === null ? Number.NaN : Number(matched[1]) + 1
  return committed >= session.committed && committed <= session.sent
    ? Effect.succeed(committed)
    : Effect.fail(violation(
      { backend: backendName, operation, outcome: "not-applied" },
      `the session says it has ${told ?? "nothing"}; it had ${session.committed} bytes, and ${session.sent} were sent`,
      reply
    ))
}

/** Makes sure how much the service has, if that is not known. */
const settle = (
  client: Client,
  session: Session,
  operation: string
): Effect.Effect<Progress, ObjectStoreError> =>
  session.unsure
    ? ask(client, session, operation, "bytes */*", undefined)
    : Effect.succeed({ _tag: "Open", committed: session.committed })

const publishedEarly = (operation: string): ObjectStoreError =>
  fail(operation, "ProtocolViolation", "the session published an object before it was told to", "applied")

/**
 * Sends `bytes`, which begin at `start`, until the service has them all. What it kept of a chunk stays; the rest is sent
 * again. `total` is told with the last bytes of the object.
 */
const sendBytes = Effect.fnUntraced(function*(
  client: Client,
  session: Session,
  operation: string,
  bytes: Uint8Array,
  start: number,
  total?: number,
  headers?: Readonly<Record<string, string>>
): Effect.fn.Return<Progress, ObjectStoreError> {
  const end = start + bytes.length
  let progress = yield* settle(client, session, operation)
  while (progress._tag === "Open") {
    const from = progress.committed
    if (from === end && total === undefined) break
    if (from < start) {
      return yield* violation(
        { backend: backendName, operation, outcome: "not-applied" },
        `the session lost bytes: it has ${from}, and was told to go on at ${start}`
      )
    }
    session.sent = Math.max(session.sent, end)
    const size = total ?? "*"
    const range = from === end ? `bytes */${size}` : `bytes ${from}-${end - 1}/${size}`
    progress = yield* ask(client, session, operation, range, bytes.subarray(from - start), headers)
    if (progress._tag === "Open" && progress.committed === from) {
      return yield* fail(operation, "Unavailable", "the session kept nothing of what was sent", "not-applied")
    }
  }
  return progress
})

const refusePart = (description: string): ObjectStoreError =>
  fail("uploadPart", "InvalidRequest", description, "not-applied")

/** Stores one part: the next one, or the newest again with the same bytes. */
export const uploadPart = Effect.fnUntraced(function*(
  client: Client,
  sessions: Sessions,
  upload: Upload,
  { body, number, offset }: Part
): Effect.fn.Return<PartReceipt, ObjectStoreError> {
  const session = yield* findSession(sessions, "uploadPart", upload)
  const newest = session.parts.at(-1)
  const before = newest !== undefined && newest.number === number ? session.parts.at(-2) : newest
  if (number !== (before?.number ?? 0) + 1 || offset !== (before === undefined ? 0 : before.offset + before.size)) {
    return yield* refusePart(`part ${number} at ${offset} is not the next one`)
  }
  if (offset % chunkMultiple !== 0) {
    return yield* refusePart(`part ${number - 1} was no multiple of ${chunkMultiple} bytes, so it is the last one`)
  }
  const sum = yield* sumOf(body, before?.sum ?? 0)
  const part: TakenPart = { number, offset, size: body.length, before: before?.sum ?? 0, sum }
  if (before === newest) session.parts.push(part)
  else if (newest!.sum !== sum || newest!.size !== body.length) {
    return yield* refusePart(`part ${number} was stored with other bytes, which cannot be replaced`)
  }
  const whole = body.length - (body.length % chunkMultiple)
  const progress = yield* sendBytes(client, session, "uploadPart", body.subarray(0, whole), offset)
  if (progress._tag === "Done") return yield* publishedEarly("uploadPart")
  session.tail = body.slice(whole)
  return { number, offset, size: body.length, state: sum }
})

/** Publishes the object. */
export const completeUpload = Effect.fnUntraced(function*(
  client: Client,
  sessions: Sessions,
  upload: Upload,
  request: { readonly parts: ReadonlyArray<PartReceipt>; readonly size: number }
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const session = yield* findSession(sessions, "completeUpload", upload)
  const wrong = checkParts(session, request)
  if (wrong !== undefined) return yield* wrong
  const { sum } = session.parts.at(-1)!
  const { size } = request
  const headers = { "x-goog-hash": `crc32c=${printCrc32c(sum)}` }
  const finish = sendBytes(client, session, "completeUpload", session.tail, size - session.tail.length, size, headers)
  const progress = yield* finish.pipe(
    Effect.catchIf((error) => error.outcome !== "not-applied", (error) => lookUp(client, session, error)),
    Effect.mapError(explainWrite(upload.options.mode))
  )
  if (progress._tag === "Open") {
    return yield* fail("completeUpload", "Unavailable", "the session was not finished", "not-applied")
  }
  sessions.delete(upload.id)
  return yield* toReply("completeUpload", progress.resource, sum)
})

const checkParts = (
  session: Session,
  { parts, size }: { readonly parts: ReadonlyArray<PartReceipt>; readonly size: number }
): ObjectStoreError | undefined => {
  const refuse = (tag: "InvalidRequest" | "IntegrityFailed", description: string) =>
    fail("completeUpload", tag, description, "not-applied")
  if (parts.length === 0) return refuse("InvalidRequest", "an upload has at least one part")
  if (parts.length !== session.parts.length) {
    return refuse("InvalidRequest", `${parts.length} parts were named, the session has ${session.parts.length}`)
  }
  let end = 0
  for (const [index, { number, offset, size, state }] of parts.entries()) {
    const taken = session.parts[index]!
    if (number !== taken.number || offset !== taken.offset || size !== taken.size || state !== taken.sum) {
      return refuse("IntegrityFailed", `part ${number} is not the one that is stored`)
    }
    end = offset + size
  }
  return end === size ? undefined : refuse("IntegrityFailed", `the parts have ${end} bytes, ${size} were announced`)
}

/**
 * After a lost answer to the last request of a session, or one that broke off: the session knows whether it was finished,
 * and tells of the object. If it was not, the request certainly published nothing, and can be made again.
 *
 * It is asked once, for no other request can tell as much: the object may have been replaced since. If it does not answer, the
 * outcome is left open to the engine, which looks at the object, and by repeating the completion asks the session again.
 */
const lookUp = (client: Client, session: Session, lost: ObjectStoreError): Effect.Effect<Progress, ObjectStoreError> =>
  Effect.matchEffect(ask(client, session, "completeUpload", "bytes */*", undefined), {
    onFailure: () => Effect.fail(lost),
    onSuccess: (found) =>
      found._tag === "Done" ? Effect.succeed(found) : Effect.fail(withContext(lost, { outcome: "not-applied" }))
  })

/** Drops a session. */
export const abortUpload = Effect.fnUntraced(
  function*(
    client: Client,
    sessions: Sessions,
    upload: UploadId
  ): Effect.fn.Return<void, ObjectStoreError, Scope.Scope> {
    const session = sessions.get(upload.id)
    if (session === undefined || session.gone) {
      sessions.delete(upload.id)
      return yield* notFound("abortUpload")
    }
    const { origin, path } = Redacted.value(session.uri)
    const reply = yield* client.transport.send({ method: "DELETE", origin, path, headers: {}, mutation: true })
    // 499, "client closed request", is how the service says that it did what it was told.
    if (reply.status === 499 || (reply.status >= 200 && reply.status < 300)) {
      yield* reply.status === 499
        ? Effect.ignore(drain(reply))
        : holdsNothing({ operation: "abortUpload", mutation: true }, reply)
      sessions.delete(upload.id)
      return
    }
    const gone = reply.status === 404 || reply.status === 410
    if (gone) sessions.delete(upload.id)
    return yield* gone ? notFound("abortUpload") : yield* refusal({ operation: "abortUpload", mutation: true }, reply)
  },
  Effect.scoped
)
