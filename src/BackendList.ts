/**
 * Listings, as a backend is asked for them.
 *
 * @since 0.1.0
 */
import type { ObjectStat } from "./BackendObject.ts"

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
