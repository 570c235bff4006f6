import { Effect } from "effect"
import { awsVariables, type S3Address } from "./address.ts"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"

const version = "5.2.5"
const pip = { _tag: "Pip", requirement: `moto[server]==${version}`, environment: "moto" } as const

/** The Python that has boto3, which comes with moto: `onProgram(boto3, ([python]) => …)`. */
export const boto3: Program = {
  name: "boto3",
  version,
  from: { ...pip, command: "python", onPath: undefined }
}

/** The S3 server that checks neither signatures nor checksums, but keeps every key as it is. */
export const moto: ServerDefinition<S3Address> = {
  name: "moto",
  title: "moto",
  program: { name: "moto", version, from: { ...pip, command: "moto_server", onPath: "moto_server" } },
  launch: ({ port }) => {
    const endpoint = `http://127.0.0.1:${port}`
    return Effect.succeed({
      args: ["-H", "127.0.0.1", "-p", String(port)],
      ready: `${endpoint}/moto-api/`,
      reset: { method: "POST", url: `${endpoint}/moto-api/reset` },
      address: {
        endpoint,
        region: "us-east-1",
        accessKeyId: "testkey",
        secretAccessKey: "testsecret123",
        ca: undefined,
        caFile: undefined,
        virtualEndpoint: undefined
      }
    })
  },
  variables: awsVariables
}
