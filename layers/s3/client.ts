/**
 * One request to S3: addressed, signed, sent; a refusal is made an error. A bucket of another region is asked there, once;
 * a token that has expired is dropped, a clock that is wrong is set, and the error says that another signature comes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Outcome } from "../../src/ErrorReason.ts"
import { encodeParameters } from "../../src/http/percentEncoding.ts"
import { readMessage, readStray, readText } from "../../src/http/replyBody.ts"
import type { ServiceClock } from "../../src/http/ServiceClock.ts"
import { renewed } from "../../src/http/serviceError.ts"
import type { Signer, SigningCredentials } from "../../src/http/SigV4.ts"
import type { Transport, TransportReply } from "../../src/http/Transport.ts"
import { type Asked, violation } from "../../src/http/violation.ts"
import { parseXml, rootOfXml, type XmlReader } from "../../src/http/Xml.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import type { ChecksumMethod } from "./checksum.ts"
import type { Credentials } from "./credentials.ts"
import type { Encryption } from "./encryption.ts"
import { type Endpoint, isVirtual, type Target, targetOf } from "./endpoint.ts"
import { backendName, type Intent, readRefusal, refuse, type Refused, toError } from "./errors.ts"
import { isRedirect, regionOf, type Regions } from "./regions.ts"
import type { S3Profile } from "./vendors.ts"

/** What all requests of a store share. */
export interface S3Client {
  readonly transport: Transport
  readonly signer: Signer
  readonly clock: ServiceClock
  readonly credentials: Credentials
  readonly regions: Regions
  readonly addressing: "path" | "virtual" | "auto"
  readonly profile: S3Profile
  readonly checksum: ChecksumMethod
  readonly encryption: Encryption | undefined
  readonly requestPayer: boolean
}

/** One request. */
export interface S3Request {
  readonly intent: Intent
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE"
  /** `""` for requests on the service. */
  readonly container: string
  readonly key?: string | undefined
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Uint8Array | undefined
}

/** Who asks, for errors about an answer: what it says of a change is not understood, so nobody knows. */
export const askedOf = ({ mutation, operation }: Intent, outcome: Outcome = "unknown"): Asked => ({
  backend: backendName,
  operation,
  outcome: mutation ? outcome : undefined
})

const userAgent = "effect-objectstore"

/** Where a request goes in a region. */
export const address = (client: S3Client, request: S3Request, region: string): Target => {
  const endpoint: Endpoint = client.regions.endpoint(region)
  return targetOf(
    endpoint,
    isVirtual(client.addressing, endpoint),
    request.container,
    request.key,
    encodeParameters(request.query ?? {})
  )
}

const sendTo = Effect.fnUntraced(function*(
  client: S3Client,
  request: S3Request,
  region: string,
  pair: SigningCredentials | undefined,
  now: number
): Effect.fn.Return<TransportReply, ObjectStoreError, Scope.Scope> {
  const { host, origin, path } = address(client, request, region)
  const given: Record<string, string> = { ...request.headers, host }
  if (client.requestPayer && request.container !== "") given["x-amz-request-payer"] = "requester"
  const headers = pair === undefined
    ? given
    : client.signer.sign({ method: request.method, path, headers: given }, pair, region, now)
  // Not signed, because proxies change them.
  headers["user-agent"] = userAgent
  if (client.profile.transcodes) headers["accept-encoding"] = "gzip"
  return yield* client.transport.send({
    method: request.method,
    origin,
    path,
    headers,
    body: request.body,
    mutation: request.intent.mutation
  })
})

/** What a service says of a pair that is not good any more, or not yet known everywhere. */
const outworn: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "TokenRefreshRequired",
  "InvalidToken",
  "InvalidTokenId",
  "InvalidAccessKeyId"
])

/** Whether the same request would be signed otherwise now: with another pair, or with another date. */
const isRenewed = Effect.fnUntraced(function*(
  client: S3Client,
  pair: SigningCredentials,
  signedAt: number,
  { refused, reply }: Refusal
): Effect.fn.Return<boolean> {
  const bare = refused.code === undefined && reply.status === 401
  const others = bare || outworn.has(refused.code ?? "") ? yield* client.credentials.refused(pair) : false
  return (yield* client.clock.refused(signedAt, reply)) || others
})

/**
 * What is wrong with a bucket's name where it becomes a part of a host or a path: nothing that would end it, so that no
 * request goes elsewhere. Who speaks to a store, and not to its backend, is held to the service's own rules before this.
 */
export const wrongContainer = (container: string): string | undefined =>
  container === "" || /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/.test(container)
    ? undefined
    : "the bucket's name is none, so it is not made a part of an address"

/** Sends a request and answers with a reply of status 2xx; any other is the error that it means. */
export const send = Effect.fnUntraced(function*(
  client: S3Client,
  request: S3Request
): Effect.fn.Return<TransportReply, ObjectStoreError, Scope.Scope> {
  const wrong = wrongContainer(request.container)
  if (wrong !== undefined) {
    return yield* refuse("InvalidRequest", request.intent.operation, wrong, request.intent.mutation)
  }
  let moved = false
  while (true) {
    const region = client.regions.of(request.container)
    const pair = yield* client.credentials.get
    const signedAt = yield* client.clock.now
    const reply = yield* sendTo(client, request, region, pair, signedAt)
    if (reply.status >= 200 && reply.status < 300) return reply
    const refusal = yield* explain(client, request, region, pair, reply)
    const right = moved ? undefined : regionOf(refusal.reply, refusal.refused)
    if (right === undefined || right === region || request.container === "") {
      const error = toError(request.intent, refusal.reply, refusal.refused)
      return yield* pair !== undefined && error.reason._tag === "Unauthenticated" &&
          (yield* isRenewed(client, pair, signedAt, refusal))
        ? renewed(error)
        : error
    }
    moved = true
    client.regions.learn(request.container, right)
  }
})

interface Refusal {
  readonly reply: Pick<TransportReply, "status" | "headers">
  readonly refused: Refused
}

/**
 * Reads why a request was refused. The reply to HEAD has no body, so where its status says little the object is asked for
 * its first byte, which is refused for the same reason and in words.
 */
const explain = Effect.fnUntraced(function*(
  client: S3Client,
  request: S3Request,
  region: string,
  pair: SigningCredentials | undefined,
  reply: TransportReply
): Effect.fn.Return<Refusal, never, Scope.Scope> {
  if (request.method !== "HEAD") return { reply, refused: yield* refusedOf(reply, pair) }
  const told = reply.headers["x-amz-bucket-region"] !== undefined && isRedirect(reply.status)
  if (told || (reply.status !== 400 && reply.status !== 403 && !isRedirect(reply.status))) return { reply, refused: {} }
  const question: S3Request = {
    ...request,
    method: "GET",
    ...(request.key === undefined
      ? { query: { "list-type": 2, "max-keys": 0 } }
      : { headers: { ...request.headers, range: "bytes=0-0" } })
  }
  const answer = yield* Effect.orElseSucceed(
    sendTo(client, question, region, pair, yield* client.clock.now),
    () => undefined
  )
  return answer === undefined || answer.status < 300
    ? { reply, refused: {} }
    : { reply: answer, refused: yield* refusedOf(answer, pair) }
})

const refusedOf = (reply: TransportReply, pair: SigningCredentials | undefined): Effect.Effect<Refused> =>
  Effect.map(
    Effect.flatMap(readMessage(reply), readRefusal),
    (refused) => ({ ...refused, message: withoutSecrets(refused.message, pair) })
  )

/** A service may repeat what it was sent; what is secret of it is not repeated again. */
const withoutSecrets = (message: string | undefined, pair: SigningCredentials | undefined): string | undefined => {
  if (message === undefined || pair === undefined) return message
  let clean = message
  for (const secret of [pair.secretAccessKey, pair.sessionToken]) {
    const text = secret === undefined ? "" : Redacted.value(secret)
    if (text !== "") clean = clean.replaceAll(text, "<redacted>")
  }
  return clean.replaceAll(/\b(X-Amz-Signature|Signature|X-Amz-Security-Token)=[^\s&,;<]+/gi, "$1=<redacted>")
}

/**
 * Sends a request whose reply says all in its head. An error may come with status 200 too; what else comes with a body is
 * something between, such as a page that asks to log in.
 */
export const sendOnly = (client: S3Client, request: S3Request): Effect.Effect<TransportReply, ObjectStoreError> =>
  Effect.scoped(Effect.tap(send(client, request), (reply) =>
    Effect.flatMap(readStray(reply), (text) => {
      if (text === undefined) return Effect.void
      return rootOfXml(text) === "Error"
        ? Effect.flatMap(readRefusal(text), (refused) =>
          // The head has said yes, so nobody knows.
          Effect.fail(withContext(toError(request.intent, reply, refused), {
            outcome: request.intent.mutation ? "unknown" : undefined
          })))
        : Effect.fail(violation(askedOf(request.intent), "the answer has a body, and none was asked for", reply))
    })))

const maxDocument = 32 * 1024 * 1024

/**
 * Sends a request whose reply is a document, and reads it. An error may come with status 200 too, when the service had to
 * answer before it knew.
 */
export const sendForDocument = <A>(
  client: S3Client,
  request: S3Request,
  root: string,
  read: (xml: XmlReader) => A
): Effect.Effect<{ readonly document: A; readonly reply: TransportReply }, ObjectStoreError> =>
  Effect.scoped(Effect.gen(function*() {
    const reply = yield* send(client, request)
    const asked = askedOf(request.intent)
    // The service sends spaces to keep the connection open while it works.
    const text = (yield* readText(asked, reply, maxDocument)).trimStart()
    if (rootOfXml(text) === "Error") return yield* toError(request.intent, reply, yield* readRefusal(text))
    return { document: yield* parseXml(asked, text, root, read), reply }
  }))
