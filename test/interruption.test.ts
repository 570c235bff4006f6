import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { ObjectStore } from "effect-objectstore"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { after, before, descriptors, isSame, leftovers, operations, reset, sidecars } from "./filesystem/operations.ts"
import { watchFibers } from "./support/LiveFibers.ts"
import { watchSystemCalls } from "./support/SystemCalls.ts"

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
            const calls = yield* watchSystemCalls
            yield* reset(store)
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
              yield* reset(store)
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
              assert.deepStrictEqual(leftovers(root), [], where)
              assert.isAtMost(descriptors(), baseline, where)
              assert.deepStrictEqual(yield* Stream.runCollect(store.listUploads()), [], where)
              let described = 0
              for (const info of yield* Stream.runCollect(store.list())) {
                const body = yield* store.get(info.key)
                const { attributes, metadata } = yield* store.stat(info.key)
                if (Object.keys({ ...attributes, ...metadata }).length > 0) described++
                assert.isTrue(isSame(body, before) || isSame(body, after), `${where}: ${info.key} is torn`)
              }
              assert.strictEqual(sidecars(root).length, described, where)
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
