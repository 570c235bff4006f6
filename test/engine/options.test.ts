import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { isObjectStoreError, ObjectStore } from "effect-objectstore"
import * as Memory from "effect-objectstore/layers/Memory"

type Store = ObjectStore["Service"]

/** Operations with options as a program without types may give them. */
const operations: Record<string, (store: Store, options: never) => Effect.Effect<unknown, unknown>> = {
  copy: (store, options) => store.copy("a", "b", options),
  createContainer: (store, options) => store.createContainer("new", options),
  delete: (store, options) => store.delete("a", options),
  deleteMany: (store, options) => Stream.runDrain(store.deleteMany(["a"], options)),
  deletePrefix: (store, options) => store.deletePrefix("a", options),
  exists: (store, options) => store.exists("a", options),
  get: (store, options) => store.get("a", options),
  getInto: (store, options) => store.getInto("a", new Uint8Array(10), options),
  getRange: (store, options) => store.getRange("a", { offset: 0 }, options),
  getRanges: (store, options) => store.getRanges("a", [{ offset: 0 }], options),
  list: (store, options) => Stream.runDrain(store.list("", options)),
  listContainers: (store, options) => Stream.runDrain(store.listContainers(options)),
  listDirectory: (store, options) => Stream.runDrain(store.listDirectory("", options)),
  open: (store, options) => Effect.scoped(store.open("a", options)),
  put: (store, options) => store.put("a", "new", options),
  putMultipart: (store, options) => store.putMultipart("a", "new", options),
  rename: (store, options) => store.rename("a", "b", options),
  sink: (store, options) => Stream.run(Stream.make(new Uint8Array(1)), store.sink("a", options)),
  stat: (store, options) => store.stat("a", options),
  stream: (store, options) => Stream.runDrain(store.stream("a", options)),
  writer: (store, options) => Effect.scoped(Effect.flatMap(store.writer("a", options), ({ finish }) => finish))
}

const refused = Effect.fnUntraced(function*(what: string, run: (store: Store) => Effect.Effect<unknown, unknown>) {
  const store = yield* ObjectStore
  yield* store.put("a", "bytes")
  const result = yield* Effect.result(run(store))
  assert.isTrue(Result.isFailure(result), `${what} succeeded`)
  const error = Result.isFailure(result) ? result.failure : undefined
  assert.isTrue(isObjectStoreError(error), what)
  if (!isObjectStoreError(error)) return ""
  assert.strictEqual(error.reason._tag, "InvalidRequest", what)
  assert.notInclude(error.message, "\n")
  assert.deepStrictEqual((yield* Stream.runCollect(store.list())).map(({ key, size }) => [key, size]), [["a", 5]])
  return error.message
}, Effect.provide(Memory.layer()))

describe("options that are none", () => {
  it.effect.each(Object.entries(operations))(
    "%s refuses an option that does not exist, and names it",
    ([name, run]) =>
      Effect.gen(function*() {
        assert.include(yield* refused(name, (store) => run(store, { nonsense: 1 } as never)), "\"nonsense\"")
      })
  )

  it.effect.each(Object.entries(operations))(
    "%s refuses options that are no object",
    ([name, run]) =>
      Effect.gen(function*() {
        for (const options of [null, 5, "text"]) yield* refused(name, (store) => run(store, options as never))
      })
  )

  it.effect("ranges that are missing or ambiguous are not the whole object", () =>
    Effect.gen(function*() {
      for (const range of [undefined, null, {}, { offset: 0, suffix: 1 }, { suffix: 1, length: 1 }]) {
        yield* refused(JSON.stringify(range), (store) => store.getRange("a", range as never))
      }
      for (const ranges of [undefined, null, 5, {}]) {
        yield* refused(String(ranges), (store) => store.getRanges("a", ranges as never))
      }
    }))

  it.effect("values of another type are refused", () =>
    Effect.gen(function*() {
      yield* refused("startAfter", (store) => Stream.runDrain(store.list("", { startAfter: 5 as never })))
      yield* refused("all", (store) => store.deletePrefix("", { all: "yes" as never }))
    }))
})
