/**
 * S3: 100,000 keys in pages of 1,000.
 */
import { ListObjectsV2Command } from "@aws-sdk/client-s3"
import { Effect, Stream } from "effect"
import { awsClient, openS3 } from "../clouds.ts"
import { speed, type Workload } from "../harness.ts"
import { originIn, startStub, stopStub } from "../stub/start.ts"

const keys = 100_000

/** So that GB/s compare, a key counts as 300 bytes; `keys/s` is the figure. */
const counted = (run: () => Promise<number>) => async () => {
  const start = performance.now()
  const found = await run()
  if (found !== keys) throw new Error(`${found} keys`)
  return { bytes: keys * 300, figures: { "keys/s": keys / (performance.now() - start) * 1000 } }
}

export const workload: Workload = {
  title: "S3: list of 100,000 keys",
  prepare: startStub,
  finish: stopStub,
  rounds: 2,
  // As many as the code of each case takes to be compiled well.
  warmups: 4,
  cases: {
    "list": {
      setup: async (directory) => {
        const s3 = await openS3(originIn(directory))
        return counted(() =>
          Effect.runPromise(s3.list().pipe(Stream.runFold(() => 0, (count, info) => count + (info.size > 0 ? 1 : 0))))
        )
      }
    },
    "AWS SDK": {
      setup: (directory) => {
        const client = awsClient(originIn(directory))
        return Promise.resolve(counted(async () => {
          let count = 0
          let token: string | undefined
          do {
            const page = await client.send(
              new ListObjectsV2Command({ Bucket: "bucket", MaxKeys: 1000, ContinuationToken: token })
            )
            for (const { Size } of page.Contents ?? []) count += Size! > 0 ? 1 : 0
            token = page.NextContinuationToken
          } while (token !== undefined)
          return count
        }))
      }
    }
  },
  targets: [{ name: "of the AWS SDK", value: speed("list", "AWS SDK"), atLeast: 5 }]
}
