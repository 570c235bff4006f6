/**
 * 4 GiB out of a stream to a slow server, 8 parts of 8 MiB in flight: the source waits.
 */
import { Effect, Stream } from "effect"
import { contentAt } from "../server/content.ts"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { settledRss, watching } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const MiB = 2 ** 20
const size = 4 * 2 ** 30

export const workload: Workload = {
  title: "4 GiB out of a stream to a slow server",
  run: async () => {
    const server = await startServer({ delay: 200 })
    const { close, store } = await openS3(server.origin)
    let produced = 0
    const source = (bytes: number) =>
      Stream.fromIterable(Array.from({ length: bytes / MiB }, (_, index) => index)).pipe(
        Stream.rechunk(1),
        Stream.map((index) => {
          produced += MiB
          return contentAt(index * MiB, MiB)
        })
      )
    const upload = (bytes: number) =>
      Effect.runPromise(store.putMultipart("large", source(bytes), { partSize: 8 * MiB, concurrency: 8 }))
    await upload(128 * MiB)
    const base = await settledRss()
    produced = 0
    const before = (await server.counted()).received
    let ahead = 0
    const look = Effect.promise(server.counted).pipe(
      Effect.map(({ received }) => {
        ahead = Math.max(ahead, produced - (received - before))
      }),
      Effect.delay(100),
      Effect.forever
    )
    const { peakRss, seconds, value } = await watching(() =>
      Effect.runPromise(Effect.raceFirst(Effect.promise(() => upload(size)), look))
    )
    const received = (await server.counted()).received - before
    await close()
    await server.stop()
    return [
      { name: "bytes missing", value: size - received, unit: "bytes", atMost: 0 },
      { name: "bytes that the result lacks", value: size - value.size, unit: "bytes", atMost: 0 },
      { name: "produced and not received", value: ahead / MiB, unit: "MiB", atMost: 64 + 16 },
      {
        name: "memory above the base",
        value: peakRss - base,
        unit: "MiB",
        atMost: 64 + 96,
        baseline: "s3dlio documents 1 to 2 GiB"
      },
      { name: "speed", value: 4096 / seconds, unit: "MiB/s", shared: true }
    ]
  }
}
