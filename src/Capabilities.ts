/**
 * What a backend can do, as data: flags, limits and the sizes it likes.
 *
 * The engine reads them instead of knowing backends; the conformance suite decides by them which cases run; a program
 * reads them at `store.capabilities`.
 *
 * @since 0.1.0
 */

/**
 * What a backend can do. Sizes are bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  /** How bytes travel now: `"memory"`, `"buffered"` or `"direct"` file I/O, or `"http"`. */
  readonly io: "memory" | "buffered" | "direct" | "http"
  /** `ifMatch`, `ifNoneMatch` and the date conditions on reads. */
  readonly conditionalRead: boolean
  /** `mode: "create"`. */
  readonly conditionalCreate: boolean
  /** `mode: { update: etag }`. */
  readonly conditionalUpdate: boolean
  /** `ifMatch` on delete. */
  readonly conditionalDelete: boolean
  /** `mode` on copy: conditions on the target. */
  readonly conditionalCopy: boolean
  /** `ifMatch` on copy: a condition on the source. */
  readonly conditionalCopySource: boolean
  /** Ranges that count from the end in one request; without it the engine asks for the size first. */
  readonly suffixRange: boolean
  /** Old versions can be read by id. */
  readonly versions: boolean
  /** Standard attributes are kept. */
  readonly attributes: boolean
  /** User metadata is kept. */
  readonly metadata: boolean
  /** What names of user metadata are made of: letters, digits and `-_.`, or letters, digits and `_` alone (Azure). */
  readonly metadataNames: "token" | "identifier"
  /** What values of user metadata and attributes are made of: any text of one line, or ASCII alone (Azure). */
  readonly metadataValues: "text" | "ascii"
  /** Writes take a `storageClass`. */
  readonly storageClass: boolean
  /** Writes take `tags`. */
  readonly tags: boolean
  /** Listings are ordered by the UTF-8 bytes of the key. */
  readonly sortedList: boolean
  /** `startAfter` is understood by the backend. */
  readonly listStartAfter: boolean
  /** Most keys a listing page can hold. */
  readonly maxPageSize: number
  /** Most keys one delete request takes; 1 where there is no batch. */
  readonly maxDeleteBatch: number
  /** Objects can be copied inside the store without moving bytes through the program. */
  readonly serverCopy: boolean
  /** Largest object that one copy request takes. */
  readonly maxCopySize: number
  /** A rename is one atomic step; without it, it is a copy and a delete. */
  readonly atomicRename: boolean
  /** A key and keys below it (`a` and `a/b`) cannot both exist. */
  readonly hierarchical: boolean
  /** Containers are made first (`"explicit"`), or appear with their first object (`"implicit"`). */
  readonly containers: "explicit" | "implicit"
  /** `createContainer` takes a `location`. */
  readonly containerLocation: boolean
  /** URLs can be signed for others. */
  readonly presign: boolean
  /** Most bytes of user metadata, names and values together. */
  readonly maxMetadataBytes: number
  /** Most bytes of a key in UTF-8. */
  readonly maxKeyBytes: number
  /** Most bytes of what stands between two `/` of a key, where there is such a limit. */
  readonly maxSegmentBytes?: number | undefined
  /** Largest object. */
  readonly maxObjectSize: number
  /** Largest object written by one request. */
  readonly maxWriteSize: number
  readonly multipart: MultipartCapabilities
  readonly tuning: Tuning
}

/**
 * How a backend takes objects in parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface MultipartCapabilities {
  /** Smallest part, but for the last one. */
  readonly minPartSize: number
  readonly maxPartSize: number
  readonly maxParts: number
  /** Part sizes, but for the last one, are multiples of this. */
  readonly partMultiple: number
  /** Parts are taken one after another, in order (GCS resumable sessions). */
  readonly ordered: boolean
  /** The condition of a write (`mode`) is checked when the upload completes. */
  readonly conditionalComplete: boolean
  /** Open uploads can be listed. */
  readonly listed: boolean
  /** What an abort does with parts: they are gone (`"removes"`), or the service drops them in time (`"expires"`, Azure). */
  readonly abort: "removes" | "expires"
  /** Uploads of one key at a time do not disturb each other (on Azure they share one set of blocks). */
  readonly isolated: boolean
}

/**
 * The sizes and numbers at which a backend is quick; the engine's defaults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tuning {
  /** Bytes a range request. */
  readonly readPartSize: number
  /** Range requests in flight, of one read into memory. */
  readonly readConcurrency: number
  /** Bytes a part of a stream. */
  readonly streamPartSize: number
  /**
   * Parts that a stream fetches at a time, at most: fewer for a consumer that would not notice. Each is fresh memory that
   * the consumer gets.
   */
  readonly streamConcurrency: number
  /** Bytes a part. */
  readonly writePartSize: number
  /** Parts in flight, of one write. */
  readonly writeConcurrency: number
  /** Objects up to this size are written by one request when they come as a stream; so much of one is gathered. */
  readonly multipartThreshold: number
  /** Objects up to this size are written by one request when they are in memory. */
  readonly bytesThreshold: number
  /** Memory that begins at a page saves the backend a copy. */
  readonly alignedBuffers: boolean
}
