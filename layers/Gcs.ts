/**
 * Google Cloud Storage as an object store.
 *
 * **Details**
 *
 * Objects are written and listed over the JSON API and read over the XML API, on connections of our own.
 * `@google-cloud/storage` is imported only for credentials that Google's library has to find (`"default"`, and keys
 * that are no service account's); service accounts' keys, tokens of your own, public buckets and emulators do without it.
 *
 * The etag of an object is its generation, and so is its version: every condition is one on generations, so it holds for
 * every operation, and a read that was begun goes on reading the generation that it began with. Large objects are
 * written through resumable sessions, one part after another. A CRC32C goes with every write, and is checked where a whole
 * object is read with one request.
 *
 * **Gotchas**
 *
 * Keys that hold a line feed or a carriage return are refused with `InvalidKey`, as the service refuses them; so are `.`
 * and `..`. Tags are `Unsupported`.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Backend } from "../src/Backend.ts"
import { makeUndiciTransport } from "../src/http/UndiciTransport.ts"
import { fromBackend, ObjectStore } from "../src/ObjectStore.ts"
import type { ObjectStoreError } from "../src/ObjectStoreError.ts"
import { toBackend } from "./gcs/backend.ts"
import {
  backendName,
  checkOptions,
  type GcsOptions,
  misconfigured,
  parseEndpoint,
  toCapabilities
} from "./gcs/config.ts"
import { makeIdentity } from "./gcs/identity.ts"

export type { GcsCredentials, GcsOptions, GcsToken, ServiceAccountKey } from "./gcs/config.ts"

const defaultEndpoint = "https://storage.googleapis.com"

/**
 * Makes the backend alone, for programs that build upon the contract. One serves all buckets.
 *
 * Fails with `Configuration` if an option is wrong, a key cannot be read, or a package is missing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBackend = Effect.fnUntraced(function*(
  options: GcsOptions = {}
): Effect.fn.Return<Backend, ObjectStoreError, Scope.Scope> {
  const wrong = checkOptions(options)
  if (wrong !== undefined) return yield* misconfigured(wrong)
  const parsed = parseEndpoint(options.endpoint ?? defaultEndpoint)
  if (Result.isFailure(parsed)) return yield* misconfigured(parsed.failure)
  const endpoint = parsed.success
  const identity = yield* makeIdentity(options, endpoint)
  const transport = yield* makeUndiciTransport({ ...options, backend: backendName })
  return toBackend({
    transport,
    endpoint,
    identity,
    capabilities: toCapabilities({
      batchDelete: options.batchDelete ?? true,
      presign: identity.sign !== undefined
    }),
    userProject: options.userProject
  })
})

/**
 * Makes a GCS store.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: GcsOptions = {}
): Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope> =>
  Effect.flatMap(makeBackend(options), (backend) => fromBackend(backend, options))

/**
 * Layer of a GCS store.
 *
 * **Example** (A public bucket)
 *
 * ```ts not-run="asks Google"
 * import { Console, Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { layer } from "effect-objectstore/layers/Gcs"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   const info = yield* store.stat("gs://gcp-public-data-landsat/index.csv.gz")
 *   yield* Console.log(info.size, info.checksums.crc32c)
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(layer({ credentials: "anonymous" }))))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: GcsOptions = {}): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(ObjectStore, make(options))

/**
 * Layer of a GCS store with options out of `Config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<GcsOptions>
): Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> =>
  Layer.effect(ObjectStore, Effect.flatMap(Config.unwrap(config), make))

/**
 * The options that the environment names, as `GcsLive` reads them; a variable that is not set leaves its option out.
 *
 * @category configuration
 * @since 0.1.0
 */
export const environment: Config.Config<GcsOptions> = Config.map(
  Config.all({
    allowPlainHttp: Config.option(Config.Boolean("OBJECTSTORE_ALLOW_HTTP")),
    emulator: Config.option(Config.String("STORAGE_EMULATOR_HOST")),
    keyFile: Config.option(Config.String("GOOGLE_APPLICATION_CREDENTIALS")),
    project: Config.option(Config.String("GOOGLE_CLOUD_PROJECT")),
    base: Config.option(Config.String("OBJECTSTORE_GCS_BASE"))
  }),
  ({ allowPlainHttp, base, emulator, keyFile, project }): GcsOptions => ({
    allowPlainHttp: Option.getOrUndefined(allowPlainHttp),
    base: given(base),
    endpoint: given(emulator),
    // An emulator knows nobody, and is told no secret.
    credentials: given(emulator) !== undefined
      ? "anonymous"
      : given(keyFile) === undefined
      ? "default"
      : { keyFile: given(keyFile)! },
    projectId: given(project)
  })
)

/** A variable that is set to nothing is none. */
const given = (value: Option.Option<string>): string | undefined => Option.getOrUndefined(value) || undefined

/**
 * Layer of the GCS store that the environment names, by the variables that Google's tools read:
 *
 * - `STORAGE_EMULATOR_HOST`: an emulator, with or without scheme and path. It is asked without credentials.
 * - `GOOGLE_APPLICATION_CREDENTIALS`: a file with a key. Without it Google's library looks for credentials
 *   (Application Default Credentials).
 * - `GOOGLE_CLOUD_PROJECT`: the project of containers, if it is not the credentials' own.
 * - `OBJECTSTORE_GCS_BASE`: the location that relative keys are relative to, `gs://bucket/prefix/`.
 *
 * @category layers
 * @since 0.1.0
 */
export const GcsLive: Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> = Layer.effect(
  ObjectStore,
  Effect.flatMap(environment, make)
)
