/**
 * The narrow contract that a backend implements. The engine builds everything that a program sees upon it.
 *
 * A backend sends one request a call (a system call or a few, for files; a lookup more where an answer was lost). It does
 * not retry, split, parallelise, buffer, log or measure; it does not check options that the engine has checked: keys are non-empty, well-formed UTF-16, within
 * `maxKeyBytes`; ranges are non-negative integers; conditions are only given where `capabilities` has the flag.
 *
 * Rules for every primitive:
 *
 * - It fails with `ObjectStoreError` only. Operation and location are filled in by the engine; the backend gives the
 *   reason, and `status`, `code`, `requestId` where it has them.
 * - A failing mutation says `outcome`: `"not-applied"` when the store certainly does not hold the change, `"applied"`
 *   when it certainly does, `"unknown"` otherwise. Never a guess.
 * - It can be interrupted at any await. Then it leaves no descriptor, socket or temporary file, and the buffers it was
 *   given are no longer touched once the interruption has ended.
 * - Answers are checked for what was asked before they are returned.
 *
 * How S3, Azure blocks and GCS resumable sessions map to it is walked through in `docs/design/backend-contract.md`.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Capabilities } from "./Capabilities.ts"
import type { Attributes, Checksums, Metadata, Tags, Verified } from "./ObjectInfo.ts"
import type { ObjectStoreError } from "./ObjectStoreError.ts"
import type { ContainerOptions, PresignOptions, ReadConditions, WriteMode } from "./ObjectStoreOptions.ts"
import type { Scheme } from "./ObjectUri.ts"

/**
 * A backend: about a dozen primitives over one service, account or root.
 *
 * @category models
 * @since 0.1.0
 */
export interface Backend {
  /** Short name for errors, spans and metrics: `"s3"`, `"file"`. */
  readonly name: string
  readonly capabilities: Capabilities
  readonly address: Address

  /**
   * What is known of an object. Fails with `NotFound`; with `ContainerNotFound` where the service tells the two apart;
   * with `NotModified` or `PreconditionFailed` by the conditions. A missing object is `NotFound` whatever the conditions.
   * The answer has all metadata that the object was written with, where `capabilities.metadata`.
   */
  readonly head: (at: Location, conditions: ReadConditions) => Effect.Effect<ObjectStat, ObjectStoreError>

  /**
   * Opens the body of an object, or of one range of it, as one request. The reply tells the version that the body belongs
   * to; the whole body is of that version. The body lives until the scope closes; closing it early ends the transfer at
   * once.
   *
   * A range is clamped to the object; the reply says what the body really holds. A range that starts at or past the end
   * (so any range of an empty object but a suffix) fails with `RangeNotSatisfiable` with the size where it is known; a
   * suffix longer than the object is the whole object. Conditions are decided before the range.
   */
  readonly read: (at: Location, request: ReadRequest) => Effect.Effect<ReadReply, ObjectStoreError, Scope.Scope>

  /**
   * Writes a whole object with one request: visible whole or not at all, and the previous version stays until then.
   * `body` is at most `maxWriteSize` bytes and is not changed by the caller until the effect ends.
   */
  readonly write: (
    at: Location,
    body: Uint8Array,
    options: ObjectOptions
  ) => Effect.Effect<WriteReply, ObjectStoreError>

  /**
   * Begins an upload in parts. Nothing is visible under the key until it completes. `options.mode` is checked no later
   * than `completeUpload`.
   */
  readonly openUpload: (at: Location, options: ObjectOptions) => Effect.Effect<Upload, ObjectStoreError>

  /**
   * Stores one part. Parts may come in any order and side by side, unless `multipart.ordered`. The same number again
   * replaces the part; where `ordered`, only the newest part can be sent again, with the same bytes. `body` is not changed
   * by the caller until the effect ends.
   */
  readonly uploadPart: (upload: Upload, part: Part) => Effect.Effect<PartReceipt, ObjectStoreError>

  /**
   * Stores a part out of bytes of an object in the same store. Only where `capabilities.maxCopySize` is less than
   * `maxObjectSize`.
   */
  readonly copyPart?: ((upload: Upload, part: CopiedPart) => Effect.Effect<PartReceipt, ObjectStoreError>) | undefined

  /**
   * Publishes the object made of exactly `parts`, which are in order, without a gap and at least one, and whose sizes add
   * up to `size`: whole or not at all. A part that is missing or differs fails with `IntegrityFailed` or `InvalidRequest`
   * and publishes nothing. On success the upload is gone. An unknown upload is `UploadNotFound`. `mode` that does not hold
   * fails as in `write` and leaves the upload open.
   */
  readonly completeUpload: (
    upload: Upload,
    request: { readonly parts: ReadonlyArray<PartReceipt>; readonly size: number }
  ) => Effect.Effect<WriteReply, ObjectStoreError>

  /**
   * Drops an upload, and its parts at once where `multipart.abort` is `"removes"`. One that is unknown, completed or aborted
   * is `UploadNotFound`, where uploads are `listed`.
   */
  readonly abortUpload: (upload: UploadId) => Effect.Effect<void, ObjectStoreError>

  /** Lists one page of open uploads whose keys begin with `prefix`. Only with `multipart.listed`. */
  readonly listUploads: (request: ListUploadsRequest) => Effect.Effect<UploadsPage, ObjectStoreError>

  /**
   * Lists one page of the keys that begin with `prefix` (a string prefix, not a directory) and come after `startAfter`,
   * by the UTF-8 bytes of the key if `sortedList`. With `delimiter`, keys that have it after the prefix are folded into
   * one entry of `prefixes`, which ends in it; with `startAfter`, it is listed if a key below it comes after. `cursor` is
   * the `next` of the page before; the same cursor gives the same page again, so a page can be retried. No key is given twice, and no key that exists throughout is left out. A missing
   * container is `ContainerNotFound` where containers are explicit, else an empty page.
   */
  readonly listPage: (request: ListRequest) => Effect.Effect<ListPage, ObjectStoreError>

  /**
   * Removes up to `maxDeleteBatch` objects: one answer a key, in the order asked, none left out. A missing object counts
   * as removed, but with `ifMatch` it is `PreconditionFailed`. The effect itself fails only if the whole request did.
   */
  readonly deleteBatch: (
    container: string,
    entries: ReadonlyArray<DeleteEntry>
  ) => Effect.Effect<ReadonlyArray<ObjectStoreError | undefined>, ObjectStoreError>

  /**
   * Copies an object of at most `maxCopySize` with its attributes and metadata, whole or not at all. A missing source is
   * `NotFound`. The engine never asks to copy an object onto itself.
   */
  readonly copy: (from: Location, to: Location, options: CopyRequest) => Effect.Effect<WriteReply, ObjectStoreError>

  /** Moves an object in one atomic step. Only with `capabilities.atomicRename`. */
  readonly rename?:
    | ((from: Location, to: Location, options: CopyRequest) => Effect.Effect<WriteReply, ObjectStoreError>)
    | undefined

  /** Makes a container; `AlreadyExists` if it is there. */
  readonly createContainer: (name: string, options: ContainerOptions) => Effect.Effect<void, ObjectStoreError>

  /** Removes an empty container; `NotEmpty` if it holds anything, `ContainerNotFound` if it is not there. */
  readonly deleteContainer: (name: string) => Effect.Effect<void, ObjectStoreError>

  /** All containers, ordered by name. */
  readonly listContainers: Effect.Effect<ReadonlyArray<BackendContainer>, ObjectStoreError>

  /** Signs a URL for one request on the object. Only with `capabilities.presign`. */
  readonly presign: (
    at: Location,
    options: { readonly method: PresignOptions["method"]; readonly expiresIn: Duration.Duration }
  ) => Effect.Effect<Redacted.Redacted<string>, ObjectStoreError>
}

/**
 * Which locations belong to a backend.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  /** The schemes it answers to; the first one is its own. */
  readonly schemes: readonly [Scheme, ...Array<Scheme>]
  /** The account, where the scheme has one; else `""`. */
  readonly account: string
  /** For paths: the root directory as a key, without leading and with trailing `/` (`"data/lake/"`, `""` for `/`). */
  readonly root: string
}

/**
 * An object inside a backend. `container` is `""` for paths, whose keys are relative to the root.
 *
 * @category models
 * @since 0.1.0
 */
export interface Location {
  readonly container: string
  readonly key: string
}

/**
 * What a backend knows of an object.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectStat {
  readonly size: number
  readonly etag?: string | undefined
  readonly version?: string | undefined
  readonly lastModified?: DateTime.Utc | undefined
  readonly attributes?: Attributes | undefined
  readonly metadata?: Metadata | undefined
  readonly checksums?: Checksums | undefined
  /** The service's name for how the object is stored; for `direct://` how it is read, `"DIRECT_IO"` or `"BUFFERED_IO"`. */
  readonly storageClass?: string | undefined
}

/**
 * A range as the engine asks for it; never empty.
 *
 * @category models
 * @since 0.1.0
 */
export type BackendRange =
  | { readonly offset: number; readonly length: number }
  | { readonly suffix: number }

/**
 * What `read` is asked for; the whole object without a range.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadRequest {
  readonly range?: BackendRange | undefined
  readonly conditions: ReadConditions
}

/**
 * The answer to `read`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadReply {
  /** The version that the body belongs to, as `head` would tell it; `size` is the whole object's. */
  readonly stat: ObjectStat
  /** Where the body begins in the object. */
  readonly offset: number
  /** Bytes in the body. */
  readonly length: number
  /**
   * Fills `target` with the next bytes of the body and answers how many: the whole target unless the body ends first, 0
   * at its end. A body that breaks off before `length` fails with `BodyInterrupted`, whose `received` counts the bytes of
   * the body that were delivered into targets, this one included. Not called side by side.
   */
  readonly into: (target: Uint8Array) => Effect.Effect<number, ObjectStoreError>
  /** Where the backend holds the version open (a file descriptor): reads at any offset of it, side by side. */
  readonly handle?: ReadHandle | undefined
}

/**
 * An open version of an object.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadHandle {
  /** Fills the whole target with the bytes at `offset`; they exist. Fails with `ObjectChanged` if they do no longer. */
  readonly readInto: (offset: number, target: Uint8Array) => Effect.Effect<void, ObjectStoreError>
  /** Fails with `ObjectChanged` if the bytes read so far may be of more than one version. */
  readonly verify: Effect.Effect<void, ObjectStoreError>
}

/**
 * What a write carries besides bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectOptions {
  readonly mode: WriteMode
  readonly attributes: Attributes
  readonly metadata: Metadata
  /** Only where `capabilities.storageClass`. */
  readonly storageClass?: string | undefined
  /** Only where `capabilities.tags`. */
  readonly tags?: Tags | undefined
  /** The upload's parts will come from `copyPart`, so no bytes pass through the program that it could sum. */
  readonly copied?: boolean | undefined
}

/**
 * What a write answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface WriteReply {
  readonly etag?: string | undefined
  readonly version?: string | undefined
  readonly size: number
  readonly verified: Verified
}

/**
 * Names an open upload across processes.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadId extends Location {
  /** Opaque, and no secret: it is logged. What is secret stays in `Upload.state`. */
  readonly id: string
}

/**
 * An upload this process began.
 *
 * @category models
 * @since 0.1.0
 */
export interface Upload extends UploadId {
  readonly options: ObjectOptions
  /** The backend's own. */
  readonly state?: unknown
}

/**
 * One part: numbers begin at 1, `offset` is where its bytes lie in the object.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  readonly number: number
  readonly offset: number
  readonly body: Uint8Array
  /** Whether the engine knows this part to be the last one. */
  readonly last: boolean
}

/**
 * One part made of bytes of another object.
 *
 * @category models
 * @since 0.1.0
 */
export interface CopiedPart {
  readonly number: number
  readonly offset: number
  readonly length: number
  readonly from: Location
  /** The etag that the source must have. */
  readonly ifMatch?: string | undefined
}

/**
 * What the store said of a part.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartReceipt {
  readonly number: number
  readonly offset: number
  readonly size: number
  readonly etag?: string | undefined
  /** The backend's own. */
  readonly state?: unknown
}

/**
 * What `listPage` is asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListRequest {
  readonly container: string
  readonly prefix: string
  readonly delimiter?: "/" | undefined
  readonly startAfter?: string | undefined
  /** Most entries; at most `maxPageSize`. */
  readonly limit: number
  readonly cursor?: unknown
}

/**
 * A page of a listing; there is another one if `next` is not `undefined`. A page may be empty and have a next.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListPage {
  readonly objects: ReadonlyArray<ListedObject>
  readonly prefixes: ReadonlyArray<string>
  readonly next?: unknown
}

/**
 * An object in a listing.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListedObject extends ObjectStat {
  readonly key: string
}

/**
 * What `listUploads` is asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListUploadsRequest {
  readonly container: string
  readonly prefix: string
  readonly cursor?: unknown
}

/**
 * A page of open uploads.
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadsPage {
  readonly uploads: ReadonlyArray<UploadId & { readonly initiated?: DateTime.Utc | undefined }>
  readonly next?: unknown
}

/**
 * One object to remove.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeleteEntry {
  readonly key: string
  readonly ifMatch?: string | undefined
}

/**
 * What a copy or rename carries.
 *
 * @category models
 * @since 0.1.0
 */
export interface CopyRequest {
  readonly mode: WriteMode
  /** The etag that the source must have. */
  readonly ifMatch?: string | undefined
}

/**
 * A container as the backend lists it.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackendContainer {
  readonly name: string
  readonly created?: DateTime.Utc | undefined
}
