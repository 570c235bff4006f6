/**
 * Removal of objects: one request for many, with an answer a key, and one request a key where a document cannot carry it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { DeleteEntry } from "../../src/Backend.ts"
import { violation } from "../../src/http/violation.ts"
import { xmlDocument, xmlElement, type XmlReader, xmlText } from "../../src/http/Xml.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { checksums } from "./checksum.ts"
import { askedOf, type S3Client, sendForDocument, sendOnly } from "./client.ts"
import { type Intent, refuse, toError, unsupported } from "./errors.ts"
import { head } from "./read.ts"
import { checkKey, notXml } from "./vendors.ts"

type Answer = ObjectStoreError | undefined

const intent: Intent = { operation: "delete", mutation: true, about: "object" }
const batchIntent: Intent = { operation: "delete", mutation: true, about: "container" }

const concurrency = 4

/** `Backend.deleteBatch`. */
export const deleteBatch = (
  client: S3Client,
  container: string,
  entries: ReadonlyArray<DeleteEntry>
): Effect.Effect<ReadonlyArray<Answer>, ObjectStoreError> => {
  const { keys, batchDelete, conditionalDelete } = client.profile
  const answers: Array<Answer> = []
  const many: Array<number> = []
  const single: Array<number> = []
  for (const [index, { ifMatch, key }] of entries.entries()) {
    const wrong = checkKey(keys, key, false)
    answers.push(
      wrong !== undefined
        ? refuse("InvalidKey", "delete", wrong, true)
        : ifMatch !== undefined && !conditionalDelete
        ? unsupported("conditionalDelete")
        : undefined
    )
    if (answers[index] !== undefined) continue
    if (batchDelete && entries.length > 1 && ifMatch === undefined && !notXml.test(key)) many.push(index)
    else single.push(index)
  }
  if (entries.length === 1 && single.length === 1) {
    return deleteOne(client, container, entries[0]!).pipe(
      Effect.as(answers),
      // This is said of the key, not of the batch.
      Effect.catchReason("ObjectStoreError", "PreconditionFailed", (_, error) => Effect.succeed([error]))
    )
  }
  return Effect.gen(function*() {
    if (many.length > 0) {
      const done = yield* deleteMany(client, container, many.map((index) => entries[index]!.key))
      for (const [position, index] of many.entries()) answers[index] = done[position]
    }
    yield* Effect.forEach(single, (index) =>
      Effect.map(
        Effect.result(deleteOne(client, container, entries[index]!)),
        (result) => {
          answers[index] = result._tag === "Failure" ? result.failure : undefined
        }
      ), { concurrency, discard: true })
    return answers
  })
}

const deleteOne = (
  client: S3Client,
  container: string,
  { ifMatch, key }: DeleteEntry
): Effect.Effect<void, ObjectStoreError> =>
  sendOnly(client, {
    // A condition on what is not there does not hold.
    intent: ifMatch === undefined ? intent : { ...intent, mode: { update: ifMatch } },
    method: "DELETE",
    container,
    key,
    headers: ifMatch === undefined ? undefined : { "if-match": ifMatch }
  }).pipe(
    Effect.asVoid,
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.void),
    Effect.catchIf(
      // Where directories are real, one that is not empty cannot be removed; it is no object, unless somebody made it one.
      (error) => client.profile.hierarchical && key.endsWith("/") && error.status === 400 && ifMatch === undefined,
      (error) =>
        head(client, { container, key }, {}).pipe(
          Effect.matchEffect({
            onSuccess: () => Effect.fail(error),
            onFailure: ({ reason }) => reason._tag === "NotFound" ? Effect.void : Effect.fail(error)
          })
        )
    )
  )

const deleteMany = (
  client: S3Client,
  container: string,
  keys: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Answer>, ObjectStoreError> => {
  const body = Buffer.from(xmlDocument(
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
      keys.map((key) => xmlElement("Object", xmlText("Key", key))).join("")
    }</Delete>`
  ))
  const { md5 } = checksums
  return Effect.map(
    sendForDocument(
      client,
      {
        intent: batchIntent,
        method: "POST",
        container,
        query: { delete: "" },
        // Every service wants this one here, whatever it takes elsewhere.
        headers: { "content-type": "application/xml", [md5.header]: md5.of(body) },
        body
      },
      "DeleteResult",
      readResult
    ),
    ({ document, reply }) =>
      keys.map((key) => {
        // A key that is said to be both is not known to be removed.
        const failure = document.failed.get(key)
        return failure === undefined
          ? document.deleted.has(key)
            ? undefined
            : violation(askedOf(batchIntent), "the answer leaves this key out", reply)
          : failure.code === "NoSuchKey" || failure.code === "NoSuchVersion"
          ? undefined
          : toError(batchIntent, reply, failure)
      })
  )
}

interface Failure {
  readonly code: string
  readonly message: string
}

const readResult = (xml: XmlReader) => {
  const deleted = new Set<string>()
  const failed = new Map<string, Failure>()
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name !== "Deleted" && name !== "Error") {
      xml.skip()
      continue
    }
    const isError = name === "Error"
    let key = ""
    let code = ""
    let message = ""
    for (let field = xml.child(); field !== undefined; field = xml.child()) {
      if (field === "Key") key = xml.text()
      else if (field === "Code") code = xml.text()
      else if (field === "Message") message = xml.text()
      else xml.skip()
    }
    if (isError) failed.set(key, { code, message })
    else deleted.add(key)
  }
  return { deleted, failed }
}
