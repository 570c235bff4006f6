/**
 * Removing blobs: one with a request of its own, several in a batch.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import type { DeleteEntry } from "../../src/Backend.ts"
import type { ErrorReasonTag } from "../../src/ErrorReason.ts"
import { boundaryOf, type InnerReply, parseBatch, printBatch } from "../../src/http/batch.ts"
import { readText } from "../../src/http/replyBody.ts"
import { retag } from "../../src/http/serviceError.ts"
import { violation } from "../../src/http/violation.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { type Client, invalidKey, pathOf, send, sendForHead } from "./client.ts"
import { type Asked, backendName, errorOf } from "./errors.ts"

const asked: Asked = { operation: "delete", mutation: true }

const maxReply = 4 * 1024 * 1024

/** What became of each blob. */
export const deleteBatch = (
  client: Client,
  container: string,
  entries: ReadonlyArray<DeleteEntry>
): Effect.Effect<ReadonlyArray<ObjectStoreError | undefined>, ObjectStoreError> =>
  entries.length === 1
    ? Effect.map(deleteOne(client, container, entries[0]!), (answer) => [answer])
    : deleteMany(client, container, entries)

/** Snapshots go with their blob; without this the service refuses a blob that has some. */
const headersOf = ({ ifMatch }: DeleteEntry): Record<string, string> =>
  ifMatch === undefined
    ? { "x-ms-delete-snapshots": "include" }
    : { "x-ms-delete-snapshots": "include", "if-match": ifMatch }

const deleteOne = (client: Client, container: string, entry: DeleteEntry) =>
  sendForHead(client, {
    ...asked,
    method: "DELETE",
    container,
    key: entry.key,
    headers: headersOf(entry),
    accept: [202]
  }).pipe(
    Effect.as(undefined),
    Effect.catchIf((error) => ofBlob.has(error.reason._tag), (error) => Effect.succeed(answerOf(entry, error)))
  )

/** Failures of one blob, not of the request. */
const ofBlob: ReadonlySet<ErrorReasonTag> = new Set(["NotFound", "PreconditionFailed", "InvalidKey", "Conflict"])

/** A missing blob counts as removed, unless it was to have an etag. */
const answerOf = ({ ifMatch }: DeleteEntry, error: ObjectStoreError): ObjectStoreError | undefined => {
  if (error.reason._tag !== "NotFound") return error
  return ifMatch === undefined ? undefined : retag(error, "PreconditionFailed")
}

const deleteMany = Effect.fnUntraced(function*(
  client: Client,
  container: string,
  entries: ReadonlyArray<DeleteEntry>
): Effect.fn.Return<ReadonlyArray<ObjectStoreError | undefined>, ObjectStoreError> {
  const answers = entries.map(({ key }) => invalidKey(asked, key))
  const sent = entries.flatMap((entry, index) => answers[index] === undefined ? [{ entry, index }] : [])
  if (sent.length === 0) return answers
  const replies = yield* sendBatch(client, container, sent.map(({ entry }) => entry))
  for (const [place, { entry, index }] of sent.entries()) {
    const error = replies[place]
    // The container is that of all of them.
    if (error?.reason._tag === "ContainerNotFound") return yield* error
    answers[index] = error === undefined ? undefined : answerOf(entry, error)
  }
  return answers
})

/** One batch; an error for each blob that was not removed. */
const sendBatch = Effect.fnUntraced(function*(
  client: Client,
  container: string,
  entries: ReadonlyArray<DeleteEntry>
): Effect.fn.Return<ReadonlyArray<ObjectStoreError | undefined>, ObjectStoreError> {
  const { authorization } = client.settings
  // Each request inside is signed by itself; the version is that of the batch.
  const requests = yield* Effect.forEach(entries, (entry) =>
    Effect.map(
      client.authorizer.authorize({
        method: "DELETE",
        path: pathOf(client, { container, key: entry.key }),
        headers: headersOf(entry),
        length: 0
      }),
      ({ headers, path }) => ({ method: "DELETE", path, headers: { ...headers, "Content-Length": "0" } })
    ))
  const boundary = `batch_${NodeCrypto.randomUUID()}`
  const { reply, text } = yield* send(client, {
    ...asked,
    method: "POST",
    container,
    query: { restype: "container", comp: "batch" },
    headers: { "content-type": `multipart/mixed; boundary=${boundary}` },
    body: Buffer.from(printBatch(boundary, requests)),
    accept: [202]
  }).pipe(
    Effect.flatMap((reply) => Effect.map(readText(lost, reply, maxReply), (text) => ({ reply, text }))),
    Effect.scoped
  )
  const inside = boundaryOf(reply.headers["content-type"])
  const replies = inside === undefined ? undefined : parseBatch(inside, text)
  if (replies === undefined) return yield* violation(lost, "the answer is no batch of answers", reply)
  const now = yield* Clock.currentTimeMillis
  const sasExpiresAt = authorization._tag === "Sas" ? authorization.expiresAt : undefined
  const toError = (inner: InnerReply) => errorOf(asked, { reply: inner.reply, body: inner.body, now, sasExpiresAt })
  // What is wrong with the batch as a whole is answered by one reply that names no request.
  const [only] = replies
  if (replies.length === 1 && only!.index === undefined && entries.length > 1) return yield* toError(only!)
  const byIndex = new Map(replies.map((inner) => [inner.index, inner]))
  return entries.map((_, index) => {
    const inner = byIndex.get(index)
    if (inner === undefined) return violation(lost, "the answer leaves this object out", reply)
    return inner.reply.status === 202 ? undefined : toError(inner)
  })
})

/** After an answer that cannot be understood, nobody knows what was removed. */
const lost = { backend: backendName, operation: "delete", outcome: "unknown" } as const
