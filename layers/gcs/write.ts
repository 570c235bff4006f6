/**
 * Writes of a whole object with one request: its description and its bytes as two parts of one body, which are not copied
 * into one another.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import type { Location, ObjectOptions, WriteReply } from "../../src/Backend.ts"
import { crc32c, printCrc32c } from "../../src/codec/Crc32c.ts"
import { retag } from "../../src/http/serviceError.ts"
import { violation } from "../../src/http/violation.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { WriteMode } from "../../src/ObjectStoreOptions.ts"
import { type ApiRequest, bucketPath, call, type Client, query, type Resource } from "./client.ts"
import { generationFor } from "./conditions.ts"
import { backendName } from "./config.ts"
import { fail } from "./errors.ts"
import { generationField, resourceOf, sizeField, textField, typeOf } from "./resource.ts"

/** A write that no object can satisfy is not sent. */
export const neverMatches = (operation: string): ObjectStoreError =>
  fail(operation, "PreconditionFailed", "no object has this etag", "not-applied")

/** The type that an object is written with. */
export const checkType = (operation: string, options: ObjectOptions): Effect.Effect<string, ObjectStoreError> => {
  const type = typeOf(options)
  return type === undefined
    ? Effect.fail(fail(operation, "InvalidRequest", "attribute contentType is not ASCII", "not-applied"))
    : Effect.succeed(type)
}

/** What the refusal of a write means for its mode. An upload without its bucket is told as a missing object. */
export const explainWrite = (mode: WriteMode) => (error: ObjectStoreError): ObjectStoreError => {
  switch (error.reason._tag) {
    case "PreconditionFailed":
      return mode === "create" ? retag(error, "AlreadyExists") : error
    case "NotFound":
      return retag(error, "ContainerNotFound")
    default:
      return error
  }
}

/** The reply to a write, out of the document of the new object. */
export const toReply = (
  operation: string,
  resource: Resource,
  sum: number
): Effect.Effect<WriteReply, ObjectStoreError> => {
  const generation = generationField(resource)
  const size = sizeField(resource, "size")
  if (generation === undefined || size === undefined) {
    return Effect.fail(
      violation({ backend: backendName, operation, outcome: "unknown" }, "the answer describes no object")
    )
  }
  const stored = textField(resource, "crc32c")
  if (stored !== undefined && stored !== printCrc32c(sum)) {
    return Effect.fail(
      fail(operation, "IntegrityFailed", "the object was stored with another CRC32C than was sent", "applied")
    )
  }
  return Effect.succeed({
    etag: generation,
    version: generation,
    size,
    verified: stored === undefined ? "size" : "checksum"
  })
}

const slice = 1024 * 1024

/** The CRC-32C of bytes that follow others; other fibers have their turn meanwhile. */
export const sumOf = (body: Uint8Array, previous = 0): Effect.Effect<number> =>
  body.length <= slice ? Effect.sync(() => crc32c(body, previous)) : sumInSlices(body, previous)

const sumInSlices = Effect.fnUntraced(function*(body: Uint8Array, previous: number) {
  let sum = previous
  for (let start = 0; start < body.length; start += slice) {
    sum = crc32c(body.subarray(start, start + slice), sum)
    yield* Effect.yieldNow
  }
  return sum
})

/** Writes a whole object. */
export const write = Effect.fnUntraced(function*(
  client: Client,
  at: Location,
  body: Uint8Array,
  options: ObjectOptions
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const ifGenerationMatch = generationFor(options.mode)
  if (ifGenerationMatch === "never") return yield* neverMatches("write")
  const contentType = yield* checkType("write", options)
  const sum = yield* sumOf(body)
  // Random, so that no body can hold it by intention.
  const boundary = randomUUID()
  const before = `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n` +
    `${resourceOf(at.key, options, printCrc32c(sum))}\r\n` +
    `--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`
  const request: ApiRequest = {
    operation: "write",
    method: "POST",
    path: `/upload${bucketPath(at.container)}/o${query({ uploadType: "multipart", ifGenerationMatch })}`,
    headers: { "content-type": `multipart/related; boundary=${boundary}` },
    body: [Buffer.from(before), body, Buffer.from(`\r\n--${boundary}--\r\n`)],
    mutation: true
  }
  const resource = yield* Effect.mapError(call(client, request), explainWrite(options.mode))
  return yield* toReply("write", resource, sum)
})
