/**
 * Reads, as a backend is asked for them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { ObjectStat } from "./BackendObject.ts"
import type { ObjectStoreError } from "./ObjectStoreError.ts"
import type { ReadConditions } from "./ObjectStoreOptions.ts"

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
   * at its end. A body that breaks off before `length` fails with `BodyInterrupted`, one that stands still with `Timeout`;
   * their `received` counts the bytes of the body that were delivered into targets, this one included. Not called side by side.
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
