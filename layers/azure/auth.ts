/**
 * How a request proves whose it is: signed with the account's key, with a shared access signature, with a token, or not at all.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { toImfFixdate } from "../../src/http/conditionHeaders.ts"
import { timeOf } from "../../src/http/replyStat.ts"
import { makeServiceClock, type ServiceClock } from "../../src/http/ServiceClock.ts"
import { type SharedKey, sharedKeyAuthorization } from "../../src/http/SharedKey.ts"
import { makeTokenCache, type TokenCache } from "../../src/http/TokenCache.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { importVendorPackage } from "../../src/http/vendorPackage.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { Authorization, TokenCredential } from "./config.ts"
import { backendName, misconfigured } from "./errors.ts"

/** A request before and after it is authorized. */
export interface Unsigned {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Bytes in the body. */
  readonly length: number
}

/** Path and headers as they are sent. */
export interface Authorized {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Authorizes requests. */
export interface Authorizer {
  readonly authorize: (request: Unsigned) => Effect.Effect<Authorized, ObjectStoreError>
  /** Drops what a refused request was authorized with, where another one would be authorized anew: whether it would. */
  readonly renew: (refused: Authorized, reply: Pick<TransportReply, "headers">) => Effect.Effect<boolean>
  /** The time that requests are dated by. */
  readonly clock: ServiceClock
  /** The token in use, where there is one: what a copy's source is read with. */
  readonly tokens?: TokenCache | undefined
}

const scope = "https://storage.azure.com/.default"

/** Makes the authorizer of a store. */
export const makeAuthorizer = (
  authorization: Authorization
): Effect.Effect<Authorizer, ObjectStoreError, Scope.Scope> => {
  const clock = makeServiceClock()
  switch (authorization._tag) {
    case "SharedKey":
      return Effect.succeed(signWith(authorization.sharedKey, clock))
    case "Sas": {
      const { token } = authorization
      return Effect.succeed({
        authorize: ({ headers, path }) => Effect.succeed({ path: withQuery(path, Redacted.value(token)), headers }),
        renew: () => Effect.succeed(false),
        clock
      })
    }
    case "Token":
      return Effect.gen(function*() {
        const credential = authorization.credential === "default" ? yield* defaultCredential : authorization.credential
        const tokens = yield* makeTokenCache(backendName, fetchToken(credential))
        return {
          authorize: ({ headers, path }) =>
            Effect.map(tokens.get, (token) => ({
              path,
              headers: { ...headers, authorization: `Bearer ${Redacted.value(token)}` }
            })),
          renew: ({ headers }) => tokens.refused(Redacted.make(headers["authorization"]!.slice("Bearer ".length))),
          clock,
          tokens
        }
      })
    case "Anonymous":
      return Effect.succeed({
        authorize: ({ headers, path }) => Effect.succeed({ path, headers }),
        renew: () => Effect.succeed(false),
        clock
      })
  }
}

/** Signs with a key, dated by the service's clock as far as it is known. */
const signWith = (sharedKey: SharedKey, clock: ServiceClock): Authorizer => ({
  authorize: ({ headers, length, method, path }) =>
    Effect.map(clock.now, (now) => {
      const dated = { ...headers, "x-ms-date": httpDate(now) }
      const signature = sharedKeyAuthorization(sharedKey, { method, path, headers: dated, length })
      return { path, headers: { ...dated, authorization: signature } }
    }),
  renew: ({ headers }, reply) => clock.refused(timeOf(headers["x-ms-date"])!.epochMilliseconds, reply),
  clock
})

/** Adds a query to a path, with or without one. */
export const withQuery = (path: string, query: string): string => `${path}${path.includes("?") ? "&" : "?"}${query}`

const httpDate = (millis: number): string => toImfFixdate(DateTime.makeUnsafe(millis))

const fetchToken = (credential: TokenCredential) =>
  Effect.tryPromise({
    try: (signal) => credential.getToken(scope, { abortSignal: signal }),
    // What a credential throws may quote what it was given; its name says what kind of failure it is.
    catch: (error) =>
      unauthenticated(`the credential gave no token (${error instanceof Error ? error.name : "failed"})`)
  }).pipe(
    Effect.flatMap((token) =>
      token !== null && typeof token.token === "string" && /^[\u0021-\u007e]+$/.test(token.token)
        ? Effect.succeed({
          value: Redacted.make(token.token),
          expiresAt: Number.isFinite(token.expiresOnTimestamp) ? token.expiresOnTimestamp : undefined
        })
        : Effect.fail(unauthenticated("the credential gave no token"))
    )
  )

const unauthenticated = (description: string): ObjectStoreError =>
  makeError("Unauthenticated", { operation: "authorize", backend: backendName, description, outcome: "not-applied" })

/** Named apart, so that it is looked for only when it is asked for, and neither bundled nor required. */
const identityPackage: string = "@azure/identity"

interface IdentityModule {
  readonly DefaultAzureCredential: new() => TokenCredential
}

const defaultCredential: Effect.Effect<TokenCredential, ObjectStoreError> = importVendorPackage({
  backend: backendName,
  name: identityPackage,
  need: "the default credential (there is no accountKey, sasToken or other credential)",
  load: () => import(identityPackage) as Promise<IdentityModule>
}).pipe(
  Effect.flatMap(({ DefaultAzureCredential }) =>
    Effect.try({
      try: () => new DefaultAzureCredential(),
      catch: () => misconfigured(`credential: DefaultAzureCredential of ${identityPackage} cannot be made`)
    })
  )
)
