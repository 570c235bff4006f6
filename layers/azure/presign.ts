/**
 * Signed URLs.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Location } from "../../src/Backend.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { PresignOptions } from "../../src/ObjectStoreOptions.ts"
import { withQuery } from "./auth.ts"
import { checkKey, type Client, pathOf } from "./client.ts"
import { backendName } from "./errors.ts"
import { delegationSas, maxDelegation, serviceSas } from "./sas.ts"

const permissions: Readonly<Record<PresignOptions["method"], string>> = {
  GET: "r",
  HEAD: "r",
  // To make a blob, and to replace one.
  PUT: "cw",
  DELETE: "d"
}

const lastTime = Date.UTC(9999, 11, 31)

/** Signs a URL for one request on a blob. A PUT has to send `x-ms-blob-type: BlockBlob`. */
export const presign = Effect.fnUntraced(function*(
  client: Client,
  at: Location,
  { expiresIn, method }: { readonly method: PresignOptions["method"]; readonly expiresIn: Duration.Duration }
): Effect.fn.Return<Redacted.Redacted<string>, ObjectStoreError> {
  yield* checkKey({ operation: "presign", mutation: false }, at.key)
  const { authorization, endpoint } = client.settings
  const lifetime = Duration.toMillis(expiresIn)
  const grant = { permissions: permissions[method], expiresAt: (yield* client.authorizer.clock.now) + lifetime }
  if (grant.expiresAt > lastTime) {
    return yield* makeError("InvalidRequest", {
      operation: "presign",
      backend: backendName,
      description: "expiresIn ends after the year 9999, which a signature cannot say"
    })
  }
  const url = endpoint.origin + pathOf(client, at)
  if (authorization._tag === "SharedKey") {
    return Redacted.make(withQuery(url, serviceSas(client.settings, authorization.sharedKey, at, grant)))
  }
  if (client.delegationKeys === undefined) {
    return yield* makeError("Unsupported", { operation: "presign", backend: backendName, capability: "presign" })
  }
  if (lifetime > maxDelegation) {
    return yield* makeError("InvalidRequest", {
      operation: "presign",
      backend: backendName,
      description: "with a token, URLs can be signed for 7 days at most"
    })
  }
  const lent = yield* client.delegationKeys.get(client, grant.expiresAt)
  return Redacted.make(withQuery(url, delegationSas(client.settings, lent, at, grant)))
})
