/**
 * Reads: what is known of a blob, and its bytes.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Location, ObjectStat, ReadReply, ReadRequest } from "../../src/Backend.ts"
import { readConditionHeaders } from "../../src/http/conditionHeaders.ts"
import { checkReply, exactly, rangeHeader } from "../../src/http/contentRange.ts"
import { attributesOf, lastModifiedOf, metadataOf, parseSize, requestIdOf, sizeOf } from "../../src/http/replyStat.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { ReadConditions } from "../../src/ObjectStoreOptions.ts"
import { type Ask, type Client, isMissing, send, sendForHead } from "./client.ts"
import { backendName } from "./errors.ts"

const asked = { backend: backendName, operation: "read" }

/** What the head of a reply tells of its blob. Of a range, `content-md5` is the range's own, if it is there at all. */
const statOf = (headers: TransportReply["headers"], size: number, whole: boolean): ObjectStat => {
  const md5 = headers["x-ms-blob-content-md5"] ?? (whole ? headers["content-md5"] : undefined)
  return {
    size,
    etag: headers["etag"],
    version: headers["x-ms-version-id"],
    lastModified: lastModifiedOf(headers),
    attributes: attributesOf(headers),
    metadata: metadataOf(headers, "x-ms-meta-"),
    checksums: md5 === undefined || md5 === "" ? undefined : { md5 },
    storageClass: headers["x-ms-access-tier"]
  }
}

const isConditional = ({ ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince }: ReadConditions): boolean =>
  (ifMatch ?? ifNoneMatch ?? ifModifiedSince ?? ifUnmodifiedSince) !== undefined

/** A condition on a blob that is not there does not hold either; the service may say the one or the other. */
const orMissing = <A, R>(
  client: Client,
  at: Location,
  conditions: ReadConditions,
  request: Effect.Effect<A, ObjectStoreError, R>
): Effect.Effect<A, ObjectStoreError, R> =>
  isConditional(conditions)
    ? Effect.catchReason(request, "ObjectStoreError", "PreconditionFailed", (_, error) =>
      Effect.flatMap(isMissing(client, at), (missing) =>
        Effect.fail(
          missing ? makeError("NotFound", { operation: "read", backend: backendName, status: error.status }) : error
        )))
    : request

const askOf = (at: Location, conditions: ReadConditions, method: "GET" | "HEAD"): Ask => ({
  operation: method === "HEAD" ? "head" : "read",
  mutation: false,
  method,
  container: at.container,
  key: at.key,
  query: { versionid: conditions.version },
  headers: readConditionHeaders(conditions),
  accept: [200]
})

/** The service tells the etag of every blob; who does not is something between, such as a page that asks to log in. */
const holdsBlob = (reply: TransportReply): Effect.Effect<void, ObjectStoreError> =>
  reply.headers["etag"] !== undefined
    ? Effect.void
    : Effect.fail(violation(asked, "the answer tells no etag, so it is no blob", reply))

/** What is known of a blob. */
export const head = (
  client: Client,
  at: Location,
  conditions: ReadConditions
): Effect.Effect<ObjectStat, ObjectStoreError> =>
  sendForHead(client, askOf(at, conditions, "HEAD")).pipe(
    Effect.tap(holdsBlob),
    Effect.flatMap((reply) => Effect.map(sizeOf(asked, reply), (size) => statOf(reply.headers, size, true))),
    (request) => orMissing(client, at, conditions, request)
  )

/** Opens the body of a blob, or of a range of it. */
export const read = (
  client: Client,
  at: Location,
  { conditions, range }: ReadRequest
): Effect.Effect<ReadReply, ObjectStoreError, Scope.Scope> => {
  const ask = askOf(at, conditions, "GET")
  const ranged: Ask = range === undefined
    ? ask
    : { ...ask, headers: { ...ask.headers, "x-ms-range": rangeHeader(range) }, accept: [200, 206] }
  return orMissing(client, at, conditions, send(client, ranged)).pipe(
    Effect.tap((reply) => range === undefined ? Effect.void : refuseNothing(reply)),
    Effect.tap(holdsBlob),
    Effect.flatMap((reply) =>
      Effect.map(checkReply(asked, range, reply), ({ length, offset, size }): ReadReply => ({
        stat: statOf(reply.headers, size, reply.status === 200),
        offset,
        length,
        into: exactly(asked, reply, length)
      }))
    )
  )
}

/**
 * Azurite answers 206 with no byte (`bytes 3-2/3`, `bytes 0--1/0`) where the service answers 416. Nothing else has no byte, so
 * it is taken for what it means.
 */
const refuseNothing = (reply: TransportReply): Effect.Effect<void, ObjectStoreError> => {
  if (reply.status !== 206 || reply.length !== 0) return Effect.void
  const size = parseSize(/^bytes \d+--?\d+\/(\d+)$/.exec(reply.headers["content-range"] ?? "")?.[1])
  return size === undefined ? Effect.void : Effect.fail(makeError("RangeNotSatisfiable", {
    operation: "read",
    backend: backendName,
    status: reply.status,
    requestId: requestIdOf(reply.headers),
    description: `the object has ${size} bytes`,
    size
  }))
}
