/**
 * Objects written with one request.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Location, ObjectOptions, WriteReply } from "../../src/Backend.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import type { Verified } from "../../src/ObjectInfo.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { type ChecksumMethod, md5Etag, sumOf } from "./checksum.ts"
import { askedOf, type S3Client, sendOnly } from "./client.ts"
import { corrupted, type Intent } from "./errors.ts"
import { checkWrite, modeHeaders, objectHeaders } from "./headers.ts"

/** `Backend.write`. */
export const write = Effect.fnUntraced(function*(
  client: S3Client,
  at: Location,
  body: Uint8Array,
  options: ObjectOptions
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  yield* checkWrite(client, "write", at, options)
  const sum = yield* sumOf(client.checksum, body)
  const intent: Intent = { operation: "write", mutation: true, about: "container", mode: options.mode }
  const reply = yield* sendOnly(client, {
    intent,
    method: "PUT",
    ...at,
    headers: { ...objectHeaders(client, options), ...modeHeaders(options.mode), [client.checksum.header]: sum },
    body
  })
  const { headers } = reply
  // Every service tells it; who does not is something between, such as a page that asks to log in.
  if (headers["etag"] === undefined) return yield* violation(askedOf(intent), "the answer has no etag", reply)
  return {
    etag: headers["etag"],
    version: headers["x-amz-version-id"],
    size: body.length,
    verified: yield* confirmed(client.checksum, sum, headers, "write", "applied")
  }
})

/**
 * What a reply to an upload confirms: the checksum that it repeats, or an etag that is the MD5. A service that
 * repeats another checksum has stored something else.
 */
export const confirmed = (
  checksum: ChecksumMethod,
  sum: string,
  headers: TransportReply["headers"],
  operation: string,
  outcome: "applied" | "not-applied"
): Effect.Effect<Verified, ObjectStoreError> => {
  if (checksum.algorithm === undefined) {
    return Effect.succeed(headers["etag"] === md5Etag(sum) ? "checksum" : "none")
  }
  const told = headers[checksum.header]
  return told === undefined
    ? Effect.succeed("none")
    : told === sum
    ? Effect.succeed("checksum")
    : Effect.fail(corrupted(operation, `the service stored another ${checksum.name}, ${told.slice(0, 64)}`, outcome))
}
