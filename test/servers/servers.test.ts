import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeChildProcess from "node:child_process"
import { ask } from "./ask.ts"
import { azurite, azuriteTls } from "./azurite.ts"
import { fakeGcs } from "./fakeGcs.ts"
import { gcpStorageEmulator } from "./gcpStorageEmulator.ts"
import { minio, minioTls } from "./minio.ts"
import { boto3, moto } from "./moto.ts"
import { onProgram, onServer } from "./onServer.ts"
import type { ServerDefinition } from "./Server.ts"
import { makeProxy, toxiproxy } from "./toxiproxy.ts"
import { versitygw } from "./versitygw.ts"

/** `status` is what it answers to a request without a signature. */
const describeServer = <Address extends { readonly endpoint: string; readonly ca?: string | undefined }>(
  definition: ServerDefinition<Address>,
  status: number
): void =>
  onServer(definition, (server) => {
    it.live("answers, also after a reset", () =>
      Effect.gen(function*() {
        const { ca, endpoint, reset } = yield* server
        assert.strictEqual(yield* ask("GET", endpoint, ca), status)
        yield* reset
        assert.strictEqual(yield* ask("GET", endpoint, ca), status)
      }))
  })

describeServer(versitygw, 403)
describeServer(minio, 403)
describeServer(minioTls, 403)
describeServer(moto, 200)
describeServer(fakeGcs, 404)
describeServer(gcpStorageEmulator, 200)
describeServer(azurite, 400)
describeServer(azuriteTls, 400)

onServer(toxiproxy, (proxies) => {
  onServer(versitygw, (server) => {
    it.live("stands before a server and breaks its connections, for a while", () =>
      Effect.gen(function*() {
        const proxy = yield* makeProxy(yield* proxies, (yield* server).endpoint)
        assert.strictEqual(yield* ask("GET", proxy.endpoint), 403)
        const error = yield* Effect.scoped(Effect.andThen(
          proxy.poison({ type: "reset_peer", stream: "downstream", attributes: {} }),
          Effect.flip(ask("GET", proxy.endpoint))
        ))
        assert.include(error.message, "ECONNRESET")
        assert.strictEqual(yield* ask("GET", proxy.endpoint), 403)
      }))
  })
})

onProgram(boto3, ([python]) => {
  it("is there for what other clients write", () => {
    const code = "import boto3; print(boto3.__name__)"
    assert.strictEqual(NodeChildProcess.execFileSync(python, ["-c", code], { encoding: "utf8" }), "boto3\n")
  })
})
