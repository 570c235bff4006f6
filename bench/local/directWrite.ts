/**
 * `direct://`: 512 MiB of memory into a new file, past the page cache, on the disk at the end. A store moves 4 MiB a
 * system call, 2 at a time, of what is put at once.
 */
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fioCase } from "../fio.ts"
import { writeAndRename } from "../handwritten.ts"
import { MiB, speed, touched, type Workload } from "../harness.ts"
import { openDirect } from "../stores.ts"

const size = 512 * MiB
const ordinary = (): Uint8Array => touched(new Uint8Array(size))
const aligned = (): Uint8Array => touched(new Uint8Array(new ArrayBuffer(size, { maxByteLength: size })))
const parts = { partSize: 4 * MiB, concurrency: 4 }
const fio = fioCase("write", { file: "fio.bin", block: 4, depth: 4, size })
const [fioName = ""] = Object.keys(fio)

export const workload: Workload = {
  title: "direct:// write of 512 MiB to a new file, durable",
  prepare: () => undefined,
  runs: 4,
  warmups: 6,
  rounds: 4,
  cases: {
    "put, aligned memory": {
      setup: async (directory) => {
        const store = await openDirect({ root: directory })
        const body = aligned()
        return async () => ({ bytes: (await Effect.runPromise(store.put("put.bin", body))).size })
      }
    },
    "putMultipart, aligned memory, 4 MiB x 4": {
      setup: async (directory) => {
        const store = await openDirect({ root: directory })
        const body = aligned()
        return async () => ({ bytes: (await Effect.runPromise(store.putMultipart("put.bin", body, parts))).size })
      }
    },
    "put, ordinary memory": {
      setup: async (directory) => {
        const store = await openDirect({ root: directory })
        const body = ordinary()
        return async () => ({ bytes: (await Effect.runPromise(store.put("put.bin", body))).size })
      }
    },
    "fs.write by hand, O_DIRECT, 4 MiB x 4": {
      setup: (directory) => {
        const body = aligned()
        const flags = NodeFs.constants.O_DIRECT
        return Promise.resolve(async () => ({
          bytes: await writeAndRename(NodePath.join(directory, "hand.bin"), body, { ...parts, flags })
        }))
      }
    },
    "dd oflag=direct bs=4M conv=fsync": {
      command: (directory) => ({
        argv: [
          "dd",
          "if=/dev/zero",
          `of=${NodePath.join(directory, "dd.bin")}`,
          "bs=4M",
          "count=128",
          "oflag=direct",
          "conv=fsync"
        ],
        bytes: size
      })
    },
    ...fio
  },
  targets: [
    { name: "of fio", value: speed("put, aligned memory", fioName), atLeast: 0.8 },
    { name: "of dd", value: speed("put, aligned memory", "dd oflag=direct bs=4M conv=fsync"), atLeast: 0.8 },
    {
      name: "of dd, ordinary memory",
      value: speed("put, ordinary memory", "dd oflag=direct bs=4M conv=fsync"),
      atLeast: 0.8
    },
    {
      name: "processor",
      value: (medians) => medians["put, aligned memory"]?.cpu,
      atMost: 0.1,
      unit: "CPU-s/GB"
    }
  ]
}
