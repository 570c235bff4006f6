import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { awsVariables, type S3Address } from "./address.ts"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"
import { virtualDomain } from "./tls.ts"

const program: Program = {
  name: "versitygw",
  version: "v1.8.0",
  from: { _tag: "Go", package: "github.com/versity/versitygw/cmd/versitygw", onPath: "versitygw" }
}

/** The second S3 server: plain files with extended attributes. */
export const versitygw: ServerDefinition<S3Address> = {
  name: "versitygw",
  title: "versitygw",
  program,
  launch: ({ data, port }) =>
    Effect.sync(() => {
      // It changes its working directory, so paths are absolute; versions must lie outside of the root.
      const root = NodePath.join(data, "root")
      const versions = NodePath.join(data, "versions")
      const users = NodePath.join(data, "users")
      for (const directory of [root, versions, users]) NodeFs.mkdirSync(directory)
      const endpoint = `http://127.0.0.1:${port}`
      const accessKeyId = "testkey"
      const secretAccessKey = "testsecret123"
      const region = "us-east-1"
      return {
        // No `--keep-alive`: with it the request after a chunked upload sometimes gets 400. Without `--iam-dir` an unknown
        // key id is answered by an error of its own.
        args: [
          `--port=127.0.0.1:${port}`,
          `--region=${region}`,
          `--virtual-domain=${virtualDomain}`,
          "--health=/healthz",
          `--iam-dir=${users}`,
          "--iam-cache-disable",
          "--quiet",
          "posix",
          `--versioning-dir=${versions}`,
          root
        ],
        env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
        ready: `${endpoint}/healthz`,
        address: {
          endpoint,
          region,
          accessKeyId,
          secretAccessKey,
          ca: undefined,
          caFile: undefined,
          virtualEndpoint: `http://${virtualDomain}:${port}`
        }
      }
    }),
  variables: awsVariables
}
