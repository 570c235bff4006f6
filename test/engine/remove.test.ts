import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, compress, fromBackend, makeError } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { inTime } from "./inTime.ts"

const base = "mem://memory/"

const stores = {
  "a store": (backend: Backend) => fromBackend(backend, { base }),
  "a store that compresses": (backend: Backend) => Effect.map(fromBackend(backend, { base }), compress())
}

/** Lists a page of so many objects, maybe of none, and then fails. */
const breaking = (backend: Backend, limit: number): Backend => ({
  ...backend,
  listPage: (request) =>
    request.cursor === undefined
      ? Effect.map(
        backend.listPage({ ...request, limit: 100 }),
        ({ objects }) => ({ objects: objects.slice(0, limit), prefixes: [], next: "next" })
      )
      : Effect.fail(makeError("PermissionDenied", { operation: "list", backend: "memory" }))
})

for (const [name, make] of Object.entries(stores)) {
  describe(`removing below a prefix from ${name}`, () => {
    it.effect("does not say that nothing was removed once something was, when the listing fails", () =>
      Effect.gen(function*() {
        const backend = yield* makeBackend({ capabilities: { maxDeleteBatch: 1 } })
        const plain = yield* make(backend)
        yield* Effect.forEach(Array.from({ length: 100 }), (_, index) => plain.put(`p/${index}`, "x"))
        const left = Effect.map(Stream.runCollect(plain.list("p/")), (found) => found.length)
        const removal = (limit: number) =>
          Effect.gen(function*() {
            const store = yield* make(breaking(backend, limit))
            const error = yield* Effect.flip(inTime(store.deletePrefix("p/")))
            assert.strictEqual(error.reason._tag, "PermissionDenied")
            assert.strictEqual(error.operation, "deletePrefix")
            return error.outcome
          })
        assert.strictEqual(yield* removal(0), "not-applied")
        assert.strictEqual(yield* left, 100)
        assert.strictEqual(yield* removal(4), "unknown")
        assert.strictEqual(yield* left, 96)
      }))
  })
}
