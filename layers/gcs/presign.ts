/**
 * Signed URLs, version 4 (cloud.google.com/storage/docs/authentication/signatures).
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import type { Location } from "../../src/Backend.ts"
import { encodeKey, encodeParameters, encodeQuery } from "../../src/http/percentEncoding.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { PresignOptions } from "../../src/ObjectStoreOptions.ts"
import type { Client } from "./client.ts"
import { backendName } from "./config.ts"
import { fail } from "./errors.ts"

const algorithm = "GOOG4-RSA-SHA256"

/** Seven days. */
const longest = 604_800

/** `20260131T235959Z`. */
const basicTime = (millis: number): string =>
  DateTime.formatIso(DateTime.makeUnsafe(millis)).replace(/[-:]|\.\d{3}/g, "")

/** Signs a URL for one request on an object. */
export const presign = Effect.fnUntraced(function*(
  client: Client,
  at: Location,
  { expiresIn, method }: { readonly method: PresignOptions["method"]; readonly expiresIn: Duration.Duration }
): Effect.fn.Return<Redacted.Redacted<string>, ObjectStoreError> {
  const { endpoint, identity } = client
  if (identity.sign === undefined) {
    return yield* makeError("Unsupported", { operation: "presign", backend: backendName, capability: "presign" })
  }
  const seconds = Math.ceil(Duration.toSeconds(expiresIn))
  if (seconds > longest) {
    return yield* fail("presign", "InvalidRequest", `expiresIn: a signed URL lives for ${longest} seconds at most`)
  }
  const time = basicTime(yield* identity.clock.now)
  const scope = `${time.slice(0, 8)}/auto/storage/goog4_request`
  const path = `${endpoint.prefix}/${encodeQuery(at.container)}/${encodeKey(at.key)}`
  const queryOf = (email: string): string =>
    encodeParameters({
      "X-Goog-Algorithm": algorithm,
      "X-Goog-Credential": `${email}/${scope}`,
      "X-Goog-Date": time,
      "X-Goog-Expires": seconds,
      "X-Goog-SignedHeaders": "host"
    })
  const { host } = new URL(endpoint.origin)
  const canonical = (email: string): string =>
    [method, path, queryOf(email), `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n")
  const { email, signature } = yield* identity.sign((email) =>
    [algorithm, time, scope, createHash("sha256").update(canonical(email)).digest("hex")].join("\n")
  )
  return Redacted.make(
    `${endpoint.origin}${path}?${queryOf(email)}&X-Goog-Signature=${signature.toString("hex")}`,
    { label: "signed URL" }
  )
})
