/**
 * S3: 1 GiB into memory of one's own, plain HTTP.
 */
import { GetObjectCommand } from "@aws-sdk/client-s3"
import { awsClient, openS3 } from "../clouds.ts"
import { dispatch } from "../handwrittenHttp.ts"
import { GiB, MiB, speed, touched, type Workload } from "../harness.ts"
import { intoMemory, largeOverStub } from "../overStub.ts"
import { originIn } from "../stub/start.ts"

const size = GiB
const key = `${size}.bin`

const store = (options?: { readonly partSize?: number; readonly concurrency?: number }) =>
  intoMemory(openS3, size, options)

export const workload: Workload = {
  title: "S3: GET of 1 GiB into an own buffer",
  ...largeOverStub,
  cases: {
    "getInto, defaults": store(),
    "getInto, one request": store({ partSize: size }),
    "getInto, 16 MiB x 4": store({ partSize: 16 * MiB, concurrency: 4 }),
    "undici dispatch by hand": {
      setup: (directory) => {
        const memory = touched(new Uint8Array(size))
        const origin = originIn(directory)
        return Promise.resolve(async () => ({
          bytes: await dispatch({ origin, path: `/bucket/${key}`, method: "GET" }, memory)
        }))
      }
    },
    "AWS SDK, chunks set into the buffer": {
      setup: (directory) => {
        const client = awsClient(originIn(directory))
        const memory = touched(new Uint8Array(size))
        return Promise.resolve(async () => {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: "bucket", Key: key }))
          let bytes = 0
          for await (const chunk of Body as AsyncIterable<Uint8Array>) {
            memory.set(chunk, bytes)
            bytes += chunk.length
          }
          return { bytes }
        })
      }
    },
    "AWS SDK, transformToByteArray": {
      setup: (directory) => {
        const client = awsClient(originIn(directory))
        return Promise.resolve(async () => {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: "bucket", Key: key }))
          return { bytes: (await Body!.transformToByteArray()).length }
        })
      }
    }
  },
  targets: [
    {
      name: "of undici by hand, one request each",
      value: speed("getInto, one request", "undici dispatch by hand"),
      atLeast: 0.9
    },
    { name: "of undici by hand, defaults", value: speed("getInto, defaults", "undici dispatch by hand") },
    {
      name: "of the AWS SDK that sets into the buffer",
      value: speed("getInto, defaults", "AWS SDK, chunks set into the buffer"),
      atLeast: 1.5
    },
    { name: "of the AWS SDK's byte array", value: speed("getInto, defaults", "AWS SDK, transformToByteArray") }
  ]
}
