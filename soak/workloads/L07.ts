/**
 * Everything at once for a long time, on a server that resets, refuses, stalls and cuts 1 % of the requests each.
 */
import { Effect, Fiber, Metric, Random, References, Stream } from "effect"
import {
  defaultRetryPolicy,
  isObjectStoreError,
  type ObjectStore,
  type ObjectStoreError,
  RetryPolicy
} from "../../src/index.ts"
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

/** What an object may hold: a piece of the contents, or nothing. */
type State = { readonly start: number; readonly size: number } | undefined

/** How an operation may fail where only the network and the service are to blame. */
const network = new Set([
  "BodyInterrupted",
  "ConnectionFailed",
  "OutcomeUnknown",
  "PartialFailure",
  "ProtocolViolation",
  "Throttled",
  "Timeout",
  "Unavailable"
])

const seen = { stopped: false, operations: 0, failed: 0, corrupt: 0, unclassified: 0, untrue: 0, worst: "" }

const bytesOf = (state: State): Uint8Array | undefined =>
  state === undefined ? undefined : contents.subarray(state.start, state.start + state.size)

const matches = (
  states: ReadonlyArray<State>,
  found: Uint8Array | undefined,
  part?: (whole: Uint8Array) => Uint8Array
): boolean =>
  states.some((state) => {
    const bytes = bytesOf(state)
    return bytes === undefined || found === undefined
      ? bytes === found
      : Buffer.compare(part === undefined ? bytes : part(bytes), found) === 0
  })

const note = (error: ObjectStoreError, what: string): void => {
  seen.failed++
  if (isObjectStoreError(error) && network.has(error.reason._tag)) return
  seen.unclassified++
  seen.worst = `${what}: ${String(error)}`
}

/** One worker: any operation on any of its keys, over and over. */
const work = Effect.fnUntraced(
  function*(store: ObjectStore["Service"], worker: number, states: Map<string, ReadonlyArray<State>>) {
    const keys = Array.from({ length: keysOfWorker }, (_, index) => `worker-${worker}/${index}`)
    const of = (key: string): ReadonlyArray<State> => states.get(key) ?? [undefined]
    const between = Random.nextIntBetween

    const change = (
      what: string,
      key: string,
      effect: Effect.Effect<unknown, ObjectStoreError>,
      to: State,
      refusal?: string
    ) =>
      Effect.match(effect, {
        onSuccess: () => {
          states.set(key, [to])
        },
        onFailure: (error) => {
          const refused = error.reason._tag === refusal
          if (
            refused && !(refusal === "AlreadyExists"
              ? of(key).some((state) => state !== undefined)
              : of(key).includes(undefined))
          ) {
            seen.untrue++
            seen.worst = `${what}: ${String(error)}`
          }
          if (refused) {
            states.set(
              key,
              of(key).filter((state) => (state !== undefined) === (refusal === "AlreadyExists"))
            )
          } else note(error, what)
          if (error.outcome === "applied") states.set(key, [to])
          else if (error.outcome !== "not-applied") states.set(key, [...of(key), to].slice(-6))
        }
      })

    const read = (
      what: string,
      key: string,
      effect: Effect.Effect<Uint8Array, ObjectStoreError>,
      part?: (whole: Uint8Array) => Uint8Array
    ) =>
      Effect.match(effect, {
        onSuccess: (bytes) => {
          if (matches(of(key), bytes, part)) return
          seen.corrupt++
          seen.worst = `${what} of ${key}: ${bytes.length} bytes, not ${
            of(key).map((state) => state?.size).join(" or ")
          }`
        },
        onFailure: (error) => {
          if (error.reason._tag !== "NotFound") return note(error, what)
          if (of(key).includes(undefined)) return
          seen.corrupt++
          seen.worst = `${what} of ${key}: not there`
        }
      })

    const one = Effect.gen(function*() {
      const key = keys[yield* between(0, keys.length - 1)]!
      const kind = yield* between(0, 9)
      // One in four writes in parts really has two of them.
      const size = kind === 2 && (yield* between(0, 3)) === 0
        ? writtenPart + 1000
        : yield* between(0, (yield* Random.nextBoolean) ? 2000 : largest)
      const to = { start: yield* between(0, 3 * largest), size }
      const bytes = bytesOf(to)!
      seen.operations++
      switch (kind) {
        case 0:
          return yield* change("put", key, store.put(key, bytes), to)
        case 1:
          return yield* change("create", key, store.put(key, bytes, { mode: "create" }), to, "AlreadyExists")
        case 2:
          return yield* change(
            "multipart",
            key,
            store.putMultipart(key, bytes, { partSize: writtenPart, concurrency: 3 }),
            to
          )
        case 3:
          return yield* change(
            "put a stream",
            key,
            store.put(key, Stream.make(bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)), {
              partSize: writtenPart
            }),
            to
          )
        case 4:
          return yield* change("delete", key, store.delete(key), undefined)
        case 5: {
          const source = keys[yield* between(0, keys.length - 1)]!
          const from = of(source)
          if (source === key || from.length !== 1 || from[0] === undefined) return
          return yield* change("copy", key, store.copy(source, key), from[0])
        }
        case 6:
          return yield* read(
            "stream",
            key,
            Effect.map(
              Stream.runCollect(store.stream(key, { partSize })),
              (chunks) => new Uint8Array(Buffer.concat(chunks))
            )
          )
        case 7: {
          const offset = yield* between(0, 500)
          const length = yield* between(1, largest)
          return yield* Effect.catchReason(
            Effect.asVoid(store.getRange(key, { offset, length })),
            "ObjectStoreError",
            "RangeNotSatisfiable",
            () => Effect.void
          ).pipe(
            Effect.andThen(
              read(
                "getRange",
                key,
                store.getRange(key, { suffix: length }),
                (whole) => whole.subarray(Math.max(0, whole.length - length))
              )
            ),
            Effect.catch((error) =>
              Effect.sync(() => {
                if (error.reason._tag !== "NotFound") note(error, "getRange")
              })
            )
          )
        }
        case 8:
          return yield* Effect.match(Stream.runCollect(store.list(`worker-${worker}/`, { pageSize: 2 })), {
            onFailure: (error) => note(error, "list"),
            onSuccess: (found) => {
              const listed = new Set(found.map((info) => info.key))
              const wrong = keys.find((one) =>
                listed.has(one) ? of(one).every((state) => state === undefined) : !of(one).includes(undefined)
              )
              if (wrong === undefined && listed.size === found.length) return
              seen.corrupt++
              seen.worst = `the listing is wrong about ${wrong}`
            }
          })
        default:
          return yield* read("get", key, store.get(key, { partSize, concurrency: 3 }))
      }
    })
    yield* Effect.whileLoop({ while: () => !seen.stopped, body: () => one, step: () => undefined })
  }
)

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
    const states = new Map<string, ReadonlyArray<State>>()
    const running = Effect.runFork(
      Effect.forEach(Array.from({ length: workers }, (_, index) => index), (worker) => work(store, worker, states), {
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
    seen.stopped = true
    await Effect.runPromise(Fiber.join(running))
    const faults = await fetch(`${server.origin}/_/`, { method: "POST", headers: { connection: "close" } })
      .then((reply) => reply.json()) as Readonly<Record<string, number>>
    // What the server really holds.
    let wrong = 0
    for (const [key, possible] of states) {
      const found = await Effect.runPromise(
        store.get(key).pipe(Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.undefined))
      )
      if (!matches(possible, found)) wrong++
    }
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
    if (seen.worst !== "") console.log(seen.worst)
    for (const one of samples.filter((_, index) => index % Math.ceil(samples.length / 10) === 0)) {
      console.log(
        `after ${one.minute.toFixed(1)} minutes: ${one.rss.toFixed(0)} MiB, heap ${one.heap.toFixed(1)}, buffers ${
          one.buffers.toFixed(1)
        }, ${one.sockets} connections, ${one.descriptors} descriptors, ${one.timers} timers`
      )
    }
    console.log(
      `${seen.operations} operations in ${minutes} minutes, ${seen.failed} failed; ${JSON.stringify(faults)}; memory ${
        warm[0]?.rss.toFixed(0)
      } to ${warm.at(-1)?.rss.toFixed(0)} MiB`
    )
    return [
      { name: "corrupt reads and listings", value: seen.corrupt, unit: "", atMost: 0 },
      { name: "refusals that were not true", value: seen.untrue, unit: "", atMost: 0 },
      { name: "unclassified failures", value: seen.unclassified, unit: "", atMost: 0 },
      { name: "objects of which the outcomes were not true", value: wrong, unit: "", atMost: 0 },
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
      { name: "operations", value: seen.operations / minutes, unit: "/min", shared: true },
      { name: "failed, and said so", value: 100 * seen.failed / seen.operations, unit: "%" }
    ] satisfies ReadonlyArray<Finding>
  }
}
