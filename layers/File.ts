/**
 * Directories as object stores (`file://`): a key is a path below the root.
 *
 * **Details**
 *
 * A put writes a temporary file beside the target and renames it, so an object is visible whole or not at all, also after
 * `kill -9`. Create-only puts are hard links, which never replace anything; conditional ones hold a lock that other
 * processes see. Reads keep a descriptor, so they are of one version whatever replaces the object meanwhile.
 *
 * Segments of a key are file names as they are, but for `""`, `"."`, `".."`, ones with NUL and ones that begin with
 * `.objectstore~`: these become `%=` and the segment, and what looks like that gets one `%` more. No key leads out of the
 * root; symbolic links below the root are neither followed nor listed, and a key that leads through one is `InvalidKey`.
 * Other files appear as objects, whoever wrote them.
 *
 * Names that begin with `.objectstore~` are the store's own: files being written (`tmp`, `up`), attributes and metadata
 * (`meta`, a JSON file beside the object, only where there are some), locks (`lock`), containers that stay though they are
 * empty (`keep`). They are never listed. What killed processes left, and metadata whose
 * object another program removed or changed, is listed by `listUploads` and removed by `abortUpload`.
 *
 * **Gotchas**
 *
 * `a` and `a/b` cannot both exist: the second put fails with `Conflict`. New files have the permissions that other
 * programs would give them (0666 without the umask), also where they replace a file with other ones. Two processes see
 * each other's conditional writes; an unconditional one of another process can come between. On file systems whose names
 * ignore case or normalise Unicode, keys do so too. Without `/proc` (not Linux), symbolic links are looked for before a
 * path is used, which a race can defeat.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as NodePath from "node:path"
import type { Backend } from "../src/Backend.ts"
import { makeFileBackend } from "../src/filesystem/backend.ts"
import { bufferedData } from "../src/filesystem/BufferedData.ts"
import { checkDirectoryOptions, type DirectoryOptions } from "../src/filesystem/options.ts"
import { fromBackend, ObjectStore } from "../src/ObjectStore.ts"
import { makeError, type ObjectStoreError } from "../src/ObjectStoreError.ts"
import * as ObjectUri from "../src/ObjectUri.ts"

export type { Durability } from "../src/filesystem/DataPath.ts"

/**
 * Options of a file store.
 *
 * @category models
 * @since 0.1.0
 */
export type FileOptions = DirectoryOptions

/**
 * Makes a file store. Relative keys are relative to the root, unless there is another `base`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: FileOptions
): Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope> =>
  Effect.flatMap(makeBackend(options), (backend) =>
    fromBackend(backend, {
      ...options,
      base: options.base ?? ObjectUri.print({ scheme: "file", account: "", container: "", key: backend.address.root })
    }))

/**
 * Makes the backend of a file store, for `fromBackend` and for decorators of backends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBackend = (options: FileOptions): Effect.Effect<Backend, ObjectStoreError, Scope.Scope> =>
  Effect.suspend(() => {
    const wrong = checkDirectoryOptions(options)
    return wrong === undefined
      ? makeFileBackend({
        name: "file",
        root: NodePath.resolve(options.root),
        data: bufferedData,
        durability: options.durability ?? "file",
        createRoot: options.createRoot
      })
      : Effect.fail(makeError("Configuration", { operation: "make", backend: "file", description: wrong }))
  })

/**
 * Layer of a file store.
 *
 * **Example** (Objects of a directory)
 *
 * ```ts
 * import { Console, Effect, Stream } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import * as File from "effect-objectstore/layers/File"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("notes/today.txt", "hello")
 *   yield* store.list("notes/").pipe(Stream.runForEach((info) => Console.log(info.uri, info.size)))
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(File.layer({ root: "/tmp/objectstore-file" }))))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: FileOptions): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(ObjectStore, make(options))

/**
 * Layer of a file store with options out of `Config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<FileOptions>
): Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> =>
  Layer.effect(ObjectStore, Effect.flatMap(Config.unwrap(config), make))

/**
 * Layer of the file store whose root the environment names: `OBJECTSTORE_FILE_ROOT`, the current directory without it.
 *
 * @category layers
 * @since 0.1.0
 */
export const FileLive: Layer.Layer<ObjectStore, ObjectStoreError | Config.ConfigError> = layerConfig({
  root: Config.withDefault(Config.String("OBJECTSTORE_FILE_ROOT"), ".")
})
