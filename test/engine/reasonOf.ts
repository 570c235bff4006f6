import { Effect } from "effect"
import type { ObjectStoreError } from "effect-objectstore"

/** The tag of the reason that an effect fails with; what succeeds is `"Success"`. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, ObjectStoreError, R>): Effect.Effect<string, never, R> =>
  Effect.match(effect, { onFailure: ({ reason }) => reason._tag, onSuccess: () => "Success" })
