/**
 * Google's own client against what we write, and the reverse: on an emulator, and on the model, which is proved by it.
 */
import { assert, describe, it, layer as withLayer } from "@effect/vitest"
import { type Bucket, type File, Storage } from "@google-cloud/storage"
import { Context, Effect, Layer, Stream } from "effect"
import { ObjectStore } from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { gcsModel } from "effect-objectstore/testing"
import { generateKeyPairSync } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import { crc32c, printCrc32c } from "../../src/codec/Crc32c.ts"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { onServer } from "../servers/onServer.ts"
import { makeBucket, uniqueBucket } from "./GcsTest.ts"

class Vendor extends Context.Service<Vendor, { readonly storage: Storage; readonly bucket: Bucket }>()("test/Vendor") {}

const vendorOf = (endpoint: string, bucket: string) => {
  const storage = new Storage({ apiEndpoint: endpoint, projectId: "test", retryOptions: { autoRetry: false } })
  return { storage, bucket: storage.bucket(bucket) }
}

/** Our store and Google's client on the same bucket. */
const both = (endpoint: string, bucket: string) =>
  Layer.merge(
    Layer.succeed(Vendor, vendorOf(endpoint, bucket)),
    Gcs.layer({ endpoint, projectId: "test", base: `gs://${bucket}/` })
  )

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 13)

/** `typeOfSessions` is what the server makes of the content type that Google's client tells a session. */
const describeBoth = <E>(name: string, layer: Layer.Layer<Vendor | ObjectStore, E>, typeOfSessions: string) =>
  withLayer(layer, { excludeTestServices: true, timeout: 60_000 })(name, (it) => {
    it.effect("what we write Google's client reads, with attributes, metadata and checksums", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const { bucket } = yield* Vendor
        const attributes = {
          contentType: "text/x-ours",
          contentLanguage: "de",
          cacheControl: "no-store",
          contentDisposition: "attachment"
        }
        for (const [key, size] of [["ours/small ä%2F?#", 1000], ["ours/large", 3_000_000]] as const) {
          const body = bytes(size)
          yield* store.put(key, body, {
            attributes: size > 1000 ? { contentType: "text/x-ours" } : attributes,
            metadata: { owner: "grüße", n: "1" },
            partSize: 1024 * 1024
          })
          const file = bucket.file(key)
          const [read] = yield* Effect.promise(() => file.download({ validation: "crc32c" }))
          assert.isTrue(Buffer.from(body).equals(read))
          const [metadata] = yield* Effect.promise(() => file.getMetadata())
          assert.strictEqual(metadata.contentType, "text/x-ours")
          assert.include(metadata.metadata, { owner: "grüße", n: "1" })
          assert.strictEqual(metadata.crc32c, printCrc32c(crc32c(body)))
          if (size === 1000) assert.strictEqual(metadata.cacheControl, "no-store")
        }
      }))

    it.effect("what Google's client writes we read, with attributes, metadata and checksums", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const { bucket } = yield* Vendor
        for (const resumable of [false, true]) {
          const key = `theirs/${resumable} ä%2F?#`
          const body = bytes(700_000)
          yield* Effect.promise(() =>
            bucket.file(key).save(Buffer.from(body), {
              resumable,
              contentType: "text/x-theirs",
              metadata: { cacheControl: "no-store", metadata: { Owner: "someone" } }
            })
          )
          assert.isTrue(Buffer.from(body).equals(yield* store.get(key)))
          const info = yield* store.stat(key)
          assert.strictEqual(info.attributes.contentType, resumable ? typeOfSessions : "text/x-theirs")
          assert.strictEqual(info.attributes.cacheControl, "no-store")
          assert.deepStrictEqual({ ...info.metadata }, { owner: "someone" })
          assert.strictEqual(info.checksums.crc32c, printCrc32c(crc32c(body)))
          const [metadata] = yield* Effect.promise(() => bucket.file(key).getMetadata())
          assert.strictEqual(info.etag, String(metadata.generation))
        }
      }))

    it.effect("gzip that Google's client stored is read byte for byte, and ranges of it", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const { bucket } = yield* Vendor
        const stored = gzipSync(Buffer.from("hello ".repeat(1000)))
        yield* Effect.promise(() =>
          bucket.file("packed").save(stored, {
            resumable: false,
            contentType: "text/plain",
            metadata: { contentEncoding: "gzip" }
          })
        )
        assert.isTrue(stored.equals(yield* store.get("packed")))
        const range = yield* store.getRange("packed", { offset: 10, length: 20 })
        assert.isTrue(stored.subarray(10, 30).equals(range))
        assert.strictEqual((yield* store.stat("packed")).attributes.contentEncoding, "gzip")
        const [unpacked] = yield* Effect.promise(() => bucket.file("packed").download())
        assert.strictEqual(unpacked.toString(), "hello ".repeat(1000))
      }))

    it.effect("both list the same keys, and what one removes is gone for the other", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        const { bucket } = yield* Vendor
        for (const key of ["l/a", "l/b/c", "l/é", "l/\u{1f600}"]) yield* store.put(key, key)
        const [files] = yield* Effect.promise(() => bucket.getFiles({ prefix: "l/" }))
        const ours = yield* Stream.runCollect(store.list("l/"))
        assert.deepStrictEqual(ours.map((info) => info.key), ["l/a", "l/b/c", "l/é", "l/\u{1f600}"])
        assert.deepStrictEqual(files.map((file) => file.name), ["l/a", "l/b/c", "l/é", "l/\u{1f600}"])
        yield* store.delete("l/a")
        assert.deepStrictEqual((yield* Effect.promise(() => bucket.file("l/a").exists()))[0], false)
        yield* Effect.promise(() => bucket.file("l/b/c").delete())
        assert.isFalse(yield* store.exists("l/b/c"))
      }))
  })

onServer(fakeGcs, (server) => {
  const bucket = uniqueBucket("sdk")
  describeBoth(
    "Google's client beside ours, on fake-gcs-server",
    Layer.unwrap(Effect.gen(function*() {
      const { endpoint } = yield* server
      yield* makeBucket(endpoint, bucket)
      return both(endpoint, bucket)
    })),
    // fake-gcs-server does not know X-Upload-Content-Type.
    "application/octet-stream"
  )
})

describeBoth(
  "Google's client beside ours, on the model",
  Layer.unwrap(Effect.map(gcsModel({ buckets: ["sdk"] }), ({ origin }) => both(origin, "sdk"))),
  "text/x-theirs"
)

/** Runs what Google's client does against a model of its own. */
const onModel = (run: (bucket: Bucket, storage: Storage) => Promise<void>, options = {}) =>
  Effect.scoped(Effect.gen(function*() {
    const { origin } = yield* gcsModel({ buckets: ["bucket"], ...options })
    const { bucket, storage } = vendorOf(origin, "bucket")
    yield* Effect.promise(() => run(bucket, storage))
  }))

/** The status that a call of Google's client fails with. */
const statusOf = (call: Promise<unknown>): Promise<number | undefined> =>
  call.then(() => undefined, (error: { readonly code?: number }) => error.code)

const generationOf = async (file: File): Promise<number> => Number((await file.getMetadata())[0].generation)

describe("the model, driven by Google's client", () => {
  it.live("obeys conditions on every operation", () =>
    onModel(async (bucket) => {
      const file = bucket.file("x")
      assert.strictEqual(
        await statusOf(file.save("1", { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })),
        undefined
      )
      assert.strictEqual(
        await statusOf(file.save("2", { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })),
        412
      )
      assert.strictEqual(
        await statusOf(file.save("2", { resumable: true, preconditionOpts: { ifGenerationMatch: 0 } })),
        412
      )
      const generation = await generationOf(file)
      const stale = generation - 1
      const at = (ifGenerationMatch: number) => ({ ifGenerationMatch })
      assert.strictEqual(await statusOf(file.getMetadata(at(stale))), 412)
      assert.strictEqual(await statusOf(file.getMetadata({ ifGenerationNotMatch: generation })), 304)
      assert.strictEqual(await statusOf(file.setMetadata({ contentType: "a/b" }, at(stale))), 412)
      assert.strictEqual(await statusOf(file.setMetadata({ contentType: "a/b" }, at(generation))), undefined)
      assert.strictEqual(await statusOf(file.setMetadata({ contentType: "c/d" }, { ifMetagenerationMatch: 1 })), 412)
      const copy = bucket.file("copy")
      assert.strictEqual(await statusOf(file.copy(copy, { preconditionOpts: at(0) })), undefined)
      assert.strictEqual(await statusOf(file.copy(copy, { preconditionOpts: at(0) })), 412)
      assert.strictEqual(await statusOf(bucket.combine(["x", "copy"], "whole", { ifGenerationMatch: stale })), 412)
      assert.strictEqual(await statusOf(bucket.combine(["x", "copy"], "whole", { ifGenerationMatch: 0 })), undefined)
      assert.strictEqual((await bucket.file("whole").download())[0].toString(), "11")
      assert.strictEqual(await statusOf(file.delete(at(stale))), 412)
      assert.strictEqual(await statusOf(file.delete(at(generation))), undefined)
      assert.strictEqual(await statusOf(file.delete(at(generation))), 404)
    }))

  it.live("takes sessions in chunks, tells how much it has, and resumes", () =>
    onModel(async (bucket) => {
      const file = bucket.file("chunks")
      const body = Buffer.from(bytes(900_000))
      await file.save(body, { resumable: true, chunkSize: 256 * 1024, validation: "crc32c" })
      assert.isTrue(body.equals((await file.download())[0]))
      const [uri] = await file.createResumableUpload()
      const put = (range: string, part: Buffer) =>
        fetch(uri, {
          method: "PUT",
          redirect: "manual",
          headers: { "content-range": range },
          body: new Uint8Array(part)
        })
      assert.strictEqual((await put("bytes */*", Buffer.alloc(0))).headers.get("range"), null)
      const first = await put("bytes 0-299999/*", body.subarray(0, 300_000))
      assert.deepStrictEqual([first.status, first.headers.get("range")], [308, "bytes=0-262143"])
      assert.strictEqual((await put("bytes 300000-899999/900000", body.subarray(300_000))).status, 503)
      const upload = file.createWriteStream({ uri, offset: 262_144, resumable: true, validation: false })
      await new Promise((resolve, reject) => {
        upload.on("error", reject).on("finish", resolve).end(body.subarray(262_144))
      })
      assert.isTrue(body.equals((await file.download())[0]))
      assert.strictEqual((await put("bytes */*", Buffer.alloc(0))).status, 200)
      const [other] = await file.createResumableUpload()
      assert.strictEqual((await fetch(other, { method: "DELETE" })).status, 499)
      assert.strictEqual((await fetch(other, { method: "PUT", body: "x" })).status, 404)
    }))

  it.live("copies in several calls, with and without a new description", () =>
    onModel(async (bucket) => {
      const body = Buffer.from(bytes(3_500_000))
      const file = bucket.file("large")
      await file.save(body, { resumable: false, metadata: { metadata: { a: "1" } } })
      const [copied, answer] = await file.copy(bucket.file("copied"))
      assert.strictEqual((answer as { readonly totalBytesRewritten?: string }).totalBytesRewritten, "3500000")
      assert.isTrue(body.equals((await copied.download())[0]))
      assert.deepStrictEqual((await copied.getMetadata())[0].metadata, { a: "1" })
      const [changed] = await file.copy(bucket.file("changed"), { contentType: "x/y", metadata: { b: "2" } })
      assert.deepStrictEqual((await changed.getMetadata())[0].metadata, { b: "2" })
      assert.strictEqual(await statusOf(bucket.file("missing").copy(bucket.file("y"))), 404)
    }, { rewriteBytesPerCall: 1_000_000 }))

  it.live("lists pages of objects and prefixes, from an offset, and versions", () =>
    onModel(async (bucket) => {
      for (const name of ["a", "b/1", "b/2", "c", "d/x/1", "e/", "f"]) {
        await bucket.file(name).save("1", { resumable: false })
      }
      const seen: Array<string> = []
      let pageToken: string | undefined
      do {
        const [files, next, response] = await bucket.getFiles({
          autoPaginate: false,
          delimiter: "/",
          maxResults: 2,
          ...(pageToken === undefined ? {} : { pageToken })
        })
        const prefixes = (response as { readonly prefixes?: ReadonlyArray<string> }).prefixes ?? []
        assert.isAtMost(files.length + prefixes.length, 2)
        seen.push(...[...files.map((file) => file.name), ...prefixes].sort())
        pageToken = (next as { readonly pageToken?: string } | null)?.pageToken
      } while (pageToken !== undefined)
      assert.deepStrictEqual(seen, ["a", "b/", "c", "d/", "e/", "f"])
      const [rest] = await bucket.getFiles({ startOffset: "b/2", endOffset: "e" })
      assert.deepStrictEqual(rest.map((file) => file.name), ["b/2", "c", "d/x/1"])
      const [trailing] = await bucket.getFiles({ prefix: "e", delimiter: "/", includeTrailingDelimiter: true })
      assert.deepStrictEqual(trailing.map((file) => file.name), ["e/"])
      await bucket.file("a").save("2", { resumable: false })
      const [versions] = await bucket.getFiles({ prefix: "a", versions: true })
      assert.strictEqual(versions.length, 2)
      const [old] = await bucket.file("a", { generation: Number(versions[0]!.metadata.generation) }).download()
      assert.strictEqual(old.toString(), "1")
      assert.strictEqual(await statusOf(bucket.getFiles({ pageToken: "no-such", autoPaginate: false })), 400)
    }, { versioning: true }))

  it.live("changes descriptions: null takes one name of the metadata away", () =>
    onModel(async (bucket) => {
      const file = bucket.file("x")
      await file.save("1", { resumable: false, metadata: { metadata: { a: "1", b: "2" } } })
      await file.setMetadata({ metadata: { a: null, c: "3" }, contentLanguage: "de" })
      const [metadata] = await file.getMetadata()
      assert.deepStrictEqual(metadata.metadata, { b: "2", c: "3" })
      assert.deepStrictEqual([metadata.contentLanguage, metadata.metageneration], ["de", "2"])
    }))

  it.live("makes, lists and removes buckets, and keeps those that hold something", () =>
    onModel(async (bucket, storage) => {
      await storage.createBucket("made-1", { location: "EU" })
      await storage.createBucket("made-2")
      assert.strictEqual(await statusOf(storage.createBucket("made-1")), 409)
      assert.strictEqual(await statusOf(storage.createBucket("NO")), 400)
      assert.deepStrictEqual((await storage.getBuckets({ prefix: "made-" }))[0].map((one) => one.name), [
        "made-1",
        "made-2"
      ])
      assert.strictEqual((await storage.bucket("made-1").getMetadata())[0].location, "EU")
      await bucket.file("x").save("1", { resumable: false })
      assert.strictEqual(await statusOf(bucket.delete()), 409)
      assert.strictEqual(await statusOf(storage.bucket("made-1").delete()), undefined)
      assert.strictEqual(await statusOf(storage.bucket("made-1").delete()), 404)
      assert.strictEqual(await statusOf(storage.bucket("made-1").file("x").save("1", { resumable: false })), 404)
    }))

  it.live("refuses keys and checksums that are wrong", () =>
    onModel(async (bucket) => {
      for (const key of [".", "..", "a\nb", ".well-known/acme-challenge/x", "k".repeat(1025)]) {
        assert.strictEqual(await statusOf(bucket.file(key).save("1", { resumable: false })), 400, JSON.stringify(key))
      }
      const wrong = bucket.file("x").save("1", { resumable: false, metadata: { crc32c: "AAAAAA==" } })
      assert.strictEqual(await statusOf(wrong), 400)
    }))

  it.live("checks signed URLs: who signed, what for, and until when", () =>
    Effect.scoped(Effect.gen(function*() {
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const email = "signer@test.iam.gserviceaccount.com"
      const account = { email, publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() }
      const { origin } = yield* gcsModel({ buckets: ["bucket"], account, anonymous: false })
      yield* Effect.promise(async () => {
        const storage = new Storage({
          apiEndpoint: origin,
          projectId: "test",
          credentials: {
            client_email: email,
            private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString()
          }
        })
        const file = storage.bucket("bucket").file("dir/a b?.txt")
        const sign = async (action: "read" | "write" | "delete", expires: number) =>
          (await file.getSignedUrl({ version: "v4", action, expires, accessibleAt: Date.now() - 60_000 }))[0]
        const soon = Date.now() + 600_000
        assert.strictEqual((await fetch(await sign("write", soon), { method: "PUT", body: "hello" })).status, 200)
        const url = await sign("read", soon)
        assert.strictEqual(await (await fetch(url)).text(), "hello")
        assert.strictEqual((await fetch(url, { method: "DELETE" })).status, 403)
        assert.strictEqual((await fetch(url.replace("a%20b", "a%20c"))).status, 403)
        assert.strictEqual((await fetch(url.replace(/.$/, (c) => c === "0" ? "1" : "0"))).status, 403)
        const brief = await sign("read", Date.now() + 1000)
        await setTimeout(2100)
        assert.strictEqual((await fetch(brief)).status, 400)
        assert.strictEqual((await fetch(`${origin}/bucket/dir/a%20b%3F.txt`)).status, 401)
        assert.strictEqual((await fetch(await sign("delete", soon), { method: "DELETE" })).status, 204)
      })
    })))
})
