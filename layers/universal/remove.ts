/**
 * Removal of keys of several stores: one result a key, none lost.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { DeleteResult } from "../../src/ObjectInfo.ts"
import type { ObjectStore } from "../../src/ObjectStore.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { At, DeleteManyOptions } from "../../src/ObjectStoreOptions.ts"
import { type Keys, streamOfKeys } from "../../src/removal.ts"
import { backendName } from "./errors.ts"
import { explain, type Router } from "./stores.ts"

const operation = "deleteMany"

/** Keys that are sorted by store at a time: enough for full batches of every store. */
const groupSize = 4000

const defaultConcurrency = 4

/** Removes many objects. */
export const deleteMany = (
  router: Router,
  keys: Keys,
  options: DeleteManyOptions | undefined
): Stream.Stream<DeleteResult, ObjectStoreError> => {
  const concurrency = options?.concurrency ?? defaultConcurrency
  if (!(Number.isSafeInteger(concurrency) && concurrency > 0)) {
    return Stream.fail(makeError("InvalidRequest", {
      operation,
      backend: backendName,
      description: `concurrency ${String(concurrency)} is not a positive integer`,
      outcome: "not-applied"
    }))
  }
  return streamOfKeys(backendName, keys).pipe(
    Stream.grouped(groupSize),
    Stream.mapEffect((group) => removeGroup(router, group, { ...options, concurrency })),
    Stream.flattenIterable
  )
}

const removeGroup = Effect.fnUntraced(
  function*(router: Router, keys: ReadonlyArray<At>, options: DeleteManyOptions & { readonly concurrency: number }) {
    const results: Array<DeleteResult> = []
    const byStore = new Map<ObjectStore["Service"], Array<At>>()
    for (const at of keys) {
      const store = yield* Effect.result(router.storeOf(at))
      if (Result.isFailure(store)) {
        const text = String(at)
        results.push({ uri: text, key: text, error: explain(store.failure, operation, at, true) })
        continue
      }
      const known = byStore.get(store.success)
      if (known === undefined) byStore.set(store.success, [at])
      else known.push(at)
    }
    const removed = yield* Effect.forEach(
      byStore,
      ([store, own]) => Stream.runCollect(store.deleteMany(own, options)),
      { concurrency: options.concurrency }
    )
    return [...results, ...removed.flat()]
  }
)
