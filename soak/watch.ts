/**
 * Watches this process while something runs: memory, descriptors, sockets, timers, and how late its event loop is.
 */
import * as NodeFs from "node:fs"
import { createHistogram, monitorEventLoopDelay } from "node:perf_hooks"
import { setTimeout as sleep } from "node:timers/promises"

const MiB = 2 ** 20

export const rss = (): number => process.memoryUsage.rss() / MiB

export const heap = (): number => {
  collect()
  return process.memoryUsage().heapUsed / MiB
}

export const descriptors = (): number => NodeFs.readdirSync("/proc/self/fd").length

/** Timers that would keep the process alive. */
export const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length

const established = "01"

/** Connections of this machine to a port. */
export const sockets = (port: number): number => {
  const hex = port.toString(16).toUpperCase().padStart(4, "0")
  return NodeFs.readFileSync("/proc/net/tcp", "latin1").split("\n")
    .filter((line) => {
      const [, , remote, state] = line.trim().split(/\s+/)
      return state === established && remote?.endsWith(`:${hex}`) === true
    }).length
}

export const collect = (): void => {
  if (globalThis.gc === undefined) throw new Error("start the process with --expose-gc")
  globalThis.gc()
}

/** Memory after garbage has gone, which takes a moment. */
export const settledRss = async (): Promise<number> => {
  for (let round = 0; round < 3; round++) {
    collect()
    await sleep(50)
  }
  return rss()
}

/** What was seen while something ran. */
export interface Seen<A> {
  readonly value: A
  readonly seconds: number
  /** The most memory, in MiB. */
  readonly peakRss: number
  /** How late the event loop was, in milliseconds: timers of a few milliseconds, beyond their time. */
  readonly loop: { readonly p99: number; readonly max: number }
  /** The most processor time that this thread used between two turns of such a timer, in milliseconds: what is its own fault. */
  readonly held: { readonly p99: number; readonly max: number }
  readonly mostSockets: number
}

const resolution = 5

/** Watches while `run` runs. The watching itself takes less than a millisecond, every 25. */
export const watching = async <A>(run: () => Promise<A>, port?: number): Promise<Seen<A>> => {
  let peakRss = rss()
  let mostSockets = 0
  const look = (): void => {
    peakRss = Math.max(peakRss, rss())
    if (port !== undefined) mostSockets = Math.max(mostSockets, sockets(port))
  }
  const timer = setInterval(look, 25)
  const turns = createHistogram()
  const used = (): number => {
    const { system, user } = process.threadCpuUsage()
    return user + system
  }
  let last = used()
  const turn = setInterval(() => {
    const now = used()
    turns.record(Math.max(1, Math.round(now - last)))
    last = now
  }, resolution)
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  const start = performance.now()
  try {
    const value = await run()
    look()
    return {
      value,
      seconds: (performance.now() - start) / 1000,
      peakRss,
      loop: {
        p99: Math.max(0, histogram.percentile(99) / 1e6 - resolution),
        max: Math.max(0, histogram.max / 1e6 - resolution)
      },
      held: { p99: turns.percentile(99) / 1000, max: turns.max / 1000 },
      mostSockets
    }
  } finally {
    histogram.disable()
    clearInterval(timer)
    clearInterval(turn)
  }
}

/** Waits until a figure is at most `bound`, but no longer than a second; answers it. */
export const settle = async (figure: () => number, bound: number): Promise<number> => {
  for (let round = 0; round < 50 && figure() > bound; round++) await sleep(20)
  return figure()
}
