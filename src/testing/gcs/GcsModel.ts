/**
 * A model of Google Cloud Storage: a server on the loopback interface that speaks its JSON API, and as much of its XML API as
 * objects need, written from the public references. It does what no emulator does: conditions on every operation, sessions
 * that tell what they have, rewrites in several calls, pages with prefixes, keys that are refused, tokens and signatures that
 * are checked.
 *
 * **When to use**
 *
 * For tests of programs and of the GCS layer, where an emulator is not exact enough. It is a model: what it shows is what
 * the references say, not what the service does.
 *
 * **Example** (A store on a model)
 *
 * ```ts
 * import { Console, Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { layer } from "effect-objectstore/layers/Gcs"
 * import { gcsModel } from "effect-objectstore/testing"
 *
 * const program = Effect.gen(function*() {
 *   const { origin } = yield* gcsModel({ buckets: ["mine"] })
 *   yield* Effect.gen(function*() {
 *     const store = yield* ObjectStore
 *     yield* store.put("a", "hello", { mode: "create" })
 *     yield* Console.log((yield* store.stat("a")).checksums.crc32c)
 *   }).pipe(Effect.provide(layer({ endpoint: origin, base: "gs://mine/" })))
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // mnG7TA==
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { serve, type ServerReply, type ServerRequest } from "../protocol/Server.ts"
import { type Access, checkAccess, knownAccount } from "./auth.ts"
import * as Buckets from "./buckets.ts"
import { listObjects, withFields } from "./listing.ts"
import * as Objects from "./objects.ts"
import type { Operation } from "./Operation.ts"
import { parse } from "./parse.ts"
import { nothing, refuse } from "./replies.ts"
import { rewrite } from "./rewrites.ts"
import * as Sessions from "./sessions.ts"
import { makeState, nextToken, type State } from "./state.ts"

/**
 * What a model is made with.
 *
 * @category models
 * @since 0.1.0
 */
export interface GcsModelOptions {
  /** Buckets that exist from the start, in the project `projectId`. */
  readonly buckets?: ReadonlyArray<string> | undefined
  /** Whether these buckets keep old versions; `false` without it. */
  readonly versioning?: boolean | undefined
  /** The project of these buckets; `"test"` without it. */
  readonly projectId?: string | undefined
  /** Bearer tokens that are taken; with some, or with an `account`, no other is. */
  readonly tokens?: ReadonlyArray<string> | undefined
  /** The service account whose tokens and signed URLs are taken: its name and its public key, PEM. */
  readonly account?: { readonly email: string; readonly publicKey: string } | undefined
  /** Whether requests without credentials are taken; `true` without it. */
  readonly anonymous?: boolean | undefined
  /** Buckets that nobody may use: 403. */
  readonly forbidden?: ReadonlyArray<string> | undefined
  /** Bytes that one call of a rewrite copies; 1 MiB without it. */
  readonly rewriteBytesPerCall?: number | undefined
  /** The port; a free one without it. */
  readonly port?: number | undefined
  /** PEM texts; with them the model speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Sees every request before it is answered: to count them, or to answer instead. */
  readonly intercept?: GcsIntercept | undefined
}

/**
 * Looks at a request and at the way to its answer. What it answers is sent: it may ask for the answer before, after or not at
 * all, so it can lose answers as well as requests.
 *
 * @category models
 * @since 0.1.0
 */
export type GcsIntercept = (
  request: GcsRequest,
  answer: Effect.Effect<GcsReply>
) => Effect.Effect<GcsReply>

/**
 * A request as it arrived.
 *
 * @category models
 * @since 0.1.0
 */
export type GcsRequest = ServerRequest

/**
 * A reply.
 *
 * @category models
 * @since 0.1.0
 */
export type GcsReply = ServerReply

/**
 * A model that listens.
 *
 * @category models
 * @since 0.1.0
 */
export interface GcsModel {
  readonly port: number
  /** Its address, to be a store's `endpoint`: `http://127.0.0.1:PORT`. */
  readonly origin: string
}

const MiB = 1024 * 1024

/**
 * Starts a model. Its scope stops it, and everything that it holds is forgotten.
 *
 * @category constructors
 * @since 0.1.0
 */
export const gcsModel = Effect.fnUntraced(function*(
  options: GcsModelOptions = {}
): Effect.fn.Return<GcsModel, never, Scope.Scope> {
  let origin = ""
  const { respond } = makeGcsService(options, () => origin, yield* Clock.currentTimeMillis)
  const answer = (request: ServerRequest): Effect.Effect<ServerReply> =>
    Effect.map(Clock.currentTimeMillis, (now) => respond(request, now))
  const { intercept } = options
  const server = yield* serve(
    (request) => intercept === undefined ? answer(request) : intercept(request, answer(request)),
    { port: options.port, tls: options.tls }
  )
  origin = server.origin
  return server
})

/**
 * A model without its server.
 *
 * @internal
 */
export const makeGcsService = (
  options: GcsModelOptions,
  origin: () => string,
  now: number
): { readonly state: State; readonly respond: (request: ServerRequest, now: number) => ServerReply } => {
  const state = makeState()
  for (const name of options.buckets ?? []) {
    const project = options.projectId ?? "test"
    const versioning = options.versioning ?? false
    const made = Buckets.insertBucket(state, { _tag: "InsertBucket", name, project, location: "US", versioning }, now)
    if (made.status !== 200) throw new Error(`the model cannot make the bucket "${name}"`)
  }
  const access: Access = {
    tokens: new Set(options.tokens),
    account: options.account === undefined ? undefined : knownAccount(options.account),
    anonymous: options.anonymous ?? true,
    forbidden: new Set(options.forbidden)
  }
  const bytesPerCall = options.rewriteBytesPerCall ?? MiB
  return {
    state,
    respond: (request, now) => {
      const reply = respond({ state, access, bytesPerCall, origin: origin(), now }, request)
      return { ...reply, headers: { "x-guploader-uploadid": nextToken(state), ...reply.headers } }
    }
  }
}

interface Context {
  readonly state: State
  readonly access: Access
  readonly bytesPerCall: number
  readonly origin: string
  readonly now: number
}

/** Who asks, what for, what becomes of it, and what is told. */
const respond = (context: Context, request: ServerRequest): ServerReply => {
  const operation = parse(request, context.origin)
  const refusal = checkAccess(context.access, request, context.now)
  if (refusal !== undefined) return refuse("api" in operation ? operation.api : "json", refusal)
  return withFields(apply(context, operation), "api" in operation ? undefined : request.query.get("fields"))
}

const apply = (context: Context, operation: Operation): ServerReply => {
  const { bytesPerCall, now, state } = context
  switch (operation._tag) {
    case "InsertBucket":
      return Buckets.insertBucket(state, operation, now)
    case "GetBucket":
      return Buckets.getBucket(state, operation)
    case "PatchBucket":
      return Buckets.patchBucket(state, operation)
    case "DeleteBucket":
      return Buckets.deleteBucket(state, operation)
    case "ListBuckets":
      return Buckets.listBuckets(state, operation)
    case "GetObject":
      return Objects.getObject(state, operation)
    case "GetMedia":
      return Objects.getMedia(state, operation)
    case "InsertObject":
      return Objects.insertObject(state, operation, now)
    case "PatchObject":
      return Objects.patchObject(state, operation, now)
    case "DeleteObject":
      return Objects.deleteObject(state, operation)
    case "Compose":
      return Objects.compose(state, operation, now)
    case "StartSession":
      return Sessions.startSession(state, operation)
    case "PutSession":
      return Sessions.putSession(state, operation, now)
    case "DeleteSession":
      return Sessions.deleteSession(state, operation)
    case "ListObjects":
      return listObjects(state, operation)
    case "Rewrite":
      return rewrite(state, operation, bytesPerCall, now)
    case "Batch":
      return batch(context, operation)
    case "Refused":
      return refuse(operation.api, operation.refusal)
  }
}

/** Answers every request of a batch by itself, in any order; ids tell which. */
const batch = (context: Context, { parts }: Extract<Operation, { readonly _tag: "Batch" }>): ServerReply => {
  const boundary = `batch_${nextToken(context.state)}`
  const replies = parts.map(({ id, request }) => {
    const inner = parse(request, context.origin)
    // Batches hold no bytes, and no batches.
    const known = inner._tag !== "Batch" && inner._tag !== "GetMedia" && inner._tag !== "InsertObject"
    const reply = known ? apply(context, inner) : nothing(400)
    const body = reply.body === undefined ? "" : Buffer.from(reply.body as string).toString()
    const head = [`HTTP/1.1 ${reply.status} Answer`, `content-length: ${Buffer.byteLength(body)}`]
    for (const [name, value] of Object.entries(reply.headers ?? {})) head.push(`${name}: ${value}`)
    return `--${boundary}\r\nContent-Type: application/http\r\n` +
      `Content-ID: <response-${id.replace(/^<|>$/g, "")}>\r\n\r\n${head.join("\r\n")}\r\n\r\n${body}\r\n`
  })
  return {
    status: 200,
    headers: { "content-type": `multipart/mixed; boundary=${boundary}` },
    body: `${replies.reverse().join("")}--${boundary}--\r\n`
  }
}
