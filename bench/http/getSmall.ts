/**
 * S3: many objects of 4 KiB, 16 at a time.
 */
import { GetObjectCommand } from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { awsClient, openS3 } from "../clouds.ts"
import { dispatch, times } from "../handwrittenHttp.ts"
import { speed, type Workload } from "../harness.ts"
import { originIn, startStub, stopStub } from "../stub/start.ts"

const size = 4096
const key = `${size}.bin`
const count = 2000
const concurrency = 16
const indexes = Array.from({ length: count }, (_, index) => index)

/** Adds what one operation costs. */
const counted = (run: () => Promise<unknown>) => async () => {
  const before = process.cpuUsage()
  const start = performance.now()
  await run()
  const elapsed = performance.now() - start
  const { system, user } = process.cpuUsage(before)
  return { bytes: count * size, figures: { "ops/s": count / elapsed * 1000, "us CPU/op": (user + system) / count } }
}

export const workload: Workload = {
  title: "S3: GET of 4 KiB, 16 at a time",
  prepare: startStub,
  finish: stopStub,
  rounds: 3,
  // As many as the code of each case takes to be compiled well.
  warmups: 12,
  cases: {
    "get": {
      setup: async (directory) => {
        const s3 = await openS3(originIn(directory))
        return counted(() =>
          Effect.runPromise(Effect.forEach(indexes, () => s3.get(key), { concurrency, discard: true }))
        )
      }
    },
    "getInto": {
      setup: async (directory) => {
        const s3 = await openS3(originIn(directory))
        const memory = Array.from({ length: concurrency }, () => new Uint8Array(size))
        return counted(() =>
          Effect.runPromise(
            Effect.forEach(indexes, (index) => s3.getInto(key, memory[index % concurrency]!), {
              concurrency,
              discard: true
            })
          )
        )
      }
    },
    "undici dispatch by hand, unsigned": {
      setup: (directory) => {
        const origin = originIn(directory)
        const memory = Array.from({ length: concurrency }, () => new Uint8Array(size))
        return Promise.resolve(
          counted(() =>
            times(
              count,
              concurrency,
              (slot) => dispatch({ origin, path: `/bucket/${key}`, method: "GET" }, memory[slot]!)
            )
          )
        )
      }
    },
    "AWS SDK": {
      setup: (directory) => {
        const client = awsClient(originIn(directory))
        return Promise.resolve(counted(() =>
          times(count, concurrency, async () => {
            const { Body } = await client.send(new GetObjectCommand({ Bucket: "bucket", Key: key }))
            await Body!.transformToByteArray()
          })
        ))
      }
    }
  },
  targets: [
    { name: "of the AWS SDK, get", value: speed("get", "AWS SDK"), atLeast: 8 },
    { name: "of the AWS SDK, getInto", value: speed("getInto", "AWS SDK") },
    { name: "of undici by hand", value: speed("getInto", "undici dispatch by hand, unsigned") }
  ]
}
