import { Clock, Effect } from "effect"

/** Runs an effect with a clock that is wrong: ahead by so many milliseconds, or behind. */
export const withClockAhead =
  (ahead: () => number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Clock.Clock, (clock) => {
      const wrong: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + ahead(),
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + ahead())
      })
      return Effect.provideService(effect, Clock.Clock, wrong)
    })
