/**
 * 100,000 objects of 1 KiB: written, listed, read, removed.
 */
import { Effect, Stream } from "effect"
import * as File from "../../layers/File.ts"
import type { ObjectStore, ObjectStoreError } from "../../src/index.ts"
import { contentAt } from "../server/content.ts"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { descriptors, heap, settle, sockets, watching } from "../watch.ts"
import type { Finding, Workload } from "../Workload.ts"

const count = 100_000
const size = 1024

const concurrency = 64

/** Does it on one store, and finds what is missing. */
const cycle = async (
  name: string,
  store: ObjectStore["Service"],
  port: number | undefined,
  /** Descriptors of one request. */
  perRequest: number
): Promise<ReadonlyArray<Finding>> => {
  const keys = Stream.range(0, count - 1).pipe(Stream.map((index) => `objects/${String(index).padStart(8, "0")}`))
  const contents = contentAt(0, size + 1000)
  const bodyOf = (key: string): Uint8Array => {
    const start = Number(key.slice(-8)) % 1000
    return contents.subarray(start, start + size)
  }
  await Effect.runPromise(store.put("warm", "x"))
  const base = heap()
  const before = descriptors()
  let mostDescriptors = 0
  const sample = Effect.sync(() => {
    mostDescriptors = Math.max(mostDescriptors, descriptors() - before)
  }).pipe(Effect.delay(200), Effect.forever)
  const times: Record<string, number> = {}
  const timed = async <A>(step: string, run: Effect.Effect<A, ObjectStoreError>): Promise<A> => {
    const start = performance.now()
    const value = await Effect.runPromise(Effect.raceFirst(run, sample))
    times[step] = (performance.now() - start) / 1000
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
  }, port)
  heapAfter = Math.max(heapAfter, heap())
  const findings: ReadonlyArray<Finding> = [
    { name: "not written", value: count - value.put, unit: "objects", atMost: 0 },
    { name: "not listed", value: count - value.listed, unit: "objects", atMost: 0 },
    { name: "not read, or wrong", value: count - value.right, unit: "objects", atMost: 0 },
    { name: "not removed", value: count - value.removed + value.left, unit: "objects", atMost: 0 },
    { name: "heap above the base, after garbage has gone", value: heapAfter - base, unit: "MiB", atMost: 20 },
    { name: "descriptors above the base", value: mostDescriptors, unit: "", atMost: 64 * perRequest + 20 },
    { name: "connections", value: mostSockets, unit: "", atMost: 64 },
    ...Object.entries(times).map(([step, seconds]) => ({ name: step, value: seconds, unit: "s", shared: true }))
  ]
  return findings.map((finding) => ({ ...finding, name: `${name}: ${finding.name}` }))
}

export const workload: Workload = {
  title: "100,000 objects of 1 KiB: put, list, get, delete",
  run: async ({ directory }) => {
    const server = await startServer({}, "faults.ts")
    const { close, store } = await openS3(server.origin)
    const cloud = await cycle("S3", store, server.port, 1)
    await close()
    const left = await settle(() => sockets(server.port), 0)
    await server.stop()
    // What a disk takes to make a write durable is not what is looked for here.
    const files = await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(
          File.make({ root: directory, durability: "none" }),
          (store) => Effect.promise(() => cycle("files", store, undefined, 2))
        )
      )
    )
    return [...cloud, { name: "S3: connections left", value: left, unit: "", atMost: 0 }, ...files]
  }
}
