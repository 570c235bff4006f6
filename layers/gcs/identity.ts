/**
 * Who asks: the source of bearer tokens, the project, and the signer of URLs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { readFile } from "node:fs/promises"
import { exposed } from "../../src/http/plainHttp.ts"
import { makeServiceClock, type ServiceClock } from "../../src/http/ServiceClock.ts"
import { makeTokenCache, type Token, type TokenCache } from "../../src/http/TokenCache.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { openVendorAuth, type VendorAuth } from "./adc.ts"
import {
  backendName,
  type Endpoint,
  type GcsCredentials,
  type GcsOptions,
  type GcsToken,
  misconfigured
} from "./config.ts"
import { isServiceAccount, readServiceAccount, selfSigned, type ServiceAccount, signText } from "./serviceAccount.ts"

/** Text that was signed, and by whom. */
export interface Signature {
  readonly email: string
  readonly signature: Buffer
}

/** Who asks. */
export interface Identity {
  /** Absent where nobody does. */
  readonly tokens: TokenCache | undefined
  /** The time that tokens and URLs are dated by. */
  readonly clock: ServiceClock
  readonly projectId: Effect.Effect<string, ObjectStoreError>
  /** Who signs; absent where nobody can. The text is made when it is known whom it has to name. */
  readonly sign:
    | ((text: (email: string) => string) => Effect.Effect<Signature, ObjectStoreError>)
    | undefined
}

/** All that a store does is within it. */
const scope = "https://www.googleapis.com/auth/devstorage.full_control"

const noProject = Effect.suspend(() =>
  Effect.fail(misconfigured("no project is known: give projectId, or set GOOGLE_CLOUD_PROJECT"))
)

/** Finds out who asks. */
export const makeIdentity = Effect.fnUntraced(function*(
  options: GcsOptions,
  endpoint: Endpoint
): Effect.fn.Return<Identity, ObjectStoreError, Scope.Scope> {
  const { credentials = endpoint.secure ? "default" : "anonymous" } = options
  const wrong = credentials === "anonymous" ? undefined : exposed(endpoint.origin, options.allowPlainHttp)
  if (wrong !== undefined) return yield* misconfigured(wrong)
  const project = (other: Effect.Effect<string, ObjectStoreError>) =>
    options.projectId === undefined ? other : Effect.succeed(options.projectId)
  const clock = makeServiceClock()
  const kind = wrongKind(credentials)
  if (kind !== undefined) return yield* misconfigured(kind)
  if (credentials === "anonymous") return { tokens: undefined, clock, projectId: project(noProject), sign: undefined }
  if (typeof credentials === "object" && "token" in credentials) {
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    const tokens = yield* makeTokenCache(backendName, own(credentials.token))
    return { tokens, clock, projectId: project(noProject), sign: undefined }
  }
  const found = yield* find(credentials)
  if ("privateKey" in found) {
    return {
      tokens: yield* makeTokenCache(backendName, selfSigned(found, scope, clock)),
      clock,
      projectId: project(found.projectId === undefined ? noProject : Effect.succeed(found.projectId)),
      sign: (text) => Effect.sync(() => ({ email: found.email, signature: signText(found, text(found.email)) }))
    }
  }
  const tokens = yield* makeTokenCache(backendName, found.token)
  return { tokens, clock, projectId: project(found.projectId), sign: found.sign }
})

/** What is wrong with credentials of a program without types; it shows nothing of them. */
const wrongKind = (credentials: unknown): string | undefined => {
  const kinds = ["token", "keyFile", "key"]
  return credentials === "default" || credentials === "anonymous" ||
      (Predicate.isObject(credentials) && kinds.some((name) => name in credentials))
    ? undefined
    : "credentials are none of \"default\", \"anonymous\", { key }, { keyFile } and { token }"
}

/** A token source of the program's own, which may fail with anything. */
const own = (source: Effect.Effect<GcsToken, unknown>): Effect.Effect<Token, ObjectStoreError> =>
  // @effect-diagnostics-next-line anyUnknownInErrorContext:off
  Effect.mapBoth(source, {
    onSuccess: ({ expiresAt, value }) => ({
      value: typeof value === "string" ? Redacted.make(value) : value,
      expiresAt
    }),
    onFailure: (failure) =>
      isObjectStoreError(failure) ? failure : makeError("Unauthenticated", {
        operation: "token",
        backend: backendName,
        description: "the source of access tokens failed",
        outcome: "not-applied",
        cause: failure
      })
  })

const find = Effect.fnUntraced(function*(
  credentials: "default" | Exclude<GcsCredentials, string | { readonly token: unknown }>
): Effect.fn.Return<ServiceAccount | VendorAuth, ObjectStoreError> {
  if (credentials === "default") return yield* openVendorAuth({})
  if ("keyFile" in credentials) {
    const { keyFile } = credentials
    const text = yield* Effect.tryPromise({
      try: () => readFile(keyFile, "utf8"),
      catch: (cause) => misconfigured(`keyFile: ${keyFile} cannot be read: ${(cause as NodeJS.ErrnoException).code}`)
    })
    return yield* fromText(text, `keyFile ${keyFile}`)
  }
  const { key } = credentials
  if (typeof key === "string") return yield* fromText(key, "key")
  return yield* Redacted.isRedacted(key) ? fromText(Redacted.value(key), "key") : fromFile({ ...key }, "key")
})

const fromText = Effect.fnUntraced(function*(
  text: string,
  what: string
): Effect.fn.Return<ServiceAccount | VendorAuth, ObjectStoreError> {
  // What the parser says quotes the text, which is a secret.
  const parsed = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => misconfigured(`${what}: it is no JSON`)
  })
  if (typeof parsed !== "object" || parsed === null) return yield* misconfigured(`${what}: it is no JSON object`)
  return yield* fromFile(parsed as Record<string, unknown>, what)
})

const fromFile = (
  file: Record<string, unknown>,
  what: string
): Effect.Effect<ServiceAccount | VendorAuth, ObjectStoreError> =>
  file["type"] === undefined && !isServiceAccount(file)
    ? Effect.fail(misconfigured(`${what}: it has neither a type nor a private_key`))
    : isServiceAccount(file)
    ? Effect.mapError(Effect.fromResult(readServiceAccount(file)), (wrong) => misconfigured(`${what}: ${wrong}`))
    : openVendorAuth({ credentials: file })
