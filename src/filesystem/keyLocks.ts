/**
 * Locks inside this process: changes of one object happen one after another, whichever store they come through.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

interface Lock {
  readonly semaphore: Semaphore.Semaphore
  users: number
}

const locks = new Map<string, Lock>()

const join = (path: string) =>
  Effect.sync(() => {
    let lock = locks.get(path)
    if (lock === undefined) {
      lock = { semaphore: Semaphore.makeUnsafe(1), users: 0 }
      locks.set(path, lock)
    }
    lock.users++
    return lock
  })

const leave = (path: string) => (lock: Lock) =>
  Effect.sync(() => {
    if (--lock.users === 0) locks.delete(path)
  })

const withKey = <A, E, R>(path: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(join(path), ({ semaphore }) => semaphore.withPermits(1)(effect), leave(path))

/** Runs an effect while it alone may change these paths. Paths are locked in one order, so two effects cannot block each other. */
export const withKeys = (paths: ReadonlyArray<string>) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  [...new Set(paths)].sort().reduceRight((inner, path) => withKey(path, inner), effect)
