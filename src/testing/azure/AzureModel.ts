/**
 * A model of Azure Blob Storage: a server on this machine that speaks the service's protocol, with an account in memory.
 *
 * It is written from the vendor's public reference and checked by driving it with the vendor's own client. It does what no emulator
 * does: 416 at the end of a blob, sources of copies that have to be opened, names that XML cannot hold, bearer tokens that are refused, copies that are
 * pending, versions. What it shows is shown of this model, not of the service.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import { serve, type ServerReply, type ServerRequest } from "../protocol/Server.ts"
import { answer } from "./answer.ts"
import type { State } from "./state.ts"

/**
 * What a model is started with.
 *
 * @category models
 * @since 0.1.0
 */
export interface AzureModelOptions {
  /** The account's name; `devstoreaccount1` without it. */
  readonly account?: string | undefined
  /** The account's key, base64; one of chance without it. */
  readonly accountKey?: string | undefined
  /** The bearer token that is taken; without it every token is refused. */
  readonly token?: string | undefined
  /** Answers an empty page with a next one at the beginning of every listing, as the service may at any time. */
  readonly emptyPages?: boolean | undefined
  /** How often a copy is shown as pending before it is done; 0 without it. */
  readonly pendingCopies?: number | undefined
  /** Keeps every version, which can be read by its id. */
  readonly versioning?: boolean | undefined
  /** PEM texts; with them the model speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Sees every request before it is answered: to count them, or to answer instead. */
  readonly intercept?: AzureIntercept | undefined
}

/**
 * A request as it arrived, its path and query percent-encoded as they were sent.
 *
 * @category models
 * @since 0.1.0
 */
export type AzureRequest = ServerRequest

/**
 * An answer.
 *
 * @category models
 * @since 0.1.0
 */
export type AzureReply = ServerReply

/**
 * Looks at a request and at the way to its answer. What it answers is sent: it may ask for the answer before, after or not at
 * all, so it can lose answers as well as requests.
 *
 * @category models
 * @since 0.1.0
 */
export type AzureIntercept = (
  request: AzureRequest,
  answer: Effect.Effect<AzureReply>
) => Effect.Effect<AzureReply>

/**
 * A model that runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface AzureModel {
  /** `http://127.0.0.1:PORT/ACCOUNT`. */
  readonly endpoint: string
  readonly account: string
  readonly accountKey: string
  readonly connectionString: string
}

/**
 * What a model holds before it is asked anything, and the account's key.
 *
 * @internal
 */
export const makeAzureState = (
  options: AzureModelOptions,
  origin: () => string
): { readonly state: State; readonly accountKey: string } => {
  const { account = "devstoreaccount1", emptyPages = false, pendingCopies = 0, token, versioning = false } = options
  const accountKey = options.accountKey ?? NodeCrypto.randomBytes(64).toString("base64")
  return {
    accountKey,
    state: {
      account,
      accountKey: NodeCrypto.createSecretKey(Buffer.from(accountKey, "base64")),
      token,
      behaviour: { emptyPages, pendingCopies, versioning },
      origin,
      containers: new Map(),
      changes: 0
    }
  }
}

/**
 * How a model on this machine is reached.
 *
 * @internal
 */
export const connectionStringOf = (endpoint: string, account: string, accountKey: string): string =>
  `DefaultEndpointsProtocol=${
    endpoint.split(":", 1)[0]
  };AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${endpoint};`

/**
 * Starts a model of Azure Blob that lives as long as the scope.
 *
 * **Example** (A store over a model)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import * as Azure from "effect-objectstore/layers/Azure"
 * import { azureModel } from "effect-objectstore/testing"
 *
 * const store = Layer.unwrap(Effect.map(azureModel(), ({ connectionString }) => Azure.layer({ connectionString })))
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.createContainer("data")
 *   yield* store.put("az://devstoreaccount1/data/a", "hello")
 *   return yield* store.stat("az://devstoreaccount1/data/a")
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(store))).then((info) => console.log(info.size)) // 5
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const azureModel = Effect.fnUntraced(function*(
  options: AzureModelOptions = {}
): Effect.fn.Return<AzureModel, never, Scope.Scope> {
  let origin = ""
  const { accountKey, state } = makeAzureState(options, () => origin)
  const { account } = state
  const respond = (request: ServerRequest): Effect.Effect<ServerReply> =>
    Effect.map(Clock.currentTimeMillis, (now) => answer(state, request, now))
  const { intercept, tls } = options
  const server = yield* serve(
    intercept === undefined ? respond : (request) => intercept(request, respond(request)),
    { tls }
  )
  origin = server.origin
  const endpoint = `${origin}/${account}`
  return {
    endpoint,
    account,
    accountKey,
    connectionString: connectionStringOf(endpoint, account, accountKey)
  }
})
