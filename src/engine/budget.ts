/**
 * What the operations of one store may use together: requests at a time, and bytes in buffers.
 *
 * The request budget bounds sockets and descriptors. A request holds its permit only while it makes progress by itself
 * (a body is always read into memory that is at hand), so holders never wait for each other.
 *
 * The byte budget rations what concurrency adds: every operation always has one buffer to work with, and takes from the
 * budget for each further one. So operations that depend on each other cannot starve each other, and yet the sum of
 * buffers has a bound: the budget, and one buffer an operation.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"

/** A weighted budget, given in the order of arrival: so a large share is not passed over for ever by small ones. */
export interface Budget {
  readonly capacity: number
  /** Runs `effect` with a share, and waits for it. A share larger than the budget is the whole of it. */
  readonly withShare: <A, E, R>(share: number, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Runs `effect` with a share if there is one now. */
  readonly withShareNow: <A, E, R>(
    share: number,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<Option.Option<A>, E, R>
  /** Takes a share, waiting for it; it must be given back. Interruptible while it waits. */
  readonly take: (share: number) => Effect.Effect<void>
  readonly release: (share: number) => Effect.Effect<void>
}

/** All wait in one queue. A word, because an object would be compared, and so read, with all that it leads to. */
const queue = "queue"

/** Makes a budget of `capacity`. */
export const makeBudget = (capacity: number): Budget => {
  const semaphore = PartitionedSemaphore.makeUnsafe<string>({ permits: capacity })
  const clamp = (share: number): number => Math.min(share, capacity)
  return {
    capacity,
    withShare: (share, effect) => semaphore.withPermits(queue, clamp(share))(effect),
    withShareNow: (share, effect) =>
      share > capacity ? Effect.succeedNone : semaphore.withPermitsIfAvailable(share)(effect),
    take: (share) => semaphore.take(queue, clamp(share)),
    release: (share) => Effect.asVoid(semaphore.release(clamp(share)))
  }
}
