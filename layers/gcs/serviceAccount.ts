/**
 * Service accounts: their keys, the tokens that they sign for themselves, and signatures of other text.
 *
 * A token is a JWT signed with the account's own key, which Google's APIs take as a bearer token without asking its token
 * service (google.aip.dev/auth/4111).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { createPrivateKey, type KeyObject, sign } from "node:crypto"
import type { ServiceClock } from "../../src/http/ServiceClock.ts"
import type { Token } from "../../src/http/TokenCache.ts"
import type { ServiceAccountKey } from "./config.ts"

/** A key that was read; the private part is a handle, which nothing prints. */
export interface ServiceAccount {
  readonly email: string
  readonly keyId: string | undefined
  readonly projectId: string | undefined
  readonly privateKey: KeyObject
}

const optional = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

/** Whether a credentials file is a service account's. */
export const isServiceAccount = (file: Record<string, unknown>): boolean =>
  file["type"] === "service_account" || (file["type"] === undefined && "private_key" in file)

/** Reads a key; the failure says what is wrong and shows nothing of it. */
export const readServiceAccount = (
  key: ServiceAccountKey | Record<string, unknown>
): Result.Result<ServiceAccount, string> => {
  const { client_email, private_key, private_key_id, project_id } = key
  const email = optional(client_email)
  const pem = Redacted.isRedacted(private_key) ? Redacted.value(private_key) : private_key
  if (email === undefined) return Result.fail("the service account's key has no client_email")
  if (typeof pem !== "string") return Result.fail("the service account's key has no private_key")
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(pem)
  } catch {
    return Result.fail("the private_key of the service account's key is no PEM private key")
  }
  return privateKey.asymmetricKeyType === "rsa"
    ? Result.succeed({ email, keyId: optional(private_key_id), projectId: optional(project_id), privateKey })
    : Result.fail("the private_key of the service account's key is not RSA")
}

/** Signs text with RSA and SHA-256. */
export const signText = (account: ServiceAccount, text: string): Buffer =>
  sign("sha256", Buffer.from(text), account.privateKey)

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

const lifetime = 3600

/** A token that the account signs for itself, dated by the service's clock. */
export const selfSigned = (account: ServiceAccount, scope: string, clock: ServiceClock): Effect.Effect<Token> =>
  Effect.zipWith(clock.now, clock.ahead, (now, ahead) => {
    const issued = Math.floor(now / 1000)
    const head = encode({ alg: "RS256", typ: "JWT", kid: account.keyId })
    const claims = encode({ iss: account.email, sub: account.email, scope, iat: issued, exp: issued + lifetime })
    const signature = signText(account, `${head}.${claims}`).toString("base64url")
    return { value: Redacted.make(`${head}.${claims}.${signature}`), expiresAt: (issued + lifetime) * 1000 - ahead }
  })
