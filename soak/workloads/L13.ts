/**
 * A core that is busy with checksums: large parts written and read with every kind of checksum that stores ask for, while other
 * work of the program goes on.
 */
import { Effect } from "effect"
import { contentAt } from "../server/content.ts"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import { watching } from "../watch.ts"
import type { Finding, Workload } from "../Workload.ts"

const MiB = 2 ** 20

export const workload: Workload = {
  title: "one core busy with checksums of parts of 64 MiB",
  run: async () => {
    const server = await startServer()
    const body = contentAt(0, 512 * MiB)
    const findings: Array<Finding> = []
    for (const checksum of ["crc32", "crc32c", "crc64nvme"] as const) {
      const { close, store } = await openS3(server.origin, { checksum })
      await Effect.runPromise(store.put("small", body.subarray(0, MiB)))
      const { held, loop, seconds } = await watching(() =>
        Effect.runPromise(store.put("large", body, { partSize: 64 * MiB, concurrency: 2 }))
      )
      await close()
      findings.push(
        {
          name: `S3, ${checksum}: event loop held, at most, in processor time`,
          value: held.max,
          unit: "ms",
          atMost: 100
        },
        { name: `S3, ${checksum}: event loop late, at most`, value: loop.max, unit: "ms", atMost: 100, shared: true },
        { name: `S3, ${checksum}: speed`, value: 512 / seconds, unit: "MiB/s", shared: true }
      )
    }
    await server.stop()
    return findings
  }
}
