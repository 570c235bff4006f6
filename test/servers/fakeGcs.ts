import { Effect } from "effect"
import { type GcsAddress, gcsVariables } from "./address.ts"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"

const program: Program = {
  name: "fake-gcs-server",
  version: "v1.56.1",
  from: { _tag: "Go", package: "github.com/fsouza/fake-gcs-server", onPath: "fake-gcs-server" }
}

/** The GCS server for nearly everything; never for status queries of uploads (they end the upload) and most conditions. */
export const fakeGcs: ServerDefinition<GcsAddress> = {
  name: "fake-gcs-server",
  title: "fake-gcs-server",
  program,
  launch: ({ port }) => {
    const host = `127.0.0.1:${port}`
    const endpoint = `http://${host}`
    return Effect.succeed({
      // Scheme, host and backend are said, since it would rather serve https to the whole network from `/storage`.
      args: [
        "-scheme=http",
        "-host=127.0.0.1",
        `-port=${port}`,
        "-backend=memory",
        "-public-host=127.0.0.1",
        `-external-url=${endpoint}`,
        "-log-level=error"
      ],
      ready: `${endpoint}/_internal/healthcheck`,
      reset: { method: "POST", url: `${endpoint}/_internal/delete_all` },
      address: { endpoint, projectId: "test" }
    })
  },
  variables: gcsVariables
}
