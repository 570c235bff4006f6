/**
 * How the store of each service is opened: its layer is loaded, and the environment read, only then.
 *
 * @internal
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Backend } from "../../src/Backend.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { StoreOptions } from "../../src/ObjectStoreOptions.ts"
import type { ObjectUri } from "../../src/ObjectUri.ts"
import type { UniversalOptions } from "./config.ts"
import { backendName, notLoaded } from "./errors.ts"
import { azureOptions, gcsOptions, known, s3Options } from "./merge.ts"
import type { Openers } from "./stores.ts"

/** Loads a layer. */
const load = <A>(scheme: string, module: () => Promise<A>): Effect.Effect<A, ObjectStoreError> =>
  Effect.tryPromise({ try: module, catch: (cause) => notLoaded(scheme, cause) })

const opened = <Options extends StoreOptions>(
  makeBackend: (options: Options) => Effect.Effect<Backend, ObjectStoreError, Scope.Scope>,
  options: Options
) => Effect.map(makeBackend(options), (backend) => ({ backend, options }))

/** Opens stores by options, and with an environment also by its variables. */
export const openersOf = (
  options: UniversalOptions,
  environment: ConfigProvider.ConfigProvider | undefined
): Openers => {
  const read = <A extends object>(
    scheme: string,
    variables: Effect.Effect<A, Config.ConfigError | ObjectStoreError>
  ): Effect.Effect<Partial<A>, ObjectStoreError> =>
    environment === undefined ? Effect.succeed({}) : variables.pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, environment),
      Effect.mapError((cause) =>
        isObjectStoreError(cause) ? cause : makeError("Configuration", {
          operation: "open",
          backend: backendName,
          description: `the environment does not say how to open ${scheme}://: ${cause.message}`,
          cause
        })
      )
    )

  const directory = (variable: string) => Config.all({ root: Config.withDefault(Config.String(variable), "/") })

  return {
    azure: Effect.fnUntraced(function*(account: string) {
      const layer = yield* load("az", () => import("../Azure.ts"))
      const found = yield* read("az", layer.environment)
      const given = typeof options.azure === "function" ? options.azure(account) : options.azure
      return yield* opened(layer.makeBackend, azureOptions(account, found, given ?? {}))
    }),
    direct: Effect.fnUntraced(function*() {
      const { makeBackend } = yield* load("direct", () => import("../Direct.ts"))
      const found = yield* read("direct", directory("OBJECTSTORE_DIRECT_ROOT"))
      return yield* opened(makeBackend, { root: "/", ...found, ...known(options.direct) })
    }),
    file: Effect.fnUntraced(function*() {
      const { makeBackend } = yield* load("file", () => import("../File.ts"))
      const found = yield* read("file", directory("OBJECTSTORE_FILE_ROOT"))
      return yield* opened(makeBackend, { root: "/", ...found, ...known(options.file) })
    }),
    gcs: Effect.fnUntraced(function*() {
      const layer = yield* load("gs", () => import("../Gcs.ts"))
      const found = yield* read("gs", layer.environment)
      return yield* opened(layer.makeBackend, gcsOptions(found, options.gcs ?? {}))
    }),
    memory: Effect.fnUntraced(function*(_account: string, base: ObjectUri | undefined) {
      const { makeBackend } = yield* load("mem", () => import("../Memory.ts"))
      return yield* opened(makeBackend, { ...known(options.memory), base })
    }),
    s3: Effect.fnUntraced(function*() {
      const layer = yield* load("s3", () => import("../S3.ts"))
      const found = yield* read("s3", layer.environment)
      return yield* opened(layer.makeBackend, s3Options(found, options.s3 ?? {}))
    })
  }
}
