/**
 * 100,000 objects of 1 KiB: written, listed, read, removed.
 */
import { Effect, Stream } from "effect"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { contentAt } from "../server/content.ts"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { descriptors, heap, sockets, watching } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const count = 100_000
const size = 1024

export const workload: Workload = {
  title: "100,000 objects of 1 KiB: put, list, get, delete",
  run: async () => {
    const server = await startServer({}, "faults.ts")
    const { close, store } = await openS3(server.origin)
    const keys = Stream.range(0, count - 1).pipe(Stream.map((index) => `objects/${String(index).padStart(8, "0")}`))
    const contents = contentAt(0, size + 1000)
    const bodyOf = (key: string): Uint8Array => {
      const start = Number(key.slice(-8)) % 1000
      return contents.subarray(start, start + size)
    }
    const concurrency = 64
    await Effect.runPromise(store.put("warm", "x"))
    const base = heap()
    const before = descriptors()
    let mostDescriptors = 0
    const sample = Effect.sync(() => {
      mostDescriptors = Math.max(mostDescriptors, descriptors() - before)
    }).pipe(Effect.delay(200), Effect.forever)
    const times: Record<string, number> = {}
    const timed = async <A>(name: string, run: Effect.Effect<A, ObjectStoreError>): Promise<A> => {
      const start = performance.now()
      const value = await Effect.runPromise(Effect.raceFirst(run, sample))
      times[name] = (performance.now() - start) / 1000
      return value
    }
    let heapAfter = 0
    const { mostSockets, value } = await watching(async () => {
      const put = await timed(
        "put",
        keys.pipe(
          Stream.mapEffect((key) => store.put(key, bodyOf(key)), { concurrency, unordered: true }),
          Stream.runFold(() => 0, (sum) => sum + 1)
        )
      )
      const listed = await timed(
        "list",
        Stream.runFold(store.list("objects/"), () => 0, (sum, info) => info.size === size ? sum + 1 : sum)
      )
      const right = await timed(
        "get",
        keys.pipe(
          Stream.mapEffect(
            (key) => Effect.map(store.get(key), (bytes) => Buffer.compare(bytes, bodyOf(key)) === 0 ? 1 : 0),
            { concurrency, unordered: true }
          ),
          Stream.runFold(() => 0, (sum, one) => sum + one)
        )
      )
      heapAfter = heap()
      const removed = await timed(
        "delete",
        Stream.runFold(store.deleteMany(keys), () => 0, (sum, { error }) => error === undefined ? sum + 1 : sum)
      )
      const left = await Effect.runPromise(Stream.runFold(store.list("objects/"), () => 0, (sum) => sum + 1))
      return { put, listed, right, removed, left }
    }, server.port)
    heapAfter = Math.max(heapAfter, heap())
    await close()
    await server.stop()
    return [
      { name: "not written", value: count - value.put, unit: "objects", atMost: 0 },
      { name: "not listed", value: count - value.listed, unit: "objects", atMost: 0 },
      { name: "not read, or wrong", value: count - value.right, unit: "objects", atMost: 0 },
      { name: "not removed", value: count - value.removed + value.left, unit: "objects", atMost: 0 },
      { name: "heap above the base, after garbage has gone", value: heapAfter - base, unit: "MiB", atMost: 20 },
      { name: "descriptors above the base", value: mostDescriptors, unit: "", atMost: 64 + 20 },
      { name: "connections", value: mostSockets, unit: "", atMost: 64 },
      { name: "connections left", value: sockets(server.port), unit: "", atMost: 0 },
      ...Object.entries(times).map(([name, seconds]) => ({ name, value: seconds, unit: "s", shared: true }))
    ]
  }
}
