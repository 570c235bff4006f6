/**
 * The service: what a program says of objects, wherever they live.
 *
 * **Example** (Write, read a range, list)
 *
 * ```ts
 * import { Console, Effect, Stream } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { MemoryLive } from "effect-objectstore/layers/Memory"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("greetings/hello.txt", "hello, world")
 *   const world = yield* store.getRange("greetings/hello.txt", { offset: 7 })
 *   yield* Console.log(new TextDecoder().decode(world))
 *   yield* store.list("greetings/").pipe(Stream.runForEach((info) => Console.log(info.key, info.size)))
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(MemoryLive)))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Sink from "effect/Sink"
import type * as Stream from "effect/Stream"
import type { Backend } from "./Backend.ts"
import type { Capabilities } from "./Capabilities.ts"
import { makeOperations } from "./engine/store.ts"
import type {
  ContainerInfo,
  DeleteResult,
  DeleteSummary,
  ObjectInfo,
  OpenUpload,
  Prefix,
  PutResult,
  ReadResult
} from "./ObjectInfo.ts"
import type { ObjectStoreError } from "./ObjectStoreError.ts"
import type {
  At,
  Body,
  ByteRange,
  ContainerOptions,
  CopyOptions,
  DeleteManyOptions,
  DeleteOptions,
  DeletePrefixOptions,
  ListOptions,
  OpenOptions,
  PresignOptions,
  RangeReadOptions,
  RangesOptions,
  ReadConditions,
  ReaderReadOptions,
  ReadOptions,
  StoreOptions,
  WriteOptions
} from "./ObjectStoreOptions.ts"

/**
 * The operations of a store. Every one fails with `ObjectStoreError` only, can be interrupted at any point, and leaves
 * nothing behind when it is: no descriptor, socket, temporary file or open upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectStoreOperations {
  /** What the backend can do. What is `false` here fails with `Unsupported` before any byte moves. */
  readonly capabilities: Capabilities

  /** Reads a whole object into memory that is allocated once. */
  readonly get: (at: At, options?: ReadOptions) => Effect.Effect<Uint8Array, ObjectStoreError>

  /** Reads one range of an object. An empty range is empty bytes, once the object is known to exist. */
  readonly getRange: (at: At, range: ByteRange, options?: ReadOptions) => Effect.Effect<Uint8Array, ObjectStoreError>

  /**
   * Reads several ranges of one version of an object, in the order asked. Near ones are read together; they may overlap.
   */
  readonly getRanges: (
    at: At,
    ranges: ReadonlyArray<ByteRange>,
    options?: RangesOptions
  ) => Effect.Effect<ReadonlyArray<Uint8Array>, ObjectStoreError>

  /**
   * Reads an object, or a range of it, into the start of `target`: no copy, no fresh memory. A target that is too small
   * fails with `LimitExceeded`. If the read fails or is interrupted, what the target holds is undefined, but nothing
   * writes to it any more.
   */
  readonly getInto: (
    at: At,
    target: Uint8Array,
    options?: RangeReadOptions
  ) => Effect.Effect<ReadResult, ObjectStoreError>

  /**
   * Streams an object, or a range of it, in chunks that belong to the consumer. All chunks are of one version; a slow
   * consumer stops the reading.
   */
  readonly stream: (at: At, options?: RangeReadOptions) => Stream.Stream<Uint8Array, ObjectStoreError>

  /** Opens one version of an object: every read of the reader is of that version, or fails with `ObjectChanged`. */
  readonly open: (at: At, options?: OpenOptions) => Effect.Effect<ObjectReader, ObjectStoreError, Scope.Scope>

  /** Tells size, etag, times, attributes, metadata and checksums. */
  readonly stat: (at: At, options?: ReadConditions) => Effect.Effect<ObjectInfo, ObjectStoreError>

  /** Whether the object exists; anything but `NotFound` is a failure, not `false`. */
  readonly exists: (
    at: At,
    options?: { readonly version?: string | undefined }
  ) => Effect.Effect<boolean, ObjectStoreError>

  /** Writes an object, in one request or in parts by its size: visible whole or not at all. */
  readonly put: (at: At, body: Body, options?: WriteOptions) => Effect.Effect<PutResult, ObjectStoreError>

  /** Writes an object in parts, whatever its size. */
  readonly putMultipart: (at: At, body: Body, options?: WriteOptions) => Effect.Effect<PutResult, ObjectStoreError>

  /** A sink that writes what runs into it as one object. */
  readonly sink: (at: At, options?: WriteOptions) => Sink.Sink<PutResult, Uint8Array, never, ObjectStoreError>

  /** A writer that publishes on `finish`; leaving the scope without it aborts and publishes nothing. */
  readonly writer: (at: At, options?: WriteOptions) => Effect.Effect<ObjectWriter, ObjectStoreError, Scope.Scope>

  /** Lists the objects whose keys begin with `prefix`, a string prefix; a page of the service is a chunk of the stream. */
  readonly list: (prefix?: At, options?: ListOptions) => Stream.Stream<ObjectInfo, ObjectStoreError>

  /** Lists one level: objects, and the common prefixes up to the next `/`. */
  readonly listDirectory: (
    prefix?: At,
    options?: ListOptions
  ) => Stream.Stream<ObjectInfo | Prefix, ObjectStoreError>

  /** Removes an object. A missing one is a success, but with `ifMatch` `PreconditionFailed`. */
  readonly delete: (at: At, options?: DeleteOptions) => Effect.Effect<void, ObjectStoreError>

  /** Removes many objects: one result a key, in no fixed order, none lost. Fails only if the source of keys does. */
  readonly deleteMany: (
    keys: Iterable<At> | Stream.Stream<At, unknown>,
    options?: DeleteManyOptions
  ) => Stream.Stream<DeleteResult, ObjectStoreError>

  /**
   * Removes all objects whose keys begin with `prefix`. Fails with `PartialFailure` if some could not be removed, and with
   * `InvalidRequest` for an empty prefix without `all`.
   */
  readonly deletePrefix: (
    prefix: At,
    options?: DeletePrefixOptions
  ) => Effect.Effect<DeleteSummary, ObjectStoreError>

  /** Copies an object inside the store, with attributes and metadata. Onto itself it succeeds and changes nothing. */
  readonly copy: (from: At, to: At, options?: CopyOptions) => Effect.Effect<PutResult, ObjectStoreError>

  /** Moves an object: in one step where `capabilities.atomicRename`, else as copy and delete. */
  readonly rename: (from: At, to: At, options?: CopyOptions) => Effect.Effect<PutResult, ObjectStoreError>

  /** Makes a container (bucket, directory); `AlreadyExists` if it is there. */
  readonly createContainer: (name: string, options?: ContainerOptions) => Effect.Effect<void, ObjectStoreError>

  /** Removes an empty container, else `NotEmpty`; a missing one is `ContainerNotFound`. */
  readonly deleteContainer: (name: string) => Effect.Effect<void, ObjectStoreError>

  /** Lists the containers, or those whose names begin with `prefix`, ordered by name. */
  readonly listContainers: (
    options?: { readonly prefix?: string | undefined }
  ) => Stream.Stream<ContainerInfo, ObjectStoreError>

  /** Signs a URL that lets its holder do one thing to an object for a time. It is a secret. */
  readonly presign: (at: At, options: PresignOptions) => Effect.Effect<Redacted.Redacted<string>, ObjectStoreError>

  /** Lists the uploads that were begun and neither completed nor aborted, also by other processes. */
  readonly listUploads: (prefix?: At) => Stream.Stream<OpenUpload, ObjectStoreError>

  /** Drops an open upload and its parts. */
  readonly abortUpload: (upload: OpenUpload) => Effect.Effect<void, ObjectStoreError>
}

/**
 * One version of an object, held in a scope.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectReader {
  /** The version that is read. */
  readonly info: ObjectInfo
  /** Reads a range, or everything. */
  readonly read: (range?: ByteRange, options?: ReaderReadOptions) => Effect.Effect<Uint8Array, ObjectStoreError>
  /** Reads a range, or everything, into the start of `target`; answers the number of bytes. */
  readonly readInto: (
    target: Uint8Array,
    range?: ByteRange,
    options?: ReaderReadOptions
  ) => Effect.Effect<number, ObjectStoreError>
  /** Streams a range, or everything. */
  readonly stream: (range?: ByteRange, options?: ReaderReadOptions) => Stream.Stream<Uint8Array, ObjectStoreError>
}

/**
 * An object being written, held in a scope.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectWriter {
  /** Takes the next bytes; they are copied, so the chunk can be used again. Waits while enough parts are in flight. */
  readonly write: (chunk: Uint8Array) => Effect.Effect<void, ObjectStoreError>
  /** Publishes the object. Nothing can be written after it. */
  readonly finish: Effect.Effect<PutResult, ObjectStoreError>
}

/**
 * The store that a program is given by a layer.
 *
 * @category services
 * @since 0.1.0
 */
export class ObjectStore extends Context.Service<ObjectStore, ObjectStoreOperations>()(
  "effect-objectstore/ObjectStore"
) {}

/**
 * Builds the service over a backend: everything that backends share is here.
 *
 * Fails with `Configuration` if an option is wrong or the base is no place of the backend's.
 *
 * **Example** (The service over the memory backend)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { fromBackend } from "effect-objectstore"
 * import { makeBackend } from "effect-objectstore/layers/Memory"
 *
 * const program = Effect.gen(function*() {
 *   const backend = yield* makeBackend()
 *   const store = yield* fromBackend(backend, { base: "mem://memory/tests/" })
 *   return yield* store.put("a", "hello")
 * })
 *
 * Effect.runPromise(program).then((result) => console.log(result.uri)) // mem://memory/tests/a
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromBackend = (
  backend: Backend,
  options?: StoreOptions
): Effect.Effect<ObjectStore["Service"], ObjectStoreError> =>
  Effect.map(makeOperations(backend, options), ObjectStore.of)
