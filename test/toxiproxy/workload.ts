import { assert } from "@effect/vitest"
import { Effect, Random, Stream } from "effect"
import type { ObjectStore, ObjectStoreError } from "effect-objectstore"
import type { Ledger } from "../support/Ledger.ts"

const bytesOf = (size: number) =>
  Effect.map(Random.nextIntBetween(1, 2 ** 31 - 1), (seed) => {
    let state = seed
    return Uint8Array.from({ length: size }, () => (state = (state * 48_271) % (2 ** 31 - 1)) & 0xff)
  })

const collect = (stream: Stream.Stream<Uint8Array, ObjectStoreError>): Effect.Effect<Uint8Array, ObjectStoreError> =>
  Effect.map(Stream.runCollect(stream), (chunks) => new Uint8Array(Buffer.concat(chunks)))

const numbered = (name: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${name}${index}`)

const inFlight = { concurrency: 6, discard: true } as const

/**
 * Every kind of operation on one store, in phases: writes, reads, changes. Between two changes of one object there is `pause`, so
 * that a request which was given up does not come after the next one: no client can prevent that.
 */
export const workload = Effect.fnUntraced(function*(
  store: ObjectStore["Service"],
  ledger: Ledger<Uint8Array>,
  options: { readonly parts: boolean; readonly partSize: number; readonly pause: number }
) {
  const { partSize, pause } = options
  const put = numbered("put/", 6)
  const create = numbered("create/", 4)
  const parts = options.parts ? numbered("parts/", 1) : []
  const large = options.parts ? ["large/0"] : []
  const made = new Map<string, Uint8Array>()
  for (const key of [...put, ...create]) made.set(key, yield* bytesOf(yield* Random.nextIntBetween(0, 90_000)))
  for (const key of [...parts, ...large]) {
    made.set(key, yield* bytesOf(partSize + (yield* Random.nextIntBetween(1, 90_000))))
  }

  yield* Effect.forEach([...parts, ...large, ...put, ...create], (key) => {
    const bytes = made.get(key)!
    const pieces = Stream.fromIterable([bytes.subarray(0, 70_000), bytes.subarray(70_000)])
    return ledger.change(
      "the write",
      key.startsWith("put/")
        ? store.put(key, bytes)
        : key.startsWith("create/")
        ? store.put(key, bytes, { mode: "create" })
        : key.startsWith("parts/")
        ? store.putMultipart(key, pieces, { partSize, concurrency: 2 })
        : store.putMultipart(key, bytes, { partSize, concurrency: 2, mode: "create" }),
      { [key]: bytes },
      key.startsWith("create/") || key.startsWith("large/")
    )
  }, inFlight)
  yield* Effect.sleep(pause)

  yield* Effect.forEach([...made.keys()], (key) =>
    Effect.all([
      ledger.look("get", key, store.get(key, { partSize: 1_000_000, concurrency: 3 })),
      ledger.look("getRange", key, store.getRange(key, { offset: 0, length: 10_000 }), (whole) =>
        whole.subarray(0, 10_000)).pipe(
          Effect.when(Effect.succeed(made.get(key)!.length > 0))
        ),
      ledger.look("stream", key, collect(store.stream(key, { partSize: 500_000, concurrency: 2 })))
    ]), inFlight)
  yield* ledger.list(store.list("put/", { pageSize: 2 }), put)

  const news = yield* bytesOf(50_000)
  const certain = (key: string): boolean => ledger.certain(key) !== undefined
  const source = put.filter(certain)
  yield* Effect.all([
    ...source.slice(0, 1).map((key) => ledger.change("the overwrite", store.put(key, news), { [key]: news })),
    ...source.slice(1, 2).map((key) => ledger.change("the delete", store.delete(key), { [key]: undefined })),
    ...source.slice(2, 4).map((key) =>
      ledger.change("the copy", store.copy(key, `copy/${key}`), { [`copy/${key}`]: made.get(key) })
    ),
    ...create.filter(certain).slice(0, 1).map((key) =>
      ledger.change("the rename", store.rename(key, `moved/${key}`), {
        [`moved/${key}`]: made.get(key),
        [key]: undefined
      })
    ),
    Effect.gen(function*() {
      const keys = [...source.slice(4), "never/0"]
      const results = yield* Effect.result(Stream.runCollect(store.deleteMany(keys)))
      if (results._tag === "Failure") return yield* ledger.run("the delete of many", results.failure)
      assert.strictEqual(results.success.length, keys.length, "results of the delete of many")
      for (const { error, key } of results.success) {
        yield* ledger.change("the delete of many", error ?? Effect.void, { [key]: undefined })
      }
    })
  ], { concurrency: "unbounded", discard: true })
  yield* Effect.sleep(pause)
})
