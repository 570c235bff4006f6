/**
 * Azure Blob: 256 MiB down into memory of one's own, and up.
 */
import { azureClient, openAzure } from "../clouds.ts"
import { bareCase, readableOf } from "../handwrittenHttp.ts"
import { MiB, speed, touched, type Workload } from "../harness.ts"
import { intoMemory, largeOverStub, ofMemory, ofStream } from "../overStub.ts"
import { originIn } from "../stub/start.ts"

const size = 256 * MiB
const key = `${size}.bin`

type Checksum = "crc64" | "md5" | "none"

const opened = (checksum: Checksum) => (origin: string) => openAzure(origin, { checksum })

const upload = (checksum: Checksum, options?: { readonly partSize?: number }) =>
  ofMemory(opened(checksum), size, options)

const uploadStream = (checksum: Checksum) => ofStream(opened(checksum), size)

export const workload: Workload = {
  title: "Azure: 256 MiB down and up",
  ...largeOverStub,
  cases: {
    "getInto": intoMemory(openAzure, size),
    "SDK, downloadToBuffer": {
      setup: (directory) => {
        const blob = azureClient(originIn(directory)).getBlobClient(key)
        const memory = Buffer.from(touched(new Uint8Array(size)).buffer)
        return Promise.resolve(async () => {
          await blob.downloadToBuffer(memory, 0, size)
          return { bytes: size }
        })
      }
    },
    "SDK, downloadToBuffer 8 MiB x 4": {
      setup: (directory) => {
        const blob = azureClient(originIn(directory)).getBlobClient(key)
        const memory = Buffer.from(touched(new Uint8Array(size)).buffer)
        return Promise.resolve(async () => {
          await blob.downloadToBuffer(memory, 0, size, { blockSize: 8 * MiB, concurrency: 4 })
          return { bytes: size }
        })
      }
    },
    "put": upload("crc64"),
    "put, MD5": upload("md5"),
    "put, no checksum": upload("none"),
    "put in 8 MiB x 8": upload("crc64", { partSize: 8 * MiB }),
    "put in 8 MiB x 8, no checksum": upload("none", { partSize: 8 * MiB }),
    "put of a stream": uploadStream("crc64"),
    "put of a stream, no checksum": uploadStream("none"),
    "bare socket, one request": bareCase("azure", size),
    "bare sockets, 8 MiB x 8": bareCase("azure", size, 8 * MiB, 8),
    "SDK, uploadStream 8 MiB x 8": {
      setup: (directory) => {
        const blob = azureClient(originIn(directory)).getBlockBlobClient("put.bin")
        const memory = touched(new Uint8Array(size))
        return Promise.resolve(async () => {
          await blob.uploadStream(readableOf(memory), 8 * MiB, 8)
          return { bytes: size }
        })
      }
    },
    "SDK, uploadData": {
      setup: (directory) => {
        const blob = azureClient(originIn(directory)).getBlockBlobClient("put.bin")
        const memory = Buffer.from(touched(new Uint8Array(size)).buffer)
        return Promise.resolve(async () => {
          await blob.uploadData(memory)
          return { bytes: size }
        })
      }
    },
    "SDK, uploadData 8 MiB x 8": {
      setup: (directory) => {
        const blob = azureClient(originIn(directory)).getBlockBlobClient("put.bin")
        const memory = Buffer.from(touched(new Uint8Array(size)).buffer)
        return Promise.resolve(async () => {
          await blob.uploadData(memory, { blockSize: 8 * MiB, concurrency: 8, maxSingleShotSize: 8 * MiB })
          return { bytes: size }
        })
      }
    }
  },
  targets: [
    { name: "of the SDK, down", value: speed("getInto", "SDK, downloadToBuffer"), atLeast: 1.5 },
    { name: "of the SDK, down in 8 MiB x 4", value: speed("getInto", "SDK, downloadToBuffer 8 MiB x 4"), atLeast: 1.5 },
    // One write to a socket is all that the SDK does: where it is at 0.67 of the bare socket, nothing can be 1.5 times it.
    { name: "SDK of the bare socket, up", value: speed("SDK, uploadData", "bare socket, one request") },
    {
      name: "of the bare socket, up, neither with a checksum",
      value: speed("put, no checksum", "bare socket, one request"),
      atLeast: 0.9
    },
    { name: "of the SDK, up, neither with a checksum", value: speed("put, no checksum", "SDK, uploadData") },
    {
      name: "of bare sockets in the same blocks, up",
      value: speed("put in 8 MiB x 8, no checksum", "bare sockets, 8 MiB x 8"),
      atLeast: 0.9
    },
    {
      name: "of the SDK in the same blocks, up",
      value: speed("put in 8 MiB x 8, no checksum", "SDK, uploadData 8 MiB x 8")
    },
    {
      name: "of the SDK, up, a stream, neither with a checksum",
      value: speed("put of a stream, no checksum", "SDK, uploadStream 8 MiB x 8")
    },
    {
      name: "of the SDK, up, a stream, ours alone with a checksum",
      value: speed("put of a stream", "SDK, uploadStream 8 MiB x 8")
    },
    { name: "of the SDK, up, ours alone with a checksum", value: speed("put", "SDK, uploadData") },
    { name: "of our own with MD5", value: speed("put", "put, MD5") }
  ]
}
