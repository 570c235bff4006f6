import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, compress, fromBackend, makeError, type ObjectStoreError } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"

const base = "mem://memory/"

const denied: Effect.Effect<never, ObjectStoreError> = Effect.fail(
  makeError("PermissionDenied", { operation: "test", backend: "memory" })
)

/** A store that compresses, over a backend some of whose primitives are refused. */
const setUp = Effect.fnUntraced(function*(wrap: (backend: Backend) => Partial<Backend>) {
  const memory = yield* makeBackend()
  const make = (backend: Backend) => Effect.map(fromBackend(backend, { base }), compress())
  return { plain: yield* make(memory), store: yield* make({ ...memory, ...wrap(memory) }) }
})

describe("errors of a store that compresses", () => {
  it.effect("name a prefix as the program did, also one that ends as what is stored does", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp(() => ({ listPage: () => denied, listUploads: () => denied }))
      const asked = {
        list: Stream.runDrain(store.list("a.zst")),
        listDirectory: Stream.runDrain(store.listDirectory("a.zst")),
        listUploads: Stream.runDrain(store.listUploads("a.zst")),
        deletePrefix: store.deletePrefix("a.zst")
      }
      for (const [name, one] of Object.entries(asked)) {
        const error = yield* Effect.flip(one)
        assert.strictEqual(error.uri, `${base}a.zst`, name)
      }
    }))

  it.effect("name an object of a listing as the program does", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp((memory) => ({
        head: () => denied,
        listPage: (request) =>
          Effect.map(memory.listPage(request), (page) => ({
            ...page,
            objects: page.objects.map((object) => ({ ...object, metadata: {} }))
          }))
      }))
      yield* plain.put("a", "hello")
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(store.list()))).uri, `${base}a`)
    }))

  it.effect("name what could not be removed as the program does, in every word", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp(() => ({ deleteBatch: () => denied }))
      yield* plain.put("a", "hello")
      const error = yield* Effect.flip(store.deletePrefix("a"))
      assert(error.reason._tag === "PartialFailure")
      assert.strictEqual(error.reason.failures?.[0]?.uri, `${base}a`)
      assert.notInclude(JSON.stringify(error), "a.zst")
    }))
})
