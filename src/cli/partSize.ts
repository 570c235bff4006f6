/**
 * Whether a target takes parts of the size that was asked for.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { checkPartSize } from "../partSize.ts"
import { UsageError } from "./exit.ts"
import type { Tree } from "./stores.ts"

/** Fails before anything is written. What depends on the size of an object is its own failure. */
export const takesPartSize = ({ base, store }: Tree, partSize: number | undefined): Effect.Effect<void, UsageError> => {
  const wrong = partSize === undefined ? undefined : checkPartSize(store.capabilities.multipart, partSize, undefined)
  return wrong === undefined
    ? Effect.void
    : Effect.fail(new UsageError({ message: `--part-size: ${wrong.replace(/^partSize /, "")} bytes, at ${base}` }))
}
