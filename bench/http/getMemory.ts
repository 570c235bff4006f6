/**
 * Memory of `get`: what the process takes at most for an object of 1 GiB, above what it had.
 */
import { GetObjectCommand } from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { awsClient, openAzure, openGcs, openS3 } from "../clouds.ts"
import { GiB, MiB, type Workload } from "../harness.ts"
import { peakOf, rss } from "../memory.ts"
import { originIn, startStub, stopStub } from "../stub/start.ts"

const size = GiB
const key = `${size}.bin`
const figure = "peak, times the object"

const measured = (run: () => Promise<Uint8Array>) => async () => {
  globalThis.gc?.()
  const before = rss()
  const { peak, value } = await peakOf(rss, run)
  return {
    bytes: value.length,
    figures: { "peak MiB above base": peak - before, [figure]: (peak - before) / (value.length / MiB) }
  }
}

const names = ["S3 get", "Azure get", "GCS get"] as const

export const workload: Workload = {
  title: "memory of get of 1 GiB",
  prepare: startStub,
  finish: stopStub,
  rounds: 2,
  runs: 1,
  warmups: 0,
  cases: {
    [names[0]]: {
      setup: async (directory) => {
        const store = await openS3(originIn(directory))
        return measured(() => Effect.runPromise(store.get(key)))
      }
    },
    [names[1]]: {
      setup: async (directory) => {
        const store = await openAzure(originIn(directory))
        return measured(() => Effect.runPromise(store.get(key)))
      }
    },
    [names[2]]: {
      setup: async (directory) => {
        const store = await openGcs(originIn(directory))
        return measured(() => Effect.runPromise(store.get(key)))
      }
    },
    "AWS SDK, transformToByteArray": {
      setup: (directory) => {
        const client = awsClient(originIn(directory))
        return Promise.resolve(measured(async () => {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: "bucket", Key: key }))
          return Body!.transformToByteArray()
        }))
      }
    }
  },
  targets: names.map((name) => ({
    name: `peak above base, ${name}`,
    value: (medians) => medians[name]?.figures[figure],
    atMost: 1.15,
    unit: "times the object"
  }))
}
