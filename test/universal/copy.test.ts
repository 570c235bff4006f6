import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Logger, Stream } from "effect"
import { type Backend, makeError, type ObjectStoreError, type ObjectStoreOperations } from "effect-objectstore"
import * as Memory from "effect-objectstore/layers/Memory"
import * as Universal from "effect-objectstore/layers/Universal"
import { leastCapabilities } from "../../layers/universal/capabilities.ts"
import { makeOperations } from "../../layers/universal/operations.ts"
import { makeRouter, type Openers } from "../../layers/universal/stores.ts"
import { temporaryRoot } from "../conformance/temporaryRoot.ts"

const MiB = 1024 * 1024
const from = "mem://memory/from"
const to = "s3://bucket/to"

const bytes = (length: number): Uint8Array => {
  const body = new Uint8Array(length)
  for (let i = 0; i < length; i++) body[i] = (i * 31 + (i >>> 8)) & 255
  return body
}

/** A memory backend that answers to another scheme, so that there are two stores. */
const as = (backend: Backend, scheme: "s3"): Backend => ({
  ...backend,
  name: scheme,
  address: { ...backend.address, schemes: [scheme] }
})

const unused = () => Effect.die(new Error("unused"))

/** A universal store over two stores in memory, `mem://memory/` and `s3://bucket/`, whose backends are changed before. */
const pair = Effect.fnUntraced(function*(change: {
  readonly source?: (backend: Backend) => Backend
  readonly target?: (backend: Backend) => Backend
  readonly targetCan?: Memory.MemoryCapabilities
}) {
  const source = (change.source ?? ((backend) => backend))(yield* Memory.makeBackend())
  const inner = yield* Memory.makeBackend({ containers: ["bucket"], capabilities: change.targetCan })
  const target = (change.target ?? ((backend) => backend))(as(inner, "s3"))
  const openers: Openers = {
    azure: unused,
    direct: unused,
    file: unused,
    gcs: unused,
    memory: () => Effect.succeed({ backend: source, options: {} }),
    s3: () => Effect.succeed({ backend: target, options: {} })
  }
  return makeOperations(yield* makeRouter(openers, {}), leastCapabilities)
})

const nothingPublished = Effect.fnUntraced(function*(store: ObjectStoreOperations) {
  assert.isFalse(yield* store.exists(to))
  assert.deepStrictEqual(yield* Stream.runCollect(store.listUploads(to)), [])
})

const failure = <A>(effect: Effect.Effect<A, ObjectStoreError>) => Effect.flip(effect)

for (const name of ["copy", "rename"] as const) {
  describe(`${name} from one store to another`, () => {
    it.effect("carries bytes of any length, attributes and metadata, and answers as a write of the target", () =>
      Effect.gen(function*() {
        const root = yield* temporaryRoot
        const store = yield* Universal.make({ file: { durability: "none" }, memory: { memory: 8 * MiB } })
        for (const size of [0, 1, 70_000, 40 * MiB]) {
          for (const target of [`file://${root}/${size}`, `direct://${root}/sub/${size}`]) {
            const source = `mem://memory/${size}`
            const labels = { attributes: { contentType: "text/x-test" }, metadata: { owner: "someone" } }
            yield* store.put(source, bytes(size), labels)
            const put = yield* store[name](source, target)
            assert.deepStrictEqual([put.uri, put.size, put.verified], [target, size, "size"])
            const info = yield* store.stat(target)
            assert.strictEqual(info.etag, put.etag)
            assert.strictEqual(info.attributes.contentType, "text/x-test")
            assert.deepStrictEqual({ ...info.metadata }, { owner: "someone" })
            assert.isTrue(Buffer.from(yield* store.get(target)).equals(bytes(size)))
            assert.strictEqual(yield* store.exists(source), name === "copy")
          }
        }
      }))

    it.effect("honours mode and ifMatch before anything of the target or source changes", () =>
      Effect.gen(function*() {
        const store = yield* pair({})
        const { etag } = yield* store.put(from, "from")
        const other = yield* store.put(to, "to")
        const refused = [
          [{ mode: "create" }, "AlreadyExists"],
          [{ mode: { update: "\"stale\"" } }, "PreconditionFailed"],
          [{ ifMatch: "\"stale\"" }, "PreconditionFailed"],
          [{ ifMatch: "" }, "InvalidRequest"],
          [{ mode: "replace" as "create" }, "InvalidRequest"]
        ] as const
        for (const [options, tag] of refused) {
          const error = yield* failure(store[name](from, to, options))
          assert.deepStrictEqual([error.reason._tag, error.operation, error.outcome], [tag, name, "not-applied"])
          assert.strictEqual(new TextDecoder().decode(yield* store.get(to)), "to")
          assert.isTrue(yield* store.exists(from))
        }
        const done = yield* store[name](from, to, { ifMatch: etag, mode: { update: other.etag! } })
        assert.strictEqual(done.size, 4)
        assert.strictEqual(new TextDecoder().decode(yield* store.get(to)), "from")
        assert.strictEqual(yield* store.exists(from), name === "copy")
      }))

    it.effect("of a missing object is NotFound, which names it", () =>
      Effect.gen(function*() {
        const store = yield* pair({})
        const error = yield* failure(store[name](from, to))
        assert.deepStrictEqual(
          [error.reason._tag, error.operation, error.uri, error.outcome],
          ["NotFound", name, from, "not-applied"]
        )
        yield* nothingPublished(store)
      }))

    it.effect("publishes nothing when the source fails, changes or is not what its checksum says", () =>
      Effect.gen(function*() {
        const size = 40 * MiB
        const broken = yield* pair({
          source: (backend) => ({
            ...backend,
            read: (at, request) =>
              request.range !== undefined && "offset" in request.range && request.range.offset > 0
                ? Effect.fail(makeError("PermissionDenied", { operation: "read", backend: "memory" }))
                : backend.read(at, request)
          })
        })
        yield* broken.put(from, bytes(size))
        const denied = yield* failure(broken[name](from, to))
        assert.deepStrictEqual(
          [denied.reason._tag, denied.operation, denied.uri, denied.outcome],
          ["PermissionDenied", name, from, "not-applied"]
        )
        yield* nothingPublished(broken)

        const wrongSum = yield* pair({
          source: (backend) => ({
            ...backend,
            head: (at, conditions) =>
              Effect.map(backend.head(at, conditions), (stat) => ({ ...stat, checksums: { crc32c: "AAAAAA==" } }))
          })
        })
        yield* wrongSum.put(from, bytes(1000))
        const differs = yield* failure(wrongSum[name](from, to))
        assert.deepStrictEqual(
          [differs.reason._tag, differs.operation, differs.outcome],
          ["IntegrityFailed", name, "not-applied"]
        )
        yield* nothingPublished(wrongSum)
        assert.isTrue(yield* wrongSum.exists(from))

        const rewritten = yield* pair({
          source: (backend) => ({
            ...backend,
            read: (at, request) =>
              Effect.tap(
                backend.read(at, request),
                () => backend.write(at, bytes(size).fill(7), { mode: "overwrite", attributes: {}, metadata: {} })
              )
          })
        })
        yield* rewritten.put(from, bytes(size))
        const changed = yield* failure(rewritten[name](from, to))
        assert.deepStrictEqual([changed.reason._tag, changed.operation], ["ObjectChanged", name])
        yield* nothingPublished(rewritten)
      }))

    it.effect("takes an object whose checksum is right, by every checksum that can be taken", () =>
      Effect.gen(function*() {
        const sums = {
          crc32: "NhCmhg==",
          crc32c: "mnG7TA==",
          md5: "XUFAKrxLKna5cZ2REBfFkg==",
          sha256: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
        }
        for (const [kind, value] of Object.entries(sums)) {
          const store = yield* pair({
            source: (backend) => ({
              ...backend,
              head: (at, conditions) =>
                Effect.map(backend.head(at, conditions), (stat) => ({ ...stat, checksums: { [kind]: value } }))
            })
          })
          yield* store.put(from, "hello")
          assert.strictEqual((yield* store[name](from, to)).size, 5)
        }
      }))

    it.effect("is interrupted without a trace", () =>
      Effect.gen(function*() {
        const reached = yield* Deferred.make<void>()
        const store = yield* pair({
          source: (backend) => ({
            ...backend,
            read: (at, request) =>
              request.range !== undefined && "offset" in request.range && request.range.offset > 32 * MiB
                ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
                : backend.read(at, request)
          }),
          targetCan: { tuning: { writePartSize: 4 * MiB, multipartThreshold: 4 * MiB } }
        })
        yield* store.put(from, bytes(64 * MiB))
        const fiber = yield* Effect.forkChild(store[name](from, to))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        yield* nothingPublished(store)
        assert.isTrue(yield* store.exists(from))
      }))

    it.effect("says that a copy is there whose size is not the source's", () =>
      Effect.gen(function*() {
        const store = yield* pair({
          target: (backend) => ({
            ...backend,
            write: (at, body, options) =>
              Effect.map(backend.write(at, body.subarray(1), options), (reply) => ({
                ...reply,
                size: body.length,
                verified: "none"
              }))
          })
        })
        yield* store.put(from, bytes(1000))
        const error = yield* failure(store[name](from, to))
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["IntegrityFailed", "applied"])
        assert.isTrue(yield* store.exists(from))
      }))

    it.effect("leaves what the target cannot hold, and says so", () =>
      Effect.gen(function*() {
        const store = yield* pair({ targetCan: { metadataNames: "identifier", attributes: false } })
        yield* store.put(from, "x", {
          attributes: { contentType: "text/x" },
          metadata: { plain: "1", "with-dash": "2" }
        })
        const said: Array<unknown> = []
        const logger = Logger.make(({ logLevel, message }) => void said.push([logLevel, message]))
        yield* Effect.provide(store[name](from, to), Logger.layer([logger]))
        const info = yield* store.stat(to)
        assert.deepStrictEqual({ ...info.metadata }, { plain: "1" })
        assert.deepStrictEqual(info.attributes, {})
        assert.deepStrictEqual(said, [
          ["Warn", [`${from}: the target cannot hold contentType, metadata with-dash`]]
        ])
        // What it can hold goes along in silence.
        yield* store.put(`${from}-2`, "x", { metadata: { plain: "1" } })
        yield* Effect.provide(store[name](`${from}-2`, `${to}-2`), Logger.layer([logger]))
        assert.lengthOf(said, 1)
      }))

    it.effect("leaves text that is no ASCII where the target cannot hold it, and says so", () =>
      Effect.gen(function*() {
        const store = yield* pair({ targetCan: { metadataValues: "ascii" } })
        yield* store.put(from, "x", {
          attributes: { contentType: "text/x", contentDisposition: "attachment; filename=é" },
          metadata: { plain: "1", greeting: "grüße" }
        })
        const said: Array<unknown> = []
        const logger = Logger.make(({ message }) => void said.push(message))
        yield* Effect.provide(store[name](from, to), Logger.layer([logger]))
        const info = yield* store.stat(to)
        assert.deepStrictEqual({ ...info.metadata }, { plain: "1" })
        assert.deepStrictEqual(info.attributes, { contentType: "text/x" })
        assert.deepStrictEqual(said, [[`${from}: the target cannot hold contentDisposition, metadata greeting`]])
      }))

    it.effect("onto itself, by file:// and direct://, changes nothing", () =>
      Effect.gen(function*() {
        const root = yield* temporaryRoot
        const store = yield* Universal.make({ direct: { fallback: "buffered" } })
        yield* store.put(`file://${root}/a`, "hello", { metadata: { owner: "someone" } })
        const done = yield* store[name](`file://${root}/a`, `direct://${root}/a`)
        assert.deepStrictEqual([done.uri, done.size], [`direct://${root}/a`, 5])
        const info = yield* store.stat(`file://${root}/a`)
        assert.deepStrictEqual([info.size, { ...info.metadata }], [5, { owner: "someone" }])
        yield* store[name](`file://${root}/a`, `direct://${root}/b`)
        assert.strictEqual(yield* store.exists(`file://${root}/a`), name === "copy")
      }))
  })
}

describe("rename from one store to another", () => {
  it.effect("keeps a source that changed meanwhile, and says what was done", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.makeBackend()
      const newer = memory.write({ container: "memory", key: "from" }, new TextEncoder().encode("newer"), {
        mode: "overwrite",
        attributes: {},
        metadata: {}
      })
      const store = yield* pair({
        source: () => memory,
        target: (backend) => ({
          ...backend,
          write: (at, body, options) => Effect.tap(backend.write(at, body, options), newer)
        })
      })
      yield* store.put(from, "older")
      const error = yield* failure(store.rename(from, to))
      assert.deepStrictEqual([error.reason._tag, error.operation, error.outcome], [
        "PartialFailure",
        "rename",
        "applied"
      ])
      assert.strictEqual(new TextDecoder().decode(yield* store.get(from)), "newer")
      assert.strictEqual(new TextDecoder().decode(yield* store.get(to)), "older")
    }))

  it.effect("inside one store is the store's own", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.makeBackend()
      let renames = 0
      const store = yield* pair({
        source: () => ({
          ...memory,
          rename: (a, b, options) => {
            renames++
            return memory.rename!(a, b, options)
          }
        })
      })
      yield* store.put(from, "x")
      yield* store.rename(from, "mem://memory/there")
      assert.strictEqual(renames, 1)
    }))
})
