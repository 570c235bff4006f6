/**
 * Options out of the variables that the AWS tools read.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as NodeFs from "node:fs/promises"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { S3Options } from "./config.ts"
import { misconfigured } from "./errors.ts"

/**
 * What reading the environment fails with.
 *
 * @category errors
 * @since 0.1.0
 */
export type S3EnvironmentError = Config.ConfigError

const optional = <A>(config: Config.Config<A>): Config.Config<A | undefined> =>
  Config.map(Config.option(config), Option.getOrUndefined)

const variables = Config.all({
  accessKeyId: optional(Config.NonEmptyString("AWS_ACCESS_KEY_ID")),
  secretAccessKey: optional(Config.Redacted("AWS_SECRET_ACCESS_KEY")),
  sessionToken: optional(Config.Redacted("AWS_SESSION_TOKEN")),
  profile: optional(Config.NonEmptyString("AWS_PROFILE")),
  region: optional(Config.NonEmptyString("AWS_REGION")),
  defaultRegion: optional(Config.NonEmptyString("AWS_DEFAULT_REGION")),
  s3Endpoint: optional(Config.NonEmptyString("AWS_ENDPOINT_URL_S3")),
  endpoint: optional(Config.NonEmptyString("AWS_ENDPOINT_URL")),
  allowPlainHttp: optional(Config.Boolean("OBJECTSTORE_ALLOW_HTTP")),
  bundle: optional(Config.NonEmptyString("AWS_CA_BUNDLE")),
  base: optional(Config.NonEmptyString("OBJECTSTORE_S3_BASE"))
})

/** The options that the environment gives. */
export const environment: Effect.Effect<S3Options, ObjectStoreError | S3EnvironmentError> = Effect.gen(function*() {
  const found = yield* variables
  const { accessKeyId, allowPlainHttp, bundle, profile, secretAccessKey, sessionToken } = found
  const ca = bundle === undefined ? undefined : yield* Effect.tryPromise({
    try: (signal) => NodeFs.readFile(bundle, { encoding: "utf8", signal }),
    catch: (cause) => misconfigured(`AWS_CA_BUNDLE names a file that cannot be read: ${bundle}`, cause)
  })
  return {
    base: found.base,
    region: found.region ?? found.defaultRegion,
    endpoint: found.s3Endpoint ?? found.endpoint,
    profile,
    // A profile that is named comes before a key pair, as for the AWS tools.
    credentials: profile === undefined && accessKeyId !== undefined && secretAccessKey !== undefined
      ? { accessKeyId, secretAccessKey, sessionToken }
      : undefined,
    allowPlainHttp,
    ca
  }
})
