/**
 * Copies inside the service: `rewrite`, called until it is done.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { CopyRequest, Location, WriteReply } from "../../src/Backend.ts"
import { retag } from "../../src/http/serviceError.ts"
import { violation } from "../../src/http/violation.ts"
import { makeError, type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { call, type Client, objectPath, query, type Resource } from "./client.ts"
import { generationFor, isGeneration } from "./conditions.ts"
import { backendName } from "./config.ts"
import { head } from "./read.ts"
import { generationField, sizeField, textField } from "./resource.ts"
import { neverMatches } from "./write.ts"

/** Answers in a row that tell of no more bytes than the one before, until the copy counts as stalled. */
const mostIdleAnswers = 8
const firstPause = 100
const longestPause = 5000

const asked = { backend: backendName, operation: "copy", outcome: "unknown" } as const

/** Copies an object with its attributes and metadata. */
export const copy = Effect.fnUntraced(function*(
  client: Client,
  from: Location,
  to: Location,
  { ifMatch, mode }: CopyRequest
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const ifGenerationMatch = generationFor(mode)
  if (ifGenerationMatch === "never" || (ifMatch !== undefined && !isGeneration(ifMatch))) {
    // Nothing is sent that cannot be; but a source that is not there comes before a condition that does not hold.
    yield* Effect.mapError(head(client, from, {}), (error) => withContext(error, { outcome: "not-applied" }))
    return yield* neverMatches("copy")
  }
  const path = `${objectPath(from.container, from.key)}/rewriteTo${
    objectPath(to.container, to.key).slice("/storage/v1".length)
  }`
  const conditions = { ifGenerationMatch, ifSourceGenerationMatch: ifMatch }
  let rewriteToken: string | undefined
  let written = 0
  let idle = 0
  for (;;) {
    const answer: Resource = yield* call(client, {
      operation: "copy",
      method: "POST",
      path: path + query({ ...conditions, rewriteToken }),
      mutation: true
    }).pipe(
      Effect.catch((error) => explainCopy(client, from, { ifMatch, mode }, error))
    )
    if (answer["done"] === true) return yield* toReply(answer)
    const next = textField(answer, "rewriteToken")
    if (next === undefined) return yield* violation(asked, "the copy is not done, and cannot be gone on with")
    rewriteToken = next
    const now = sizeField(answer, "totalBytesRewritten") ?? 0
    if (now > written) {
      written = now
      idle = 0
      continue
    }
    if (++idle === mostIdleAnswers) {
      return yield* makeError("Timeout", {
        operation: "copy",
        backend: backendName,
        phase: "stall",
        description: `the copy stays at ${written} bytes: ${idle} answers in a row told of no more`,
        // The object appears with the last answer.
        outcome: "not-applied"
      })
    }
    yield* Effect.sleep(Math.min(longestPause, firstPause * 2 ** (idle - 1)))
  }
})

const toReply = (answer: Resource): Effect.Effect<WriteReply, ObjectStoreError> => {
  const resource = answer["resource"]
  const document = typeof resource === "object" && resource !== null ? resource as Resource : {}
  const generation = generationField(document)
  const size = sizeField(document, "size")
  return generation === undefined || size === undefined
    ? Effect.fail(violation({ ...asked, outcome: "unknown" }, "the answer describes no object"))
    : Effect.succeed({
      etag: generation,
      version: generation,
      size,
      // The service compares its own checksums; it tells one that it has.
      verified: textField(document, "crc32c") === undefined ? "size" : "checksum"
    })
}

/**
 * The service does not say which of two conditions failed. Where both were set, the source is looked at: a copy of another
 * version than was asked for is `PreconditionFailed`, whatever is at the target.
 */
const explainCopy = Effect.fnUntraced(function*(
  client: Client,
  from: Location,
  { ifMatch, mode }: CopyRequest,
  error: ObjectStoreError
): Effect.fn.Return<never, ObjectStoreError> {
  if (error.reason._tag !== "PreconditionFailed" || mode !== "create") return yield* error
  if (ifMatch !== undefined) {
    const source = yield* Effect.mapError(head(client, from, {}), (failure) =>
      failure.reason._tag === "NotFound"
        ? withContext(failure, { outcome: "not-applied" })
        : error)
    if (source.etag !== ifMatch) return yield* error
  }
  return yield* retag(error, "AlreadyExists")
})
