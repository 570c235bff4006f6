/**
 * Watches the memory and the descriptors of this process while something runs.
 */
import { Effect, Schedule } from "effect"
import * as NodeFs from "node:fs"
import { MiB } from "./harness.ts"

export const rss = (): number => process.memoryUsage.rss() / MiB

export const descriptors = (): number => NodeFs.readdirSync("/proc/self/fd").length

/** The largest value of `gauge` while `run` runs, looked at every few milliseconds. */
export const peakOf = <A>(
  gauge: () => number,
  run: () => Promise<A>
): Promise<{ readonly peak: number; readonly value: A }> => {
  let peak = gauge()
  const look = Effect.sync(() => {
    peak = Math.max(peak, gauge())
  })
  return Effect.promise(run).pipe(
    Effect.raceFirst(Effect.andThen(Effect.repeat(look, Schedule.spaced("2 millis")), Effect.never)),
    Effect.tap(look),
    Effect.map((value) => ({ peak, value })),
    Effect.runPromise
  )
}
