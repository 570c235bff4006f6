/**
 * Time-outs of many exchanges by one clock: nothing is set or cleared for a request or a chunk, which only count that
 * something moved.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"

/** What is watched. */
export interface Watched {
  /** Most milliseconds in the present state without a change of `moved`; `undefined` if it may take for ever. */
  readonly limit: () => number | undefined
  /** A number that changes whenever something moves. */
  readonly moved: () => number
  readonly timeOut: () => void
}

/** Watches exchanges from when they begin to when they end. */
export interface TimeWatch {
  readonly add: (watched: Watched) => void
  readonly delete: (watched: Watched) => void
}

interface Seen {
  moved: number
  limit: number | undefined
  since: number
}

/** Makes a watch that looks every `interval` milliseconds: so much later than its limit something may time out. */
export const makeTimeWatch = Effect.fnUntraced(function*(
  interval: number
): Effect.fn.Return<TimeWatch, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const watched = new Map<Watched, Seen | undefined>()
  const active = yield* Latch.make(false)
  const look = (): void => {
    if (watched.size === 0) {
      active.closeUnsafe()
      return
    }
    const now = clock.currentTimeMillisUnsafe()
    for (const [one, seen] of watched) {
      const [moved, limit] = [one.moved(), one.limit()]
      if (seen === undefined) watched.set(one, { moved, limit, since: now })
      // Or else a clock that was set back would have it wait until it has come to where it was.
      else if (seen.moved !== moved || seen.limit !== limit || now < seen.since) {
        Object.assign(seen, { moved, limit, since: now })
      } else if (limit !== undefined && now - seen.since >= limit) {
        watched.delete(one)
        one.timeOut()
      }
    }
  }
  const tick = Effect.andThen(Effect.sleep(interval), Effect.sync(look))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(active.await, tick)))
  return {
    add: (one) => {
      watched.set(one, undefined)
      active.openUnsafe()
    },
    delete: (one) => watched.delete(one)
  }
})
