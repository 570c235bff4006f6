import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, Stream } from "effect"
import {
  type Backend,
  compress,
  type CompressionOptions,
  type CompressSettings,
  fromBackend,
  makeError,
  ObjectUri,
  type Progress,
  Zstd
} from "effect-objectstore"
import * as File from "effect-objectstore/layers/File"
import * as Memory from "effect-objectstore/layers/Memory"
import * as NodeFs from "node:fs"
import { temporaryRoot } from "../conformance/temporaryRoot.ts"
import { reasonOf } from "../engine/reasonOf.ts"
import { turnOfTheEventLoop } from "../engine/RecordingBackend.ts"
import { watchFibers } from "../support/LiveFibers.ts"
import { content } from "./content.ts"
import { assertSame } from "./describeRoundTrip.ts"

const KiB = 1024
const MiB = 1024 * KiB

describe("writes with compression", () => {
  it.live("compress repetitive text to a fiftieth, as a stream of 3.8 MB and as bytes", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const body = content("text", 3_800_000)
      const streamed = yield* store.put(
        "text",
        Stream.fromIterable([body.subarray(0, 1_000_003), body.subarray(1_000_003)]),
        {
          compression: { level: 3 }
        }
      )
      assert.closeTo(streamed.compression!.ratio, 0.02, 0.01)
      const bytes = yield* store.put("bytes.zst", body, { compression: { level: 3 } })
      assert.strictEqual(bytes.key, "bytes.zst")
      assert.deepStrictEqual(bytes.compression, streamed.compression)
      const out = yield* Stream.runCollect(store.stream("text.zst", { decompress: true }))
      assertSame(Buffer.concat(out), body, "streamed")
    }))

  it.live("compress at every level from 1 to 22", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const body = content("text", 40_000)
      for (let level = 1; level <= 22; level++) {
        const { compression } = yield* store.put(`level${level}`, body, { compression: { level } })
        assert.isBelow(compression!.ratio, 0.1)
        assertSame(yield* store.get(`level${level}.zst`, { decompress: true }), body, `level ${level}`)
      }
    }))

  it.live("refuse what is no level, no frame size and no option, before anything moves", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const wrong: ReadonlyArray<unknown> = [
        { level: 0 },
        { level: 23 },
        { level: 1.5 },
        { level: "3" },
        { level: Number.NaN },
        { frameSize: 1023 },
        { frameSize: 2 ** 28 + 1 },
        { speed: 3 },
        "zstd",
        null
      ]
      let pulled = 0
      const body = Stream.fromEffect(Effect.sync(() => {
        pulled++
        return new Uint8Array(10)
      }))
      for (const given of wrong) {
        const options = { compression: given as CompressionOptions }
        assert.strictEqual(yield* reasonOf(store.put("a", body, options)), "InvalidRequest", JSON.stringify(given))
        assert.strictEqual(yield* reasonOf(store.putMultipart("a", body, options)), "InvalidRequest")
        assert.strictEqual(yield* reasonOf(Effect.scoped(store.writer("a", options))), "InvalidRequest")
        assert.strictEqual(yield* reasonOf(Stream.run(body, store.sink("a", options))), "InvalidRequest")
      }
      const own = { compression: {}, metadata: { ObjectStoreCompression: "mine" } }
      assert.strictEqual(yield* reasonOf(store.put("a", "x", own)), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(store.get("a", { decompress: "yes" as never })), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(store.put("", "x", { compression: {} })), "InvalidKey")
      assert.strictEqual(yield* reasonOf(store.put("mem://memory", "x", { compression: {} })), "InvalidKey")
      assert.strictEqual(pulled, 0)
      assert.deepStrictEqual(yield* Stream.runCollect(store.list()), [])
    }))

  it.live("keep conditions, attributes and metadata, at the key that is stored", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const compression = {}
      const at = new ObjectUri.ObjectUri({ scheme: "mem", account: "", container: "memory", key: "uri/ä b" })
      assert.strictEqual((yield* store.put(at, "x", { compression })).uri, "mem://memory/uri/ä b.zst")
      const first = yield* store.put("a", "one", {
        compression,
        mode: "create",
        attributes: { contentType: "text/plain" },
        metadata: { Mine: "1" }
      })
      const info = yield* store.stat("a.zst")
      assert.deepStrictEqual(info.attributes, { contentType: "text/plain" })
      assert.deepStrictEqual({ ...info.metadata }, {
        mine: "1",
        objectstorecompression: `zstd;size=3;crc32c=${first.compression!.crc32c}`
      })
      assert.strictEqual(yield* reasonOf(store.put("a", "two", { compression, mode: "create" })), "AlreadyExists")
      const second = yield* store.put("a", "two", { compression, mode: { update: first.etag! } })
      const stale = store.put("a", "three", { compression, mode: { update: first.etag! } })
      assert.strictEqual(yield* reasonOf(stale), "PreconditionFailed")
      const ifMatch = store.get("a.zst", { decompress: true, ifMatch: first.etag! })
      assert.strictEqual(yield* reasonOf(ifMatch), "PreconditionFailed")
      const read = yield* store.get("a.zst", { decompress: true, ifMatch: second.etag! })
      assert.strictEqual(Buffer.from(read).toString(), "two")
      assert.strictEqual(yield* reasonOf(store.get("b.zst", { decompress: "auto" })), "NotFound")
      yield* store.copy("a.zst", "copy.zst")
      assert.strictEqual(Buffer.from(yield* store.get("copy.zst", { decompress: "auto" })).toString(), "two")
    }))

  it.live("tell how far the original has come, and hold a stream to its size", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const body = content("random", 3 * MiB)
      const told: Array<Progress> = []
      yield* store.put("a", Stream.fromIterable([body.subarray(0, MiB), body.subarray(MiB)]), {
        compression: { frameSize: 64 * KiB },
        partSize: 256 * KiB,
        size: body.length,
        onProgress: (progress) => Effect.sync(() => void told.push(progress))
      })
      assert.isAbove(told.length, 5)
      assert.deepStrictEqual(told.at(-1), { bytes: body.length, total: body.length })
      assert.isTrue(told.every(({ bytes }, index) => index === 0 || bytes >= told[index - 1]!.bytes))
      for (const size of [body.length - 1, body.length + 1]) {
        const put = store.put("b", Stream.succeed(body), { compression: {}, size })
        assert.strictEqual(yield* reasonOf(put), "SourceFailed")
      }
      const failing = Stream.concat(Stream.succeed(body), Stream.fail("broken"))
      assert.strictEqual(yield* reasonOf(store.put("b", failing, { compression: {} })), "SourceFailed")
      assert.isFalse(yield* store.exists("b.zst"))
      assert.deepStrictEqual(yield* Stream.runCollect(store.listUploads()), [])
    }))

  it.live("compare the checksums that are expected with the original", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const body = content("text", 300_000)
      const { compression } = yield* store.put("a", body, { compression: { frameSize: 16 * KiB } })
      const { crc32c, storedCrc32c } = compression!
      assertSame(yield* store.get("a.zst", { decompress: true, expected: { crc32c } }), body, "right")
      yield* store.get("a.zst", { expected: { crc32c: storedCrc32c } })
      const wrong = { decompress: true, expected: { crc32c: storedCrc32c } } as const
      assert.strictEqual(yield* reasonOf(store.get("a.zst", wrong)), "IntegrityFailed")
      let delivered = 0
      const streamed = Stream.runForEach(store.stream("a.zst", wrong), (chunk) =>
        Effect.sync(() => {
          delivered += chunk.length
        }))
      assert.strictEqual(yield* reasonOf(streamed), "IntegrityFailed")
      assert.isBelow(delivered, body.length)
    }))
})

describe("interrupted compression", () => {
  it.live("leaves nothing: no object, upload, temporary file, fiber or work", () =>
    Effect.gen(function*() {
      const root = yield* temporaryRoot
      const file = yield* File.make({ root, base: `file://${root}/`, durability: "none" })
      const memory = yield* Memory.make()
      const piece = content("random", MiB)
      for (const store of [file, memory]) {
        for (const how of ["put", "writer", "stream"] as const) {
          yield* watchFibers(Effect.fnUntraced(function*(fibers) {
            const reached = yield* Deferred.make<void>()
            let chunks = 0
            const endless = Stream.fromEffectRepeat(Effect.suspend(() =>
              Effect.as(++chunks === 30 ? Deferred.succeed(reached, undefined) : turnOfTheEventLoop, piece)
            ))
            const options = { compression: { level: 9, frameSize: MiB }, partSize: 5 * MiB }
            if (how === "stream") {
              yield* store.put("read", Stream.take(endless, 40), options)
            }
            chunks = 0
            const run = how === "put"
              ? store.put("a", endless, options)
              : how === "writer"
              ? Effect.scoped(
                Effect.flatMap(store.writer("a", options), ({ write }) =>
                  Stream.runForEach(endless, write))
              )
              : Stream.runForEach(store.stream("read.zst", { decompress: true }), () =>
                Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
            const fiber = yield* Effect.forkChild(run)
            yield* Deferred.await(reached)
            const before = fibers.live
            yield* Fiber.interrupt(fiber)
            assert.isAtMost(fibers.live, before)
            for (let turn = 0; turn < 20; turn++) {
              yield* turnOfTheEventLoop
            }
            // This fiber alone is left.
            assert.isAtMost(fibers.live, 1, how)
          }))
          assert.isFalse(yield* store.exists("a.zst"))
          assert.deepStrictEqual(yield* Stream.runCollect(store.listUploads()), [])
        }
      }
      yield* file.delete("read.zst")
      assert.deepStrictEqual(NodeFs.readdirSync(root), [])
      const pool = yield* Zstd.ZstdPool
      while (pool.busy() > 0) {
        yield* turnOfTheEventLoop
      }
    }), 120_000)

  it.live("a writer that is left publishes nothing and can be told so", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const scope = yield* Scope.make()
      const writer = yield* Scope.provide(store.writer("a", { compression: {} }), scope)
      yield* writer.write(content("text", 100_000))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* reasonOf(writer.write(new Uint8Array(1))), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(writer.finish), "InvalidRequest")
      assert.isFalse(yield* store.exists("a.zst"))
      const done = yield* Effect.scoped(Effect.gen(function*() {
        const other = yield* store.writer("b", { compression: {} })
        yield* other.write(Buffer.from("hello"))
        const result = yield* other.finish
        assert.strictEqual(yield* reasonOf(other.write(new Uint8Array(1))), "InvalidRequest")
        assert.strictEqual(yield* reasonOf(other.finish), "InvalidRequest")
        return result
      }))
      assert.strictEqual(done.compression!.size, 5)
    }))

  it.live("a writer whose finish or write is interrupted publishes nothing later, while its scope stays open", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.makeBackend()
      const reached = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const store = yield* fromBackend({
        ...memory,
        write: (at, body, options) =>
          Deferred.succeed(reached, undefined).pipe(
            Effect.andThen(Deferred.await(gate)),
            Effect.andThen(memory.write(at, body, options))
          )
      }, { base: "mem://memory/" })
      const writer = yield* store.writer("a", { compression: {} })
      yield* writer.write(Buffer.from("hello"))
      const finishing = yield* Effect.forkChild(writer.finish)
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(finishing)
      yield* Deferred.succeed(gate, undefined)
      for (let turn = 0; turn < 20; turn++) yield* turnOfTheEventLoop
      assert.isFalse(yield* store.exists("a.zst"))
      assert.strictEqual(yield* reasonOf(writer.finish), "InvalidRequest")

      const other = yield* store.writer("b", { compression: { frameSize: KiB, level: 19 } })
      const writing = yield* Effect.forkChild(other.write(content("random", 4 * MiB)), { startImmediately: true })
      yield* turnOfTheEventLoop
      yield* Fiber.interrupt(writing)
      assert.strictEqual(yield* reasonOf(other.finish), "InvalidRequest")
      assert.isFalse(yield* store.exists("b.zst"))
    }))

  it.live("a write that the store refuses fails with the store's reason, also from a writer", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.makeBackend()
      const full = makeError("StorageFull", { operation: "uploadPart", backend: "memory" })
      const backend: Backend = { ...memory, uploadPart: () => Effect.fail(full), write: () => Effect.fail(full) }
      const store = yield* fromBackend(backend, { base: "mem://memory/" })
      const body = content("random", 20 * MiB)
      const options = { compression: { frameSize: MiB } }
      assert.strictEqual(yield* reasonOf(store.put("a", body, options)), "StorageFull")
      assert.strictEqual(yield* reasonOf(Stream.run(Stream.succeed(body), store.sink("a", options))), "StorageFull")
      const written = Effect.scoped(
        Effect.flatMap(store.writer("a", options), ({ finish, write }) => Effect.andThen(write(body), finish))
      )
      assert.strictEqual(yield* reasonOf(written), "StorageFull")
      assert.deepStrictEqual(yield* Stream.runCollect(store.listUploads()), [])
    }))
})

describe("compress", () => {
  it.live("shows keys, sizes and metadata as if nothing was compressed, and nothing else that is stored", () =>
    Effect.gen(function*() {
      const stored = yield* Memory.make()
      const store = compress({ level: 5 })(stored)
      const body = content("text", 50_000)
      for (const key of ["a", "a-b", "b.zst", "dir/c", "dir/"]) {
        yield* store.put(key, body, { metadata: { mine: key.length.toString() } })
      }
      yield* stored.put("plain", "not ours")
      yield* stored.put("dir/plain", "not ours")
      yield* stored.put(".zst", "no key")
      const infos = yield* Stream.runCollect(store.list())
      assert.deepStrictEqual(infos.map(({ key }) => key).sort(), ["a", "a-b", "b.zst", "dir/", "dir/c"])
      for (const info of infos) {
        assert.strictEqual(info.size, 50_000)
        assert.strictEqual(info.uri, `mem://memory/${info.key}`)
        assert.deepStrictEqual(yield* store.stat(info.uri), { ...(yield* store.stat(info.key)), key: info.key })
      }
      const listed = (prefix: string, startAfter?: string) =>
        Effect.map(Stream.runCollect(store.list(prefix, { startAfter })), (found) => found.map(({ key }) => key).sort())
      assert.deepStrictEqual(yield* listed("", "a"), ["a-b", "b.zst", "dir/", "dir/c"])
      assert.deepStrictEqual(yield* listed("b.z"), ["b.zst"])
      assert.deepStrictEqual(yield* listed("b.zst.z"), [])
      assert.deepStrictEqual(yield* listed("mem://memory/b.zst.z"), [])
      assert.deepStrictEqual(yield* listed("mem://memory/a-").pipe(Effect.map((keys) => keys.length)), 1)
      const entries = yield* Stream.runCollect(store.listDirectory("dir/"))
      assert.deepStrictEqual(entries.map(({ key }) => key).sort(), ["dir/", "dir/c"])
      assert.strictEqual(yield* reasonOf(store.get("plain")), "NotFound")
      assert.strictEqual(yield* reasonOf(store.presign("a", { method: "GET", expiresIn: "1 hour" })), "Unsupported")
      const copy = yield* store.copy("a", "copy")
      assert.deepInclude(copy, { key: "copy", size: 50_000 })
      assert.deepStrictEqual(yield* store.deletePrefix("dir/"), { deleted: 2 })
      assert.isTrue(yield* stored.exists("dir/plain"))
      const results = yield* Stream.runCollect(store.deleteMany(["a", "a-b", "missing"]))
      assert.deepStrictEqual(results.map(({ key }) => key).sort(), ["a", "a-b", "missing"])
      const sizes = yield* Stream.runCollect(compress({ listSizes: "stored" })(stored).list("copy"))
      assert.isBelow(sizes[0]!.size, 5000)
    }))

  it.live("hands every setting of compression on, and refuses what is none", () =>
    Effect.gen(function*() {
      const stored = yield* Memory.make()
      yield* compress({ mark: false })(stored).put("a", "hello")
      assert.deepStrictEqual((yield* stored.stat("a.zst")).metadata, Object.create(null))
      const misspelt = compress({ levle: 9 } as CompressionOptions)(stored)
      assert.strictEqual(yield* reasonOf(misspelt.put("a", "hello")), "InvalidRequest")
      for (const wrong of [{ listSizes: "orignal" }, { listConcurrency: 0 }, { listConcurrency: 1.5 }]) {
        const store = compress(wrong as CompressSettings)(stored)
        assert.strictEqual(yield* reasonOf(Stream.runDrain(store.list())), "InvalidRequest", JSON.stringify(wrong))
        assert.strictEqual(yield* reasonOf(Stream.runDrain(store.listDirectory())), "InvalidRequest")
      }
    }))

  it.live("shows no secret of a location that it refuses to sign", () =>
    Effect.gen(function*() {
      const store = compress()(yield* Memory.make())
      const at = "https://account1.blob.core.windows.net/c/k?sig=canary"
      const error = yield* Effect.flip(store.presign(at, { method: "GET", expiresIn: "1 hour" }))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.notInclude(JSON.stringify(error) + error.message, "canary")
    }))

  it.live("leaves no mark where it is told so, and knows sizes all the same", () =>
    Effect.gen(function*() {
      const stored = yield* Memory.make()
      const store = compress({ mark: false, level: 2 })(stored)
      yield* store.put("a", content("text", 10_000))
      assert.deepStrictEqual({ ...(yield* stored.stat("a.zst")).metadata }, {})
      assert.strictEqual((yield* store.stat("a")).size, 10_000)
      assert.strictEqual((yield* Stream.runCollect(store.list()))[0]!.size, 10_000)
    }))

  it.live("knows the size of what has no metadata, and of what another program compressed", () =>
    Effect.gen(function*() {
      const stored = yield* Memory.make({ capabilities: { metadata: false } })
      const store = compress({ frameSize: 4 * KiB })(stored)
      for (const size of [0, 1, 4 * KiB, 50_000]) {
        yield* store.put("a", content("text", size))
        assert.strictEqual((yield* store.stat("a")).size, size)
        const reader = yield* store.open("a")
        assert.strictEqual(reader.info.size, size)
        const target = new Uint8Array(size)
        assert.strictEqual((yield* store.getInto("a", target)).info.size, size)
      }
      const one = yield* Zstd.compress(content("text", 1000))
      yield* stored.put("b.zst", Buffer.concat([one, one]))
      assert.strictEqual((yield* store.stat("b")).size, 2000)
    }))
})
