/**
 * Azure Blob Storage: one account, its containers and block blobs.
 *
 * Requests go over HTTP as the service's public reference describes them; no SDK is loaded, but for `@azure/identity` where the store
 * is to find its credential by itself. `docs/backends/azure.md` says what is different here.
 *
 * **Example** (An account with its key)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import * as Azure from "effect-objectstore/layers/Azure"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("a.txt", "hello")
 *   return yield* store.get("az://myaccount/data/a.txt")
 * })
 *
 * export const run = (accountKey: string) =>
 *   Effect.runPromise(program.pipe(Effect.provide(Azure.layer({ accountKey, base: "az://myaccount/data/" }))))
 * ```
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import type { Backend } from "../src/Backend.ts"
import { makeUndiciTransport } from "../src/http/UndiciTransport.ts"
import { fromBackend, ObjectStore } from "../src/ObjectStore.ts"
import type { ObjectStoreError } from "../src/ObjectStoreError.ts"
import { makeAuthorizer } from "./azure/auth.ts"
import { toBackend } from "./azure/backend.ts"
import { type AzureOptions, resolveOptions } from "./azure/config.ts"
import { backendName, misconfigured } from "./azure/errors.ts"
import { makeDelegationKeys } from "./azure/sas.ts"

export type { AzureChecksum, AzureOptions, TokenCredential } from "./azure/config.ts"

/**
 * Makes the backend alone, for programs that build upon the contract. It sends nothing before the first request.
 *
 * Fails with `Configuration` if an option is wrong, or if a package that it needs is not installed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBackend: (options: AzureOptions) => Effect.Effect<Backend, ObjectStoreError, Scope.Scope> = Effect
  .fnUntraced(function*(options: AzureOptions) {
    const resolved = resolveOptions(options)
    if (Result.isFailure(resolved)) return yield* misconfigured(resolved.failure)
    const settings = resolved.success
    if (settings.checksum === "md5" && NodeCrypto.getFips() === 1) {
      return yield* misconfigured("checksum: Node runs in FIPS mode and has no MD5; \"crc64\" does without it")
    }
    const authorizer = yield* makeAuthorizer(settings.authorization)
    const transport = yield* makeUndiciTransport({ ...options, backend: backendName })
    const delegationKeys = settings.authorization._tag === "Token" ? yield* makeDelegationKeys : undefined
    return toBackend({ settings, transport, authorizer, delegationKeys })
  })

/**
 * Makes a store over an account.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: AzureOptions
): Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope> =>
  Effect.flatMap(makeBackend(options), (backend) => fromBackend(backend, options))

/**
 * Layer of a store over an account.
 *
 * **Example** (A shared access signature, and larger blocks)
 *
 * ```ts
 * import * as Azure from "effect-objectstore/layers/Azure"
 *
 * export const data = (sasToken: string) =>
 *   Azure.layer({ base: "az://myaccount/data/", sasToken, blockSize: 32 * 1024 * 1024, blockConcurrency: 4 })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: AzureOptions): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(ObjectStore, make(options))

/**
 * Layer of a store over an account, with options out of `Config`.
 *
 * **Example** (The key out of the environment)
 *
 * ```ts
 * import { Config } from "effect"
 * import * as Azure from "effect-objectstore/layers/Azure"
 *
 * export const data = Azure.layerConfig({
 *   base: Config.String("DATA_LOCATION"),
 *   accountKey: Config.Redacted("DATA_KEY")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<AzureOptions>
): Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> =>
  Layer.effect(ObjectStore, Effect.flatMap(Config.unwrap(config), make))

const optional = <A>(config: Config.Config<A>): Config.Config<A | undefined> =>
  Config.map(Config.option(config), Option.getOrUndefined)

const either = <A>(first: Config.Config<A>, second: Config.Config<A>): Config.Config<A | undefined> =>
  Config.map(Config.all([optional(first), optional(second)]), ([a, b]) => a ?? b)

/**
 * The options that the environment names, as `AzureLive` reads them: the variables that the vendor's own tools read, and of
 * several credentials the first of them. A variable that is not set leaves its option out.
 *
 * @category configuration
 * @since 0.1.0
 */
export const environment: Config.Config<AzureOptions> = Config.map(
  Config.all({
    allowPlainHttp: optional(Config.Boolean("OBJECTSTORE_ALLOW_HTTP")),
    connectionString: optional(Config.Redacted("AZURE_STORAGE_CONNECTION_STRING")),
    account: either(Config.String("AZURE_STORAGE_ACCOUNT"), Config.String("AZURE_STORAGE_ACCOUNT_NAME")),
    accountKey: either(Config.Redacted("AZURE_STORAGE_KEY"), Config.Redacted("AZURE_STORAGE_ACCOUNT_KEY")),
    sasToken: optional(Config.Redacted("AZURE_STORAGE_SAS_TOKEN")),
    endpoint: either(Config.String("AZURE_STORAGE_BLOB_ENDPOINT"), Config.String("AZURE_STORAGE_ENDPOINT"))
  }),
  ({ account, accountKey, allowPlainHttp, connectionString, endpoint, sasToken }): AzureOptions => {
    if (connectionString !== undefined) return { connectionString, allowPlainHttp }
    const options = { account, endpoint, allowPlainHttp }
    return accountKey === undefined ? { ...options, sasToken } : { ...options, accountKey }
  }
)

/**
 * Layer of the account that the environment names, with the variables of the `az` command: `AZURE_STORAGE_CONNECTION_STRING`; or
 * `AZURE_STORAGE_ACCOUNT` with `AZURE_STORAGE_KEY` or `AZURE_STORAGE_SAS_TOKEN`, and `AZURE_STORAGE_BLOB_ENDPOINT` for another place than
 * Azure's own (with credentials and plain http also `OBJECTSTORE_ALLOW_HTTP=true`). Without key and signature, `DefaultAzureCredential` of `@azure/identity` is asked.
 *
 * Locations are absolute: `az://account/container/key`.
 *
 * @category layers
 * @since 0.1.0
 */
export const AzureLive: Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> = Layer.effect(
  ObjectStore,
  Effect.flatMap(environment, make)
)
