/**
 * A stream of 4 GiB whose consumer takes 5 ms for every 64 KiB, for a minute: nothing runs ahead of it.
 */
import { Effect, Stream } from "effect"
import type { TransferOptions } from "../../src/index.ts"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { settledRss, watching } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const MiB = 2 ** 20
const GiB = 2 ** 30
const chunk = 65_536
const time = 60_000

/** Takes a stream slowly, and sees every second how much the server has sent that was not consumed. */
const consume = async (options?: TransferOptions) => {
  const server = await startServer()
  const { close, store } = await openS3(server.origin)
  await Effect.runPromise(Stream.runDrain(store.stream(`${32 * MiB}.bin`)))
  const base = await settledRss()
  const before = (await server.counted()).sent
  let consumed = 0
  let ahead = 0
  const look = Effect.promise(server.counted).pipe(
    Effect.map(({ sent }) => {
      ahead = Math.max(ahead, sent - before - consumed)
    }),
    Effect.delay(1000),
    Effect.forever
  )
  const slow = store.stream(`${4 * GiB}.bin`, options).pipe(
    Stream.runForEach((bytes) =>
      Effect.forEach(
        Array.from({ length: Math.ceil(bytes.length / chunk) }),
        (_, index) =>
          Effect.delay(
            Effect.sync(() => {
              consumed += Math.min(chunk, bytes.length - index * chunk)
            }),
            5
          ),
        { discard: true }
      )
    ),
    Effect.timeoutOption(time)
  )
  const { peakRss } = await watching(() => Effect.runPromise(Effect.raceFirst(slow, look)))
  await close()
  await server.stop()
  return { ahead: ahead / MiB, memory: peakRss - base, consumed: consumed / MiB }
}

export const workload: Workload = {
  title: "a stream of 4 GiB to a slow consumer, for a minute",
  run: async () => {
    const usual = await consume()
    const many = await consume({ partSize: 8 * MiB, concurrency: 16 })
    return [
      {
        name: "sent and not consumed, as it is by default",
        value: usual.ahead,
        unit: "MiB",
        atMost: 16,
        baseline: "3.3 to 4.8 MiB"
      },
      {
        name: "memory above the base, by default",
        value: usual.memory,
        unit: "MiB",
        atMost: 128,
        baseline: "32 to 91 MiB"
      },
      {
        name: "sent and not consumed, with 16 parts of 8 MiB ahead allowed",
        value: many.ahead,
        unit: "MiB",
        atMost: 16,
        baseline: "3.3 to 4.8 MiB"
      },
      { name: "memory above the base, with those", value: many.memory, unit: "MiB", atMost: 128 },
      { name: "consumed", value: usual.consumed, unit: "MiB", atLeast: 100, shared: true }
    ]
  }
}
