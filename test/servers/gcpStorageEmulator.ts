import { Effect } from "effect"
import { type GcsAddress, gcsVariables } from "./address.ts"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"

const version = "2026.7.19"

const program: Program = {
  name: "gcp-storage-emulator",
  version,
  from: {
    _tag: "Pip",
    requirement: `gcp-storage-emulator==${version}`,
    environment: "gcp-storage-emulator",
    command: "gcp-storage-emulator",
    onPath: "gcp-storage-emulator"
  }
}

/** The GCS server for sessions of uploads. It is one thread: give it at most eight connections. */
export const gcpStorageEmulator: ServerDefinition<GcsAddress> = {
  name: "gcp-storage-emulator",
  title: "gcp-storage-emulator",
  program,
  launch: ({ port }) => {
    const endpoint = `http://127.0.0.1:${port}`
    return Effect.succeed({
      args: ["start", "--host=127.0.0.1", `--port=${port}`, "--in-memory", "--quiet"],
      ready: `${endpoint}/`,
      reset: { method: "GET", url: `${endpoint}/wipe` },
      address: { endpoint, projectId: "test" }
    })
  },
  variables: gcsVariables
}
