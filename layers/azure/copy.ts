/**
 * Copies inside of the account.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { CopyRequest, Location, WriteReply } from "../../src/Backend.ts"
import { retag } from "../../src/http/serviceError.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { makeError, type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { withQuery } from "./auth.ts"
import { type Client, etagOf, pathOf, sendForHead } from "./client.ts"
import { backendName } from "./errors.ts"
import { head } from "./read.ts"
import { serviceSas } from "./sas.ts"
import { modeHeaders } from "./write.ts"

/** How long a source may be read by the service that copies it. */
const sourceLifetime = 60 * 60_000

/** Where the source is, and what lets the service read it: it reads as a stranger, also within one account. */
export const sourceHeaders = Effect.fnUntraced(function*(
  client: Client,
  from: Location
): Effect.fn.Return<Record<string, string>, ObjectStoreError> {
  const { authorization, endpoint } = client.settings
  const url = endpoint.origin + pathOf(client, from)
  switch (authorization._tag) {
    case "SharedKey": {
      const grant = { permissions: "r", expiresAt: (yield* client.authorizer.clock.now) + sourceLifetime }
      return { "x-ms-copy-source": withQuery(url, serviceSas(client.settings, authorization.sharedKey, from, grant)) }
    }
    case "Sas":
      return { "x-ms-copy-source": withQuery(url, Redacted.value(authorization.token)) }
    case "Token": {
      if (client.authorizer.tokens === undefined) return { "x-ms-copy-source": url }
      const token = Redacted.value(yield* client.authorizer.tokens.get)
      return { "x-ms-copy-source": url, "x-ms-copy-source-authorization": `Bearer ${token}` }
    }
    case "Anonymous":
      return { "x-ms-copy-source": url }
  }
})

/**
 * Copies a blob with one request, in which the service does all of it (Copy Blob From URL). A service that answers that the copy is
 * pending is asked until it is done.
 */
export const copy = Effect.fnUntraced(function*(
  client: Client,
  from: Location,
  to: Location,
  { ifMatch, mode }: CopyRequest
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  // The reply does not tell the size; the version that is copied is the one that is looked at here.
  const source = yield* Effect.mapError(
    head(client, from, { ifMatch }),
    (error) => withContext(error, { operation: "copy", outcome: "not-applied" })
  )
  const { maxCopySize } = client.settings.capabilities
  if (source.size > maxCopySize) {
    return yield* makeError("LimitExceeded", {
      operation: "copy",
      backend: backendName,
      limit: "maxCopySize",
      description: `the object has ${source.size} bytes, the most are ${maxCopySize}`,
      outcome: "not-applied"
    })
  }
  const readable = yield* sourceHeaders(client, from)
  const start = sendForHead(client, {
    operation: "copy",
    mutation: true,
    create: mode === "create",
    method: "PUT",
    container: to.container,
    key: to.key,
    headers: {
      ...modeHeaders(mode),
      ...readable,
      "x-ms-requires-sync": "true",
      ...(source.etag === undefined ? undefined : { "x-ms-source-if-match": source.etag })
    },
    accept: [201, 202]
  }).pipe(Effect.mapError((error) => ifMatch === undefined ? changedMeanwhile(error) : error))
  const copied = yield* Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(start), (reply) =>
      Effect.onExit(
        restore(untilCopied(client, to, reply)),
        (exit) => Exit.isSuccess(exit) ? Effect.void : withdraw(client, to, reply)
      ))
  )
  const etag = yield* etagOf({ operation: "copy", mutation: true }, copied)
  return { etag, version: copied.headers["x-ms-version-id"], size: source.size, verified: "size" }
})

/** Nobody asked for one version of the source: the copy is begun anew with the one that is there now. */
const changedMeanwhile = (error: ObjectStoreError): ObjectStoreError =>
  error.code === "SourceConditionNotMet"
    ? retag(
      withContext(error, { description: "the source was changed meanwhile", outcome: "not-applied" }),
      "Unavailable"
    )
    : error

const firstPause = 100
const longestPause = 5000

/** Asks until the copy is done; answers the head of the reply that says so. A copy that does not come further has stalled. */
const untilCopied = Effect.fnUntraced(function*(
  client: Client,
  to: Location,
  started: Pick<TransportReply, "status" | "headers">
): Effect.fn.Return<Pick<TransportReply, "status" | "headers">, ObjectStoreError> {
  const id = started.headers["x-ms-copy-id"]
  const { stallTimeout } = client.settings
  let reply = started
  let seen = started.headers["x-ms-copy-progress"]
  let since = yield* Clock.currentTimeMillis
  for (let pause = firstPause;; pause = Math.min(longestPause, pause * 2)) {
    const status = reply.headers["x-ms-copy-status"] ?? "success"
    if (status === "success") return reply
    if (status !== "pending") return yield* broken(`the copy has ${status}`)
    const now = yield* Clock.currentTimeMillis
    const progress = reply.headers["x-ms-copy-progress"]
    if (progress !== seen) {
      seen = progress
      since = now
    } else if (now - since >= stallTimeout) return yield* stalled(seen, stallTimeout)
    yield* Effect.sleep(pause)
    reply = yield* Effect.mapError(
      sendForHead(client, { ...asked, method: "HEAD", ...to, accept: [200] }),
      // The copy was begun; only how it ends is not known.
      (error) => withContext(error, { outcome: "unknown" })
    )
    if (reply.headers["x-ms-copy-id"] !== id) return yield* broken("the target was replaced while the copy was pending")
  }
})

const stalled = (progress: string | undefined, time: number): ObjectStoreError =>
  makeError("Timeout", {
    operation: "copy",
    backend: backendName,
    phase: "stall",
    description: `the copy stays at ${progress ?? "an unknown number of"} bytes for ${time} ms`,
    outcome: "unknown"
  })

const asked = { operation: "copy", mutation: false } as const

const broken = (description: string): ObjectStoreError =>
  makeError("Conflict", { operation: "copy", backend: backendName, description, outcome: "unknown" })

/** Ends a copy that is pending, and removes what it leaves at the target: a blob of no bytes. */
const withdraw = (client: Client, to: Location, { headers }: TransportReply): Effect.Effect<void> => {
  const id = headers["x-ms-copy-id"]
  if (headers["x-ms-copy-status"] !== "pending" || id === undefined) return Effect.void
  const target = { container: to.container, key: to.key }
  return sendForHead(client, {
    operation: "abortCopy",
    mutation: true,
    method: "PUT",
    ...target,
    query: { comp: "copy", copyid: id },
    headers: { "x-ms-copy-action": "abort" },
    accept: [204]
  }).pipe(
    Effect.andThen(sendForHead(client, { ...asked, method: "HEAD", ...target, accept: [200] })),
    Effect.flatMap((left) =>
      left.headers["x-ms-copy-id"] === id && left.headers["etag"] !== undefined
        ? sendForHead(client, {
          operation: "abortCopy",
          mutation: true,
          method: "DELETE",
          ...target,
          headers: { "if-match": left.headers["etag"] },
          accept: [202]
        })
        : Effect.void
    ),
    Effect.ignore({ log: "Debug", message: "a copy could not be ended; the service may go on with it" })
  )
}
