/**
 * The options of the operations.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Attributes, Checksums, Metadata, Progress, Tags } from "./ObjectInfo.ts"
import type { ObjectUri } from "./ObjectUri.ts"

/**
 * A place: a key relative to the store's base, or an absolute location.
 *
 * Text that begins with `scheme://` is a location; a relative key that looks like one is written with its location.
 *
 * @category models
 * @since 0.1.0
 */
export type At = string | ObjectUri

/**
 * What a write stores: bytes, text (as UTF-8), or a stream of bytes of any length. A stream that fails makes the write
 * fail with `SourceFailed`, and nothing is published.
 *
 * @category models
 * @since 0.1.0
 */
export type Body = Uint8Array | string | Stream.Stream<Uint8Array, unknown>

/**
 * A range of bytes: from `offset` for `length` (to the end without it), or the last `suffix` bytes. Clamped at the end of
 * the object; one that starts at or past the end is `RangeNotSatisfiable`.
 *
 * @category models
 * @since 0.1.0
 */
export type ByteRange = { readonly offset: number; readonly length?: number | undefined } | { readonly suffix: number }

/**
 * Conditions on the object that is read (RFC 9110 section 13). Times are compared by whole seconds, as HTTP dates are.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadConditions {
  /** Read only this etag, else `PreconditionFailed`. */
  readonly ifMatch?: string | undefined
  /** Read only if the etag is another, else `NotModified`. */
  readonly ifNoneMatch?: string | undefined
  /** Read only if modified after this time, else `NotModified`. Ignored when `ifNoneMatch` is given. */
  readonly ifModifiedSince?: DateTime.DateTime | undefined
  /** Read only if not modified after this time, else `PreconditionFailed`. Ignored when `ifMatch` is given. */
  readonly ifUnmodifiedSince?: DateTime.DateTime | undefined
  /** Read this version (`capabilities.versions`). */
  readonly version?: string | undefined
}

/**
 * How a transfer is cut and watched.
 *
 * @category models
 * @since 0.1.0
 */
export interface TransferOptions {
  /**
   * Bytes a part; the backend's own default without it. A positive integer. When it is given, `put` writes up to this many
   * bytes with one request and more in parts.
   */
  readonly partSize?: number | undefined
  /** Parts in flight; the backend's own default without it. A positive integer. */
  readonly concurrency?: number | undefined
  /** Runs after each part. A failure of it fails the transfer as a defect, so let it succeed. */
  readonly onProgress?: ((progress: Progress) => Effect.Effect<void>) | undefined
}

/**
 * Options of the reads of an `ObjectReader`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReaderReadOptions extends TransferOptions {
  /**
   * Checksums that the bytes which this read delivers must have, base64 as in `ObjectInfo.checksums`: those of a range, where
   * one is read. Every one of them is compared; a difference is `IntegrityFailed`, of a stream before its last chunk.
   */
  readonly expected?: Checksums | undefined
  /** The most bytes that this read may deliver; more is `LimitExceeded`, before memory is taken where the size is known. */
  readonly maxSize?: number | undefined
}

/**
 * How reads treat content that is compressed with zstd.
 *
 * @category models
 * @since 0.1.0
 */
export interface DecompressOption {
  /**
   * `false` delivers what is stored, and so does a read without this option. `true` delivers the original; what is no zstd is
   * `IntegrityFailed`. `"auto"` delivers the original of what is marked as compressed by this library, or what has a key that
   * ends in `.zst` and begins as zstd; everything else as it is stored. Ranges, `expected` and `maxSize` are of what is
   * delivered.
   */
  readonly decompress?: boolean | "auto" | undefined
}

/**
 * Options of `open`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenOptions extends ReadConditions, DecompressOption {}

/**
 * Options of `get` and `getRange`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadOptions extends ReadConditions, ReaderReadOptions, DecompressOption {}

/**
 * Options of `getInto` and `stream`, which also take a range.
 *
 * @category models
 * @since 0.1.0
 */
export interface RangeReadOptions extends ReadOptions {
  readonly range?: ByteRange | undefined
}

/**
 * Options of `getRanges`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RangesOptions extends ReadConditions, TransferOptions, DecompressOption {
  /** Ranges closer than this many bytes are read as one; 1 MiB without it. */
  readonly coalesce?: number | undefined
}

/**
 * When a write may happen: always, only if there is no object (`AlreadyExists` else), or only over this etag
 * (`PreconditionFailed` else).
 *
 * @category models
 * @since 0.1.0
 */
export type WriteMode = "overwrite" | "create" | { readonly update: string }

/**
 * Options of `put`, `putMultipart`, `sink` and `writer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface WriteOptions extends TransferOptions {
  /** `"overwrite"` without it. */
  readonly mode?: WriteMode | undefined
  readonly attributes?: Attributes | undefined
  /** User metadata; names are made lower case, and two names that differ by case only are refused. */
  readonly metadata?: Metadata | undefined
  /** How the object is stored, in the service's own words: `"STANDARD_IA"`, `"Cool"` (`capabilities.storageClass`). */
  readonly storageClass?: string | undefined
  /** Labels that the service's rules and searches see, kept apart from metadata (`capabilities.tags`). */
  readonly tags?: Tags | undefined
  /**
   * Look at the object once it is written (`"head"`: one more request): `IntegrityFailed` if it is not there, or not of the
   * size or checksum that was sent. Without it the answer to the write is believed, which tells the same where
   * `PutResult.verified` is not `"none"`.
   */
  readonly verify?: "head" | undefined
  /** The length that a stream must have; another length is `SourceFailed`, and nothing is published. */
  readonly size?: number | undefined
  /**
   * Compress the content with zstd: the object's key gets `.zst` unless it ends so, and what is known of the original stands in
   * its metadata, under `objectstorecompression`, where the backend keeps metadata. Conditions are those of the stored key.
   */
  readonly compression?: CompressionOptions | undefined
}

/**
 * How a write compresses.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompressionOptions {
  /** From 1, the quickest, to 22, the smallest; 3 without it. */
  readonly level?: number | undefined
  /** Bytes of the original in a frame, from 1 KiB to 256 MiB; 4 MiB without it. A range is read in whole frames. */
  readonly frameSize?: number | undefined
  /** Whether metadata say what is known of the original, where the backend keeps metadata; `true` without it. */
  readonly mark?: boolean | undefined
}

/**
 * Options of `list` and `listDirectory`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions {
  /** List only keys after this one (relative as the prefix is), by UTF-8 bytes. */
  readonly startAfter?: string | undefined
  /** Keys a request; the backend's own page without it. */
  readonly pageSize?: number | undefined
}

/**
 * Options of `delete`.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeleteOptions {
  /** Remove only this etag, else `PreconditionFailed`. A missing object then is `PreconditionFailed` too. */
  readonly ifMatch?: string | undefined
}

/**
 * Options of `deleteMany` and `deletePrefix`.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeleteManyOptions {
  /** Requests in flight; 4 without it. */
  readonly concurrency?: number | undefined
}

/**
 * Options of `deletePrefix`.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeletePrefixOptions extends DeleteManyOptions {
  /** Allows an empty prefix, which removes everything in the store's base. */
  readonly all?: boolean | undefined
}

/**
 * Options of `copy` and `rename`.
 *
 * @category models
 * @since 0.1.0
 */
export interface CopyOptions {
  /** When the target may be written; `"overwrite"` without it. */
  readonly mode?: WriteMode | undefined
  /** Copy only this etag of the source, else `PreconditionFailed`. */
  readonly ifMatch?: string | undefined
}

/**
 * Options of `presign`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PresignOptions {
  readonly method: "GET" | "PUT" | "HEAD" | "DELETE"
  /** How long the URL works. */
  readonly expiresIn: Duration.Input
}

/**
 * Options of `createContainer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ContainerOptions {
  /** Where the container is to be, in the service's own words (`capabilities.containerLocation`). */
  readonly location?: string | undefined
}

/**
 * What a store is built with, besides its backend.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoreOptions {
  /** The location that relative keys are relative to; without it every place is an absolute location. */
  readonly base?: string | ObjectUri | undefined
  /** Requests at a time, of all operations together; 64 without it. Bounds sockets and descriptors. */
  readonly requests?: number | undefined
  /** Bytes in buffers beyond one buffer an operation, of all operations together; 64 MiB without it. */
  readonly memory?: number | undefined
  /**
   * Whether requests wait for each other while the service refuses many of them for their number, so that about as many are
   * sent as it accepts; true without it. Stores of one endpoint share what they learn.
   */
  readonly adaptiveRate?: boolean | undefined
}
