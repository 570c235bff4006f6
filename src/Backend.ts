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
import type { ListPage, ListRequest } from "./BackendList.ts"
import type { Location, ObjectOptions, ObjectStat, WriteReply } from "./BackendObject.ts"
import type { ReadReply, ReadRequest } from "./BackendRead.ts"
import type {
  CopiedPart,
  ListUploadsRequest,
  Part,
  PartReceipt,
  Upload,
  UploadId,
  UploadsPage
} from "./BackendUpload.ts"
import type { Capabilities } from "./Capabilities.ts"
import type { ObjectStoreError } from "./ObjectStoreError.ts"
import type { ContainerOptions, PresignOptions, ReadConditions, WriteMode } from "./ObjectStoreOptions.ts"
import type { Scheme } from "./ObjectUri.ts"

export type * from "./BackendList.ts"
export type * from "./BackendObject.ts"
export type * from "./BackendRead.ts"
export type * from "./BackendUpload.ts"

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
   * The service that requests go to, in words that are the same for every store whose requests it counts together
   * (`"https://s3.eu-west-1.amazonaws.com"`), and no secret. Stores of one endpoint share retry tokens and pace. Absent where
   * nobody refuses requests for their number, as on files.
   */
  readonly endpoint?: string | undefined

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
   * the `next` of the page before; the same cursor gives the same page again, so a page can be retried; a cursor that is a text, or
   * an object with a `token` that is one, is noticed when a listing comes back to it. No key is given twice, and no key that exists throughout is left out. A missing
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
