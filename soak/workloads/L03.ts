/**
 * 4 GiB read in ranges, side by side, into a file, with a window of 64 MiB; one range keeps the others waiting for 5 seconds.
 */
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as File from "../../layers/File.ts"
import { contentAt } from "../server/content.ts"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { settledRss, watching } from "../watch.ts"
import type { Workload } from "../Workload.ts"

const MiB = 2 ** 20
const size = 4 * 2 ** 30
const partSize = 8 * MiB
const concurrency = 8

/** Bytes of a file that are not those of the server's object. */
const wrongBytes = (path: string): number => {
  const fd = NodeFs.openSync(path, "r")
  const bytes = Buffer.alloc(MiB)
  let wrong = Math.abs(NodeFs.fstatSync(fd).size - size)
  for (let offset = 0; offset < size; offset += MiB) {
    const read = NodeFs.readSync(fd, bytes, 0, MiB, offset)
    if (!bytes.subarray(0, read).equals(contentAt(offset, MiB))) wrong += MiB
  }
  NodeFs.closeSync(fd)
  return wrong
}

export const workload: Workload = {
  title: "4 GiB in ranges into a file, with one slow range",
  run: async ({ directory }) => {
    const server = await startServer({ slowAt: 100 * partSize, slowFor: 5000 })
    const { close, store } = await openS3(server.origin)
    const download = (bytes: number) =>
      Effect.gen(function*() {
        const files = yield* File.make({ root: directory })
        yield* files.put("copy", store.stream(`${bytes}.bin`, { partSize, concurrency }))
      }).pipe(Effect.scoped, Effect.runPromise)
    await download(128 * MiB)
    const base = await settledRss()
    const { peakRss, seconds } = await watching(() => download(size))
    await close()
    await server.stop()
    const wrong = wrongBytes(NodePath.join(directory, "copy"))
    return [
      { name: "wrong bytes", value: wrong, unit: "bytes", atMost: 0 },
      { name: "memory above the base", value: peakRss - base, unit: "MiB", atMost: 64 + 96 },
      { name: "speed", value: 4096 / seconds, unit: "MiB/s", shared: true }
    ]
  }
}
