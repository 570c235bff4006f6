import { Clock, Duration, Effect } from "effect"

/** Runs an effect with a clock on which pauses take no time, and are told instead, in milliseconds. */
export const withRecordedPauses =
  (tell: (millis: number) => void) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Clock.Clock, (clock) => {
      const quick: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
        sleep: (pause: Duration.Duration) =>
          Effect.andThen(Effect.sync(() => tell(Duration.toMillis(pause))), Effect.yieldNow)
      })
      return Effect.provideService(effect, Clock.Clock, quick)
    })
