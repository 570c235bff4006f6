/**
 * Telling a program how far a transfer has come.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Progress } from "../ObjectInfo.ts"
import type { TransferOptions } from "../ObjectStoreOptions.ts"

/** Runs `onProgress`. An answer that is no effect is a defect here: Effect's own loop would break on it, and the fiber never end. */
export const report = (onProgress: TransferOptions["onProgress"], progress: Progress): Effect.Effect<void> =>
  onProgress === undefined ? Effect.void : Effect.suspend(() => {
    const told = onProgress(progress)
    return Effect.isEffect(told)
      ? told
      : Effect.die(new TypeError("onProgress answered no Effect: return one, such as Effect.sync(() => { … })"))
  })
