import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { ObjectStore } from "effect-objectstore"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { watchFibers } from "./support/LiveFibers.ts"
import { watchSystemCalls } from "./support/SystemCalls.ts"

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed) % 251)

const before = bytes(20_000, 1)
const after = bytes(30_000, 2)
const parts = { partSize: 8_000, concurrency: 3 }

type Store = ObjectStore["Service"]

/** What is done, and which keys it may leave new. */
const operations: Record<string, (store: Store) => Effect.Effect<unknown, unknown>> = {
  "put of a new key": (store) => store.put("d/new", after),
  "put over a key": (store) => store.put("d/old", after, { metadata: { a: "b" } }),
  "put that creates": (store) => store.put("d/e/new", after, { mode: "create" }),
  "put that updates": (store) =>
    Effect.flatMap(store.stat("d/old"), ({ etag }) => store.put("d/old", after, { mode: { update: etag! } })),
  "putMultipart of bytes": (store) => store.putMultipart("d/old", after, parts),
  "putMultipart of a stream": (store) =>
    store.putMultipart("d/new", Stream.fromArray([after.subarray(0, 9_000), after.subarray(9_000)]), {
      ...parts,
      attributes: { contentType: "text/plain" }
    }),
  get: (store) => store.get("d/old", parts),
  stream: (store) => Stream.runDrain(store.stream("d/old", parts)),
  list: (store) => Stream.runDrain(store.list("", { pageSize: 2 })),
  listDirectory: (store) => Stream.runDrain(store.listDirectory("d/")),
  copy: (store) => store.copy("d/old", "f/new"),
  "copy that creates": (store) => store.copy("d/old", "d/new", { mode: "create" }),
  rename: (store) => store.rename("d/old", "f/new"),
  delete: (store) => store.delete("d/old"),
  deletePrefix: (store) => store.deletePrefix("d/")
}

const descriptors = (): number => fs.readdirSync("/proc/self/fd").length

const ownFiles = (root: string): ReadonlyArray<string> =>
  fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(".objectstore~"))

const isSidecar = (name: string): boolean => name.includes(".objectstore~meta~")

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

const stores: Record<string, (root: string) => Layer.Layer<ObjectStore, unknown>> = {
  file: (root) => File.layer({ root }),
  direct: (root) => Direct.layer({ root, fallback: "buffered" })
}

for (const [name, layer] of Object.entries(stores)) {
  describe(`interruption (${name})`, () => {
    for (const [what, run] of Object.entries(operations)) {
      it.live(`at every await of ${what} leaves nothing behind`, () =>
        watchFibers((fibers) =>
          Effect.gen(function*() {
            const root = fs.mkdtempSync(path.join(os.tmpdir(), "interrupt-"))
            yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(root, { recursive: true, force: true })))
            const scope = yield* Scope.make()
            const context = yield* Scope.provide(Layer.build(layer(root)), scope)
            const store = yield* Effect.provideContext(ObjectStore, context)
            const reset = Effect.gen(function*() {
              yield* store.deletePrefix("", { all: true })
              yield* store.put("d/old", before, { metadata: { version: "1" } })
              yield* store.put("d/other", before)
              yield* store.put("g", before)
            })
            const calls = yield* watchSystemCalls
            yield* reset
            calls.count = 0
            const alone = fibers.live
            yield* Effect.forkChild(run(store)).pipe(Effect.flatMap(Fiber.join))
            const total = calls.count
            assert.isAbove(total, 0)
            assert.strictEqual(fibers.live, alone)
            assert.isAbove(fibers.begun, 0)
            const baseline = descriptors()
            let interrupted = 0
            for (let at = 1; at <= total + 1; at += 0.5) {
              yield* reset
              calls.count = 0
              const fiber = yield* Effect.forkChild(run(store))
              assert.strictEqual(fibers.live, alone + 1)
              calls.onCall = (call) => {
                if (call === at) fiber.interruptUnsafe()
              }
              const exit = yield* Fiber.await(fiber)
              calls.onCall = () => {}
              if (Exit.hasInterrupts(exit)) interrupted++
              const where = `interrupted at ${at} of ${total}`
              assert.strictEqual(fibers.live, alone, where)
              assert.isTrue(Exit.isSuccess(exit) || Exit.hasInterrupts(exit), `${where}: ${JSON.stringify(exit)}`)
              assert.deepStrictEqual(ownFiles(root).filter((name) => !isSidecar(name)), [], where)
              assert.isAtMost(descriptors(), baseline, where)
              assert.deepStrictEqual(yield* Stream.runCollect(store.listUploads()), [], where)
              let described = 0
              for (const info of yield* Stream.runCollect(store.list())) {
                const body = yield* store.get(info.key)
                const { attributes, metadata } = yield* store.stat(info.key)
                if (Object.keys({ ...attributes, ...metadata }).length > 0) described++
                assert.isTrue(same(body, before) || same(body, after), `${where}: ${info.key} is torn`)
              }
              assert.strictEqual(ownFiles(root).filter(isSidecar).length, described, where)
            }
            assert.isAbove(interrupted, total)
            yield* Scope.close(scope, Exit.void)
            assert.isBelow(descriptors(), baseline + 1)
            assert.strictEqual(fibers.live, 0)
          })
        ), { timeout: 120_000 })
    }
  })
}
