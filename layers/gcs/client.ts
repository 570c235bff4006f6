/**
 * Requests to GCS: where they go, who asks, and what an answer that says no becomes.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Capabilities } from "../../src/Capabilities.ts"
import type { Outcome } from "../../src/ErrorReason.ts"
import { encodeParameters, encodeQuery } from "../../src/http/percentEncoding.ts"
import { readMessage, readStray, readText } from "../../src/http/replyBody.ts"
import { timeOf } from "../../src/http/replyStat.ts"
import { renewed } from "../../src/http/serviceError.ts"
import type { Transport, TransportReply, TransportRequest } from "../../src/http/Transport.ts"
import { violation } from "../../src/http/violation.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { backendName, type Endpoint } from "./config.ts"
import { refused } from "./errors.ts"
import type { Identity } from "./identity.ts"

/** What all requests of a store share. */
export interface Client {
  readonly transport: Transport
  readonly endpoint: Endpoint
  readonly identity: Identity
  readonly capabilities: Capabilities
  readonly userProject: string | undefined
}

/** One request; its path is below the endpoint's. */
export interface ApiRequest {
  /** The primitive, for errors. */
  readonly operation: string
  readonly method: TransportRequest["method"]
  readonly path: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: TransportRequest["body"]
  readonly mutation: boolean
}

/** A query out of what is defined, with its `?`. */
export const query = (parameters: Readonly<Record<string, string | number | undefined>>): string => {
  const text = encodeParameters(parameters)
  return text === "" ? "" : `?${text}`
}

/** A bucket in the JSON API. */
export const bucketPath = (bucket: string): string => `/storage/v1/b/${encodeQuery(bucket)}`

/** An object in the JSON API; `/` of its key is encoded too. */
export const objectPath = (bucket: string, key: string): string => `${bucketPath(bucket)}/o/${encodeQuery(key)}`

/**
 * Sends a request as the one who asks. A token that is refused is dropped, and the error says that another one comes: with
 * another date, if this machine's clock is wrong.
 */
export const send = Effect.fnUntraced(function*(
  client: Client,
  request: ApiRequest
): Effect.fn.Return<TransportReply, ObjectStoreError, Scope.Scope> {
  const { clock, tokens } = client.identity
  if (tokens === undefined) return yield* sendAs(client, request, undefined)
  const token = yield* request.mutation
    ? Effect.mapError(tokens.get, (error) => withContext(error, { outcome: "not-applied" }))
    : tokens.get
  const reply = yield* sendAs(client, request, token)
  if (reply.status !== 401) return reply
  yield* clock.learn(reply)
  const error = withSkew(yield* refusal(request, reply), reply, yield* Clock.currentTimeMillis)
  return yield* (yield* tokens.refused(token)) ? renewed(error) : error
})

/** The service says no more than that it knows nobody of this token, which may be signed by a clock that is wrong. */
const withSkew = (error: ObjectStoreError, { headers }: TransportReply, now: number): ObjectStoreError => {
  const there = timeOf(headers["date"])?.epochMilliseconds
  return there === undefined || Math.abs(there - now) <= allowedSkew ? error : withContext(error, {
    description: `${
      error.reason.description ?? "not known"
    }; the clock of this machine is wrong: the service says that it is ${headers["date"]}`
  })
}

/** Google's servers take tokens that are dated up to 5 minutes ahead. */
const allowedSkew = 5 * 60_000

const sendAs = (
  client: Client,
  { body, headers, method, mutation, path }: ApiRequest,
  token: Redacted.Redacted<string> | undefined
): Effect.Effect<TransportReply, ObjectStoreError, Scope.Scope> =>
  client.transport.send({
    method,
    origin: client.endpoint.origin,
    path: `${client.endpoint.prefix}${path}`,
    headers: {
      ...headers,
      ...(token === undefined ? undefined : { authorization: `Bearer ${Redacted.value(token)}` }),
      ...(client.userProject === undefined ? undefined : { "x-goog-user-project": client.userProject })
    },
    body,
    mutation
  })

/** The error of an answer that says no; its body is read for the reason. */
export const refusal = (
  request: Pick<ApiRequest, "operation" | "mutation">,
  reply: TransportReply,
  outcome?: Outcome
): Effect.Effect<ObjectStoreError> =>
  Effect.map(
    readMessage(reply),
    (text) => refused(request.operation, reply, text, { mutation: request.mutation, outcome })
  )

const isOk = (status: number): boolean => status >= 200 && status < 300

/** A document of the JSON API. */
export type Resource = Readonly<Record<string, unknown>>

/** A page of a thousand objects with all the metadata that they may have is less. */
const maxDocument = 32 * 1024 * 1024

/**
 * Reads the document of an answer that says yes. Until it is understood, nobody knows what became of a change: it may be an
 * error's, or that of something between.
 */
export const readResource = (
  request: Pick<ApiRequest, "operation" | "mutation">,
  reply: TransportReply
): Effect.Effect<Resource, ObjectStoreError> => {
  const outcome = request.mutation ? "unknown" : undefined
  const asked = { backend: backendName, operation: request.operation, outcome } as const
  return readText(asked, reply, maxDocument).pipe(
    Effect.mapError((error) => withContext(error, { outcome })),
    Effect.flatMap((text) => {
      let document: unknown
      try {
        document = JSON.parse(text)
      } catch {
        return Effect.fail(violation(asked, "the answer is no JSON", reply))
      }
      if (typeof document !== "object" || document === null || Array.isArray(document)) {
        return Effect.fail(violation(asked, "the answer is no JSON object", reply))
      }
      return Object.hasOwn(document, "error")
        ? Effect.fail(violation(asked, "the answer is an error under the status of a success", reply))
        : Effect.succeed(document as Resource)
    })
  )
}

/** Sends a request and reads the document that answers it. */
export const call = (client: Client, request: ApiRequest): Effect.Effect<Resource, ObjectStoreError> =>
  Effect.scoped(Effect.flatMap(send(client, request), (reply) =>
    isOk(reply.status)
      ? readResource(request, reply)
      : Effect.flatMap(refusal(request, reply), Effect.fail)))

/** Sends a request whose answer tells nothing but yes or no. */
export const command = (client: Client, request: ApiRequest): Effect.Effect<void, ObjectStoreError> =>
  Effect.scoped(Effect.flatMap(send(client, request), (reply) =>
    isOk(reply.status)
      ? holdsNothing(request, reply)
      : Effect.flatMap(refusal(request, reply), Effect.fail)))

/** A body where the service sends none is that of an error, or of something between; fake-gcs-server sends `null`. */
export const holdsNothing = (
  request: Pick<ApiRequest, "operation" | "mutation">,
  reply: TransportReply
): Effect.Effect<void, ObjectStoreError> =>
  Effect.flatMap(readStray(reply), (text) =>
    text === undefined || text === "null"
      ? Effect.void
      : Effect.fail(violation(
        { backend: backendName, operation: request.operation, outcome: request.mutation ? "unknown" : undefined },
        "the answer has a body, and none was asked for",
        reply
      )))
