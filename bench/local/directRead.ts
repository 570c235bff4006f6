/**
 * `direct://`: 1 GiB from the disk into memory of one's own, past the page cache.
 */
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fioCase } from "../fio.ts"
import { readRanges } from "../handwritten.ts"
import { GiB, makeFile, MiB, speed, touched, type Workload } from "../harness.ts"
import { openDirect } from "../stores.ts"

const size = GiB
const name = "object.bin"
const pathIn = (directory: string): string => NodePath.join(directory, name)
const aligned = (): Uint8Array => touched(new Uint8Array(new ArrayBuffer(size, { maxByteLength: size })))
const ranges = { partSize: 4 * MiB, concurrency: 4 }
const fio = fioCase("read", { file: name, block: 4, depth: 4, size })
const [fioName = ""] = Object.keys(fio)

export const workload: Workload = {
  title: "direct:// read of 1 GiB into an own buffer",
  prepare: (directory) => makeFile(pathIn(directory), size),
  cases: {
    "getInto, aligned memory, 4 MiB x 4": {
      setup: async (directory) => {
        const store = await openDirect({ root: directory })
        const memory = aligned()
        return () => Effect.runPromise(store.getInto(name, memory, ranges))
      }
    },
    "getInto, ordinary memory, 4 MiB x 4": {
      setup: async (directory) => {
        const store = await openDirect({ root: directory })
        const memory = touched(new Uint8Array(size))
        return () => Effect.runPromise(store.getInto(name, memory, ranges))
      }
    },
    "getInto, aligned memory, defaults": {
      setup: async (directory) => {
        const store = await openDirect({ root: directory })
        const memory = aligned()
        return () => Effect.runPromise(store.getInto(name, memory))
      }
    },
    "fs.read by hand, O_DIRECT, 4 MiB x 4": {
      setup: (directory) => {
        const memory = aligned()
        const flags = NodeFs.constants.O_DIRECT
        return Promise.resolve(async () => ({
          bytes: await readRanges(pathIn(directory), memory, { ...ranges, flags })
        }))
      }
    },
    "dd iflag=direct bs=4M": {
      command: (directory) => ({
        argv: ["dd", `if=${pathIn(directory)}`, "of=/dev/null", "bs=4M", "iflag=direct"],
        bytes: size
      })
    },
    ...fio
  },
  targets: [
    { name: "of fio", value: speed("getInto, aligned memory, 4 MiB x 4", fioName), atLeast: 0.8 },
    { name: "of dd", value: speed("getInto, aligned memory, 4 MiB x 4", "dd iflag=direct bs=4M"), atLeast: 0.8 },
    { name: "of fio, ordinary memory", value: speed("getInto, ordinary memory, 4 MiB x 4", fioName), atLeast: 0.8 },
    {
      name: "processor",
      value: (medians) => medians["getInto, aligned memory, 4 MiB x 4"]?.cpu,
      atMost: 0.1,
      unit: "CPU-s/GB"
    }
  ]
}
