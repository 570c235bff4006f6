/**
 * Uploads in parts, as a backend is asked for them.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type { Location, ObjectOptions } from "./BackendObject.ts"

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
