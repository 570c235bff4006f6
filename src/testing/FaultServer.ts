/**
 * Servers of S3, Azure Blob and Google Cloud Storage on this machine, whose network and whose services fail by a script, and
 * which know what they really did.
 *
 * They are the models of `s3Model`, `azureModel` and `gcsModel` behind a wire that breaks: connections that are reset before
 * or after a request was carried out, bodies that are cut, stall or flip a bit, answers that lie. The journal tells what came,
 * what each exchange met, and what was applied: what a program believes can be compared with it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { toImfFixdate } from "../http/conditionHeaders.ts"
import { connectionStringOf, makeAzureState } from "./azure/AzureModel.ts"
import { makeGcsService } from "./gcs/GcsModel.ts"
import { serve, type ServerHead, type ServerReply, type ServerRequest } from "./protocol/Server.ts"
import { credentialsOf, makeS3State } from "./s3/S3Model.ts"
import { makeAuthority } from "./wire/authority.ts"
import { azureProtocol } from "./wire/azure.ts"
import { gcsProtocol } from "./wire/gcs.ts"
import { inflict, inflictEarly } from "./wire/inflict.ts"
import { makeJournal, type WireChange, type WireExchange } from "./wire/journal.ts"
import type { Protocol, StoredObject, WireOperation } from "./wire/Protocol.ts"
import { s3Protocol } from "./wire/s3.ts"
import { play, type WireRule } from "./wire/Script.ts"
import type { ConnectManner, WireFault } from "./WireFault.ts"

export type { WireChange, WireExchange, WireOperation, WireRule }

/**
 * What a server is started with.
 *
 * @category models
 * @since 0.1.0
 */
export interface FaultServerOptions {
  /** What goes wrong; nothing without it. */
  readonly script?: ReadonlyArray<WireRule> | undefined
  /** The bucket or container that is there; `"data"` without it. Keys of `options` are relative to it. */
  readonly container?: string | undefined
  /** Objects that are there, by key. */
  readonly objects?: Readonly<Record<string, string | Uint8Array>> | undefined
  /** Speaks https, with a certificate of an authority that is made for this server and thrown away with it. */
  readonly tls?: boolean | undefined
  /** How far the service's clock is ahead of this machine's: the clock that dates answers, objects and what it refuses as late. */
  readonly clockAhead?: Duration.Input | undefined
}

/**
 * A server that listens; `options` are those of a store on it.
 *
 * @category models
 * @since 0.1.0
 */
export interface FaultServer<Options> {
  /** `http://127.0.0.1:PORT`, with the account where there is one. */
  readonly endpoint: string
  readonly options: Options
  /** Replaces the script, and begins its counts anew; `[]` ends the faults. */
  readonly setScript: (script: ReadonlyArray<WireRule>) => Effect.Effect<void>
  /** Every exchange so far, in the order in which their heads came. */
  readonly journal: Effect.Effect<ReadonlyArray<WireExchange>>
  /** Every change of an object so far, in order. */
  readonly changes: Effect.Effect<ReadonlyArray<WireChange>>
  /** What is stored under a key. */
  readonly stored: (key: string) => Effect.Effect<Uint8Array | undefined>
  /** Stores an object behind everybody's back, as another writer would. */
  readonly store: (key: string, body: string | Uint8Array) => Effect.Effect<void>
  /** How many uploads are open. */
  readonly openUploads: Effect.Effect<number>
  /** How many connections are open. */
  readonly connections: Effect.Effect<number>
}

interface Started extends Omit<FaultServer<unknown>, "options"> {
  readonly ca: string | undefined
}

const defaultContainer = "data"

/** A clock that is ahead of another one, and goes with it. */
const aheadOf = (clock: Clock.Clock, millis: number): Clock.Clock => ({
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

/** Starts a server of a service. */
const start = Effect.fnUntraced(function*(
  { clockAhead = 0, container = defaultContainer, objects = {}, script = [], tls = false }: FaultServerOptions,
  makeProtocol: (origin: () => string, now: number) => Protocol
): Effect.fn.Return<Started, never, Scope.Scope> {
  let origin = ""
  const here = yield* Clock.Clock
  const clock = aheadOf(here, Duration.toMillis(clockAhead))
  const now = (): number => clock.currentTimeMillisUnsafe()
  const date = (): string => toImfFixdate(DateTime.makeUnsafe(now()))
  const protocol = makeProtocol(() => origin, now())
  const journal = makeJournal(protocol)
  const authority = tls ? makeAuthority(here.currentTimeMillisUnsafe()) : undefined
  let playing = play(script)
  let manner: ConnectManner = "refused"
  let mannerUntil = -Infinity
  /** Entries of requests whose body is on its way. */
  const open = new WeakMap<ServerHead["headers"], number>()
  const beginManner = (fault: WireFault): void => {
    if (fault._tag !== "Refuse" || fault.millis === 0) return
    manner = fault.manner
    mannerUntil = Math.max(mannerUntil, now() + fault.millis)
  }
  const early = (head: ServerHead) => {
    const number = journal.begin(head)
    open.set(head.headers, number)
    const fault = playing.early(protocol.describe(head, undefined), number)
    if (fault === undefined) return undefined
    journal.meet(number, fault)
    beginManner(fault)
    return inflictEarly(fault, date())
  }
  const handle = (request: ServerRequest) =>
    Effect.suspend(() => {
      const number = open.get(request.headers)!
      const described = protocol.describe(request, request)
      journal.receive(number, described, request.body.length)
      const apply = (sent: ServerRequest): Effect.Effect<ServerReply> =>
        Effect.sync(() => journal.apply(number, described, () => protocol.respond(sent, now())))
      const fault: WireFault | undefined = playing.whole(described, number)
      if (fault === undefined) return apply(request)
      journal.meet(number, fault)
      beginManner(fault)
      return inflict(protocol, fault, request, apply, now())
    })
  const server = yield* serve(handle, {
    early,
    manner: () => now() < mannerUntil ? manner : undefined,
    tls: authority?.leaf,
    impostor: tls ? makeAuthority(here.currentTimeMillisUnsafe()).leaf : undefined
  }).pipe(Effect.provideService(Clock.Clock, clock))
  origin = server.origin
  const put = (key: string, body: string | Uint8Array): void =>
    protocol.store(container, key, typeof body === "string" ? Buffer.from(body) : new Uint8Array(body), now())
  for (const [key, body] of Object.entries(objects)) put(key, body)
  return {
    endpoint: origin,
    ca: authority?.ca,
    setScript: (rules) =>
      Effect.sync(() => {
        playing = play(rules)
      }),
    journal: Effect.sync(journal.exchanges),
    changes: Effect.sync(journal.changes),
    stored: (key) => Effect.sync((): StoredObject["body"] | undefined => protocol.find(container, key)?.body),
    store: (key, body) => Effect.sync(() => put(key, body)),
    openUploads: Effect.sync(protocol.openUploads),
    connections: Effect.sync(server.connections)
  }
})

/**
 * The options of a store of `layers/S3` on a server.
 *
 * @category models
 * @since 0.1.0
 */
export interface S3FaultOptions {
  readonly endpoint: string
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: Redacted.Redacted<string>
  }
  readonly vendor: "aws"
  readonly base: string
  readonly ca: string | undefined
}

/**
 * Starts a server of S3, which lives as long as the scope.
 *
 * **Example** (An answer that is lost)
 *
 * ```ts
 * import { Console, Effect } from "effect"
 * import * as S3 from "effect-objectstore/layers/S3"
 * import { FaultServer, on, WireFault } from "effect-objectstore/testing/doubles"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* FaultServer.s3({ script: [on("write", "a", 1, WireFault.resetAfterApply)] })
 *   const store = yield* S3.make(server.options)
 *   yield* store.put("a", "hello", { mode: "create" })
 *   const journal = yield* server.journal
 *   yield* Console.log(journal.map(({ operation }) => operation)) // [ "write", "head" ]
 * })
 *
 * Effect.runPromise(Effect.scoped(program))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const s3 = Effect.fnUntraced(function*(
  options: FaultServerOptions = {}
): Effect.fn.Return<FaultServer<S3FaultOptions>, never, Scope.Scope> {
  const { container = defaultContainer } = options
  const state = makeS3State({ buckets: [container] }, yield* Clock.currentTimeMillis)
  const { ca, ...server } = yield* start(options, () => s3Protocol(state))
  const store: S3FaultOptions = {
    endpoint: server.endpoint,
    credentials: credentialsOf(state),
    vendor: "aws",
    base: `s3://${container}/`,
    ca
  }
  return { ...server, options: store }
})

/**
 * The options of a store of `layers/Azure` on a server.
 *
 * @category models
 * @since 0.1.0
 */
export interface AzureFaultOptions {
  readonly connectionString: string
  readonly base: string
  readonly ca: string | undefined
}

const account = "devstoreaccount1"

/**
 * Starts a server of Azure Blob, which lives as long as the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const azure = Effect.fnUntraced(function*(
  options: FaultServerOptions = {}
): Effect.fn.Return<FaultServer<AzureFaultOptions>, never, Scope.Scope> {
  const { container = defaultContainer } = options
  let origin: () => string = () => ""
  const { accountKey, state } = makeAzureState({ account }, () => origin())
  const { ca, ...server } = yield* start(options, (address, now) => {
    origin = address
    state.containers.set(container, {
      etag: "\"0x8DE000000000000\"",
      lastModified: now,
      blobs: new Map(),
      uncommitted: new Map(),
      versions: new Map()
    })
    return azureProtocol(state)
  })
  const endpoint = `${server.endpoint}/${account}`
  const store: AzureFaultOptions = {
    connectionString: connectionStringOf(endpoint, account, accountKey),
    base: `az://${account}/${container}/`,
    ca
  }
  return { ...server, endpoint, options: store }
})

/**
 * The options of a store of `layers/Gcs` on a server.
 *
 * @category models
 * @since 0.1.0
 */
export interface GcsFaultOptions {
  readonly endpoint: string
  readonly credentials: "anonymous"
  readonly projectId: string
  readonly base: string
  readonly ca: string | undefined
}

/**
 * Starts a server of Google Cloud Storage, which lives as long as the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const gcs = Effect.fnUntraced(function*(
  options: FaultServerOptions = {}
): Effect.fn.Return<FaultServer<GcsFaultOptions>, never, Scope.Scope> {
  const { container = defaultContainer } = options
  const { ca, ...server } = yield* start(options, (origin, now) => {
    const { respond, state } = makeGcsService({ buckets: [container] }, origin, now)
    return gcsProtocol(state, respond)
  })
  const store: GcsFaultOptions = {
    endpoint: server.endpoint,
    credentials: "anonymous",
    projectId: "test",
    base: `gs://${container}/`,
    ca
  }
  return { ...server, options: store }
})

/**
 * A rule of a script: which operation, on which key, which time (from 1), meets which fault. What is left `undefined` selects
 * everything.
 *
 * @category constructors
 * @since 0.1.0
 */
export const on = (
  operation: WireRule["operation"],
  key: WireRule["key"],
  hits: WireRule["hits"],
  fault: WireFault
): WireRule => ({ operation, key, hits, fault })
