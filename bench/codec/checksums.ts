/**
 * Checksums of 64 MiB in memory, in pieces of a MiB: each implementation that there is.
 */
import { createCRC64 } from "hash-wasm"
import * as NodeZlib from "node:zlib"
import * as Checksum from "../../src/codec/Checksum.ts"
import { crc32 } from "../../src/codec/Crc32.ts"
import { crc32c, crc32cByModule, crc32cByTables } from "../../src/codec/Crc32c.ts"
import { crc64nvme, crc64nvmeByTables } from "../../src/codec/Crc64nvme.ts"
import { type Case, type Median, MiB, speed, touched, type Workload } from "../harness.ts"

const size = 64 * MiB

/** Sums all pieces of the same MiB-wide memory that fits no cache of one core. */
const summing = (make: () => Promise<(bytes: Uint8Array) => unknown>): Case => ({
  setup: async () => {
    const sum = await make()
    const memory = touched(new Uint8Array(size))
    return async () => {
      for (let at = 0; at < size; at += MiB) sum(memory.subarray(at, at + MiB))
      return { bytes: size }
    }
  }
})

const gigabytes = (name: string) => (medians: Readonly<Record<string, Median>>): number | undefined =>
  medians[name]?.gigabytesPerSecond

export const workload: Workload = {
  title: "checksums of 64 MiB",
  prepare: () => undefined,
  rounds: 3,
  runs: 5,
  cases: {
    "crc32": summing(async () => crc32),
    "crc32, node:zlib": summing(async () => NodeZlib.crc32),
    "crc32c": summing(async () => crc32c),
    "crc32c, WebAssembly": summing(async () => crc32cByModule),
    "crc32c, tables": summing(async () => crc32cByTables),
    "crc64nvme": summing(async () => crc64nvme),
    "crc64nvme, hash-wasm": summing(async () => {
      const hash = await createCRC64("9a6c9329ac4bc9b5")
      return (bytes) => hash.init().update(bytes).digest()
    }),
    "crc64nvme, tables": summing(async () => crc64nvmeByTables),
    "sha256": summing(async () => (bytes) => Checksum.of("sha256", bytes))
  },
  targets: [
    { name: "crc32c with the addon", value: gigabytes("crc32c"), atLeast: 5, unit: "GB/s" },
    { name: "crc32c without it", value: gigabytes("crc32c, WebAssembly"), atLeast: 1, unit: "GB/s" },
    { name: "crc64nvme : hash-wasm", value: speed("crc64nvme", "crc64nvme, hash-wasm"), atLeast: 1.8 }
  ]
}
