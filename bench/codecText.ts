/**
 * What the workloads of `codec` have in common: text to compress, and the longest time that the event loop stood still.
 */
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import type { RunResult } from "./harness.ts"

const modules = fileURLToPath(new URL("../node_modules", import.meta.url))

/** The sources of Effect, again and again in another order: text as it is stored and logged. */
export const makeText = (path: string, size: number): void => {
  const folder = NodePath.join(modules, "effect/src")
  const files = NodeFs.readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => NodeFs.readFileSync(NodePath.join(folder, name)))
  const fd = NodeFs.openSync(path, "w")
  for (let index = 0, at = 0; at < size; index++) {
    // A step that shares no divisor with the number of files passes through all of them.
    const text = files[(index * 7919) % files.length]!
    NodeFs.writeSync(fd, text, 0, Math.min(text.length, size - at), at)
    at += text.length
  }
  NodeFs.closeSync(fd)
}

/** Of Node 24. */
const { threadCpuUsage } = process as unknown as { readonly threadCpuUsage: () => NodeJS.CpuUsage }
const ownTime = (): number => {
  const { system, user } = threadCpuUsage()
  return (system + user) / 1000
}

/**
 * Runs an effect and looks how long, in milliseconds, the event loop stands still: by the clock, and by the processor time
 * that its thread took meanwhile. Where other programs want the processor too, the second tells what is our own doing.
 */
export const timed = async (effect: Effect.Effect<number>): Promise<RunResult> => {
  let last = { clock: performance.now(), own: ownTime() }
  let longest = { clock: 0, own: 0 }
  const timer = setInterval(() => {
    const now = { clock: performance.now(), own: ownTime() }
    longest = {
      clock: Math.max(longest.clock, now.clock - last.clock),
      own: Math.max(longest.own, now.own - last.own)
    }
    last = now
  }, 2)
  const bytes = await Effect.runPromise(effect)
  clearInterval(timer)
  return { bytes, figures: { "stop ms": longest.clock, "stop CPU-ms": longest.own } }
}
