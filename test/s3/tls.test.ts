import { assert, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import * as S3 from "effect-objectstore/layers/S3"
import { randomBytes } from "node:crypto"
import { minioTls } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { freshName, optionsOf, type Running } from "./S3Test.ts"

const MiB = 1024 * 1024

const made = (server: Running, more: S3.S3Options) =>
  Effect.gen(function*() {
    const address = yield* server
    const bucket = yield* freshName
    const options: S3.S3Options = { ...optionsOf(address), base: `s3://${bucket}/` }
    const plain = yield* S3.make(options)
    yield* plain.createContainer(bucket)
    return { address, bucket, options, plain, store: yield* S3.make({ ...options, ...more }) }
  })

onServer(minioTls, (server) => {
  it.live("a bucket may stand before the host", () =>
    Effect.gen(function*() {
      const { virtualEndpoint } = yield* server
      const hosts: Array<string> = []
      const { bucket, plain, store } = yield* made(server, {
        endpoint: virtualEndpoint,
        addressing: "virtual",
        // Names below localhost do not resolve everywhere.
        lookup: (host) => {
          hosts.push(host)
          return "127.0.0.1"
        }
      })
      yield* store.put("a//b/../ü", "x").pipe(Effect.flip)
      yield* store.put("dir/ü +%2F", "hello")
      assert.strictEqual(Buffer.from(yield* plain.get("dir/ü +%2F")).toString(), "hello")
      assert.deepStrictEqual((yield* Stream.runCollect(store.list(""))).map(({ key }) => key), ["dir/ü +%2F"])
      yield* store.copy("dir/ü +%2F", "copy")
      const url = Redacted.value(yield* store.presign("copy", { method: "GET", expiresIn: "1 minute" }))
      assert.strictEqual(new URL(url).hostname, `${bucket}.s3.localhost`)
      assert.include(hosts, `${bucket}.s3.localhost`)
    }))

  it.live("objects are encrypted with the service's keys", () =>
    Effect.gen(function*() {
      const { bucket, options, store } = yield* made(server, { encryption: { type: "AES256" } })
      const body = randomBytes(6 * MiB)
      yield* store.put("one", body)
      yield* store.putMultipart("parts", body, { partSize: 5 * MiB })
      yield* store.copy("one", "copy")
      const backend = yield* S3.makeBackend(options)
      for (const key of ["one", "parts", "copy"]) {
        assert.isTrue(Buffer.from(yield* store.get(key)).equals(body), key)
        assert.strictEqual((yield* backend.head({ container: bucket, key }, {})).size, body.length)
      }
      const error = yield* Effect.flip(store.presign("one", { method: "PUT", expiresIn: "1 minute" }))
      assert.strictEqual(error.reason._tag, "Unsupported")
    }))

  it.live(
    "objects are encrypted with a key that comes with each request, and are nothing without it",
    () =>
      Effect.gen(function*() {
        const key = Redacted.make(randomBytes(32).toString("base64"))
        const { plain, store } = yield* made(server, { encryption: { type: "customer", key } })
        const body = randomBytes(11 * MiB)
        yield* store.put("one", body)
        yield* store.putMultipart("parts", body, { partSize: 5 * MiB })
        yield* store.copy("one", "copy")
        for (const name of ["one", "parts", "copy"]) {
          assert.isTrue(Buffer.from(yield* store.get(name)).equals(body), name)
          const error = yield* Effect.flip(plain.get(name))
          assert.strictEqual(error.reason._tag, "InvalidRequest", error.message)
          assert.notInclude(JSON.stringify(error), Redacted.value(key))
        }
        assert.isFalse(store.capabilities.presign)
      }),
    60_000
  )

  it.live("tags and storage class go with an object, however it is written", () =>
    Effect.gen(function*() {
      const { bucket, options, store } = yield* made(server, {})
      yield* store.put("one", "x", { tags: { team: "a/b", "with space": "x = y" }, storageClass: "REDUCED_REDUNDANCY" })
      const backend = yield* S3.makeBackend(options)
      assert.strictEqual(
        (yield* backend.head({ container: bucket, key: "one" }, {})).storageClass,
        "REDUCED_REDUNDANCY"
      )
    }))
})
