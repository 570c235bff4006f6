import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, type Scope, Stream } from "effect"
import type { ObjectStore, ObjectStoreError } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import { type RawServer, rawServer, type Received } from "../http/RawServer.ts"
import { until } from "../http/TransportTest.ts"

const MiB = 1024 * 1024
const size = 32 * MiB

interface Cloud {
  readonly store: (server: RawServer) => Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope>
  /** Headers of every reply to a read. */
  readonly object: string
  /** What begins an upload in parts, if a request does: how it is known, and the answer to it. */
  readonly begin?: {
    readonly is: (request: Received) => boolean
    readonly head: (server: string) => string
    readonly body: string
  }
  readonly isPart: (request: Received) => boolean
  /** How a dropped upload is answered. */
  readonly dropped: string
}

const uploadId = "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"

const clouds: Readonly<Record<string, Cloud>> = {
  S3: {
    store: ({ origin }) =>
      S3.make({
        endpoint: origin,
        vendor: "minio",
        base: "s3://bucket/",
        credentials: { accessKeyId: "A", secretAccessKey: "s" }
      }),
    object: "etag: \"e\"\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT",
    begin: { is: ({ method }) => method === "POST", head: () => "200 OK", body: uploadId },
    isPart: ({ path }) => path.includes("partNumber="),
    dropped: "204 No Content"
  },
  Azure: {
    store: ({ origin }) =>
      Azure.make({ endpoint: origin, account: "account", accountKey: "c2VjcmV0", base: "az://account/data/" }),
    object: "etag: \"e\"\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-blob-type: BlockBlob",
    isPart: ({ path }) => path.includes("comp=block&"),
    dropped: "204 No Content"
  },
  GCS: {
    store: ({ origin }) => Gcs.make({ endpoint: origin, base: "gs://bucket/" }),
    object:
      "x-goog-generation: 1\nx-goog-stored-content-length: 33554432\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT",
    begin: {
      is: ({ path }) => path.includes("uploadType=resumable"),
      head: (origin) => `200 OK\nlocation: ${origin}/session?upload_id=1`,
      body: ""
    },
    isPart: ({ path }) => path.startsWith("/session"),
    dropped: "499 Client Closed Request"
  }
}

const operations: Readonly<
  Record<string, (store: ObjectStore["Service"]) => Effect.Effect<unknown, ObjectStoreError>>
> = {
  put: (store) => store.put("key", new Uint8Array(size), { partSize: 64 * MiB }),
  part: (store) => store.putMultipart("key", new Uint8Array(size), { partSize: 8 * MiB, concurrency: 2 }),
  get: (store) => store.get("key"),
  getInto: (store) => store.getInto("key", new Uint8Array(size)),
  stream: (store) => Stream.runDrain(store.stream("key"))
}

/** A server that takes nothing of a body that is uploaded, and gives a thousand bytes of one that is read. */
const stuck = (cloud: Cloud) => {
  let origin = ""
  return Effect.map(
    rawServer({
      onHead: (request) => {
        const { headers, method, peer } = request
        if (method === "DELETE") return peer.reply(`${cloud.dropped}\ncontent-length: 0`)
        if (cloud.begin?.is(request) === true) return undefined
        if (method === "PUT" || method === "POST") return void peer.socket.pause()
        const [, from = "0", to = String(size - 1)] =
          /bytes=(\d+)-(\d+)/.exec(headers["range"] ?? headers["x-ms-range"] ?? "") ?? []
        const last = Math.min(Number(to), size - 1)
        peer.reply(
          `206 Partial Content\n${cloud.object}\ncontent-length: ${
            last - Number(from) + 1
          }\ncontent-range: bytes ${from}-${last}/${size}`,
          new Uint8Array(1000)
        )
      },
      onBody: (request) => {
        if (cloud.begin?.is(request) !== true) return
        const { body, head } = cloud.begin
        request.peer.reply(`${head(origin)}\ncontent-length: ${body.length}`, body)
      }
    }),
    (server) => {
      origin = server.origin
      return server
    }
  )
}

describe("a transfer that is interrupted resets its connections at once", () => {
  for (const [name, cloud] of Object.entries(clouds)) {
    for (const [what, run] of Object.entries(operations)) {
      it.live(`${what}: ${name}`, () =>
        Effect.gen(function*() {
          const server = yield* stuck(cloud)
          const store = yield* cloud.store(server)
          const fiber = yield* Effect.forkChild(run(store))
          const stopped = (): ReadonlyArray<Received> =>
            server.requests.filter((request) =>
              request.method !== "DELETE" && cloud.begin?.is(request) !== true &&
              (what !== "part" || cloud.isPart(request))
            )
          yield* until("it is under way", () => stopped().length > 0)
          // Bytes are on their way by now.
          yield* Effect.sleep(100)
          const before = yield* Clock.currentTimeMillis
          yield* Fiber.interrupt(fiber)
          assert.isBelow((yield* Clock.currentTimeMillis) - before, 2000)
          const peers = new Set(stopped().map(({ peer }) => peer))
          assert.isAbove(peers.size, 0)
          for (const { socket } of peers) socket.resume()
          yield* until("all of them were reset", () => [...peers].every(({ ended }) => ended !== undefined))
          // An orderly end would let a server take half of an upload for the whole of it.
          assert.isTrue([...peers].every(({ ended }) => ended === "reset"))
          const uploads = what === "put" || what === "part"
          if (uploads) { for (const one of stopped()) assert.isBelow(one.body().length, one.contentLength) }
          const dropped = server.requests.filter(({ method }) => method === "DELETE")
          assert.lengthOf(dropped, what === "part" && cloud.begin !== undefined ? 1 : 0)
        }))
    }
  }
})
