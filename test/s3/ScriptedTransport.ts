import { Effect } from "effect"
import type { ObjectStoreError } from "effect-objectstore"
import type * as S3 from "effect-objectstore/layers/S3"
import { makeS3Backend } from "../../layers/s3/backend.ts"
import { toSettings } from "../../layers/s3/config.ts"
import type { Transport, TransportRequest } from "../../src/http/Transport.ts"

/** A reply that was recorded, or written as a service writes it. */
export interface Recorded {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
}

/** A transport that answers by a function, and what it was asked. */
export const answering = (
  answer: (request: TransportRequest, index: number) => Effect.Effect<Recorded, ObjectStoreError>
) => {
  const requests: Array<TransportRequest> = []
  const transport: Transport = {
    send: (request) =>
      Effect.map(Effect.suspend(() => answer(request, requests.push(request) - 1)), (next) => {
        const bytes = typeof next.body === "string" ? Buffer.from(next.body) : next.body ?? new Uint8Array(0)
        let at = 0
        return {
          status: next.status,
          headers: { "content-length": String(bytes.length), ...next.headers },
          length: bytes.length,
          into: (target: Uint8Array) =>
            Effect.sync(() => {
              const piece = bytes.subarray(at, at + target.length)
              target.set(piece)
              at += piece.length
              return piece.length
            })
        }
      })
  }
  return { transport, requests }
}

/** A transport that answers from a script, and what it was asked. */
export const scripted = (script: ReadonlyArray<Recorded | ObjectStoreError>) =>
  answering((request, index) => {
    const next = script[index]
    if (next === undefined) return Effect.die(new Error(`no reply to request ${index + 1}: ${request.path}`))
    return "status" in next && !("reason" in next) ? Effect.succeed(next) : Effect.fail(next as ObjectStoreError)
  })

export const secret = "canary-secret-0123456789"

/** A backend over a script. */
export const scriptedBackend = (script: ReadonlyArray<Recorded | ObjectStoreError>, options: S3.S3Options = {}) => {
  const { requests, transport } = scripted(script)
  const settings = toSettings({
    region: "us-east-1",
    vendor: "aws",
    credentials: { accessKeyId: "AKIDCANARY", secretAccessKey: secret, sessionToken: "canary-token-0123456789" },
    ...options
  })
  return Effect.map(
    settings._tag === "Failure" ? Effect.die(new Error(settings.failure)) : makeS3Backend(settings.success, transport),
    (backend) => ({ backend, requests })
  )
}

/** The document of a refusal. */
export const refusal = (code: string, message = "No.", more = ""): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}<RequestId>R1</RequestId><HostId>h</HostId></Error>`
