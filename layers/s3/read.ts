/**
 * What is known of an object, and its bytes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BackendRange, Location, ObjectStat, ReadReply, ReadRequest } from "../../src/Backend.ts"
import { readConditionHeaders } from "../../src/http/conditionHeaders.ts"
import { checkReply, exactly, rangeHeader } from "../../src/http/contentRange.ts"
import { readMessage } from "../../src/http/replyBody.ts"
import { attributesOf, lastModifiedOf, metadataOf, sizeOf } from "../../src/http/replyStat.ts"
import { summed } from "../../src/http/summedBody.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import type { Checksums } from "../../src/ObjectInfo.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { ReadConditions } from "../../src/ObjectStoreOptions.ts"
import { askedOf, type S3Client, send } from "./client.ts"
import type { Intent } from "./errors.ts"
import { checkPlace } from "./headers.ts"
import { decodeMetadata } from "./metadata.ts"

type Headers = TransportReply["headers"]

/** Sums of parts (`…-3`) are no checksums of the object's bytes. */
const whole = (headers: Headers, name: string): string | undefined => {
  const value = headers[`x-amz-checksum-${name}`]
  return value === undefined || value.includes("-") ? undefined : value
}

const checksumsOf = (headers: Headers): Checksums => ({
  crc32: whole(headers, "crc32"),
  crc32c: whole(headers, "crc32c"),
  crc64nvme: whole(headers, "crc64nvme"),
  sha256: whole(headers, "sha256")
})

const none: Checksums = {}

const statOf = (headers: Headers, size: number, isWhole: boolean): ObjectStat => ({
  size,
  etag: headers["etag"],
  version: headers["x-amz-version-id"],
  lastModified: lastModifiedOf(headers),
  attributes: attributesOf(headers),
  metadata: decodeMetadata(metadataOf(headers, "x-amz-meta-")),
  // What comes with a part may be the sum of a part.
  checksums: isWhole ? checksumsOf(headers) : none,
  storageClass: headers["x-amz-storage-class"]
})

/**
 * Conditions as they are sent. Two etags that differ cannot both be the object's, so where the first one holds the second
 * one is another; some services answer it first, against RFC 9110, section 13.2.2.
 */
const conditionsOf = (conditions: ReadConditions): Record<string, string> => {
  const { ifMatch, ifNoneMatch } = conditions
  const redundant = ifMatch !== undefined && ifNoneMatch !== undefined && ifMatch !== ifNoneMatch &&
    /^"[^"]*"$/.test(ifMatch) && /^"[^"]*"$/.test(ifNoneMatch)
  return readConditionHeaders(
    redundant ? { ...conditions, ifNoneMatch: undefined, ifModifiedSince: undefined } : conditions
  )
}

const headIntent: Intent = { operation: "head", mutation: false, about: "object" }
const readIntent: Intent = { operation: "read", mutation: false, about: "object" }

/** `Backend.head`. */
export const head = (
  client: S3Client,
  at: Location,
  conditions: ReadConditions
): Effect.Effect<ObjectStat, ObjectStoreError> =>
  Effect.scoped(Effect.gen(function*() {
    yield* checkPlace(client, "head", at, "read")
    const reply = yield* send(client, {
      intent: headIntent,
      method: "HEAD",
      ...at,
      query: { versionId: conditions.version },
      headers: {
        ...conditionsOf(conditions),
        ...client.encryption?.access,
        "x-amz-checksum-mode": "ENABLED"
      }
    })
    yield* holdsObject(headIntent, reply)
    return statOf(reply.headers, yield* sizeOf(askedOf(headIntent), reply), true)
  }))

/** Every service tells the etag of an object; who does not is something between, such as a page that asks to log in. */
const holdsObject = (intent: Intent, reply: TransportReply): Effect.Effect<void, ObjectStoreError> =>
  (reply.status === 200 || reply.status === 206) && reply.headers["etag"] !== undefined
    ? Effect.void
    : Effect.fail(violation(askedOf(intent), "the answer tells no etag, so it is no object", reply))

const get = (
  client: S3Client,
  at: Location,
  range: BackendRange | undefined,
  conditions: ReadConditions
): Effect.Effect<TransportReply, ObjectStoreError, Scope.Scope> => {
  const headers: Record<string, string> = { ...conditionsOf(conditions), ...client.encryption?.access }
  if (range !== undefined) headers["range"] = rangeHeader(range)
  // A checksum is that of the whole object, which this may turn out to be.
  if (range === undefined || ("offset" in range && range.offset === 0)) headers["x-amz-checksum-mode"] = "ENABLED"
  return send(client, {
    intent: readIntent,
    method: "GET",
    ...at,
    query: conditions.version === undefined ? undefined : { versionId: conditions.version },
    headers
  })
}

/** A range of nothing. */
const endsInNothing = /\/0$/

/** `Backend.read`. */
export const read = Effect.fnUntraced(function*(
  client: S3Client,
  at: Location,
  { conditions, range }: ReadRequest
): Effect.fn.Return<ReadReply, ObjectStoreError, Scope.Scope> {
  yield* checkPlace(client, "read", at, "read")
  const reply = yield* get(client, at, range, conditions).pipe(
    Effect.catchIf(
      // Who may read the object may not read versions of it by id; its etag holds the read to the version all the same.
      (error) =>
        error.reason._tag === "PermissionDenied" && conditions.version !== undefined &&
        conditions.ifMatch !== undefined,
      () => get(client, at, range, { ...conditions, version: undefined })
    ),
    Effect.catchIf(
      (error) => error.reason._tag === "RangeNotSatisfiable" && range !== undefined && "suffix" in range,
      (error) =>
        Effect.flatMap(
          head(client, at, conditions),
          (stat) => stat.size === 0 ? Effect.succeed(stat) : Effect.fail(error)
        )
    )
  )
  // A suffix of an empty object is the empty object.
  if (!("into" in reply)) return { stat: reply, offset: 0, length: 0, into: () => Effect.succeed(0) }
  if (
    range !== undefined && "suffix" in range && reply.status === 206 && reply.length === 0 &&
    endsInNothing.test(reply.headers["content-range"] ?? "")
  ) {
    // The same, in a service's words that fit no Content-Range (MinIO: `bytes 0--1/0`).
    return { stat: statOf(reply.headers, 0, true), offset: 0, length: 0, into: reply.into }
  }
  yield* holdsObject(readIntent, reply)
  const { length, offset, size } = yield* checkReply(askedOf(readIntent), range, reply)
  const stat = statOf(reply.headers, size, length === size)
  if (length === 0) yield* readMessage(reply)
  const { name } = client.checksum
  const expected = length === size && name !== "md5" ? stat.checksums?.[name] : undefined
  const into = exactly(askedOf(readIntent), reply, length)
  return {
    stat,
    offset,
    length,
    into: expected === undefined || name === "md5" ? into : summed(askedOf(readIntent), into, length, name, expected)
  }
})
