/**
 * Application Default Credentials, and keys of kinds that only Google's own library knows: it is brought by
 * `@google-cloud/storage`, and imported when it is needed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Token } from "../../src/http/TokenCache.ts"
import { importVendorPackage } from "../../src/http/vendorPackage.ts"
import { makeError, type ObjectStoreError, printable } from "../../src/ObjectStoreError.ts"
import { backendName, misconfigured } from "./config.ts"

/** What the library answers. */
export interface VendorAuth {
  readonly token: Effect.Effect<Token, ObjectStoreError>
  readonly projectId: Effect.Effect<string, ObjectStoreError>
  /** Signs text as the account that was found: with its key, or by the IAM service. */
  readonly sign: (
    text: (email: string) => string
  ) => Effect.Effect<{ readonly email: string; readonly signature: Buffer }, ObjectStoreError>
}

const mostTime = 60_000

const importLibrary = importVendorPackage({
  backend: backendName,
  name: "@google-cloud/storage",
  need: "this kind of credentials",
  load: () => import("@google-cloud/storage")
})

const transient = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "EPIPE"
])

/**
 * The library's errors carry requests with secrets in them, so nothing but the first line of their message is taken.
 */
const toError = (what: string) => (cause: unknown): ObjectStoreError => {
  const { code, message, status } = cause instanceof Error
    ? cause as Error & { readonly code?: unknown; readonly status?: unknown }
    : { code: undefined, message: "", status: undefined }
  const line = printable(message.split(/[\r\n]/, 1)[0]!.slice(0, 300))
  const later = (typeof code === "string" && transient.has(code)) || (typeof status === "number" && status >= 500)
  return makeError(later ? "Unavailable" : "Unauthenticated", {
    operation: "token",
    backend: backendName,
    description: `${what}${line === "" ? "" : `: ${line}`}`,
    outcome: "not-applied"
  })
}

/** Asks the library, for at most a minute. */
const ask = <A>(what: string, run: () => Promise<A>): Effect.Effect<A, ObjectStoreError> =>
  Effect.timeoutOrElse(Effect.tryPromise({ try: run, catch: toError(what) }), {
    duration: mostTime,
    orElse: () =>
      Effect.fail(makeError("Timeout", {
        operation: "token",
        backend: backendName,
        description: `${what}: no answer in ${mostTime} ms`,
        phase: "request",
        outcome: "not-applied"
      }))
  })

/** Opens the library on the credentials of the environment, of a file, or of a parsed file. */
export const openVendorAuth = Effect.fnUntraced(function*(
  source: { readonly keyFile?: string | undefined; readonly credentials?: Record<string, unknown> | undefined }
): Effect.fn.Return<VendorAuth, ObjectStoreError> {
  const { Storage } = yield* importLibrary
  const { authClient: auth } = yield* Effect.try({
    try: () =>
      new Storage({
        ...(source.keyFile === undefined ? {} : { keyFilename: source.keyFile }),
        ...(source.credentials === undefined ? {} : { credentials: source.credentials })
      }),
    catch: () => misconfigured("the credentials are of no kind that @google-cloud/storage knows")
  })
  let last: string | undefined
  return {
    token: Effect.gen(function*() {
      const client = yield* ask("no credentials were found", () => auth.getClient())
      const next = ask("no access token was given", () => client.getAccessToken())
      let { token } = yield* next
      if (token === last && last !== undefined) {
        // The library keeps its token too; whoever asks here wants another one than the last.
        client.setCredentials({ ...client.credentials, expiry_date: 1 })
        token = (yield* next).token
      }
      if (typeof token !== "string" || token === "") {
        return yield* toError("no access token was given")(undefined)
      }
      last = token
      return { value: Redacted.make(token), expiresAt: client.credentials.expiry_date ?? undefined }
    }),
    projectId: ask("no project was found", () => auth.getProjectId()),
    sign: (text) =>
      Effect.gen(function*() {
        const { client_email: email } = yield* ask("no credentials were found", () => auth.getCredentials())
        if (email === undefined) {
          return yield* misconfigured("these credentials are no service account's, so they cannot sign URLs")
        }
        const signature = yield* ask("the text was not signed", () => auth.sign(text(email)))
        return { email, signature: Buffer.from(signature, "base64") }
      })
  }
})
