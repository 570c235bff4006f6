import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer, Logger, Metric, Stream } from "effect"
import { fromBackend, ObjectStore } from "effect-objectstore"
import * as Direct from "effect-objectstore/layers/Direct"
import * as NodeChildProcess from "node:child_process"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { makeDirectBackend } from "../layers/direct/backend.ts"
import { directFlag, probe } from "../layers/direct/probe.ts"

const MiB = 1024 * 1024

const directory = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-direct-"))),
  (path) => Effect.sync(() => NodeFs.rmSync(path, { recursive: true, force: true }))
)

const run = (command: string, ...args: ReadonlyArray<string>): boolean =>
  NodeChildProcess.spawnSync(command, args, { stdio: "ignore" }).status === 0

/** Mounts a file system at a new directory; `undefined` where this process may not. */
const mounted = (type: string, ...options: ReadonlyArray<string>) =>
  Effect.flatMap(directory, (path) =>
    Effect.acquireRelease(
      Effect.sync(() =>
        process.getuid?.() === 0 && run("mount", "-t", type, ...options, type, path) ? path : undefined
      ),
      (at) => Effect.sync(() => at === undefined ? false : run("umount", at))
    ))

const accepted = await Effect.runPromise(probe(NodeOs.tmpdir(), directFlag))
const accepts = accepted._tag === "Accepted"

/** What the gauge of a root says. */
const gauge = (root: string) =>
  Effect.map(
    Metric.snapshot,
    (metrics) =>
      metrics.flatMap((metric) =>
        metric.id === "objectstore_direct_io" && metric.attributes?.["root"] === root && metric.type === "Gauge"
          ? [metric.state.value]
          : []
      )
  )

const same = (actual: Uint8Array, expected: Uint8Array, what: string): void =>
  assert.strictEqual(Buffer.compare(actual, expected), 0, what)

/** The messages that are logged by `effect`. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      lines.push(`${logLevel} ${String(message)}`)
    })
    return Effect.map(Effect.provide(effect, Logger.layer([logger])), (result) => [result, lines] as const)
  })

describe("Direct, refused", () => {
  it.effect("options that are wrong are Configuration and say which", () =>
    Effect.gen(function*() {
      const root = yield* directory
      for (
        const [name, options] of Object.entries({
          root: { root: "nul\u0000" },
          createRoot: { root, createRoot: "no" as never },
          durability: { root, durability: "always" as never },
          fallback: { root, fallback: "yes" as never },
          slots: { root, slots: 0 },
          slotSize: { root, slotSize: 4097 }
        })
      ) {
        const error = yield* Effect.flip(Direct.make(options))
        assert.strictEqual(error.reason._tag, "Configuration")
        assert.match(error.message, new RegExp(`: ${name}\\b`))
      }
    }))

  it.effect("a system without O_DIRECT is Unsupported, and nothing is made", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const error = yield* Effect.flip(makeDirectBackend({ root }, 0))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.match(error.message, /does not take O_DIRECT/)
      assert.deepStrictEqual(NodeFs.readdirSync(root), [])
      assert.deepStrictEqual(yield* gauge(root), [])
    }))

  it.effect("with the fallback it is buffered, and says so everywhere", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const [backend, lines] = yield* logged(makeDirectBackend({ root, fallback: "buffered" }, 0))
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0]!, /^Warn direct store falls back to buffered I\/O: .*O_DIRECT/)
      const [store, more] = yield* logged(fromBackend(backend, { base: `direct://${root}` }))
      assert.deepStrictEqual(more, [])
      assert.strictEqual(store.capabilities.io, "buffered")
      assert.deepStrictEqual(yield* gauge(root), [0])
      yield* store.put("a", "text")
      assert.strictEqual((yield* store.stat("a")).storageClass, "BUFFERED_IO")
    }))

  it.effect("a file system that refuses O_DIRECT is found out", (context) =>
    Effect.gen(function*() {
      const root = yield* mounted("ramfs")
      if (root === undefined) return context.skip("this process may not mount")
      const error = yield* Effect.flip(Direct.make({ root: `${root}/not/there/yet` }))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.match(error.message, /open answers EINVAL/)
      assert.deepStrictEqual(NodeFs.readdirSync(root), [])
      const [store, lines] = yield* logged(Direct.make({ root, fallback: "buffered" }))
      assert.strictEqual(store.capabilities.io, "buffered")
      assert.strictEqual(lines.length, 1)
      const body = NodeCrypto.randomBytes(MiB + 1)
      yield* store.put("deep/key", body)
      same(yield* store.get("deep/key"), body, "body")
    }))

  it.effect("what fails after the layer is built fails, and nothing falls back", (context) =>
    Effect.gen(function*() {
      const root = yield* directory
      if (!accepts) return context.skip("no O_DIRECT here")
      const store = yield* Direct.make({ root, fallback: "buffered" })
      assert.strictEqual(store.capabilities.io, "direct")
      const inside = NodePath.join(root, "mounted")
      NodeFs.mkdirSync(inside)
      if (process.getuid?.() !== 0 || !run("mount", "-t", "ramfs", "ramfs", inside)) {
        return context.skip("this process may not mount")
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => run("umount", inside)))
      const [error, lines] = yield* logged(Effect.flip(store.put("mounted/a", "text")))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.deepStrictEqual(lines, [])
      assert.deepStrictEqual(NodeFs.readdirSync(inside), [])
      NodeFs.writeFileSync(`${inside}/b`, "text")
      assert.strictEqual((yield* Effect.flip(store.get("mounted/b"))).reason._tag, "Unsupported")
      assert.strictEqual((yield* Effect.flip(store.get("mounted"))).reason._tag, "NotFound")
    }))

  it.effect("a read-only file system is probed by reading", (context) =>
    Effect.gen(function*() {
      const root = yield* mounted("tmpfs")
      if (root === undefined) return context.skip("this process may not mount")
      const body = NodeCrypto.randomBytes(100_000)
      run("mount", "-o", "remount,ro", root)
      const denied = yield* Effect.flip(Direct.make({ root }))
      assert.strictEqual(denied.reason._tag, "PermissionDenied")
      run("mount", "-o", "remount,rw", root)
      NodeFs.mkdirSync(`${root}/a/b`, { recursive: true })
      NodeFs.writeFileSync(`${root}/a/empty`, "")
      NodeFs.writeFileSync(`${root}/a/b/c`, body)
      run("mount", "-o", "remount,ro", root)
      const store = yield* Direct.make({ root })
      assert.strictEqual(store.capabilities.io, "direct")
      same(yield* store.get("a/b/c"), body, "body")
    }))
})

describe.skipIf(!accepts)("Direct", () => {
  it.effect("is readable as direct in capabilities, stat and metric", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const [store, lines] = yield* logged(Direct.make({ root, fallback: "buffered" }))
      assert.strictEqual(store.capabilities.io, "direct")
      assert.deepStrictEqual(yield* gauge(root), [1])
      assert.deepStrictEqual(lines, [])
      yield* store.put("a", "text")
      assert.strictEqual((yield* store.stat("a")).storageClass, "DIRECT_IO")
    }))

  for (
    const [name, size] of Object.entries({
      "4 MiB - 1": 4 * MiB - 1,
      "4 MiB + 1": 4 * MiB + 1,
      "10 MiB + 3": 10 * MiB + 3
    })
  ) {
    for (const partSize of [MiB + 1, 777_777]) {
      it.effect(`an object of ${name} in parts of ${partSize} is exact`, () =>
        Effect.gen(function*() {
          const root = yield* directory
          const store = yield* Direct.make({ root, durability: "none" })
          const body = NodeCrypto.randomBytes(size)
          yield* store.putMultipart("object", body, { partSize, concurrency: 4 })
          same(NodeFs.readFileSync(`${root}/object`), body, "buffered read")
          same(yield* store.get("object"), body, "get")
          const target = new Uint8Array(size)
          yield* store.getInto("object", target, { partSize, concurrency: 4 })
          same(target, body, "getInto in unaligned parts")
          same(yield* store.getRange("object", { suffix: 5_001 }), body.subarray(-5_001), "suffix")
          same(
            yield* store.getRange("object", { offset: 4_095, length: MiB }),
            body.subarray(4_095, 4_095 + MiB),
            "range"
          )
        }))
    }
  }

  it.effect("small objects, streams and writers are exact", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const store = yield* Direct.make({ root })
      for (const size of [0, 1, 511, 512, 4095, 4096, 4097, 70_000]) {
        const body = NodeCrypto.randomBytes(size)
        yield* store.put(`put/${size}`, body)
        yield* store.put(`stream/${size}`, Stream.fromIterable([body.subarray(0, size >> 1), body.subarray(size >> 1)]))
        for (const kind of ["put", "stream"]) {
          same(NodeFs.readFileSync(`${root}/${kind}/${size}`), body, `buffered read of ${kind}/${size}`)
          same(yield* store.get(`${kind}/${size}`), body, `get of ${kind}/${size}`)
          const chunks = yield* Stream.runCollect(store.stream(`${kind}/${size}`))
          same(Buffer.concat(chunks), body, `stream of ${kind}/${size}`)
        }
      }
    }))

  it.effect("a range that starts past the end is RangeNotSatisfiable, one that reaches past it is clamped", () =>
    Effect.gen(function*() {
      const store = yield* Direct.make({ root: yield* directory })
      yield* store.put("a", NodeCrypto.randomBytes(5000))
      const error = yield* Effect.flip(store.getRange("a", { offset: 5000, length: 1 }))
      assert.strictEqual(error.reason._tag, "RangeNotSatisfiable")
      assert.strictEqual((yield* store.getRange("a", { offset: 4999, length: 10_000 })).length, 1)
    }))

  it.effect("shares a directory with programs that use the page cache", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const store = yield* Direct.make({ root, durability: "none" })
      for (let i = 0; i < 10; i++) {
        const body = NodeCrypto.randomBytes(100_000 + i)
        NodeFs.writeFileSync(`${root}/a`, body)
        same(yield* store.get("a"), body, "written by another program")
        const other = NodeCrypto.randomBytes(120_000 + i)
        yield* store.put("a", other)
        same(NodeFs.readFileSync(`${root}/a`), other, "read by another program")
      }
    }))

  it.effect("relative keys are relative to the root, or to the base", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const store = yield* Direct.make({ root })
      const result = yield* store.put("dir/a b%2F", "x")
      assert.strictEqual(result.uri, `direct://${root}/dir/a b%2F`)
      const based = yield* Direct.make({ root, base: `direct://${root}/dir/` })
      assert.strictEqual((yield* based.get("a b%2F")).length, 1)
      assert.strictEqual((yield* based.get(result.uri)).length, 1)
    }))

  it.effect("hundreds of reads and writes at once keep within the pool", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const store = yield* Direct.make({ root, durability: "none", slots: 2, slotSize: 64 * 1024 })
      const body = NodeCrypto.randomBytes(300_007)
      yield* Effect.forEach(Array.from({ length: 200 }, (_, i) => i), (i) =>
        Effect.gen(function*() {
          yield* store.put(`${i}`, body.subarray(i))
          same(yield* store.get(`${i}`), body.subarray(i), `object ${i}`)
        }), { concurrency: "unbounded" })
    }))

  it.effect("the layers read their options", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const program = Effect.gen(function*() {
        const store = yield* ObjectStore
        yield* store.put("a", "x")
        return store.capabilities.io
      })
      const environment = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ OBJECTSTORE_DIRECT_ROOT: root }))
      assert.strictEqual(yield* Effect.provide(program, Layer.provide(Direct.DirectLive, environment)), "direct")
      const configured = Direct.layerConfig({ root: Config.succeed(root), slots: Config.succeed(2) })
      assert.strictEqual(yield* Effect.provide(program, configured), "direct")
      const missing = yield* Effect.flip(
        Effect.provide(
          program,
          Layer.provide(Direct.DirectLive, ConfigProvider.layer(ConfigProvider.fromEnvRecord({})))
        )
      )
      assert.strictEqual(missing._tag, "ConfigError")
    }))
})
