import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Stream } from "effect"
import { type ObjectStoreError, type ObjectStoreOperations, ObjectUri } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as Memory from "effect-objectstore/layers/Memory"
import * as S3 from "effect-objectstore/layers/S3"
import * as Universal from "effect-objectstore/layers/Universal"
import * as NodeFs from "node:fs"
import { leastCapabilities } from "../../layers/universal/capabilities.ts"
import { temporaryRoot } from "../conformance/temporaryRoot.ts"

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const tagOf = Effect.fnUntraced(function*<A, R>(effect: Effect.Effect<A, ObjectStoreError, R>) {
  return (yield* Effect.flip(effect)).reason._tag
})

describe("Universal", () => {
  it.effect("routes every location to the store of its scheme, and relative keys to the base", () =>
    Effect.gen(function*() {
      const root = yield* temporaryRoot
      const store = yield* Universal.make({ base: `file://${root}/base`, file: { durability: "none" } })
      assert.strictEqual((yield* store.put("a", "relative")).uri, `file://${root}/base/a`)
      yield* store.put("mem://memory/a", "memory")
      yield* store.put(yield* ObjectUri.parse(`file://${root}/other/a`), "absolute")
      assert.strictEqual(NodeFs.readFileSync(`${root}/base/a`, "utf8"), "relative")
      assert.strictEqual(NodeFs.readFileSync(`${root}/other/a`, "utf8"), "absolute")
      assert.strictEqual(text(yield* store.get("mem://memory/a")), "memory")
      assert.deepStrictEqual((yield* Stream.runCollect(store.list())).map(({ key }) => key), ["a"])
      assert.deepStrictEqual((yield* Stream.runCollect(store.list("mem://memory/"))).map(({ uri }) => uri), [
        "mem://memory/a"
      ])
    }))

  it.effect("refuses what names no store: relative keys without a base, other schemes than were given, no location", () =>
    Effect.gen(function*() {
      const store = yield* Universal.make({ schemes: ["mem"] })
      for (const at of ["a", "", "file:///etc/hostname", "s3://bucket/a", "gopher://x", "mem://bad name/x"]) {
        const read = yield* Effect.flip(store.get(at))
        assert.deepStrictEqual([read.reason._tag, read.operation, read.outcome], ["InvalidUri", "get", undefined], at)
        const write = yield* Effect.flip(store.put(at, "x"))
        assert.deepStrictEqual(
          [write.reason._tag, write.operation, write.outcome],
          ["InvalidUri", "put", "not-applied"],
          at
        )
        assert.strictEqual(yield* tagOf(store.copy("mem://memory/a", at)), "InvalidUri", at)
        assert.strictEqual(yield* tagOf(Stream.runDrain(store.list(at))), "InvalidUri", at)
      }
      assert.strictEqual(yield* tagOf(Universal.make({ schemes: ["mem"], base: "file:///x/" })), "Configuration")
      assert.strictEqual(yield* tagOf(Universal.make({ base: "nowhere" })), "Configuration")
      assert.strictEqual(yield* tagOf(Universal.make({ schemes: ["ftp" as "s3"] })), "Configuration")
    }))

  it.effect("gives one result a key for keys of several stores, and of none", () =>
    Effect.gen(function*() {
      const root = yield* temporaryRoot
      const store = yield* Universal.make({ schemes: ["mem", "file"], memory: { containers: ["other"] } })
      const there = [`file://${root}/a`, "mem://memory/b", "mem://other/c"]
      for (const at of there) yield* store.put(at, "x")
      const keys = [...there, "s3://bucket/d", "relative", "mem://memory/missing"]
      const results = yield* Stream.runCollect(store.deleteMany(keys))
      assert.deepStrictEqual(results.map(({ uri }) => uri).sort(), [...keys].sort())
      const failed = results.filter(({ error }) => error !== undefined)
      assert.deepStrictEqual(failed.map(({ uri }) => uri), ["s3://bucket/d", "relative"])
      for (const at of there) assert.isFalse(yield* store.exists(at))
      assert.strictEqual(yield* tagOf(Stream.runDrain(store.deleteMany([], { concurrency: 0 }))), "InvalidRequest")
    }))

  it.effect("names containers by their location, or relative to the store of the base", () =>
    Effect.gen(function*() {
      const root = yield* temporaryRoot
      const store = yield* Universal.make({ base: "mem://base/", file: { root } })
      const names = (prefix: string) =>
        Effect.map(Stream.runCollect(store.listContainers({ prefix })), (all) => all.map(({ name }) => name))
      yield* store.createContainer("relative")
      yield* store.createContainer("mem://absolute")
      yield* store.createContainer(`file://${root}/directory/`)
      assert.deepStrictEqual(yield* names(""), ["absolute", "base", "relative"])
      assert.deepStrictEqual(yield* names("mem://"), ["mem://absolute", "mem://base", "mem://relative"])
      assert.deepStrictEqual(yield* names("mem://re"), ["mem://relative"])
      assert.deepStrictEqual(yield* names(`file://${root}/`), [`file://${root}/directory`])
      assert.isTrue(NodeFs.statSync(`${root}/directory`).isDirectory())
      assert.strictEqual(yield* tagOf(store.createContainer("mem://base")), "AlreadyExists")
      assert.strictEqual(yield* tagOf(store.createContainer("mem://a/b")), "InvalidRequest")
      assert.strictEqual(yield* tagOf(store.createContainer("file:///elsewhere")), "InvalidUri")
      assert.strictEqual(yield* tagOf(store.createContainer("az://account")), "InvalidUri")
      assert.strictEqual(yield* tagOf(store.createContainer("nowhere://x")), "InvalidUri")
      for (const name of yield* names("mem://")) yield* store.deleteContainer(name)
      yield* store.deleteContainer(`file://${root}/directory`)
      assert.deepStrictEqual(yield* names(""), [])
      assert.deepStrictEqual(NodeFs.readdirSync(root), [])
    }))

  it.effect("lists and aborts the uploads of every store", () =>
    Effect.gen(function*() {
      const root = yield* temporaryRoot
      const store = yield* Universal.make({ file: { durability: "none" } })
      for (const at of [`file://${root}/u`, "mem://memory/u"]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const writer = yield* store.writer(at, { partSize: 1024 })
          yield* writer.write(new Uint8Array(5000))
          const [upload] = yield* Stream.runCollect(store.listUploads(at))
          assert.strictEqual(upload?.uri, at)
          yield* store.abortUpload(upload!)
        }))
        assert.deepStrictEqual(yield* Stream.runCollect(store.listUploads(at)), [])
      }
    }))

  it.effect("reads the environment when a store is first used, and options come before it", () =>
    Effect.gen(function*() {
      const root = yield* temporaryRoot
      const environment: Record<string, string> = {}
      const make = (options: Universal.UniversalOptions) =>
        Effect.provideService(
          Universal.make({ environment: true, ...options }),
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromEnv({ env: environment })
        )
      const store = yield* make({})
      const given = yield* make({ file: { root: `${root}/given` } })
      environment["OBJECTSTORE_FILE_ROOT"] = `${root}/variable`
      yield* store.put(`file://${root}/variable/a`, "x")
      yield* given.put(`file://${root}/given/a`, "x")
      assert.strictEqual(yield* tagOf(store.put(`file://${root}/given/b`, "x")), "InvalidUri")
      assert.deepStrictEqual(NodeFs.readdirSync(root).sort(), ["given", "variable"])
    }))

  it.effect("opens no store that is not used", () =>
    Effect.gen(function*() {
      const store = yield* Universal.make({ file: { root: "/no/such/root", createRoot: false } })
      yield* store.put("mem://memory/a", "x")
      assert.strictEqual(yield* tagOf(store.get("file:///no/such/root/a")), "Configuration")
    }))
})

describe("capabilities of a universal store", () => {
  const flags = Object.entries(leastCapabilities).filter(([, value]) => typeof value === "boolean")
  const worse = new Set(["hierarchical"])

  const holds = (name: string, { capabilities }: ObjectStoreOperations): void => {
    for (const [flag, least] of flags) {
      const own = capabilities[flag as "attributes"]
      assert.isTrue(worse.has(flag) ? least || !own : own || !least, `${name}: ${flag} is ${String(own)}`)
    }
    for (const limit of ["maxPageSize", "maxDeleteBatch", "maxCopySize", "maxMetadataBytes", "maxKeyBytes"] as const) {
      assert.isAtLeast(capabilities[limit], leastCapabilities[limit], `${name}: ${limit}`)
    }
    for (const limit of ["maxObjectSize", "maxWriteSize"] as const) {
      assert.isAtLeast(capabilities[limit], leastCapabilities[limit], `${name}: ${limit}`)
    }
    const [own, least] = [capabilities.multipart, leastCapabilities.multipart]
    assert.isAtLeast(own.maxParts, least.maxParts, name)
    assert.isAtLeast(own.maxPartSize, least.maxPartSize, name)
    assert.isAtMost(own.minPartSize, least.minPartSize, name)
    assert.strictEqual(least.partMultiple % own.partMultiple, 0, name)
  }

  it.effect("hold of every store", () =>
    Effect.gen(function*() {
      const root = yield* temporaryRoot
      holds("memory", yield* Memory.make())
      holds("file", yield* File.make({ root }))
      holds("direct", yield* Direct.make({ root, fallback: "buffered" }))
      holds("azure", yield* Azure.make({ account: "account", accountKey: "AAAA" }))
      holds("gcs", yield* Gcs.make({ credentials: "anonymous", batchDelete: false }))
      for (const vendor of Object.keys(S3.profiles) as Array<S3.S3Vendor>) {
        holds(vendor, yield* S3.make({ vendor, endpoint: "http://127.0.0.1:1", credentials: "anonymous" }))
      }
    }))
})
