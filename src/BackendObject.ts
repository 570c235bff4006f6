/**
 * Objects, as backends and their engine speak of them.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type { Attributes, Checksums, Metadata, Tags, Verified } from "./ObjectInfo.ts"
import type { WriteMode } from "./ObjectStoreOptions.ts"

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
  /**
   * The upload's parts will come from `copyPart` of this object: no bytes pass through the program that it could sum. What
   * `copy` would carry beside attributes and metadata, the backend carries here too.
   */
  readonly copiedFrom?: CopySource | undefined
}

/**
 * An object that is copied into an upload, and what is known of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface CopySource extends Location {
  readonly stat: ObjectStat
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
