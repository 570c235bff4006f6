/**
 * 10,000 fibers that each read 1 KiB at once, with the options that a program gets if it says nothing.
 */
import { Effect } from "effect"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { descriptors, settledRss, watching } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const count = 10_000

export const workload: Workload = {
  title: "10,000 fibers read 1 KiB at once",
  descriptors: [undefined, 1024],
  run: async () => {
    const server = await startServer()
    const { close, store } = await openS3(server.origin)
    await Effect.runPromise(store.get("1024.bin"))
    const base = await settledRss()
    const before = descriptors()
    let mostDescriptors = 0
    const sample = Effect.sync(() => {
      mostDescriptors = Math.max(mostDescriptors, descriptors() - before)
    }).pipe(Effect.delay(20), Effect.forever)
    const all = Effect.forEach(
      Array.from({ length: count }),
      () =>
        Effect.match(store.get("1024.bin"), { onFailure: () => 0, onSuccess: ({ length }) => length === 1024 ? 1 : 0 }),
      { concurrency: "unbounded" }
    )
    const { held, loop, mostSockets, peakRss, seconds, value } = await watching(
      () => Effect.runPromise(Effect.raceFirst(all, sample)),
      server.port
    )
    const { mostOpen } = await server.counted()
    await close()
    await server.stop()
    return [
      {
        name: "reads that failed",
        value: count - value.reduce((sum: number, one) => sum + one, 0),
        unit: "",
        atMost: 0
      },
      {
        name: "connections",
        value: Math.max(mostSockets, mostOpen - 1),
        unit: "",
        atMost: 64,
        baseline: "10,000 without a cap"
      },
      { name: "descriptors above the base", value: mostDescriptors, unit: "", atMost: 64 + 20 },
      { name: "event loop held, at most, in processor time", value: held.max, unit: "ms", atMost: 250 },
      {
        name: "event loop late, at most",
        value: loop.max,
        unit: "ms",
        atMost: 250,
        baseline: "1700 to 2000 ms",
        shared: true
      },
      { name: "memory above the base", value: peakRss - base, unit: "MiB", baseline: "370 to 480 MiB" },
      { name: "time", value: seconds, unit: "s", shared: true }
    ]
  }
}
