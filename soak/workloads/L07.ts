/**
 * Everything at once for a long time, on a server that resets, refuses, stalls and cuts 1 % of the requests each.
 */
import { Effect, Fiber, Metric, Random, References, Stream } from "effect"
import { defaultRetryPolicy, type ObjectStore, type ObjectStoreError, RetryPolicy } from "../../src/index.ts"
import { type Ledger, makeLedger } from "../../test/support/Ledger.ts"
import { contentAt } from "../server/content.ts"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { descriptors, heap, settle, settledRss, sockets, timers, watching } from "../watch.ts"
import type { Finding, Workload } from "../Workload.ts"

const workers = 24
const keysOfWorker = 6
const largest = 400_000
const partSize = 131_072
const MiB = 2 ** 20
/** The least that S3 allows. */
const writtenPart = 5 * MiB
const contents = contentAt(0, 4 * largest + writtenPart)

/** What an object holds: a piece of the contents. */
interface State {
  readonly start: number
  readonly size: number
}

const bytesOf = ({ size, start }: State): Uint8Array => contents.subarray(start, start + size)

const collect = (stream: Stream.Stream<Uint8Array, ObjectStoreError>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => new Uint8Array(Buffer.concat(chunks)))

const progress = { stopped: false, operations: 0 }

/** One worker: any operation on any of its keys, over and over. */
const work = Effect.fnUntraced(function*(store: ObjectStore["Service"], worker: number, ledger: Ledger<State>) {
  const keys = Array.from({ length: keysOfWorker }, (_, index) => `worker-${worker}/${index}`)
  const between = Random.nextIntBetween

  const one = Effect.gen(function*() {
    const key = keys[yield* between(0, keys.length - 1)]!
    const kind = yield* between(0, 9)
    // One in four writes in parts really has two of them.
    const size = kind === 2 && (yield* between(0, 3)) === 0
      ? writtenPart + 1000
      : yield* between(0, (yield* Random.nextBoolean) ? 2000 : largest)
    const state = { start: yield* between(0, 3 * largest), size }
    const bytes = bytesOf(state)
    const to = { [key]: state }
    progress.operations++
    switch (kind) {
      case 0:
        return yield* ledger.change("put", store.put(key, bytes), to)
      case 1:
        return yield* ledger.change("create", store.put(key, bytes, { mode: "create" }), to, true)
      case 2:
        return yield* ledger.change(
          "multipart",
          store.putMultipart(key, bytes, { partSize: writtenPart, concurrency: 3 }),
          to
        )
      case 3: {
        const source = Stream.make(bytes.subarray(0, size >> 1), bytes.subarray(size >> 1))
        return yield* ledger.change("put a stream", store.put(key, source, { partSize: writtenPart }), to)
      }
      case 4:
        return yield* ledger.change("delete", store.delete(key), { [key]: undefined })
      case 5: {
        const source = keys[yield* between(0, keys.length - 1)]!
        const from = ledger.certain(source)
        if (source === key || from === undefined) return
        return yield* ledger.change("copy", store.copy(source, key), { [key]: from })
      }
      case 6:
        return yield* ledger.look("stream", key, collect(store.stream(key, { partSize })))
      case 7: {
        const offset = yield* between(0, 500)
        const length = yield* between(1, largest)
        yield* ledger.run(
          "getRange",
          Effect.catchReasons(store.getRange(key, { offset, length }), "ObjectStoreError", {
            RangeNotSatisfiable: () => Effect.void,
            NotFound: () => Effect.void
          })
        )
        return yield* ledger.look(
          "getRange",
          key,
          store.getRange(key, { suffix: length }),
          (whole) => whole.subarray(Math.max(0, whole.length - length))
        )
      }
      case 8:
        return yield* ledger.list(store.list(`worker-${worker}/`, { pageSize: 2 }), keys)
      default:
        return yield* ledger.look("get", key, store.get(key, { partSize, concurrency: 3 }))
    }
  })
  yield* Effect.whileLoop({ while: () => !progress.stopped, body: () => one, step: () => undefined })
})

/** The rise of values a minute: the middle of what all pairs of them tell, so that no single one counts (Theil and Sen). */
const slope = (points: ReadonlyArray<readonly [minute: number, value: number]>): number => {
  const slopes = points.flatMap(([x, y], index) =>
    points.slice(index + 1).map(([later, value]) => (value - y) / (later - x))
  ).sort((one, other) => one - other)
  return slopes[slopes.length >> 1] ?? Number.NaN
}

const abandoned = Effect.map(
  Metric.snapshot,
  (all) =>
    all.reduce(
      (sum, { id, state }) =>
        id === "objectstore_uploads_abandoned_total" && "count" in state ? sum + Number(state.count) : sum,
      0
    )
)

/** Gives up a request sooner than by default, so that stalls are many and not long. */
const impatient = { headersTimeout: 1000, stallTimeout: 1000, connectTimeout: 1000 }

export const workload: Workload = {
  title: "everything at once, with 1 % each of reset, 503, stall and cut",
  // Else the C library keeps what buffers of some MiB gave back, and a rise would tell of its heaps: see docs/soak.md.
  environment: { MALLOC_MMAP_THRESHOLD_: "262144" },
  run: async ({ minutes }) => {
    const server = await startServer({ percent: 1 }, "faults.ts")
    const before = { descriptors: descriptors(), timers: timers() }
    const { close, store } = await openS3(server.origin, impatient)
    const ledger = makeLedger(bytesOf)
    const running = Effect.runFork(
      Effect.forEach(Array.from({ length: workers }, (_, index) => index), (worker) => work(store, worker, ledger), {
        concurrency: workers,
        discard: true
      }).pipe(
        Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxDelay: 2000 }),
        // The bounds tell what these warnings do.
        Effect.provideService(References.MinimumLogLevel, "Error")
      )
    )
    const samples: Array<
      {
        minute: number
        rss: number
        heap: number
        buffers: number
        sockets: number
        descriptors: number
        timers: number
      }
    > = []
    const start = performance.now()
    const minute = (): number => (performance.now() - start) / 60_000
    const { held, loop, mostSockets } = await watching(async () => {
      while (minute() < minutes) {
        await Effect.runPromise(Effect.sleep(Math.min(5000, minutes * 6000)))
        samples.push({
          minute: minute(),
          rss: await settledRss(),
          heap: heap(),
          buffers: process.memoryUsage().arrayBuffers / MiB,
          sockets: sockets(server.port),
          descriptors: descriptors() - before.descriptors,
          timers: timers() - before.timers
        })
      }
    }, server.port)
    progress.stopped = true
    await Effect.runPromise(Fiber.join(running))
    const faults = await fetch(`${server.origin}/_/`, { method: "POST", headers: { connection: "close" } })
      .then((reply) => reply.json()) as Readonly<Record<string, number>>
    await Effect.runPromise(ledger.audit(store))
    const open = await Effect.runPromise(Stream.runCollect(store.listUploads()))
    const told = await Effect.runPromise(abandoned)
    await close()
    const left = {
      sockets: await settle(() => sockets(server.port), 0),
      descriptors: await settle(descriptors, before.descriptors)
    }
    await server.stop()
    const warm = samples.filter((one) => one.minute > Math.min(5, minutes / 2))
    const rise = (name: "rss" | "heap" | "sockets" | "descriptors" | "timers"): number =>
      slope(warm.map((one) => [one.minute, one[name]] as const))
    for (const { kind, text } of ledger.violations.slice(0, 20)) console.log(`${kind}: ${text}`)
    const count = (kind: Ledger<State>["violations"][number]["kind"]): number =>
      ledger.violations.filter((one) => one.kind === kind).length
    const { operations } = progress
    const { failed } = ledger.counts
    for (const one of samples.filter((_, index) => index % Math.ceil(samples.length / 10) === 0)) {
      console.log(
        `after ${one.minute.toFixed(1)} minutes: ${one.rss.toFixed(0)} MiB, heap ${one.heap.toFixed(1)}, buffers ${
          one.buffers.toFixed(1)
        }, ${one.sockets} connections, ${one.descriptors} descriptors, ${one.timers} timers`
      )
    }
    console.log(
      `${operations} operations in ${minutes} minutes, ${failed} failed; ${JSON.stringify(faults)}; memory ${
        warm[0]?.rss.toFixed(0)
      } to ${warm.at(-1)?.rss.toFixed(0)} MiB`
    )
    return [
      { name: "corrupt reads and listings", value: count("corrupt"), unit: "", atMost: 0 },
      { name: "refusals that were not true", value: count("untrue"), unit: "", atMost: 0 },
      { name: "unclassified failures", value: count("unclassified"), unit: "", atMost: 0 },
      { name: "objects of which the outcomes were not true", value: count("outcome"), unit: "", atMost: 0 },
      { name: "uploads left open that nobody told of", value: Math.max(0, open.length - told), unit: "", atMost: 0 },
      { name: "memory rises by", value: rise("rss"), unit: "MiB/min", atMost: 1 },
      { name: "heap rises by", value: rise("heap"), unit: "MiB/min", atMost: 0.5 },
      { name: "connections, at most", value: mostSockets, unit: "", atMost: 64 },
      { name: "connections rise by", value: rise("sockets"), unit: "/min", atMost: 2 },
      { name: "descriptors rise by", value: rise("descriptors"), unit: "/min", atMost: 2 },
      { name: "timers rise by", value: rise("timers"), unit: "/min", atMost: 1 },
      { name: "connections left at the end", value: left.sockets, unit: "", atMost: 0 },
      { name: "descriptors left at the end", value: left.descriptors - before.descriptors, unit: "", atMost: 0 },
      { name: "event loop held, p99 of processor time", value: held.p99, unit: "ms" },
      { name: "event loop late, p99", value: loop.p99, unit: "ms", shared: true },
      { name: "operations", value: operations / minutes, unit: "/min", shared: true },
      { name: "failed, and said so", value: 100 * failed / operations, unit: "%" }
    ] satisfies ReadonlyArray<Finding>
  }
}
