/**
 * Memory for results.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { Engine } from "./engine.ts"
import { tooLarge } from "./upload.ts"

/** Fresh memory; it is overwritten completely, so it is not cleared first. */
export const allocate = (length: number): Uint8Array => {
  const buffer = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer.buffer, buffer.byteOffset, length)
}

/** Fresh memory that begins at a page: the memory of a resizable buffer is reserved as pages. */
export const allocateAligned = (length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new ArrayBuffer(length, { maxByteLength: length }), 0, length)

/** Memory of a size that the store or the program's options tell; more than there is fails with `LimitExceeded`. */
export const allocateOrFail = (
  engine: Engine,
  length: number,
  make: (length: number) => Uint8Array = allocate
): Effect.Effect<Uint8Array, ObjectStoreError> =>
  Effect.try({
    try: () => make(length),
    catch: () =>
      tooLarge(engine, "memory", `there is no memory for ${length} bytes at once; take smaller parts or ranges`)
  })
