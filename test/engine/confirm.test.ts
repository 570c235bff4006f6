import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, fromBackend, type ObjectStat, type ObjectStoreOperations } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { recording } from "./RecordingBackend.ts"

const text = (value: string) => new TextEncoder().encode(value)

const setUp = Effect.fnUntraced(function*(change: (stat: ObjectStat) => Partial<ObjectStat> = () => ({})) {
  const memory = yield* makeBackend({ capabilities: { multipart: { minPartSize: 2 } } })
  const lying: Backend = {
    ...memory,
    head: (at, conditions) =>
      Effect.map(memory.head(at, conditions), (stat): ObjectStat => ({ ...stat, ...change(stat) }))
  }
  const { backend, names } = recording(lying)
  return { memory, names, store: yield* fromBackend(backend, { base: "mem://memory/" }) }
})

const verify = "head"
const parts = { partSize: 2, verify } as const

const writes: ReadonlyArray<readonly [name: string, write: (store: ObjectStoreOperations) => ReturnType<typeof put>]> =
  [
    ["put", (store) => put(store)],
    ["putMultipart", (store) => store.putMultipart("a", "hello", parts)],
    ["put of a stream", (store) => store.put("a", Stream.make(text("hello")), parts)],
    ["sink", (store) => Stream.run(Stream.make(text("hello")), store.sink("a", parts))],
    ["writer", (store) =>
      Effect.scoped(Effect.gen(function*() {
        const writer = yield* store.writer("a", parts)
        yield* writer.write(text("hello"))
        return yield* writer.finish
      }))]
  ]

const put = (store: ObjectStoreOperations) => store.put("a", "hello", { verify })

describe("a write that is looked at", () => {
  for (const [name, write] of writes) {
    it.effect(`costs one request, and fails if the store holds less or nothing: ${name}`, () =>
      Effect.gen(function*() {
        const right = yield* setUp()
        assert.strictEqual((yield* write(right.store)).size, 5)
        assert.deepStrictEqual(right.names().filter((call) => call === "head"), ["head"])
        const short = yield* setUp(() => ({ size: 4 }))
        const error = yield* Effect.flip(write(short.store))
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["IntegrityFailed", "applied"])
        const gone = yield* setUp()
        const removing: Backend = {
          ...gone.memory,
          head: (at, conditions) =>
            Effect.andThen(gone.memory.deleteBatch("memory", [{ key: "a" }]), gone.memory.head(at, conditions))
        }
        const missing = yield* Effect.flip(write(yield* fromBackend(removing, { base: "mem://memory/" })))
        assert.deepStrictEqual([missing.reason._tag, missing.outcome], ["IntegrityFailed", "unknown"])
      }))
  }

  it.effect("compares the checksum that the store tells with the bytes at hand", () =>
    Effect.gen(function*() {
      // Of "hello", by `openssl dgst`, `gsutil hash` and the AWS SDK.
      const known = {
        md5: "XUFAKrxLKna5cZ2REBfFkg==",
        sha256: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        crc32: "NhCmhg==",
        crc32c: "mnG7TA==",
        crc64nvme: "M3eFcAZSQlc="
      }
      for (const [name, sum] of Object.entries(known)) {
        const right = yield* setUp(() => ({ checksums: { [name]: sum } }))
        assert.strictEqual((yield* put(right.store)).verified, "checksum", name)
        const wrong = yield* setUp(() => ({ checksums: { [name]: `A${sum.slice(1)}` } }))
        assert.strictEqual((yield* Effect.flip(put(wrong.store))).reason._tag, "IntegrityFailed", name)
      }
      // The surest of several decides.
      const both = yield* setUp(() => ({ checksums: { ...known, md5: "A", crc32: "A" } }))
      assert.strictEqual((yield* put(both.store)).verified, "checksum")
    }))

  it.effect("says nothing of a version that came after it", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp(() => ({ etag: "\"another\"", size: 1 }))
      assert.strictEqual((yield* put(store)).size, 5)
    }))

  it.effect("takes no other word", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp()
      const error = yield* Effect.flip(store.put("a", "x", { verify: "HEAD" as never }))
      assert.strictEqual(error.reason._tag, "InvalidRequest")
    }))
})
