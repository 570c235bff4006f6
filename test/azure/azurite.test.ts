import {
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential
} from "@azure/storage-blob"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Random, Result, Stream } from "effect"
import type { ObjectStore, ObjectStoreError } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import { azurite } from "../servers/azurite.ts"
import { onServer } from "../servers/onServer.ts"
import { copiesInParts, follow } from "./large.ts"
import { refusedKeys } from "./refusedKeys.ts"

const failingSeeds = fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))

onServer(azurite, (server) => {
  /** A container of its own, the store's options for it, and the vendor's own client. */
  const place = Effect.gen(function*() {
    const { account, accountKey, connectionString, endpoint } = yield* server
    const name = `test-${yield* Random.nextIntBetween(0, 1e9)}`
    const credential = new StorageSharedKeyCredential(account, accountKey)
    const container = new BlobServiceClient(endpoint, credential).getContainerClient(name)
    yield* Effect.promise(() => container.create())
    return { account, endpoint, connectionString, name, credential, container, base: `az://${account}/${name}/` }
  })

  /** Runs with a store in a container of its own. */
  const withStore = <A, E>(
    run: (
      store: ObjectStore["Service"],
      at: Effect.Success<typeof place>
    ) => Effect.Effect<A, E>
  ) =>
    Effect.scoped(Effect.gen(function*() {
      const at = yield* place
      return yield* run(yield* Azure.make({ connectionString: at.connectionString, base: at.base }), at)
    }))

  describeProperty(
    "Azurite",
    Layer.unwrap(Effect.map(place, ({ base, connectionString }) => Azure.layer({ base, connectionString }))),
    {
      model: Memory.layer(),
      sequences: 60,
      refusedKeys: [...refusedKeys, "c/../d"],
      failingSeeds
    }
  )

  describe("races", () => {
    it.live(
      "of 64 creators of one key one succeeds, and 63 are told that it exists",
      () =>
        withStore((store) =>
          Effect.gen(function*() {
            const results = yield* Effect.forEach(
              Array.from({ length: 64 }, (_, i) => i),
              (i) => Effect.result(store.put("one", `creator ${i}`, { mode: "create" })),
              { concurrency: 64 }
            )
            const winners = results.flatMap((result, i) => Result.isSuccess(result) ? [i] : [])
            const losers = results.flatMap((result) => Result.isFailure(result) ? [result.failure.reason._tag] : [])
            assert.strictEqual(winners.length, 1)
            assert.deepStrictEqual([...new Set(losers)], ["AlreadyExists"])
            assert.strictEqual(Buffer.from(yield* store.get("one")).toString(), `creator ${winners[0]}`)
          })
        ),
      120_000
    )

    it.live(
      "32 fibers that count by compare-and-swap lose none of 3,200 increments",
      () =>
        withStore((store) =>
          Effect.gen(function*() {
            yield* store.put("counter", "0")
            // Whoever loses waits a while, or all of them would lose most of the time.
            const later = Effect.flatMap(Random.nextIntBetween(1, 1000), (millis) => Effect.sleep(millis))
            const increment: Effect.Effect<void, ObjectStoreError> = Effect.gen(function*() {
              const target = new Uint8Array(16)
              const { bytes, info } = yield* store.getInto("counter", target)
              const next = Number(Buffer.from(target.subarray(0, bytes)).toString()) + 1
              yield* store.put("counter", String(next), { mode: { update: info.etag! } })
            }).pipe(
              Effect.catchReason("ObjectStoreError", "PreconditionFailed", () => Effect.andThen(later, increment))
            )
            yield* Effect.forEach(
              Array.from({ length: 32 }),
              () => Effect.forEach(Array.from({ length: 100 }), () => increment, { discard: true }),
              { concurrency: 32, discard: true }
            )
            assert.strictEqual(Buffer.from(yield* store.get("counter")).toString(), "3200")
          })
        ),
      600_000
    )
  })

  describe("the vendor's own client", () => {
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))
    const key = "dir/a b%2F+é \u{1f600}?#&.bin"
    const attributes = {
      contentType: "application/x-test",
      contentEncoding: "x-test",
      contentLanguage: "de, en",
      contentDisposition: "attachment; filename=\"a b\"",
      cacheControl: "no-cache"
    }

    it.live("reads what a store writes: bytes, attributes, metadata, tags, tier, checksum", () =>
      withStore((store, { container }) =>
        Effect.gen(function*() {
          const options = {
            attributes,
            metadata: { some_name: "some value" },
            tags: { a: "b c" },
            storageClass: "Cool"
          }
          yield* store.put(key, body, options)
          yield* store.putMultipart(`${key}-parts`, body, { ...options, partSize: 30_000 })
          for (const name of [key, `${key}-parts`]) {
            const blob = container.getBlockBlobClient(name)
            const told = yield* Effect.promise(() => blob.getProperties())
            assert.deepStrictEqual([told.contentType, told.contentEncoding, told.contentLanguage], [
              attributes.contentType,
              attributes.contentEncoding,
              attributes.contentLanguage
            ])
            assert.deepStrictEqual([told.contentDisposition, told.cacheControl, told.accessTier], [
              attributes.contentDisposition,
              attributes.cacheControl,
              "Cool"
            ])
            assert.strictEqual(told.metadata?.["some_name"], "some value")
            assert.deepStrictEqual((yield* Effect.promise(() => blob.getTags())).tags, { a: "b c" })
            assert.isTrue(body.equals(yield* Effect.promise(() => blob.downloadToBuffer())))
          }
          const { contentMD5 } = yield* Effect.promise(() => container.getBlobClient(key).getProperties())
          const { checksums } = yield* store.stat(key)
          assert.strictEqual(Buffer.from(contentMD5!).toString("base64"), checksums.md5)
        })
      ))

    it.live("writes what a store reads, in one request and in blocks", () =>
      withStore((store, { container }) =>
        Effect.gen(function*() {
          const blob = container.getBlockBlobClient(key)
          const options = {
            blobHTTPHeaders: {
              blobContentType: attributes.contentType,
              blobContentEncoding: attributes.contentEncoding,
              blobContentLanguage: attributes.contentLanguage,
              blobContentDisposition: attributes.contentDisposition,
              blobCacheControl: attributes.cacheControl
            },
            metadata: { Some_Name: "some value" }
          }
          yield* Effect.promise(() => blob.upload(body, body.length, options))
          const parts = container.getBlockBlobClient(`${key}-parts`)
          yield* Effect.promise(() =>
            parts.uploadData(body, { ...options, maxSingleShotSize: 10_000, blockSize: 30_000 })
          )
          for (const name of [key, `${key}-parts`]) {
            const info = yield* store.stat(name)
            assert.deepStrictEqual({ ...info.attributes }, attributes)
            assert.deepStrictEqual({ ...info.metadata }, { some_name: "some value" })
            assert.isTrue(body.equals(yield* store.get(name)))
          }
          const md5 = createHash("md5").update(body).digest("base64")
          assert.strictEqual((yield* store.stat(key)).checksums.md5, md5)
          const keys = yield* Stream.runCollect(store.list())
          assert.deepStrictEqual(keys.map((info) => info.key).toSorted(), [key, `${key}-parts`].toSorted())
        })
      ))
  })

  describe("one account", () => {
    it.live("copies in parts what is too large for one request", () =>
      withStore((_, { base, connectionString }) =>
        Effect.scoped(
          Effect.flatMap(Azure.makeBackend({ connectionString }), (backend) => copiesInParts(backend, base))
        )
      ))

    it.live("signs URLs for one blob, one method and a while", () =>
      withStore((store) =>
        Effect.gen(function*() {
          yield* store.put("a b%2F é", "hello")
          const url = yield* store.presign("a b%2F é", { method: "GET", expiresIn: "1 minute" })
          assert.deepStrictEqual(yield* follow(url), [200, "hello"])
          const other = yield* store.presign("a b%2F é", { method: "DELETE", expiresIn: "1 minute" })
          assert.strictEqual((yield* follow(other))[0], 403)
        })
      ))
  })

  describe("a shared access signature of a container", () => {
    const sasOf = (at: Effect.Success<typeof place>, permissions: string, lifetime = 60_000): string =>
      generateBlobSASQueryParameters({
        containerName: at.name,
        permissions: ContainerSASPermissions.parse(permissions),
        expiresOn: new Date(Date.now() + lifetime)
      }, at.credential).toString()

    it.live("lets a store read, write, list, copy and remove", () =>
      withStore((_, at) =>
        Effect.scoped(Effect.gen(function*() {
          const { base, endpoint } = at
          const store = yield* Azure.make({ base, endpoint, sasToken: `?${sasOf(at, "racwdl")}` })
          yield* store.put("a b", "hello")
          yield* store.putMultipart("parts", new Uint8Array(5000), { partSize: 1000 })
          yield* store.copy("a b", "copied")
          assert.strictEqual(Buffer.from(yield* store.get("copied")).toString(), "hello")
          assert.strictEqual((yield* Stream.runCollect(store.list())).length, 3)
          assert.strictEqual((yield* store.deletePrefix("", { all: true })).deleted, 3)
          const error = yield* Effect.flip(store.presign("a", { method: "GET", expiresIn: "1 minute" }))
          assert.strictEqual(error.reason._tag, "Unsupported")
        }))
      ))

    it.live("that has expired, is forged or does not allow it, is refused for just that", () =>
      withStore((owner, at) =>
        Effect.scoped(Effect.gen(function*() {
          const { base, endpoint } = at
          yield* owner.put("a", "x")
          const reason = (sasToken: string) =>
            Effect.gen(function*() {
              const store = yield* Azure.make({ base, endpoint, sasToken })
              const error = yield* Effect.flip(store.put("a", "y"))
              assert.notInclude(JSON.stringify(error), "sig=")
              return [error.reason._tag, error.outcome]
            })
          assert.deepStrictEqual(yield* reason(sasOf(at, "rw", -60_000)), ["Unauthenticated", "not-applied"])
          assert.deepStrictEqual(yield* reason(sasOf(at, "r").replace("sp=r", "sp=rw")), [
            "Unauthenticated",
            "not-applied"
          ])
          assert.deepStrictEqual(yield* reason(sasOf(at, "r")), ["PermissionDenied", "not-applied"])
          assert.strictEqual(Buffer.from(yield* owner.get("a")).toString(), "x")
        }))
      ))
  })
})
