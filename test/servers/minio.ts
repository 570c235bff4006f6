import { Effect } from "effect"
import * as NodePath from "node:path"
import { awsVariables, type S3Address } from "./address.ts"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"
import { makeCertificate, openssl, virtualDomain } from "./tls.ts"

const program: Program = {
  name: "minio",
  version: "v0.0.0-20260212201848-7aac2a2c5b7c",
  from: { _tag: "Go", package: "github.com/minio/minio", onPath: "minio" }
}

const makeMinio = (name: string, title: string, tls: boolean): ServerDefinition<S3Address> => ({
  name,
  title,
  program,
  needs: tls ? [openssl] : [],
  launch: Effect.fnUntraced(function*({ data, directory, port }) {
    const certificates = NodePath.join(directory, "certificates")
    const certificate = tls ? yield* makeCertificate(certificates) : undefined
    const scheme = tls ? "https" : "http"
    const endpoint = `${scheme}://127.0.0.1:${port}`
    const accessKeyId = "testkey"
    const secretAccessKey = "testsecret123"
    const region = "us-east-1"
    return {
      args: [
        "server",
        NodePath.join(data, "objects"),
        `--address=127.0.0.1:${port}`,
        `--certs-dir=${certificates}`,
        "--quiet"
      ],
      env: {
        MINIO_ROOT_USER: accessKeyId,
        MINIO_ROOT_PASSWORD: secretAccessKey,
        // Without it every region is taken.
        MINIO_SITE_REGION: region,
        MINIO_DOMAIN: virtualDomain,
        MINIO_BROWSER: "off",
        // Without it there is no encryption by the server.
        MINIO_KMS_SECRET_KEY: `test-key:${Buffer.alloc(32).toString("base64")}`
      },
      // `/live` and `/ready` answer 200 while a signed request is still refused with "try again after a minute".
      ready: `${endpoint}/minio/health/cluster`,
      ca: certificate?.ca,
      address: {
        endpoint,
        region,
        accessKeyId,
        secretAccessKey,
        ca: certificate?.ca,
        caFile: certificate?.certificateFile,
        virtualEndpoint: `${scheme}://${virtualDomain}:${port}`
      }
    }
  }),
  variables: awsVariables
})

/** The first S3 server. */
export const minio = makeMinio("minio", "MinIO", false)

/** MinIO with a certificate of its own: the only one here that takes SSE-C as S3 does. */
export const minioTls = makeMinio("minio-tls", "MinIO over TLS", true)
