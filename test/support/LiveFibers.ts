import { Context, Effect, Metric } from "effect"

/** Fibers that began under a watch. */
export interface LiveFibers {
  /** How many have not ended. */
  live: number
  /** How many have begun. */
  begun: number
}

/**
 * Counts the fibers of an effect, and of everything that is built or forked in it, by the hook that Effect has for its
 * own metrics: it is called when a fiber is made, and when it has ended.
 */
export const watchFibers = <A, E, R>(use: (fibers: LiveFibers) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const fibers: LiveFibers = { live: 0, begun: 0 }
    return Effect.provideContext(
      use(fibers),
      Context.make(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => {
          fibers.live++
          fibers.begun++
        },
        recordFiberEnd: () => {
          fibers.live--
        }
      }) as Context.Context<never>
    )
  })
