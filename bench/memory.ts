/**
 * Watches the memory and the descriptors of this process while something runs.
 */
import * as NodeFs from "node:fs"
import * as NodeTimers from "node:timers"
import { MiB } from "./harness.ts"

export const rss = (): number => process.memoryUsage.rss() / MiB

export const descriptors = (): number => NodeFs.readdirSync("/proc/self/fd").length

/** The largest value of `gauge` while `run` runs, looked at every few milliseconds. */
export const peakOf = async <A>(
  gauge: () => number,
  run: () => Promise<A>
): Promise<{ readonly peak: number; readonly value: A }> => {
  let peak = gauge()
  const look = (): void => {
    peak = Math.max(peak, gauge())
  }
  const timer = NodeTimers.setInterval(look, 2)
  const value = await run()
  NodeTimers.clearInterval(timer)
  look()
  return { peak, value }
}
