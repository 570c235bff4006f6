import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, Redacted, Result, Stream } from "effect"
import { ObjectStore, type ObjectStoreError } from "effect-objectstore"
import * as S3 from "effect-objectstore/layers/S3"
import { randomBytes } from "node:crypto"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { optionsOf, storeOf } from "./S3Test.ts"

const MiB = 1024 * 1024

for (const definition of [minio, versitygw]) {
  onServer(definition, (server) => {
    it.live("of 64 creators of one key one succeeds, and 63 find that it exists", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const results = yield* Effect.forEach(
          Array.from({ length: 64 }, (_, i) => i),
          (i) => Effect.result(store.put("race", `writer ${i}`, { mode: "create" })),
          { concurrency: "unbounded" }
        )
        const winners = results.flatMap((result, i) => Result.isSuccess(result) ? [i] : [])
        const reasons = results.flatMap((result) => Result.isFailure(result) ? [result.failure.reason._tag] : [])
        assert.lengthOf(winners, 1)
        assert.deepStrictEqual(new Set(reasons), new Set(["AlreadyExists"]))
        assert.strictEqual(Buffer.from(yield* store.get("race")).toString(), `writer ${winners[0]}`)
      }).pipe(Effect.provide(storeOf(server))), 60_000)

    it.live("32 fibers that each add 100 by compare-and-swap lose nothing", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        yield* store.put("counter", "0")
        const add = Effect.gen(function*() {
          const { info, bytes } = yield* Effect.gen(function*() {
            const target = new Uint8Array(16)
            const read = yield* store.getInto("counter", target)
            return { info: read.info, bytes: target.subarray(0, read.bytes) }
          })
          yield* store.put("counter", String(Number(Buffer.from(bytes).toString()) + 1), {
            mode: { update: info.etag! }
          })
        })
        const again: Effect.Effect<void, ObjectStoreError> = Effect.catchReason(
          add,
          "ObjectStoreError",
          "PreconditionFailed",
          // Whoever lost waits for a random while, or 31 of 32 would lose each round.
          () => Effect.andThen(Effect.flatMap(Random.nextIntBetween(0, 500), Effect.sleep), Effect.suspend(() => again))
        )
        yield* Effect.forEach(
          Array.from({ length: 32 }),
          () => Effect.forEach(Array.from({ length: 100 }), () => again, { discard: true }),
          { concurrency: "unbounded", discard: true }
        )
        assert.strictEqual(Buffer.from(yield* store.get("counter")).toString(), "3200")
      }).pipe(Effect.provide(storeOf(server))), 300_000)

    describe("checksums", () => {
      for (const checksum of ["crc32", "crc32c", "crc64nvme", "md5"] as const) {
        it.live(
          `${checksum} goes with a write and with parts, and the service confirms it`,
          () =>
            Effect.gen(function*() {
              const store = yield* ObjectStore
              const body = randomBytes(11 * MiB + 7)
              const small = yield* store.put("small", body.subarray(0, 1000))
              assert.strictEqual(small.verified, "checksum")
              const parts = yield* store.putMultipart("parts", body, { partSize: 5 * MiB })
              assert.strictEqual(parts.verified, "checksum")
              assert.isTrue(Buffer.from(yield* store.get("parts")).equals(body))
              if (checksum === "md5") return
              const one = yield* store.put("one", body)
              assert.strictEqual(one.verified, "checksum")
              // The sum of the whole is the same, however it was written.
              const [whole, ofParts] = [yield* store.stat("one"), yield* store.stat("parts")]
              assert.isString(whole.checksums[checksum])
              assert.strictEqual(ofParts.checksums[checksum], whole.checksums[checksum])
            }).pipe(Effect.provide(storeOf(server, { checksum, vendor: undefined }))),
          60_000
        )
      }
    })

    it.live(
      "an object that is too large for one copy request is copied in parts, all of one version",
      () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const body = randomBytes(17 * MiB + 1)
          yield* store.put("from", body, { metadata: { a: "1" }, attributes: { contentType: "text/x-test" } })
          const copied = yield* store.copy("from", "to")
          assert.strictEqual(copied.size, body.length)
          const info = yield* store.stat("to")
          // An etag with a number of parts: it was not one request.
          assert.match(info.etag ?? "", /-\d+"?$/)
          assert.deepStrictEqual([info.size, { ...info.metadata }, info.attributes.contentType], [
            body.length,
            { a: "1" },
            "text/x-test"
          ])
          assert.isTrue(Buffer.from(yield* store.get("to")).equals(body))
          yield* store.rename("to", "moved")
          assert.isTrue(Buffer.from(yield* store.get("moved")).equals(body))
          assert.isFalse(yield* store.exists("to"))
        }).pipe(Effect.provide(storeOf(server, {
          vendor: { ...S3.profiles[definition === minio ? "minio" : "versitygw"], maxCopySize: 6 * MiB }
        }))),
      60_000
    )

    it.live("URLs that were signed work for a while, for one method, and are secrets", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const key = "signed/ü key+?.txt"
        const put = yield* store.presign(key, { method: "PUT", expiresIn: "1 minute" })
        assert.notInclude(String(put), "Signature")
        const request = (url: string, init?: RequestInit) => Effect.promise(() => fetch(url, init))
        const written = yield* request(Redacted.value(put), { method: "PUT", body: "hello" })
        assert.strictEqual(written.status, 200)
        const get = Redacted.value(yield* store.presign(key, { method: "GET", expiresIn: "1 minute" }))
        const read = yield* request(get)
        assert.strictEqual(yield* Effect.promise(() => read.text()), "hello")
        assert.strictEqual((yield* request(get, { method: "DELETE" })).status, 403)
        assert.strictEqual((yield* request(get.replace("signed", "singed"))).status, 403)
        const long = yield* Effect.flip(store.presign(key, { method: "GET", expiresIn: "8 days" }))
        assert.strictEqual(long.reason._tag, "InvalidRequest")
        const gone = yield* store.presign(key, { method: "DELETE", expiresIn: "1 minute" })
        assert.strictEqual((yield* request(Redacted.value(gone), { method: "DELETE" })).status, 204)
        assert.isFalse(yield* store.exists(key))
      }).pipe(Effect.provide(storeOf(server))))

    it.live("more than a page of keys is listed and removed, each once", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const names = Array.from({ length: 1203 }, (_, i) => `many/${i % 7}/${i} +&<ü`)
        yield* Effect.forEach(names, (name) => store.put(name, ""), { concurrency: 16, discard: true })
        const listed = yield* Stream.runCollect(store.list("many/"))
        assert.deepStrictEqual(
          listed.map(({ key }) => key),
          names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        )
        const results = yield* Stream.runCollect(store.deleteMany(names))
        assert.lengthOf(results, names.length)
        assert.isTrue(results.every(({ error }) => error === undefined))
        assert.lengthOf(yield* Stream.runCollect(store.list("many/")), 0)
      }).pipe(Effect.provide(storeOf(server))), 120_000)

    it.live("the vendor is found out, and its profile with it", () =>
      Effect.gen(function*() {
        const address = yield* server
        const found = yield* S3.makeBackend(optionsOf(address))
        const named = yield* S3.makeBackend({
          ...optionsOf(address),
          vendor: definition === minio ? "minio" : "versitygw"
        })
        const generic = yield* S3.makeBackend({ ...optionsOf(address), vendor: "generic" })
        assert.deepStrictEqual(found.capabilities, named.capabilities)
        assert.isTrue(found.capabilities.conditionalCreate)
        assert.isFalse(generic.capabilities.conditionalCreate)
      }))
  })
}
