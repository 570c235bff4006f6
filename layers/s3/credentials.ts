/**
 * The key pairs that requests are signed with.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { SigningCredentials } from "../../src/http/SigV4.ts"
import { makeTokenCache, type Token } from "../../src/http/TokenCache.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { backendName } from "./errors.ts"
import { fromProvider, type SdkIdentity } from "./sdk.ts"

/**
 * A key pair, with a session token where it is temporary.
 *
 * @category models
 * @since 0.1.0
 */
export interface S3KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string | Redacted.Redacted<string>
  readonly sessionToken?: string | Redacted.Redacted<string> | undefined
}

/**
 * A provider of the AWS SDK's kind, such as `fromTemporaryCredentials` makes one. It is asked with `forceRefresh` after a
 * service has refused what it gave last.
 *
 * @category models
 * @since 0.1.0
 */
export type S3CredentialsProvider = (options?: { readonly forceRefresh?: boolean }) => Promise<SdkIdentity>

/**
 * What `S3Options.credentials` takes.
 *
 * @category models
 * @since 0.1.0
 */
export type S3CredentialsOption = S3KeyPair | "anonymous" | S3CredentialsProvider

/** Where key pairs come from while a store lives. */
export interface Credentials {
  /** The pair that is good now; `undefined` where requests are not signed. */
  readonly get: Effect.Effect<SigningCredentials | undefined, ObjectStoreError>
  /** Forgets a pair that the service does not take any more, and says whether there may be another one. */
  readonly refused: (pair: SigningCredentials) => Effect.Effect<boolean>
}

/** Requests without signatures. */
export const anonymous: Credentials = { get: Effect.succeed(undefined), refused: () => Effect.succeed(false) }

const redacted = (value: string | Redacted.Redacted<string>, label: string): Redacted.Redacted<string> =>
  Redacted.isRedacted(value) ? value : Redacted.make(value, { label })

/** Credentials of one pair. */
export const fixed = ({ accessKeyId, secretAccessKey, sessionToken }: S3KeyPair): Credentials => ({
  get: Effect.succeed({
    accessKeyId,
    secretAccessKey: redacted(secretAccessKey, "secret access key"),
    sessionToken: sessionToken === undefined ? undefined : redacted(sessionToken, "session token")
  }),
  refused: () => Effect.succeed(false)
})

/**
 * Credentials that are fetched, shared, and fetched again before they end. `fetch` is told whether the last ones were
 * refused: then it must not answer what it has kept.
 */
export const fetched = (
  fetch: (anew: boolean) => Effect.Effect<Token<SigningCredentials>, ObjectStoreError>
): Effect.Effect<Credentials, never, Scope.Scope> => {
  let anew = false
  const next = Effect.suspend(() => Effect.tap(fetch(anew), () => Effect.sync(() => anew = false)))
  return Effect.map(makeTokenCache(backendName, next), (cache) => ({
    get: cache.get,
    refused: (pair) =>
      Effect.tap(cache.refused(pair), (other) =>
        Effect.sync(() => {
          if (other) anew = true
        }))
  }))
}

/** Credentials of an option. */
export const fromOption = (
  option: S3CredentialsOption
): Effect.Effect<Credentials, never, Scope.Scope> =>
  option === "anonymous"
    ? Effect.succeed(anonymous)
    : typeof option === "function"
    ? fetched(fromProvider(option))
    : Effect.succeed(fixed(option))
