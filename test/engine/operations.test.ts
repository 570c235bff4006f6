import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, fromBackend, type ObjectStoreError } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { recording } from "./RecordingBackend.ts"

const base = "mem://memory/"

describe("operations of the engine", () => {
  for (const operation of ["copy", "rename"] as const) {
    it.effect(`name the source that is missing, not the target: ${operation}`, () =>
      Effect.gen(function*() {
        const store = yield* fromBackend(yield* makeBackend(), { base })
        const error = yield* Effect.flip(store[operation]("from", "to"))
        assert.strictEqual(error.reason._tag, "NotFound")
        assert.strictEqual(error.uri, `${base}from`)
        assert.strictEqual(error.outcome, "not-applied")
      }))
  }

  it.effect("remove as many batches at a time as were asked for, each as large as the backend takes", () =>
    Effect.gen(function*() {
      const { backend, calls, running } = recording(yield* makeBackend({ capabilities: { maxDeleteBatch: 100 } }))
      const store = yield* fromBackend(backend, { base })
      const keys = Array.from({ length: 1000 }, (_, i) => `a/${i}`)
      const results = yield* Stream.runCollect(store.deleteMany(keys, { concurrency: 3 }))
      assert.deepStrictEqual(new Set(results.map(({ key }) => key)), new Set(keys))
      assert.deepStrictEqual(calls.map(({ detail }) => detail), Array.from({ length: 10 }, () => 100))
      assert.strictEqual(running.most, 3)
    }))

  it.effect("refuse an option that does not exist, before anything is touched", () =>
    Effect.gen(function*() {
      const { backend, names } = recording(yield* makeBackend())
      const store = yield* fromBackend(backend, { base })
      const wrong: ReadonlyArray<Effect.Effect<unknown, ObjectStoreError>> = [
        store.put("a", "x", { moode: "create" } as never),
        store.putMultipart("a", "x", { partsize: 1 } as never),
        store.get("a", { ifmatch: "x" } as never)
      ]
      for (const one of wrong) {
        const error = yield* Effect.flip(one)
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.match(error.message, /there is no option "/)
      }
      assert.deepStrictEqual(names(), [])
    }))

  it.effect("refuse a time of a condition that is no DateTime, before anything is read", () =>
    Effect.gen(function*() {
      const { backend, names } = recording(yield* makeBackend())
      const store = yield* fromBackend(backend, { base })
      for (const name of ["ifModifiedSince", "ifUnmodifiedSince"]) {
        const error = yield* Effect.flip(store.get("a", { [name]: "yesterday" } as never))
        assert.strictEqual(error.message, `InvalidRequest: get ${base}a: ${name} is no DateTime`)
      }
      assert.deepStrictEqual(names(), [])
    }))

  it.effect("tell a sink's failure as one of the sink", () =>
    Effect.gen(function*() {
      const store = yield* fromBackend(yield* makeBackend(), { base })
      yield* store.put("a", "old")
      const written = Stream.run(Stream.make(new Uint8Array(1)), store.sink("a", { mode: "create" }))
      const error = yield* Effect.flip(written)
      assert.strictEqual(error.reason._tag, "AlreadyExists")
      assert.strictEqual(error.operation, "sink")
    }))

  it.effect("fail with LimitExceeded where a part of a stream does not fit into memory", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend()
      const huge: Backend = {
        ...memory,
        read: (at, request) =>
          Effect.map(
            memory.read(at, request),
            (reply) => ({ ...reply, length: 2 ** 52, stat: { ...reply.stat, size: 2 ** 52 } })
          )
      }
      const store = yield* fromBackend(huge, { base })
      yield* store.put("a", "x")
      const error = yield* Effect.flip(Stream.runDrain(store.stream("a", { partSize: 2 ** 52 })))
      assert.strictEqual(error.reason._tag, "LimitExceeded")
    }))
})

describe("a copy of a source that changes meanwhile", () => {
  const setUp = Effect.fnUntraced(function*(change: "copy" | "copyPart", size: number) {
    const memory = yield* makeBackend({ capabilities: { maxCopySize: 10, multipart: { minPartSize: 5 } } })
    const plain = yield* fromBackend(memory, { base })
    let changes = 0
    const grow = Effect.suspend(() => changes++ === 0 ? Effect.orDie(plain.put("from", "x".repeat(25))) : Effect.void)
    const store = yield* fromBackend({
      ...memory,
      copy: (from, to, options) =>
        Effect.andThen(change === "copy" ? grow : Effect.void, memory.copy(from, to, options)),
      copyPart: (upload, part) =>
        Effect.andThen(change === "copyPart" ? grow : Effect.void, memory.copyPart!(upload, part))
    }, { base })
    yield* plain.put("from", "y".repeat(size))
    return { plain, store }
  })

  it.effect("goes in parts if the source has outgrown one request", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp("copy", 8)
      assert.strictEqual((yield* store.copy("from", "to")).size, 25)
      assert.deepStrictEqual(yield* plain.get("to"), yield* plain.get("from"))
    }))

  it.effect("is ObjectChanged between its parts, and PreconditionFailed if a version was asked for", () =>
    Effect.gen(function*() {
      const free = yield* setUp("copyPart", 30)
      const error = yield* Effect.flip(free.store.copy("from", "to"))
      assert.deepStrictEqual([error.reason._tag, error.outcome], ["ObjectChanged", "not-applied"])
      const pinned = yield* setUp("copyPart", 30)
      const { etag } = yield* pinned.plain.stat("from")
      const refused = yield* Effect.flip(pinned.store.copy("from", "to", { ifMatch: etag }))
      assert.deepStrictEqual([refused.reason._tag, refused.outcome], ["PreconditionFailed", "not-applied"])
      for (const { plain } of [free, pinned]) assert.isFalse(yield* plain.exists("to"))
    }))
})
