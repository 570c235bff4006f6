/**
 * GCS: 256 MiB down into memory of one's own, and up.
 */
import { pipeline } from "node:stream/promises"
import { gcsClient, openGcs } from "../clouds.ts"
import { bareCase, readableOf } from "../handwrittenHttp.ts"
import { MiB, speed, touched, type Workload } from "../harness.ts"
import { intoMemory, largeOverStub, ofMemory, ofStream } from "../overStub.ts"
import { originIn } from "../stub/start.ts"

const size = 256 * MiB
const key = `${size}.bin`

const sdkStream = (validation: "crc32c" | false) => ({
  setup: (directory: string) => {
    const file = gcsClient(originIn(directory)).file("put.bin")
    const memory = touched(new Uint8Array(size))
    return Promise.resolve(async () => {
      await pipeline(readableOf(memory), file.createWriteStream({ resumable: true, validation }))
      return { bytes: size }
    })
  }
})

const save = (options: { readonly resumable: boolean; readonly validation: "crc32c" | false }) => ({
  setup: (directory: string) => {
    const file = gcsClient(originIn(directory)).file("put.bin")
    const memory = Buffer.from(touched(new Uint8Array(size)).buffer)
    return Promise.resolve(async () => {
      await file.save(memory, options)
      return { bytes: size }
    })
  }
})

export const workload: Workload = {
  title: "GCS: 256 MiB down and up",
  ...largeOverStub,
  cases: {
    "getInto": intoMemory(openGcs, size),
    "SDK, download": {
      setup: (directory) => {
        const file = gcsClient(originIn(directory)).file(key)
        return Promise.resolve(async () => ({ bytes: (await file.download({ validation: false }))[0].length }))
      }
    },
    "SDK, stream set into the buffer": {
      setup: (directory) => {
        const file = gcsClient(originIn(directory)).file(key)
        const memory = touched(new Uint8Array(size))
        return Promise.resolve(async () => {
          let bytes = 0
          for await (const chunk of file.createReadStream({ validation: false }) as AsyncIterable<Uint8Array>) {
            memory.set(chunk, bytes)
            bytes += chunk.length
          }
          return { bytes }
        })
      }
    },
    "put, defaults, CRC32C": ofMemory(openGcs, size),
    "put, one request, CRC32C": ofMemory(openGcs, size, { partSize: size }),
    "put of a stream, CRC32C": ofStream(openGcs, size),
    "SDK, write stream resumable, CRC32C": sdkStream("crc32c"),
    "SDK, write stream resumable, no validation": sdkStream(false),
    "bare socket, no checksum": bareCase("gcs", size),
    "SDK, save, CRC32C": save({ resumable: false, validation: "crc32c" }),
    "SDK, save resumable, CRC32C": save({ resumable: true, validation: "crc32c" }),
    "SDK, save, no validation": save({ resumable: false, validation: false }),
    "SDK, save resumable, no validation": save({ resumable: true, validation: false })
  },
  targets: [
    { name: "of the SDK, down, as bytes", value: speed("getInto", "SDK, download"), atLeast: 1.5 },
    {
      name: "of the SDK, down into a buffer",
      value: speed("getInto", "SDK, stream set into the buffer"),
      atLeast: 1.5
    },
    {
      name: "of the SDK, up, with checksums",
      value: speed("put, one request, CRC32C", "SDK, save, CRC32C"),
      atLeast: 1.5
    },
    {
      name: "of the SDK, up, with checksums, both resumable",
      value: speed("put, defaults, CRC32C", "SDK, save resumable, CRC32C"),
      atLeast: 1.5
    },
    {
      name: "of the SDK, up, a stream, with checksums",
      value: speed("put of a stream, CRC32C", "SDK, write stream resumable, CRC32C"),
      atLeast: 1.5
    },
    {
      name: "of the SDK, up, a stream, ours alone with a checksum",
      value: speed("put of a stream, CRC32C", "SDK, write stream resumable, no validation")
    },
    {
      name: "of a bare socket without a checksum, up",
      value: speed("put, one request, CRC32C", "bare socket, no checksum")
    },
    {
      name: "SDK without validation of a bare socket, up",
      value: speed("SDK, save, no validation", "bare socket, no checksum")
    },
    // We always send a checksum.
    { name: "of the SDK without a checksum, up", value: speed("put, one request, CRC32C", "SDK, save, no validation") },
    {
      name: "of the SDK without a checksum, up, both resumable",
      value: speed("put, defaults, CRC32C", "SDK, save resumable, no validation")
    }
  ]
}
