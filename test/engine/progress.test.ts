import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import type { ObjectStoreOperations, Progress } from "effect-objectstore"
import * as File from "effect-objectstore/layers/File"
import * as Memory from "effect-objectstore/layers/Memory"
import { temporaryDirectory } from "../filesystem/TempDirectory.ts"

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 31) % 251)

const limits = { requests: 1, memory: 1000 }

const stores = {
  memory: Memory.make(limits),
  file: Effect.flatMap(temporaryDirectory, (root) => File.make({ ...limits, root }))
}

type Told = (progress: Progress) => Effect.Effect<void>

/** Every way to be told how far a transfer is. */
const transfers = {
  get: (store, onProgress) => store.get("a", { partSize: 100, onProgress }),
  getInto: (store, onProgress) => store.getInto("a", new Uint8Array(1000), { partSize: 100, onProgress }),
  getRanges: (store, onProgress) => store.getRanges("a", [{ offset: 0, length: 9 }], { onProgress }),
  stream: (store, onProgress) => Stream.runDrain(store.stream("a", { partSize: 100, onProgress })),
  reader: (store, onProgress) =>
    Effect.scoped(Effect.flatMap(store.open("a"), (reader) => reader.read(undefined, { partSize: 100, onProgress }))),
  put: (store, onProgress) => store.put("b", bytes(1000), { onProgress }),
  "put of a stream": (store, onProgress) => store.put("b", Stream.make(bytes(1000)), { onProgress })
} satisfies Record<string, (store: ObjectStoreOperations, onProgress: Told) => Effect.Effect<unknown, unknown>>

for (const [name, make] of Object.entries(stores)) {
  describe(`progress of a transfer (${name})`, () => {
    for (const [what, transfer] of Object.entries(transfers)) {
      it.live(`may itself ask the store that makes one request at a time: ${what}`, () =>
        Effect.gen(function*() {
          const store = yield* make
          yield* store.put("a", bytes(1000))
          const told: Array<Progress> = []
          const done = yield* Effect.timeoutOption(
            transfer(store, (progress) =>
              Effect.map(Effect.orDie(store.exists("a")), () => {
                told.push(progress)
              })),
            "10 seconds"
          )
          assert.strictEqual(done._tag, "Some", "it waits for itself")
          assert.isNotEmpty(told)
          assert.deepStrictEqual(told, told.toSorted((one, other) => one.bytes - other.bytes))
          assert.strictEqual(told.at(-1)?.bytes, what === "getRanges" ? 9 : 1000)
        }))

      it.live(`ends it as the defect that it ends with, and leaves nothing taken: ${what}`, () =>
        Effect.gen(function*() {
          const store = yield* make
          yield* store.put("a", bytes(1000))
          const exit = yield* Effect.exit(transfer(store, () => Effect.die("boom")))
          assert.isTrue(Exit.hasDies(exit))
          assert.isTrue(yield* store.exists("a"))
        }))
    }
  })
}
