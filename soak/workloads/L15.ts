/**
 * A store that is opened, used once and closed, 10,000 times.
 */
import { Effect } from "effect"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { descriptors, heap, settle, sockets, timers } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const count = 10_000

const listeners = (): number => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)

export const workload: Workload = {
  title: "10,000 times open, use and close",
  run: async () => {
    const server = await startServer()
    const once = async (): Promise<void> => {
      const { close, store } = await openS3(server.origin)
      await Effect.runPromise(store.get("1024.bin"))
      await close()
    }
    for (let index = 0; index < 200; index++) await once()
    await settle(() => sockets(server.port), 0)
    const before = { descriptors: descriptors(), listeners: listeners(), timers: timers(), heap: heap() }
    const start = performance.now()
    for (let index = 0; index < count; index++) await once()
    const seconds = (performance.now() - start) / 1000
    const left = {
      sockets: await settle(() => sockets(server.port), 0),
      descriptors: await settle(descriptors, before.descriptors),
      timers: timers(),
      listeners: listeners(),
      heap: heap()
    }
    await server.stop()
    return [
      { name: "connections left", value: left.sockets, unit: "", atMost: 0 },
      { name: "descriptors left", value: left.descriptors - before.descriptors, unit: "", atMost: 0 },
      { name: "listeners left", value: left.listeners - before.listeners, unit: "", atMost: 0 },
      { name: "timers left", value: left.timers - before.timers, unit: "", atMost: 0 },
      { name: "heap left", value: left.heap - before.heap, unit: "MiB", atMost: 5 },
      { name: "time of one", value: seconds * 1000 / count, unit: "ms", shared: true }
    ]
  }
}
