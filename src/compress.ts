/**
 * A decorator that keeps everything compressed, unseen by the program: what it writes as `a` is stored as `a.zst`, and read,
 * listed and described as `a`.
 *
 * - Every object of the program's is stored with `.zst` behind its whole key, also `b.zst` as `b.zst.zst`. What is stored under
 *   other keys does not exist for the program: it is neither read, listed nor removed.
 * - Sizes are the original's. A listing that has no metadata at hand asks for them, object by object, unless
 *   `listSizes: "stored"`.
 * - Etags, versions and conditions are those of what is stored.
 * - Listings are ordered by the stored keys (`a-b.zst` before `a.zst`), so `capabilities.sortedList` is `false`.
 * - `presign` is `Unsupported`: whoever has a URL would read and write what is stored.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import type { Capabilities } from "./Capabilities.ts"
import { suffix } from "./codec/compressionMark.ts"
import {
  originalSize,
  pin,
  plainError,
  plainInfo,
  plainNames,
  plainRemoval,
  seenBelow,
  storedAt
} from "./compression/plainView.ts"
import { removeSeen } from "./compression/removeSeen.ts"
import { compareKeys } from "./keyOrder.ts"
import type { ObjectInfo, OpenUpload, Prefix, PutResult } from "./ObjectInfo.ts"
import { ObjectStore, type ObjectStoreOperations } from "./ObjectStore.ts"
import { makeError, type ObjectStoreError } from "./ObjectStoreError.ts"
import type { At, CompressionOptions, DecompressOption, ListOptions, WriteOptions } from "./ObjectStoreOptions.ts"
import { redact } from "./ObjectUri.ts"
import { areKeys } from "./removal.ts"

/**
 * How `compress` keeps objects.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompressSettings extends CompressionOptions {
  /**
   * Sizes in listings: of the `"original"`, for which an object whose metadata the listing does not tell is asked for by
   * itself, or as `"stored"`. `"original"` without it.
   */
  readonly listSizes?: "original" | "stored" | undefined
  /** Objects that are asked for at a time while a listing is made; 16 without it. */
  readonly listConcurrency?: number | undefined
}

/** Nothing left out: an operation that is not forwarded does not compile. */
type Complete<A> = { readonly [Name in keyof A]-?: A[Name] }

const capabilitiesOf = (can: Capabilities): Capabilities => ({
  ...can,
  sortedList: false,
  presign: false,
  // `a` is the file `a.zst`, which may stand beside the directory of `a/b`.
  hierarchical: false,
  maxKeyBytes: can.maxKeyBytes - suffix.length,
  maxSegmentBytes: can.maxSegmentBytes === undefined ? undefined : can.maxSegmentBytes - suffix.length
})

const plainly = <A, R>(effect: Effect.Effect<A, ObjectStoreError, R>): Effect.Effect<A, ObjectStoreError, R> =>
  Effect.mapError(effect, plainError)

const streamed = <A>(stream: Stream.Stream<A, ObjectStoreError>): Stream.Stream<A, ObjectStoreError> =>
  Stream.mapError(stream, plainError)

const gone: ReadonlySet<string> = new Set(["NotFound", "PreconditionFailed", "ObjectChanged"])

/** `undefined` in place of what is not any more what was listed. */
const unlessGone = <A>(effect: Effect.Effect<A, ObjectStoreError>): Effect.Effect<A | undefined, ObjectStoreError> =>
  Effect.catchIf(effect, ({ reason }) => gone.has(reason._tag), () => Effect.succeed(undefined))

/** What a write answers: the original's size. */
const plainResult = (result: PutResult): PutResult => ({
  ...plainNames(result),
  size: result.compression?.size ?? result.size
})

/**
 * Decorates a store so that everything in it is kept compressed.
 *
 * **Example** (A program that knows nothing of it)
 *
 * ```ts
 * import { Console, Effect } from "effect"
 * import { compress } from "effect-objectstore"
 * import * as Memory from "effect-objectstore/layers/Memory"
 *
 * const program = Effect.gen(function*() {
 *   const stored = yield* Memory.make()
 *   const store = compress({ level: 9 })(stored)
 *   yield* store.put("log.txt", "again and ".repeat(1000))
 *   yield* Console.log((yield* store.stat("log.txt")).size) // 10000
 *   yield* Console.log((yield* stored.stat("log.txt.zst")).size < 100) // true
 * })
 *
 * Effect.runPromise(program)
 * ```
 *
 * @category decorators
 * @since 0.1.0
 */
export const compress = (settings: CompressSettings = {}) => (store: ObjectStore["Service"]): ObjectStore["Service"] =>
  ObjectStore.of(makeOperations(store, settings))

/**
 * Layer that keeps everything compressed in the store that it is given.
 *
 * **Example** (In front of any layer)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { layerCompress, ObjectStore } from "effect-objectstore"
 * import { MemoryLive } from "effect-objectstore/layers/Memory"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("a", "hello")
 *   return yield* store.get("a")
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(Layer.provide(layerCompress({ level: 19 }), MemoryLive))))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCompress = (settings?: CompressSettings): Layer.Layer<ObjectStore, never, ObjectStore> =>
  Layer.effect(ObjectStore, Effect.map(ObjectStore, compress(settings)))

const makeOperations = (
  store: ObjectStoreOperations,
  { listConcurrency = 16, listSizes = "original", ...compression }: CompressSettings
): Complete<ObjectStoreOperations> => {
  const written = (options: WriteOptions | undefined): WriteOptions => ({
    ...options,
    // All of it, so that a write refuses what there is not.
    compression: { ...compression, ...options?.compression }
  })
  /** What is asked for as it is stored is given so; everything else is the original. */
  const read = <Options extends DecompressOption>(options: Options | undefined) => ({
    ...options,
    decompress: options?.decompress !== false
  })
  const wrong = listSizes !== "original" && listSizes !== "stored"
    ? "listSizes is not \"original\" or \"stored\""
    : Number.isSafeInteger(listConcurrency) && listConcurrency > 0
    ? undefined
    : `listConcurrency ${String(listConcurrency)} is not a positive integer`
  const original = (info: ObjectInfo) => Effect.map(originalSize(store, info), (size) => plainInfo(info, size))

  /** What a copy answers. It is told by the target; one that is gone or another by now is told as it was stored. */
  const copied = (copy: Effect.Effect<PutResult, ObjectStoreError>, to: At) =>
    plainly(Effect.flatMap(copy, (result) =>
      store.stat(storedAt(to)).pipe(
        Effect.flatMap((info) => info.etag === result.etag ? originalSize(store, info) : Effect.succeed(result.size)),
        Effect.catchReasons("ObjectStoreError", {
          NotFound: () => Effect.succeed(result.size),
          PreconditionFailed: () => Effect.succeed(result.size)
        }),
        Effect.map((size) => ({ ...plainNames(result), size }))
      )))

  /** An object of a listing; one that is gone meanwhile is not in it. */
  const shown = (info: ObjectInfo): Effect.Effect<ObjectInfo | undefined, ObjectStoreError> =>
    listSizes === "stored" ? Effect.succeed(plainInfo(info, info.size)) : Effect.map(
      Object.keys(info.metadata).length > 0 ? Effect.succeed(info) : store.stat(info.uri, pin(store, info)),
      (known) => ({ ...known, uri: info.uri, key: info.key })
    ).pipe(Effect.flatMap(original), unlessGone, plainly)

  /** Entries of a listing, page by page, as a program sees them. */
  const listed = <A extends ObjectInfo | Prefix>(
    entries: Stream.Stream<A, ObjectStoreError>,
    prefix: At,
    options: ListOptions | undefined
  ): Stream.Stream<A | ObjectInfo, ObjectStoreError> => {
    if (wrong !== undefined) {
      return Stream.fail(makeError("InvalidRequest", { operation: "list", backend: "compress", description: wrong }))
    }
    const isSeen = seenBelow(prefix)
    const startAfter = options?.startAfter
    return entries.pipe(
      Stream.filter((entry) => entry._tag === "Prefix" || isSeen(entry)),
      Stream.mapArrayEffect((page) =>
        Effect.forEach(
          page,
          (entry): Effect.Effect<A | ObjectInfo | undefined, ObjectStoreError> =>
            entry._tag === "Prefix" ? Effect.succeed(entry) : shown(entry),
          { concurrency: listConcurrency }
        )
      ),
      Stream.filter((entry): entry is A | ObjectInfo =>
        entry !== undefined &&
        (entry._tag === "Prefix" || startAfter === undefined || compareKeys(entry.key, startAfter) > 0)
      )
    )
  }

  return {
    capabilities: capabilitiesOf(store.capabilities),

    get: (at, options) => plainly(store.get(storedAt(at), read(options))),
    getRange: (at, range, options) => plainly(store.getRange(storedAt(at), range, read(options))),
    getRanges: (at, ranges, options) => plainly(store.getRanges(storedAt(at), ranges, read(options))),
    getInto: (at, target, options) =>
      plainly(Effect.flatMap(
        store.getInto(storedAt(at), target, read(options)),
        ({ bytes, info }) => Effect.map(original(info), (plain) => ({ bytes, info: plain }))
      )),
    stream: (at, options) => streamed(store.stream(storedAt(at), read(options))),
    open: (at, options) =>
      plainly(Effect.flatMap(
        store.open(storedAt(at), read(options)),
        (reader) =>
          Effect.map(original(reader.info), (info) => ({
            info,
            read: (range, options) => plainly(reader.read(range, options)),
            readInto: (target, range, options) => plainly(reader.readInto(target, range, options)),
            stream: (range, options) => streamed(reader.stream(range, options))
          }))
      )),
    stat: (at, options) => plainly(Effect.flatMap(store.stat(storedAt(at), options), original)),
    exists: (at, options) => plainly(store.exists(storedAt(at), options)),

    put: (at, body, options) => Effect.map(plainly(store.put(storedAt(at), body, written(options))), plainResult),
    putMultipart: (at, body, options) =>
      Effect.map(plainly(store.putMultipart(storedAt(at), body, written(options))), plainResult),
    sink: (at, options) =>
      store.sink(storedAt(at), written(options)).pipe(Sink.map(plainResult), Sink.mapError(plainError)),
    writer: (at, options) =>
      Effect.map(plainly(store.writer(storedAt(at), written(options))), ({ finish, write }) => ({
        write: (chunk) => plainly(write(chunk)),
        finish: Effect.map(plainly(finish), plainResult)
      })),

    list: (prefix = "", options) => listed(store.list(prefix, options), prefix, options),
    listDirectory: (prefix = "", options) => listed(store.listDirectory(prefix, options), prefix, options),

    delete: (at, options) => plainly(store.delete(storedAt(at), options)),
    deleteMany: (keys, options) =>
      store.deleteMany(
        // What is no keys is refused by the store.
        !areKeys(keys) ? keys : Stream.map(Stream.isStream(keys) ? keys : Stream.fromIterable(keys), storedAt),
        options
      ).pipe(
        Stream.map(plainRemoval),
        Stream.mapError(plainError)
      ),
    deletePrefix: (prefix, options) => removeSeen(store, prefix, options),

    copy: (from, to, options) => copied(store.copy(storedAt(from), storedAt(to), options), to),
    rename: (from, to, options) => copied(store.rename(storedAt(from), storedAt(to), options), to),

    createContainer: store.createContainer,
    deleteContainer: store.deleteContainer,
    listContainers: store.listContainers,

    presign: (at) =>
      Effect.fail(makeError("Unsupported", {
        operation: "presign",
        backend: "compress",
        uri: redact(String(at)),
        capability: "presign",
        description: "a URL leads to what is stored, which is compressed"
      })),

    listUploads: (prefix = "") =>
      store.listUploads(prefix).pipe(Stream.filter(seenBelow(prefix)), Stream.map(plainNames)),
    abortUpload: (upload) =>
      plainly(store.abortUpload(
        {
          ...upload,
          uri: String(storedAt(upload.uri)),
          key: upload.key + suffix
        } satisfies OpenUpload
      ))
  }
}
