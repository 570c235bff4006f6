/**
 * What is known of objects, and what operations answer: plain data, the same for every backend.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type { CompressSummary } from "./codec/ZstdOptions.ts"
import type { ObjectStoreError } from "./ObjectStoreError.ts"

/**
 * The standard attributes that an object can carry (RFC 9110 and RFC 9111 field values, kept as text).
 *
 * @category models
 * @since 0.1.0
 */
export interface Attributes {
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly contentLanguage?: string | undefined
  readonly contentDisposition?: string | undefined
  readonly cacheControl?: string | undefined
}

/**
 * Names of the attributes, in the order they are shown.
 *
 * @category models
 * @since 0.1.0
 */
export const attributeNames = [
  "contentType",
  "contentEncoding",
  "contentLanguage",
  "contentDisposition",
  "cacheControl"
] as const satisfies ReadonlyArray<keyof Attributes>

/**
 * User metadata: lower-case names of letters, digits and `-_.`, and their values. What a store tells has no prototype, so
 * `constructor` and `__proto__` are names like any other.
 *
 * @category models
 * @since 0.1.0
 */
export type Metadata = Readonly<Record<string, string>>

/**
 * Tags: names of at most 128 characters and values of at most 256, at most 10 of them, which is what S3 and Azure take.
 *
 * @category models
 * @since 0.1.0
 */
export type Tags = Readonly<Record<string, string>>

/**
 * Checksums that the service keeps of the object's bytes, base64.
 *
 * @category models
 * @since 0.1.0
 */
export interface Checksums {
  readonly crc32?: string | undefined
  readonly crc32c?: string | undefined
  readonly crc64nvme?: string | undefined
  readonly md5?: string | undefined
  readonly sha256?: string | undefined
}

/**
 * An object: where it is and what is known of it.
 *
 * A listing fills `uri`, `key` and `size` always, `etag` and `lastModified` where the service tells them, and leaves
 * `attributes` and `metadata` empty unless the backend has them at hand; `stat` fills everything.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectInfo {
  readonly _tag: "ObjectInfo"
  /** The absolute location, in the scheme it was asked in. */
  readonly uri: string
  /** The key as the store takes it: relative to the base if it was asked so, else within its container. */
  readonly key: string
  /** Size in bytes. */
  readonly size: number
  /** The version's entity tag, opaque. */
  readonly etag?: string | undefined
  /** The version id, where the store keeps versions. */
  readonly version?: string | undefined
  readonly lastModified?: DateTime.Utc | undefined
  readonly attributes: Attributes
  readonly metadata: Metadata
  readonly checksums: Checksums
  /** The service's name for how the object is stored; for `direct://` how it is read, `"DIRECT_IO"` or `"BUFFERED_IO"`. */
  readonly storageClass?: string | undefined
}

/**
 * A common prefix in `listDirectory`: the keys below it share it, up to and with the `/`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prefix {
  readonly _tag: "Prefix"
  readonly uri: string
  readonly key: string
}

/**
 * What a write answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface PutResult {
  readonly uri: string
  readonly key: string
  readonly etag?: string | undefined
  readonly version?: string | undefined
  /** Bytes stored. */
  readonly size: number
  /** What the store confirmed: a checksum of the bytes, their number, or nothing. */
  readonly verified: Verified
  /** Of a write with `compression`: sizes of the original and of what is stored, their ratio, and the CRC-32C of each. */
  readonly compression?: CompressSummary | undefined
}

/**
 * What a store confirmed of a write.
 *
 * @category models
 * @since 0.1.0
 */
export type Verified = "checksum" | "size" | "none"

/**
 * What `getInto` answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadResult {
  /** Bytes written to the start of the target. */
  readonly bytes: number
  /** The version that was read. */
  readonly info: ObjectInfo
}

/**
 * What became of one key of `deleteMany`: gone (`error` is absent) or not.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeleteResult {
  readonly uri: string
  readonly key: string
  readonly error?: ObjectStoreError | undefined
}

/**
 * What `deletePrefix` answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeleteSummary {
  /** Objects removed. */
  readonly deleted: number
}

/**
 * A bucket, container or top-level directory.
 *
 * @category models
 * @since 0.1.0
 */
export interface ContainerInfo {
  readonly name: string
  readonly uri: string
  readonly created?: DateTime.Utc | undefined
}

/**
 * An upload that was begun and neither completed nor aborted.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenUpload {
  /** The backend's id of the upload, opaque. */
  readonly id: string
  readonly uri: string
  readonly key: string
  readonly initiated?: DateTime.Utc | undefined
}

/**
 * Progress of a transfer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /** Bytes done so far; never falls. */
  readonly bytes: number
  /** All bytes, where they are known. */
  readonly total?: number | undefined
}
