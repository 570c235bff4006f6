/**
 * Memory of streams: 4 GiB through `stream` with a slow consumer, and through `put` with a slow producer.
 */
import { Effect, Stream } from "effect"
import * as NodePath from "node:path"
import { GiB, makeFile, MiB, type Workload } from "../harness.ts"
import { peakOf, rss } from "../memory.ts"
import { openDirect, openFile } from "../stores.ts"

const size = 4 * GiB
const name = "object.bin"
type Store = Awaited<ReturnType<typeof openFile>>

/** Takes a moment for every MiB, so that there is always something to wait for. */
const pause = Effect.sleep("1 millis")

const measured = async (run: () => Promise<number>) => {
  globalThis.gc?.()
  const before = rss()
  const { peak, value } = await peakOf(rss, run)
  return { bytes: value, figures: { "peak MiB above base": peak - before } }
}

const consume = (store: Store) => () =>
  measured(() =>
    Effect.runPromise(
      store.stream(name).pipe(
        Stream.runFoldEffect(() => 0, (total, chunk) => Effect.as(pause, total + chunk.length))
      )
    )
  )

const produce = (store: Store) => () =>
  measured(() => {
    const chunk = new Uint8Array(MiB).fill(1)
    const source = Stream.range(1, size / MiB).pipe(Stream.mapEffect(() => Effect.as(pause, chunk)))
    return Effect.runPromise(Effect.map(store.put("put.bin", source), (result) => result.size))
  })

const peakAt = (name: string) => ({
  name: `peak above base, ${name}`,
  value: (medians: Parameters<Workload["targets"][number]["value"]>[0]) =>
    medians[name]?.figures["peak MiB above base"],
  atMost: 128,
  unit: "MiB"
})

const names = {
  get: "file:// stream, slow consumer",
  put: "file:// put of a stream, slow producer",
  getDirect: "direct:// stream, slow consumer",
  putDirect: "direct:// put of a stream, slow producer"
}

export const workload: Workload = {
  title: "memory of a 4 GiB stream",
  prepare: (directory) => makeFile(NodePath.join(directory, name), size),
  rounds: 1,
  runs: 1,
  warmups: 0,
  cases: {
    [names.get]: { setup: async (directory) => consume(await openFile({ root: directory })) },
    [names.put]: { setup: async (directory) => produce(await openFile({ root: directory, durability: "none" })) },
    [names.getDirect]: {
      setup: async (directory) => consume(await openDirect({ root: directory, fallback: "buffered" }))
    },
    [names.putDirect]: {
      setup: async (directory) =>
        produce(await openDirect({ root: directory, durability: "none", fallback: "buffered" }))
    }
  },
  targets: Object.values(names).map(peakAt)
}
