/**
 * Azure Blob: 256 MiB down into memory of one's own, and up.
 */
import { Effect } from "effect"
import { azureClient, openAzure } from "../clouds.ts"
import { MiB, speed, touched, type Workload } from "../harness.ts"
import { originIn, startStub, stopStub } from "../stub/start.ts"

const size = 256 * MiB
const key = `${size}.bin`

const upload = (checksum: "md5" | "none") => ({
  setup: async (directory: string) => {
    const azure = await openAzure(originIn(directory), { checksum })
    const memory = touched(new Uint8Array(size))
    return () => Effect.runPromise(Effect.map(azure.put("put.bin", memory), (result) => ({ bytes: result.size })))
  }
})

export const workload: Workload = {
  title: "Azure: 256 MiB down and up",
  prepare: startStub,
  finish: stopStub,
  rounds: 3,
  runs: 2,
  warmups: 1,
  cases: {
    "getInto": {
      setup: async (directory) => {
        const azure = await openAzure(originIn(directory))
        const memory = touched(new Uint8Array(size))
        return () => Effect.runPromise(azure.getInto(key, memory))
      }
    },
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
    "put": upload("md5"),
    "put, no MD5": upload("none"),
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
    { name: "of the SDK, up, neither with a checksum", value: speed("put, no MD5", "SDK, uploadData"), atLeast: 1.5 },
    {
      name: "of the SDK in the same blocks, up",
      value: speed("put, no MD5", "SDK, uploadData 8 MiB x 8"),
      atLeast: 1.5
    },
    { name: "of the SDK, up, ours alone with MD5", value: speed("put", "SDK, uploadData") }
  ]
}
