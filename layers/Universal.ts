/**
 * One store for every location: the scheme says which store does the work.
 *
 * **Details**
 *
 * A store is opened when a location of it is first used, once however many ask at a time, and closes with the layer. Only
 * then its layer and SDK are loaded; a package that is not installed is `Configuration`, which names it. An opening that
 * failed is tried again by the next user. Azure has a store an account, every other service one.
 *
 * Every operation is done by the store that its location belongs to. `copy` and `rename` stay inside a store where source
 * and target belong to the same one; else one version of the source streams through bounded memory into the target, whose
 * size is compared, and the source's own checksum on the way. `deleteMany` takes keys of several stores.
 *
 * Names of containers are locations (`s3://bucket`), or relative to the store of the base.
 *
 * **Gotchas**
 *
 * `capabilities` is what holds of every store that there is. A location whose own store can do more does more: ask
 * `makeStores` for the store of a location, and that for its capabilities.
 *
 * Without `schemes`, a location out of strange hands may name any file of this machine.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { ObjectStore } from "../src/ObjectStore.ts"
import type { ObjectStoreError } from "../src/ObjectStoreError.ts"
import type { At } from "../src/ObjectStoreOptions.ts"
import { wrongOptions } from "../src/optionNames.ts"
import { leastCapabilities } from "./universal/capabilities.ts"
import { optionNames, type UniversalOptions } from "./universal/config.ts"
import { refuse } from "./universal/errors.ts"
import { openersOf } from "./universal/openers.ts"
import { makeOperations } from "./universal/operations.ts"
import { makeRouter } from "./universal/stores.ts"

export type { UniversalOptions } from "./universal/config.ts"

/**
 * A universal store, and the stores behind it.
 *
 * @category models
 * @since 0.1.0
 */
export interface UniversalStores {
  /** The store of every location. */
  readonly store: ObjectStore["Service"]
  /**
   * The store that a location (or, for a relative key, the base) belongs to, with its own capabilities; opened if it is not
   * yet. Two locations of one store are given the same one.
   */
  readonly storeOf: (at: At) => Effect.Effect<ObjectStore["Service"], ObjectStoreError>
}

/**
 * Makes a universal store, for programs that also want to know which store a location belongs to.
 *
 * Fails with `Configuration` if the base is no location, or not of the schemes.
 *
 * **Example** (What the store of a location can do)
 *
 * ```ts
 * import { Effect } from "effect"
 * import * as Universal from "effect-objectstore/layers/Universal"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const { storeOf } = yield* Universal.makeStores({ schemes: ["mem", "file"] })
 *   const memory = yield* storeOf("mem://memory/a")
 *   return memory.capabilities.atomicRename
 * }))
 *
 * Effect.runPromise(program).then((can) => console.log(can)) // true
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeStores: (
  options?: UniversalOptions
) => Effect.Effect<UniversalStores, ObjectStoreError, Scope.Scope> = Effect.fnUntraced(
  function*(options: UniversalOptions = {}) {
    const wrong = wrongOptions(optionNames, options)
    if (wrong !== undefined) return yield* refuse("Configuration", "make", wrong)
    const environment = options.environment === true ? yield* ConfigProvider.ConfigProvider : undefined
    const router = yield* makeRouter(openersOf(options, environment), options)
    return { store: ObjectStore.of(makeOperations(router, leastCapabilities)), storeOf: router.storeOf }
  }
)

/**
 * Makes a universal store.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options?: UniversalOptions
): Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope> =>
  Effect.map(makeStores(options), ({ store }) => store)

/**
 * Layer of a universal store.
 *
 * **Example** (From one store to another)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import * as Universal from "effect-objectstore/layers/Universal"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("mem://memory/a", "hello", { metadata: { owner: "someone" } })
 *   yield* store.copy("mem://memory/a", "file:///tmp/objectstore-universal/a")
 *   return yield* store.stat("file:///tmp/objectstore-universal/a")
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(Universal.layer())))
 *   .then((info) => console.log(info.size, info.metadata.owner)) // 5 someone
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: UniversalOptions): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(ObjectStore, make(options))

/**
 * Layer of a universal store with options out of `Config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<UniversalOptions>
): Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> =>
  Layer.effect(ObjectStore, Effect.flatMap(Config.unwrap(config), make))

/**
 * Layer of a universal store whose stores are set up by their own usual variables, each read when its store is first used:
 * those of `S3Live`, `AzureLive`, `GcsLive`, `FileLive` and `DirectLive` (both with the root `/` without them).
 *
 * @category layers
 * @since 0.1.0
 */
export const UniversalLive: Layer.Layer<ObjectStore, ObjectStoreError> = layer({ environment: true })
