/**
 * `file://`: 512 MiB of memory into a new file whose bytes are on the disk at the end, under its final name.
 */
import { Effect } from "effect"
import * as NodePath from "node:path"
import { writeAndRename } from "../handwritten.ts"
import { MiB, speed, touched, type Workload } from "../harness.ts"
import { openFile } from "../stores.ts"

const size = 512 * MiB

export const workload: Workload = {
  title: "file:// write of 512 MiB, durable",
  prepare: () => undefined,
  runs: 2,
  cases: {
    "put, durability file": {
      setup: async (directory) => {
        const store = await openFile({ root: directory, durability: "file" })
        const body = touched(new Uint8Array(size))
        return async () => ({ bytes: (await Effect.runPromise(store.put("put.bin", body))).size })
      }
    },
    "dd bs=1M conv=fsync": {
      command: (directory) => ({
        argv: ["dd", "if=/dev/zero", `of=${NodePath.join(directory, "dd.bin")}`, "bs=1M", "count=512", "conv=fsync"],
        bytes: size
      })
    },
    "fs.write by hand, fdatasync, rename": {
      setup: (directory) => {
        const body = touched(new Uint8Array(size))
        return Promise.resolve(async () => ({
          bytes: await writeAndRename(NodePath.join(directory, "hand.bin"), body, { partSize: 4 * MiB, concurrency: 4 })
        }))
      }
    }
  },
  targets: [
    { name: "of dd conv=fsync", value: speed("put, durability file", "dd bs=1M conv=fsync"), atLeast: 0.9 },
    { name: "of fs.write by hand", value: speed("put, durability file", "fs.write by hand, fdatasync, rename") }
  ]
}
