/**
 * One account: requests on their way out, and replies that say no as errors.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Location } from "../../src/Backend.ts"
import { encodeKey, encodeParameters } from "../../src/http/percentEncoding.ts"
import { drain, readStray } from "../../src/http/replyBody.ts"
import { renewed } from "../../src/http/serviceError.ts"
import type { Transport, TransportReply, TransportRequest } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { type Authorized, type Authorizer, withQuery } from "./auth.ts"
import type { Settings } from "./config.ts"
import { type Asked, backendName, failureOf } from "./errors.ts"
import { wrongKey } from "./keys.ts"
import type { DelegationKeys } from "./sas.ts"

/**
 * The version of the service that requests are made for (learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services):
 * the oldest one with all that is used here, so that older emulators know it.
 */
export const serviceVersion = "2021-12-02"

/** A store's account, and what its requests share. */
export interface Client {
  readonly settings: Settings
  readonly transport: Transport
  readonly authorizer: Authorizer
  /** Keys of users that sign for a while; only where the store has tokens. */
  readonly delegationKeys?: DelegationKeys | undefined
}

/** One request. */
export interface Ask extends Asked {
  readonly method: TransportRequest["method"]
  /** The container; the account without it. */
  readonly container?: string | undefined
  readonly key?: string | undefined
  /** Names and values, not encoded yet. */
  readonly query?: Readonly<Record<string, string | undefined>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Uint8Array | undefined
  /** Statuses that are no failure. */
  readonly accept: ReadonlyArray<number>
}

/** The path of a blob, a container or the account, as it is sent and signed. */
export const pathOf = ({ settings }: Client, { container, key }: Pick<Ask, "container" | "key">): string => {
  const { basePath } = settings.endpoint
  if (container === undefined) return `${basePath}/`
  return key === undefined ? `${basePath}/${container}` : `${basePath}/${container}/${encodeKey(key)}`
}

/** Authorizes and sends a request. */
const transmit = Effect.fnUntraced(function*(
  client: Client,
  ask: Ask
): Effect.fn.Return<
  { readonly authorized: Authorized; readonly reply: TransportReply },
  ObjectStoreError,
  Scope.Scope
> {
  const { authorizer, settings, transport } = client
  const { body, headers, method, mutation } = ask
  const query = encodeParameters(ask.query ?? {})
  const authorized = yield* authorizer.authorize({
    method,
    path: query === "" ? pathOf(client, ask) : withQuery(pathOf(client, ask), query),
    headers: { ...headers, "x-ms-version": serviceVersion },
    length: body?.length ?? 0
  })
  const request = { ...authorized, method, origin: settings.endpoint.origin, mutation }
  const reply = yield* transport.send(body === undefined ? request : { ...request, body })
  return { authorized, reply }
})

/** Sends a request and answers the reply, if it is of an accepted status; else fails with what it says. */
export const send = Effect.fnUntraced(function*(
  client: Client,
  ask: Ask
): Effect.fn.Return<TransportReply, ObjectStoreError, Scope.Scope> {
  const { authorizer, settings } = client
  const wrong = ask.key === undefined ? undefined : invalidKey(ask, ask.key)
  if (wrong !== undefined) return yield* wrong
  const { authorized, reply } = yield* transmit(client, ask)
  if (ask.accept.includes(reply.status)) return reply
  const { authorization } = settings
  const refused = (yield* inWords(client, ask, reply)) ?? reply
  const error = yield* failureOf(ask, refused, authorization._tag === "Sas" ? authorization.expiresAt : undefined)
  return yield* error.reason._tag === "Unauthenticated" && (yield* authorizer.renew(authorized, reply))
    ? renewed(error)
    : error
})

/**
 * A HEAD is refused without words, and where the code leaves open whether nobody knows the caller or the caller may not
 * (Azurite has one for both), the blob's first byte is asked for, which is refused for the same reason and in words.
 */
const inWords = (
  client: Client,
  ask: Ask,
  { headers, status }: TransportReply
): Effect.Effect<TransportReply | undefined, ObjectStoreError, Scope.Scope> => {
  const code = headers["x-ms-error-code"]
  if (ask.method !== "HEAD" || ask.key === undefined || status !== 403) return Effect.undefined
  if (code !== undefined && code !== "AuthorizationFailure") return Effect.undefined
  const question: Ask = { ...ask, method: "GET", headers: { ...ask.headers, range: "bytes=0-0" } }
  return transmit(client, question).pipe(
    Effect.map(({ reply }) => reply.status === 403 || reply.status === 401 ? reply : undefined),
    Effect.orElseSucceed(() => undefined)
  )
}

/** Sends a request whose reply says all in its head. */
export const sendForHead = (client: Client, ask: Ask): Effect.Effect<TransportReply, ObjectStoreError> =>
  Effect.scoped(Effect.tap(send(client, ask), (reply) => ask.mutation ? holdsNothing(ask, reply) : drain(reply)))

/**
 * No change is answered with a body: who has one to show is something between, or the service has failed after it said yes.
 */
const holdsNothing = (ask: Ask, reply: TransportReply): Effect.Effect<void, ObjectStoreError> =>
  Effect.flatMap(readStray(reply), (text) =>
    text === undefined
      ? Effect.void
      : Effect.fail(violation(lostOf(ask), "the answer to a change has a body, such as errors have", reply)))

/** Who asked, where nobody knows what became of it. */
const lostOf = ({ mutation, operation }: Asked) =>
  ({ backend: backendName, operation, outcome: mutation ? "unknown" : undefined }) as const

/** The etag that every answer has which says that a blob was written. */
export const etagOf = (
  ask: Asked,
  reply: Pick<TransportReply, "status" | "headers">
): Effect.Effect<string, ObjectStoreError> => {
  const { etag } = reply.headers
  return etag === undefined
    ? Effect.fail(violation(lostOf(ask), "the answer tells no etag, so nothing was written", reply))
    : Effect.succeed(etag)
}

/** `InvalidKey` for a key that the service cannot hold as it is. */
export const invalidKey = (asked: Asked, key: string): ObjectStoreError | undefined => {
  const description = wrongKey(key)
  return description === undefined ? undefined : makeError("InvalidKey", {
    operation: asked.operation,
    backend: backendName,
    description,
    outcome: asked.mutation ? "not-applied" : undefined
  })
}

/** The same for what sends no request of its own. */
export const checkKey = (asked: Asked, key: string): Effect.Effect<void, ObjectStoreError> => {
  const wrong = invalidKey(asked, key)
  return wrong === undefined ? Effect.void : Effect.fail(wrong)
}

/** Asks for one blob without conditions: whether it is there. */
export const isMissing = (client: Client, { container, key }: Location): Effect.Effect<boolean, ObjectStoreError> =>
  sendForHead(client, { operation: "head", mutation: false, method: "HEAD", container, key, accept: [200] }).pipe(
    Effect.as(false),
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(true))
  )
