/**
 * Directories as object stores by O_DIRECT (`direct://`): everything that `file://` is, but bytes travel between the disk
 * and the program's memory past the page cache.
 *
 * **When to use**
 *
 * For objects that are read or written once and are larger than a few MiB: checkpoints, training data, transfers. The
 * processor does half the work and the page cache keeps what other programs need. Small objects, and ones that are read
 * again soon, are quicker by `file://`. Both may be used on the same directory, also at the same time.
 *
 * **Details**
 *
 * Any size and any part size is exact. Whole blocks (4096 bytes, or a page if that is larger) travel by O_DIRECT; a block that
 * a write covers in part, such as the end of an object, goes through the page cache, which the kernel keeps coherent.
 * System calls move 4 MiB at a time. Ordinary memory is copied through page-aligned slots, which are the store's own,
 * bounded in number and reused; memory on a resizable `ArrayBuffer` (`new ArrayBuffer(n, { maxByteLength: n })`) is
 * page-aligned itself and takes no copy where it lies like the range: its address and the offset equal modulo the block.
 *
 * Whether the file system takes O_DIRECT is found out when the layer is built, by a file that is written and read back.
 * If it does not, the layer fails with `Unsupported`, unless it was given `fallback: "buffered"`. Nothing falls back
 * later. The mode in force is `store.capabilities.io` and the gauge `objectstore_direct_io`.
 *
 * **Gotchas**
 *
 * O_DIRECT is not durability: bytes may still be in the disk's own cache, and the file's size and place are not on the
 * disk before they were synced. `durability` says when they are, as for `file://`.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Backend } from "../src/Backend.ts"
import { fromBackend, ObjectStore } from "../src/ObjectStore.ts"
import type { ObjectStoreError } from "../src/ObjectStoreError.ts"
import * as ObjectUri from "../src/ObjectUri.ts"
import { makeDirectBackend } from "./direct/backend.ts"
import type { DirectOptions } from "./direct/config.ts"
import { directFlag } from "./direct/probe.ts"

export type { Durability } from "../src/filesystem/DataPath.ts"
export type { DirectOptions } from "./direct/config.ts"

/**
 * Makes a direct store. Relative keys are relative to the root, unless there is another `base`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: DirectOptions
): Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope> =>
  Effect.flatMap(makeBackend(options), (backend) =>
    fromBackend(backend, {
      ...options,
      base: options.base ??
        ObjectUri.print({ scheme: "direct", account: "", container: "", key: backend.address.root })
    }))

/**
 * Makes the backend of a direct store, for `fromBackend` and for decorators of backends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBackend = (options: DirectOptions): Effect.Effect<Backend, ObjectStoreError, Scope.Scope> =>
  makeDirectBackend(options, directFlag)

/**
 * Layer of a direct store.
 *
 * **Example** (Objects of a directory, past the page cache)
 *
 * ```ts
 * import { Console, Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { layer } from "effect-objectstore/layers/Direct"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("checkpoints/1", new Uint8Array(10_000_000))
 *   yield* Console.log(store.capabilities.io, (yield* store.stat("checkpoints/1")).size)
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(layer({ root: "/tmp/objectstore-direct", fallback: "buffered" }))))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: DirectOptions): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(ObjectStore, make(options))

/**
 * Layer of a direct store with options out of `Config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<DirectOptions>
): Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> =>
  Layer.effect(ObjectStore, Effect.flatMap(Config.unwrap(config), make))

/**
 * Layer of the direct store whose root the environment names: `OBJECTSTORE_DIRECT_ROOT`.
 *
 * @category layers
 * @since 0.1.0
 */
export const DirectLive: Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> = layerConfig({
  root: Config.String("OBJECTSTORE_DIRECT_ROOT")
})
