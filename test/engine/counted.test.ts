import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, fromBackend, type ObjectStoreError, type ObjectStoreOperations } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { inTime } from "./inTime.ts"

const base = "mem://memory/"

/** A store whose answers are changed; `plain` is the same objects as they are. */
const setUp = Effect.fnUntraced(function*(change: (memory: Backend) => Partial<Backend>) {
  const memory = yield* makeBackend({ capabilities: { maxCopySize: 2, multipart: { minPartSize: 2 } } })
  const plain = yield* fromBackend(memory, { base })
  return { plain, store: yield* fromBackend({ ...memory, ...change(memory) }, { base }) }
})

/** Adds to what a store says that it counted. */
const more = <A extends { readonly size: number }>(
  bytes: number,
  answer: Effect.Effect<A, ObjectStoreError>
): Effect.Effect<A, ObjectStoreError> => Effect.map(answer, (one) => ({ ...one, size: one.size + bytes }))

const told = (effect: Effect.Effect<unknown, ObjectStoreError>) =>
  Effect.map(Effect.flip(inTime(effect)), (error) => [error.reason._tag, error.outcome])

const parts = { partSize: 2 }
const stream = Stream.make(new TextEncoder().encode("hello"))

const inParts: ReadonlyArray<
  readonly [name: string, run: (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError>]
> = [
  ["bytes", (store) => store.putMultipart("a", "hello", parts)],
  ["a stream", (store) => store.put("a", stream, parts)],
  ["a copy", (store) => store.copy("from", "a")]
]

describe("a store that counts other bytes than were sent", () => {
  for (const wrong of [-1, 1]) {
    it.effect(`fails a write, which stands: ${wrong}`, () =>
      Effect.gen(function*() {
        const { plain, store } = yield* setUp((memory) => ({
          write: (at, body, options) => more(wrong, memory.write(at, body, options))
        }))
        for (
          const run of [store.put("a", "hello"), store.put("a", stream), store.put("a", "hello", { mode: "create" })]
        ) {
          yield* plain.delete("a")
          assert.deepStrictEqual(yield* told(run), ["IntegrityFailed", "applied"])
        }
      }))

    for (const [name, run] of inParts) {
      it.effect(`fails the completion of ${name}, which stands: ${wrong}`, () =>
        Effect.gen(function*() {
          const { plain, store } = yield* setUp((memory) => ({
            completeUpload: (upload, request) => more(wrong, memory.completeUpload(upload, request))
          }))
          yield* plain.put("from", "hello")
          assert.deepStrictEqual(yield* told(run(store)), ["IntegrityFailed", "applied"])
          assert.isTrue(yield* plain.exists("a"))
        }))

      it.effect(`fails a part of ${name}, and nothing is published: ${wrong}`, () =>
        Effect.gen(function*() {
          const { plain, store } = yield* setUp((memory) => ({
            uploadPart: (upload, part) => more(wrong, memory.uploadPart(upload, part)),
            copyPart: (upload, part) => more(wrong, memory.copyPart!(upload, part)),
            // Nobody below compares them.
            completeUpload: (upload, { parts, size }) =>
              memory.completeUpload(upload, {
                parts: parts.map((part) => ({ ...part, size: part.size - wrong })),
                size
              })
          }))
          yield* plain.put("from", "hello")
          assert.deepStrictEqual(yield* told(run(store)), ["IntegrityFailed", "not-applied"])
          assert.isFalse(yield* plain.exists("a"))
          assert.deepStrictEqual(yield* Stream.runCollect(plain.listUploads()), [])
        }))
    }
  }
})

describe("a store that answers for other keys than were sent", () => {
  for (const [what, answers] of [["one less", -1], ["one more", 1]] as const) {
    it.effect(`is not believed: ${what}`, () =>
      Effect.gen(function*() {
        const { plain, store } = yield* setUp((memory) => ({
          deleteBatch: (container, entries) =>
            Effect.map(
              memory.deleteBatch(container, entries),
              (all) => answers < 0 ? all.slice(1) : [undefined, ...all]
            )
        }))
        yield* plain.put("a", "x")
        assert.deepStrictEqual(yield* told(store.delete("a")), ["ProtocolViolation", "unknown"])
        const results = yield* inTime(Stream.runCollect(store.deleteMany(["a", "b"])))
        assert.deepStrictEqual(
          results.map(({ error, key }) => [key, error?.reason._tag, error?.outcome]),
          ["a", "b"].map((key) => [key, "ProtocolViolation", "unknown"])
        )
      }))
  }
})
