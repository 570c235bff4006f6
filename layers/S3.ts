/**
 * Objects in S3 and in services that speak its protocol (`s3://bucket/key`).
 *
 * One store serves all buckets of its endpoint. Requests go over HTTP directly; `@aws-sdk/client-s3` is an optional package,
 * imported only where credentials are to be found as the AWS tools find them.
 *
 * **Details**
 *
 * Every upload carries a checksum that the service compares before it stores anything; `PutResult.verified` says what it
 * confirmed. What services do differently is data, one profile a service (`profiles`), and `store.capabilities` says what is
 * left: where a service ignores conditions, they are refused and never silently dropped. Keys that a service would rewrite
 * are `InvalidKey`. Buckets of another region are found by asking once.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Backend } from "../src/Backend.ts"
import { makeUndiciTransport } from "../src/http/UndiciTransport.ts"
import { fromBackend, ObjectStore } from "../src/ObjectStore.ts"
import type { ObjectStoreError } from "../src/ObjectStoreError.ts"
import { makeS3Backend } from "./s3/backend.ts"
import { type S3Options, toSettings } from "./s3/config.ts"
import { environment, type S3EnvironmentError } from "./s3/environment.ts"
import { backendName, misconfigured } from "./s3/errors.ts"

export type { S3Checksum } from "./s3/checksum.ts"
export type { S3Options } from "./s3/config.ts"
export type { S3CredentialsOption, S3CredentialsProvider, S3KeyPair } from "./s3/credentials.ts"
export type { S3Encryption } from "./s3/encryption.ts"
export type { S3EnvironmentError } from "./s3/environment.ts"
export { environment } from "./s3/environment.ts"
export { profiles, type S3KeyRules, type S3Profile, type S3Vendor } from "./s3/vendors.ts"

/**
 * Makes the backend alone, for programs that build upon the contract.
 *
 * Fails with `Configuration` if an option is wrong, or the AWS SDK is needed and not installed; with the transport's own
 * reasons if `vendor` is to be found out and the endpoint does not answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBackend: (options?: S3Options) => Effect.Effect<Backend, ObjectStoreError, Scope.Scope> = Effect
  .fnUntraced(function*(options: S3Options = {}) {
    const settings = toSettings(options)
    if (Result.isFailure(settings)) return yield* misconfigured(settings.failure)
    const transport = yield* makeUndiciTransport({ ...options, backend: backendName })
    return yield* makeS3Backend(settings.success, transport)
  })

/**
 * Makes a store on S3.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: S3Options = {}
): Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope> =>
  Effect.flatMap(makeBackend(options), (backend) => fromBackend(backend, options))

/**
 * Layer of a store on S3.
 *
 * **Example** (A server on this machine)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import * as S3 from "effect-objectstore/layers/S3"
 *
 * const minio = S3.layer({
 *   endpoint: "http://127.0.0.1:9000",
 *   credentials: { accessKeyId: "minioadmin", secretAccessKey: "minioadmin" },
 *   base: "s3://my-bucket/runs/"
 * })
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("1/metrics.json", "{}")
 * })
 *
 * export const main = Effect.provide(program, minio)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: S3Options = {}): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(ObjectStore, make(options))

/**
 * Layer of a store on S3 with options out of `Config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<S3Options>
): Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> =>
  Layer.effect(ObjectStore, Effect.flatMap(Config.unwrap(config), make))

/**
 * Layer of the store that the environment names, by the variables that the AWS tools read:
 *
 * - `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`: a key pair. Without one, or with `AWS_PROFILE`, the
 *   AWS SDK looks for credentials, and reads further variables of its own (`AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`,
 *   `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, `AWS_CONFIG_FILE`, …).
 * - `AWS_REGION`, or else `AWS_DEFAULT_REGION`.
 * - `AWS_ENDPOINT_URL_S3`, or else `AWS_ENDPOINT_URL`.
 * - `AWS_CA_BUNDLE`: a file of certificates, PEM.
 * - `OBJECTSTORE_ALLOW_HTTP`: `true` where credentials may go to another machine over plain http.
 * - `OBJECTSTORE_S3_BASE`: the location that relative keys are relative to, `s3://bucket/prefix/`.
 *
 * @category layers
 * @since 0.1.0
 */
export const S3Live: Layer.Layer<ObjectStore, ObjectStoreError | S3EnvironmentError> = Layer.effect(
  ObjectStore,
  Effect.flatMap(environment, make)
)
