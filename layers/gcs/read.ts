/**
 * `head` and `read`.
 *
 * `head` goes over the JSON API: its document tells everything exactly, and says what is missing. The conditions are decided
 * here, on that one description. `read` goes over the XML API, whose headers tell metadata beside the bytes; the service
 * decides the conditions that it knows, and what came is held against them again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Location, ObjectStat, ReadReply, ReadRequest } from "../../src/Backend.ts"
import { readConditionHeaders } from "../../src/http/conditionHeaders.ts"
import { checkReply, exactly, rangeHeader } from "../../src/http/contentRange.ts"
import { encodeQuery } from "../../src/http/percentEncoding.ts"
import { parseSize } from "../../src/http/replyStat.ts"
import { summed } from "../../src/http/summedBody.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { ReadConditions } from "../../src/ObjectStoreOptions.ts"
import { type ApiRequest, call, type Client, objectPath, query, refusal, send } from "./client.ts"
import { decide, isGeneration } from "./conditions.ts"
import { backendName } from "./config.ts"
import { fail } from "./errors.ts"
import { statOfHeaders, statOfResource } from "./resource.ts"

const sayWhy = {
  PreconditionFailed: "the object is not the one that was asked for",
  NotModified: "the object is still the one that was told"
} as const

/** Fails where the conditions do not hold for an object. */
const holdTo = (
  operation: string,
  stat: ObjectStat,
  conditions: ReadConditions
): Effect.Effect<void, ObjectStoreError> => {
  const verdict = decide(stat, conditions)
  return verdict === undefined ? Effect.void : Effect.fail(fail(operation, verdict, sayWhy[verdict]))
}

/** A version that is no generation is one that no object has. */
const checkVersion = (operation: string, version: string | undefined): Effect.Effect<void, ObjectStoreError> =>
  version === undefined || isGeneration(version)
    ? Effect.void
    : Effect.fail(fail(operation, "NotFound", "the version is no generation, so there is none"))

/** What is known of an object. */
export const head = Effect.fnUntraced(function*(
  client: Client,
  at: Location,
  conditions: ReadConditions
): Effect.fn.Return<ObjectStat, ObjectStoreError> {
  yield* checkVersion("head", conditions.version)
  const resource = yield* call(client, {
    operation: "head",
    method: "GET",
    path: objectPath(at.container, at.key) + query({ generation: conditions.version }),
    mutation: false
  })
  const stat = statOfResource(resource)
  if (stat === undefined) {
    return yield* violation({ backend: backendName, operation: "head" }, "the answer describes no object")
  }
  yield* holdTo("head", stat, conditions)
  return stat
})

const asked = { backend: backendName, operation: "read" } as const

/** Opens a body. */
export const read = Effect.fnUntraced(function*(
  client: Client,
  at: Location,
  { conditions, range }: ReadRequest
): Effect.fn.Return<ReadReply, ObjectStoreError, Scope.Scope> {
  const { ifMatch, ifNoneMatch, version } = conditions
  yield* checkVersion("read", version)
  if (ifNoneMatch !== undefined || (ifMatch !== undefined && !isGeneration(ifMatch))) {
    // The XML API has no condition for "another generation", and refuses what is none. A generation never comes back, so
    // what holds now still holds when the body is asked for.
    yield* head(client, at, conditions)
  }
  const request: ApiRequest = {
    operation: "read",
    method: "GET",
    path: `/${encodeQuery(at.container)}/${encodeQuery(at.key)}${query({ generation: version })}`,
    headers: headersOf(range, conditions),
    mutation: false
  }
  const reply = yield* send(client, request)
  if (reply.status !== 200 && reply.status !== 206) {
    if (reply.status === 416 && range !== undefined && "suffix" in range) {
      return yield* emptyReply(client, at, conditions)
    }
    return yield* yield* refusal(request, reply)
  }
  const span = yield* checkReply(asked, range, reply)
  const stat = statOfHeaders(reply.headers, span.size)
  if (stat === undefined) return yield* violation(asked, "the answer does not tell a generation", reply)
  if (version !== undefined && stat.version !== version) {
    return yield* violation(asked, "another generation was sent than was asked for", reply)
  }
  yield* holdTo("read", stat, conditions)
  yield* checkStored(reply, span.size)
  const whole = span.length === span.size
  const expected = whole ? stat.checksums?.crc32c : undefined
  const into = exactly(asked, reply, span.length)
  return {
    stat,
    offset: span.offset,
    length: span.length,
    into: expected === undefined ? into : summed(asked, into, span.length, "crc32c", expected)
  }
})

const headersOf = (range: ReadRequest["range"], conditions: ReadConditions): Record<string, string> => {
  const { ifMatch, ifNoneMatch, ...dates } = conditions
  // RFC 9110 ignores a date where there is an etag, and the etags of this backend go another way.
  const { ifModifiedSince, ifUnmodifiedSince } = dates
  const headers = readConditionHeaders({
    ifModifiedSince: ifNoneMatch === undefined ? ifModifiedSince : undefined,
    ifUnmodifiedSince: ifMatch === undefined ? ifUnmodifiedSince : undefined
  })
  // Without it, what is stored as gzip is sent unpacked, and ranges are ignored.
  headers["accept-encoding"] = "gzip"
  if (ifMatch !== undefined) headers["x-goog-if-generation-match"] = ifMatch
  if (range !== undefined) headers["range"] = rangeHeader(range)
  return headers
}

/** A suffix of an empty object is the whole of it, which no range can say. */
const emptyReply = Effect.fnUntraced(function*(client: Client, at: Location, conditions: ReadConditions) {
  const stat = yield* head(client, at, conditions)
  if (stat.size !== 0) return yield* violation(asked, `a suffix of ${stat.size} bytes was refused`)
  return { stat, offset: 0, length: 0, into: () => Effect.succeed(0) } satisfies ReadReply
})

/** Bytes that were unpacked on the way are not those that are stored. */
const checkStored = (reply: TransportReply, size: number): Effect.Effect<void, ObjectStoreError> => {
  const { headers } = reply
  if (headers["x-goog-stored-content-encoding"] === "gzip" && headers["content-encoding"] !== "gzip") {
    return Effect.fail(violation(asked, "the object was unpacked on the way", reply))
  }
  const stored = parseSize(headers["x-goog-stored-content-length"])
  return stored === undefined || stored === size
    ? Effect.void
    : Effect.fail(violation(asked, `${stored} bytes are stored, the answer says ${size}`, reply))
}
