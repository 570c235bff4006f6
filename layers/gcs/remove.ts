/**
 * Removal of objects: one request for one, a batch for more.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import type { DeleteEntry } from "../../src/Backend.ts"
import { boundaryOf, parseBatch, printBatch } from "../../src/http/batch.ts"
import { readText } from "../../src/http/replyBody.ts"
import { retag } from "../../src/http/serviceError.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { type ApiRequest, type Client, command, objectPath, query, refusal, send } from "./client.ts"
import { isGeneration } from "./conditions.ts"
import { backendName } from "./config.ts"
import { fail, refused } from "./errors.ts"
import { neverMatches } from "./write.ts"

type Answers = ReadonlyArray<ObjectStoreError | undefined>

const operation = "deleteBatch"

const pathOf = (container: string, { ifMatch, key }: DeleteEntry): string =>
  objectPath(container, key) + query({ ifGenerationMatch: ifMatch })

/** What became of one key: a missing object counts as removed, unless it had to be a certain one. */
const answerOf = (entry: DeleteEntry, error: ObjectStoreError): ObjectStoreError | undefined =>
  error.reason._tag === "NotFound"
    ? entry.ifMatch === undefined ? undefined : retag(error, "PreconditionFailed")
    : error

/** Removes objects; one answer a key, in the order asked. */
export const deleteBatch = Effect.fnUntraced(function*(
  client: Client,
  container: string,
  entries: ReadonlyArray<DeleteEntry>
): Effect.fn.Return<Answers, ObjectStoreError> {
  const answers = entries.map(({ ifMatch }) =>
    ifMatch === undefined || isGeneration(ifMatch) ? undefined : neverMatches(operation)
  )
  const sent = [...entries.keys()].filter((index) => answers[index] === undefined)
  if (sent.length === 0) return answers
  const asked = sent.map((index) => entries[index]!)
  const said = asked.length === 1
    ? [yield* deleteOne(client, container, asked[0]!)]
    : yield* deleteMany(client, container, asked)
  for (const [position, index] of sent.entries()) answers[index] = said[position]
  return answers
})

const deleteOne = (
  client: Client,
  container: string,
  entry: DeleteEntry
): Effect.Effect<ObjectStoreError | undefined, ObjectStoreError> =>
  command(client, { operation, method: "DELETE", path: pathOf(container, entry), mutation: true }).pipe(
    Effect.as(undefined),
    Effect.catch((error) => {
      const answer = answerOf(entry, error)
      return answer === undefined || answer !== error ? Effect.succeed(answer) : Effect.fail(error)
    })
  )

/** More than the replies to a hundred keys. */
const maxReply = 4 * 1024 * 1024

const deleteMany = Effect.fnUntraced(
  function*(client: Client, container: string, entries: ReadonlyArray<DeleteEntry>) {
    const { prefix } = client.endpoint
    const boundary = randomUUID()
    const request: ApiRequest = {
      operation,
      method: "POST",
      path: "/batch/storage/v1",
      headers: { "content-type": `multipart/mixed; boundary=${boundary}` },
      body: Buffer.from(printBatch(
        boundary,
        entries.map((entry) => ({ method: "DELETE", path: prefix + pathOf(container, entry) })),
        (index) => `<${index}>`
      )),
      mutation: true
    }
    const reply = yield* send(client, request)
    if (reply.status !== 200) return yield* yield* refusal(request, reply)
    return yield* readAnswers(entries, reply)
  },
  Effect.scoped
)

const readAnswers = Effect.fnUntraced(function*(entries: ReadonlyArray<DeleteEntry>, reply: TransportReply) {
  const asked = { backend: backendName, operation, outcome: "unknown" } as const
  const text = yield* Effect.mapError(
    readText(asked, reply, maxReply),
    (error) => withContext(error, { outcome: "unknown" })
  )
  const boundary = boundaryOf(reply.headers["content-type"])
  const replies = boundary === undefined ? undefined : parseBatch(boundary, text)
  if (replies === undefined) return yield* violation(asked, "the answer is no batch of answers", reply)
  const byIndex = new Map(replies.map((inner) => [inner.index, inner]))
  return entries.map((entry, index) => {
    const inner = byIndex.get(index)
    if (inner === undefined) {
      return fail(operation, "ProtocolViolation", "the answer to the batch leaves this key out", "unknown")
    }
    return inner.reply.status >= 200 && inner.reply.status < 300
      ? undefined
      : answerOf(entry, refused(operation, inner.reply, inner.body, { mutation: true }))
  })
})
