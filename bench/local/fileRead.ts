/**
 * `file://`: 1 GiB that is in the page cache, into memory of one's own that was touched before.
 */
import { Effect } from "effect"
import * as NodePath from "node:path"
import { readRanges, readStream } from "../handwritten.ts"
import { GiB, makeFile, MiB, speed, touched, type Workload } from "../harness.ts"
import { openFile } from "../stores.ts"

const size = GiB
const name = "object.bin"
const pathIn = (directory: string): string => NodePath.join(directory, name)
const target = (): Uint8Array => touched(new Uint8Array(size))

export const workload: Workload = {
  title: "file:// hot read of 1 GiB into an own buffer",
  prepare: (directory) => makeFile(pathIn(directory), size),
  cases: {
    "getInto, 4 MiB x 4": {
      setup: async (directory) => {
        const store = await openFile({ root: directory })
        const memory = target()
        return () => Effect.runPromise(store.getInto(name, memory))
      }
    },
    "fs.read by hand, 4 MiB x 4": {
      setup: (directory) => {
        const memory = target()
        return Promise.resolve(async () => ({
          bytes: await readRanges(pathIn(directory), memory, { partSize: 4 * MiB, concurrency: 4 })
        }))
      }
    },
    "createReadStream + set, 64 KiB": {
      setup: (directory) => {
        const memory = target()
        return Promise.resolve(async () => ({ bytes: await readStream(pathIn(directory), memory, 64 * 1024) }))
      }
    }
  },
  targets: [
    { name: "of fs.read by hand", value: speed("getInto, 4 MiB x 4", "fs.read by hand, 4 MiB x 4"), atLeast: 0.9 },
    { name: "of createReadStream", value: speed("getInto, 4 MiB x 4", "createReadStream + set, 64 KiB"), atLeast: 3 }
  ]
}
