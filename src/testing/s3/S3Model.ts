/**
 * A model of Amazon S3: a server on this machine that speaks the service's protocol, with buckets in memory.
 *
 * It is written from the vendor's public reference and checked by driving it with the vendor's own client. It does what no
 * emulator does all of: conditions on writes, completions, copies and removals, sizes and checksums of whole uploads, keys
 * of every kind, versions, signatures and clocks. What it shows is shown of this model, not of the service.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import { serve, type ServerReply, type ServerRequest } from "../protocol/Server.ts"
import { answer } from "./answer.ts"
import type { State } from "./state.ts"

/**
 * What a model is started with.
 *
 * @category models
 * @since 0.1.0
 */
export interface S3ModelOptions {
  /** Buckets that exist from the start. */
  readonly buckets?: ReadonlyArray<string> | undefined
  /** Whether these buckets keep old versions; `false` without it. */
  readonly versioning?: boolean | undefined
  /** The region of the service; `us-east-1` without it. */
  readonly region?: string | undefined
  /** The key pair that requests have to be signed with; one of chance without it. */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string | undefined
  } | undefined
  /** Whether requests without a signature are taken; `false` without it. */
  readonly anonymous?: boolean | undefined
  /** Smallest part that is not the last one, in bytes; 5 MiB without it, as the service has it. */
  readonly minPartSize?: number | undefined
  /** Most entries of a page, at most 1,000, which it is without it. */
  readonly pageSize?: number | undefined
  /** The port; a free one without it. */
  readonly port?: number | undefined
  /** PEM texts; with them the model speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Sees every request before it is answered: to count them, or to answer instead. */
  readonly intercept?: S3Intercept | undefined
}

/**
 * Looks at a request and at the way to its answer. What it answers is sent: it may ask for the answer before, after or not at
 * all, so it can lose answers as well as requests.
 *
 * @category models
 * @since 0.1.0
 */
export type S3Intercept = (request: S3Request, answer: Effect.Effect<S3Reply>) => Effect.Effect<S3Reply>

/**
 * A request as it arrived, its path and query percent-encoded as they were sent.
 *
 * @category models
 * @since 0.1.0
 */
export type S3Request = ServerRequest

/**
 * An answer.
 *
 * @category models
 * @since 0.1.0
 */
export type S3Reply = ServerReply

/**
 * A model that listens.
 *
 * @category models
 * @since 0.1.0
 */
export interface S3Model {
  readonly port: number
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string
  readonly region: string
  /** The key pair that requests have to be signed with, as the layer takes it. */
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: Redacted.Redacted<string>
    readonly sessionToken?: Redacted.Redacted<string> | undefined
  }
}

const MiB = 1024 * 1024

/**
 * What a model holds before it is asked anything.
 *
 * @internal
 */
export const makeS3State = (options: S3ModelOptions, now: number): State => {
  const region = options.region ?? "us-east-1"
  const { credentials } = options
  const state: State = {
    region,
    pair: credentials === undefined
      ? {
        accessKeyId: `AKIA${randomBytes(8).toString("hex").toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString("base64url"),
        sessionToken: undefined
      }
      : { sessionToken: undefined, ...credentials },
    anonymous: options.anonymous ?? false,
    minPartSize: options.minPartSize ?? 5 * MiB,
    pageSize: Math.min(options.pageSize ?? 1000, 1000),
    buckets: new Map(),
    changes: 0
  }
  for (const name of options.buckets ?? []) {
    const versioning = options.versioning ?? false
    state.buckets.set(name, { name, region, created: now, versioning, objects: new Map(), uploads: new Map() })
  }
  return state
}

/**
 * The key pair of a model, as the layer takes it.
 *
 * @internal
 */
export const credentialsOf = ({ pair }: State): S3Model["credentials"] => ({
  accessKeyId: pair.accessKeyId,
  secretAccessKey: Redacted.make(pair.secretAccessKey),
  ...(pair.sessionToken === undefined ? undefined : { sessionToken: Redacted.make(pair.sessionToken) })
})

/**
 * Starts a model of S3 that lives as long as the scope.
 *
 * **Example** (A store over a model)
 *
 * ```ts
 * import { Console, Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import * as S3 from "effect-objectstore/layers/S3"
 * import { s3Model } from "effect-objectstore/testing/doubles"
 *
 * const program = Effect.gen(function*() {
 *   const { credentials, endpoint } = yield* s3Model({ buckets: ["mine"] })
 *   yield* Effect.gen(function*() {
 *     const store = yield* ObjectStore
 *     yield* store.put("a", "hello", { mode: "create" })
 *     yield* Console.log((yield* store.stat("a")).checksums.crc32)
 *   }).pipe(Effect.provide(S3.layer({ endpoint, credentials, vendor: "aws", base: "s3://mine/" })))
 * })
 *
 * Effect.runPromise(Effect.scoped(program)) // NhCmhg==
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const s3Model = Effect.fnUntraced(function*(
  options: S3ModelOptions = {}
): Effect.fn.Return<S3Model, never, Scope.Scope> {
  const state = makeS3State(options, yield* Clock.currentTimeMillis)
  const respond = (request: ServerRequest): Effect.Effect<ServerReply> =>
    Effect.map(Clock.currentTimeMillis, (now) => answer(state, request, now))
  const { intercept, port, tls } = options
  const server = yield* serve(
    intercept === undefined ? respond : (request) => intercept(request, respond(request)),
    { port, tls }
  )
  return {
    port: server.port,
    endpoint: server.origin,
    region: state.region,
    credentials: credentialsOf(state)
  }
})
