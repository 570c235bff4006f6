/**
 * S3: 256 MiB out of memory, plain HTTP.
 */
import { PutObjectCommand } from "@aws-sdk/client-s3"
import { awsClient, openS3 } from "../clouds.ts"
import { bareCase, dispatch, readableOf } from "../handwrittenHttp.ts"
import { MiB, speed, touched, type Workload } from "../harness.ts"
import { largeOverStub, ofMemory, ofStream } from "../overStub.ts"
import { originIn } from "../stub/start.ts"

const size = 256 * MiB

const sdk = (checksums: "WHEN_SUPPORTED" | "WHEN_REQUIRED") => ({
  setup: (directory: string) => {
    const client = awsClient(originIn(directory), checksums)
    const memory = touched(new Uint8Array(size))
    return Promise.resolve(async () => {
      await client.send(new PutObjectCommand({ Bucket: "bucket", Key: "put.bin", Body: memory }))
      return { bytes: size }
    })
  }
})

/** The SDK sends a stream in one request and has to be told its length; parts are another package's. */
const sdkStream = (checksums: "WHEN_SUPPORTED" | "WHEN_REQUIRED") => ({
  setup: (directory: string) => {
    const client = awsClient(originIn(directory), checksums)
    const memory = touched(new Uint8Array(size))
    return Promise.resolve(async () => {
      const body = { Bucket: "bucket", Key: "put.bin", Body: readableOf(memory), ContentLength: size }
      await client.send(new PutObjectCommand(body))
      return { bytes: size }
    })
  }
})

export const workload: Workload = {
  title: "S3: PUT of 256 MiB",
  ...largeOverStub,
  cases: {
    "put, defaults": ofMemory(openS3, size),
    "put, one request": ofMemory(openS3, size, { partSize: size }),
    "bare socket, no checksum": bareCase("s3", size),
    "undici dispatch by hand, no checksum": {
      setup: (directory) => {
        const origin = originIn(directory)
        const memory = touched(new Uint8Array(size))
        return Promise.resolve(async () => {
          await dispatch({ origin, path: "/bucket/put.bin", method: "PUT", body: memory }, new Uint8Array(0))
          return { bytes: size }
        })
      }
    },
    "put of a stream": ofStream(openS3, size),
    "AWS SDK, a stream": sdkStream("WHEN_SUPPORTED"),
    "AWS SDK, a stream, checksums only where required": sdkStream("WHEN_REQUIRED"),
    "AWS SDK": sdk("WHEN_SUPPORTED"),
    "AWS SDK, checksums only where required": sdk("WHEN_REQUIRED")
  },
  targets: [
    { name: "of the AWS SDK, defaults", value: speed("put, defaults", "AWS SDK"), atLeast: 2 },
    { name: "of the AWS SDK, one request each", value: speed("put, one request", "AWS SDK"), atLeast: 2 },
    {
      name: "of the AWS SDK without checksums",
      value: speed("put, one request", "AWS SDK, checksums only where required")
    },
    { name: "of the AWS SDK, a stream", value: speed("put of a stream", "AWS SDK, a stream") },
    {
      name: "of the AWS SDK without checksums, a stream",
      value: speed("put of a stream", "AWS SDK, a stream, checksums only where required")
    },
    { name: "of a bare socket without a checksum", value: speed("put, one request", "bare socket, no checksum") },
    {
      name: "AWS SDK without checksums of a bare socket",
      value: speed("AWS SDK, checksums only where required", "bare socket, no checksum")
    },
    {
      name: "of undici by hand without a checksum",
      value: speed("put, one request", "undici dispatch by hand, no checksum")
    }
  ]
}
