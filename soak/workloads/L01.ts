/**
 * A stream of 4 GiB at full speed, thrown away.
 */
import { Effect, Stream } from "effect"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { descriptors, settle, settledRss, watching } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const GiB = 2 ** 30

export const workload: Workload = {
  title: "a stream of 4 GiB at full speed",
  run: async () => {
    const server = await startServer()
    const before = descriptors()
    const { close, store } = await openS3(server.origin)
    const drain = (size: number) =>
      Effect.runPromise(Stream.runFold(store.stream(`${size}.bin`), () => 0, (sum, { length }) => sum + length))
    await drain(GiB / 16)
    const base = await settledRss()
    const { held, loop, peakRss, seconds, value } = await watching(() => drain(4 * GiB))
    await close()
    const left = (await settle(descriptors, before)) - before
    await server.stop()
    return [
      { name: "bytes missing", value: 4 * GiB - value, unit: "bytes", atMost: 0 },
      { name: "memory above the base", value: peakRss - base, unit: "MiB", atMost: 128, baseline: "93 to 108 MiB" },
      { name: "event loop held, p99 of processor time", value: held.p99, unit: "ms", atMost: 50 },
      { name: "event loop late, p99", value: loop.p99, unit: "ms", atMost: 50, baseline: "30 to 40 ms", shared: true },
      { name: "event loop late, at most", value: loop.max, unit: "ms", baseline: "36 to 140 ms", shared: true },
      { name: "descriptors left", value: left, unit: "", atMost: 0 },
      { name: "speed", value: 4096 / seconds, unit: "MiB/s", baseline: "442 to 665 MiB/s", shared: true }
    ]
  }
}
