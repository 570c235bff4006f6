import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { defaultRetryPolicy, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import * as NodeNet from "node:net"
import * as NodeTls from "node:tls"
import { failureOf } from "../../src/engine/retryMatrix.ts"
import { authority, certificate, expired, issued, notYetValid } from "./certificate.ts"

/** A server with a certificate, which counts connections. */
const serverWith = (tls: { readonly key: string; readonly cert: string } | "reset") =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly connections: () => number; readonly close: () => void }>(
      (resume) => {
        let connections = 0
        const sockets = new Set<NodeNet.Socket>()
        const server = tls === "reset" ? NodeNet.createServer() : NodeTls.createServer(tls)
        server.on("connection", (socket: NodeNet.Socket) => {
          connections++
          sockets.add(socket)
          socket.on("error", () => {})
          if (tls === "reset") socket.once("data", () => socket.resetAndDestroy())
        })
        server.on("tlsClientError", () => {})
        server.listen(0, "127.0.0.1", () =>
          resume(Effect.succeed({
            port: (server.address() as NodeNet.AddressInfo).port,
            connections: () => connections,
            close: () => {
              server.close()
              for (const socket of sockets) socket.destroy()
            }
          })))
      }
    ),
    (server) => Effect.sync(server.close)
  )

const token = Effect.succeed({ value: "token" })

/** One write of each cloud. */
const writes: Record<string, (endpoint: string, ca: string | undefined) => Effect.Effect<unknown, ObjectStoreError>> = {
  S3: (endpoint, ca) =>
    Effect.scoped(Effect.flatMap(
      S3.make({
        endpoint,
        ca,
        lookup: () => "127.0.0.1",
        vendor: "generic",
        credentials: { accessKeyId: "A", secretAccessKey: "s" }
      }),
      (store) => store.put("s3://bucket/key", "x")
    )),
  Azure: (endpoint, ca) =>
    Effect.scoped(Effect.flatMap(
      Azure.make({ endpoint, ca, lookup: () => "127.0.0.1", account: "account", accountKey: "c2VjcmV0" }),
      (store) => store.put("az://account/data/key", "x")
    )),
  Gcs: (endpoint, ca) =>
    Effect.scoped(Effect.flatMap(
      Gcs.make({ endpoint, ca, lookup: () => "127.0.0.1", credentials: { token } }),
      (store) => store.put("gs://bucket/key", "x")
    ))
}

const cases = [
  ["is its own authority", certificate, "store.test", undefined, "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ["is of an authority that nobody knows", issued, "store.test", undefined, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  [
    "comes with an authority that nobody trusts",
    {
      ...issued,
      cert: `${issued.cert}\n${authority}`
    },
    "store.test",
    undefined,
    "SELF_SIGNED_CERT_IN_CHAIN"
  ],
  ["has expired", expired, "store.test", authority, "CERT_HAS_EXPIRED"],
  ["is not valid yet", notYetValid, "store.test", authority, "CERT_NOT_YET_VALID"],
  ["is of another host", issued, "other.test", authority, "ERR_TLS_CERT_ALTNAME_INVALID"]
] as const

describe("a certificate that", () => {
  for (const [cloud, write] of Object.entries(writes)) {
    for (const [what, tls, host, ca, code] of cases) {
      it.live(`${what} is refused at once, and not tried again: ${cloud}`, () =>
        Effect.gen(function*() {
          const server = yield* serverWith(tls)
          const error = yield* Effect.flip(write(`https://${host}:${server.port}`, ca))
          const { reason } = error
          assert(reason._tag === "ConnectionFailed", error.message)
          assert.deepStrictEqual([reason.phase, error.code, error.outcome], ["tls", code, "not-applied"])
          assert.strictEqual(failureOf(reason), "ConnectionFailed.certificate")
          assert.deepStrictEqual([server.connections(), error.attempts ?? 1], [1, 1])
          assert.notInclude(error.message, "\n")
        }))
    }

    it.live(`holds is not the matter where the handshake breaks off, which is tried again: ${cloud}`, () =>
      Effect.gen(function*() {
        const server = yield* serverWith("reset")
        const error = yield* Effect.flip(write(`https://store.test:${server.port}`, authority)).pipe(
          Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 3, baseDelay: 1 })
        )
        assert.strictEqual(failureOf(error.reason), "ConnectionFailed.tls")
        assert.deepStrictEqual([server.connections(), error.attempts], [3, 3])
      }))
  }
})
