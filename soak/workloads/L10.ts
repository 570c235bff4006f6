/**
 * A listing of a million keys, as a stream.
 */
import { Effect, Stream } from "effect"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { settledRss, watching } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const count = 1_000_000

export const workload: Workload = {
  title: "a listing of 1,000,000 keys",
  run: async () => {
    const server = await startServer({ keys: count })
    const { close, store } = await openS3(server.origin)
    await Effect.runPromise(store.list().pipe(Stream.take(20_000), Stream.runDrain))
    const base = await settledRss()
    let first: number | undefined
    const start = performance.now()
    const { held, loop, peakRss, seconds, value } = await watching(() =>
      Effect.runPromise(Stream.runFold(store.list(), () => 0, (sum) => {
        first ??= performance.now() - start
        return sum + 1
      }))
    )
    await close()
    await server.stop()
    return [
      { name: "keys missing", value: count - value, unit: "", atMost: 0 },
      { name: "memory above the base", value: peakRss - base, unit: "MiB", atMost: 64 },
      { name: "first key after", value: (first ?? Number.NaN) / 1000, unit: "s", atMost: 1 },
      { name: "event loop held, at most, in processor time", value: held.max, unit: "ms" },
      { name: "event loop late, at most", value: loop.max, unit: "ms", shared: true },
      { name: "speed", value: count / seconds, unit: "keys/s", shared: true }
    ]
  }
}
