import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { makeError } from "effect-objectstore"
import * as Memory from "effect-objectstore/layers/Memory"
import { notLoaded } from "../../layers/universal/errors.ts"
import { makeRouter, type Opener, type Openers } from "../../layers/universal/stores.ts"

const at = "mem://memory/a"

/** A router whose stores are all opened in one way. */
const routerOf = (opener: Opener, scope?: Scope.Scope) => {
  const openers: Openers = { azure: opener, direct: opener, file: opener, gcs: opener, memory: opener, s3: opener }
  const router = makeRouter(openers, {})
  return scope === undefined ? router : Scope.provide(router, scope)
}

const opened = Effect.map(Memory.makeBackend(), (backend) => ({ backend, options: {} }))

describe("a store of a universal store", () => {
  it.effect("is opened once, however many ask for it at a time", () =>
    Effect.gen(function*() {
      let times = 0
      const gate = yield* Deferred.make<void>()
      const router = yield* routerOf(() =>
        Effect.suspend(() => {
          times++
          return Effect.andThen(Deferred.await(gate), opened)
        })
      )
      const fiber = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 64 }), () => router.storeOf(at), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Deferred.succeed(gate, undefined)
      const stores = yield* Fiber.join(fiber)
      assert.strictEqual(new Set(stores).size, 1)
      assert.strictEqual(yield* router.storeOf("mem://another/b"), stores[0])
      assert.strictEqual(times, 1)
    }))

  it.effect("is opened once an account on Azure, by both forms of its locations", () =>
    Effect.gen(function*() {
      const accounts: Array<string> = []
      const router = yield* routerOf((account) => {
        accounts.push(account)
        return opened
      })
      const one = yield* router.storeOf("az://one/container/a")
      assert.strictEqual(yield* router.storeOf("https://one.blob.core.windows.net/container/b"), one)
      assert.notStrictEqual(yield* router.storeOf("az://two/container/a"), one)
      assert.strictEqual(yield* router.storeOf("gs://bucket/a"), yield* router.storeOf("gcs://other/a"))
      assert.deepStrictEqual(accounts, ["one", "two", ""])
    }))

  it.effect("is opened for the others when the one who asked first is interrupted", () =>
    Effect.gen(function*() {
      let times = 0
      const gate = yield* Deferred.make<void>()
      const router = yield* routerOf(() =>
        Effect.suspend(() => {
          times++
          return Effect.andThen(Deferred.await(gate), opened)
        })
      )
      const first = yield* Effect.forkChild(router.storeOf(at), { startImmediately: true })
      const second = yield* Effect.forkChild(router.storeOf(at), { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      assert.isTrue(yield* (yield* Fiber.join(second)).exists(at).pipe(Effect.map((there) => !there)))
      assert.strictEqual(times, 1)
    }))

  it.effect("is tried again after an opening that failed, whose resources are released at once", () =>
    Effect.gen(function*() {
      let times = 0
      let released = 0
      const router = yield* routerOf(() =>
        Effect.gen(function*() {
          times++
          yield* Effect.addFinalizer(() => Effect.sync(() => released++))
          yield* Effect.yieldNow
          if (times === 1) return yield* makeError("Unavailable", { operation: "open", backend: "memory" })
          return yield* opened
        })
      )
      const results = yield* Effect.forEach([1, 2], () => Effect.exit(router.storeOf(at)), { concurrency: 2 })
      assert.deepStrictEqual(results.map(Exit.isSuccess), [false, false])
      assert.deepStrictEqual([times, released], [1, 1])
      yield* router.storeOf(at)
      assert.deepStrictEqual([times, released], [2, 1])
    }))

  it.effect("closes with the scope, after which nothing is opened", () =>
    Effect.gen(function*() {
      let released = 0
      const scope = yield* Scope.make()
      const router = yield* routerOf(
        () => Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => released++)), opened),
        scope
      )
      yield* router.storeOf(at)
      assert.strictEqual(released, 0)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(released, 1)
      const error = yield* Effect.flip(router.storeOf("s3://bucket/a"))
      assert.strictEqual(error.message, "InvalidRequest: open: the store's scope has closed")
    }))

  it.effect("that is still opening when the scope closes is not waited for in vain", () =>
    Effect.gen(function*() {
      let released = 0
      const scope = yield* Scope.make()
      const router = yield* routerOf(
        () => Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => released++)), Effect.never),
        scope
      )
      const user = yield* Effect.forkChild(router.storeOf(at), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(user)))
      assert.strictEqual(released, 1)
    }))
})

describe("a layer that cannot be loaded", () => {
  it("is Configuration, which names the package that is missing", () => {
    const cause = new Error("Cannot find package '@aws-sdk/client-s3' imported from /somewhere/S3.js\nmore")
    const error = notLoaded("s3", cause)
    assert.strictEqual(
      error.message,
      "Configuration: open: the layer of s3:// needs the package @aws-sdk/client-s3; install it beside effect-objectstore"
    )
    assert.strictEqual(
      notLoaded("s3", new Error("broken\nmore")).message,
      "Configuration: open: the layer of s3:// cannot be loaded: broken"
    )
  })
})
