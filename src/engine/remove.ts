/**
 * Removal of one object, of many, and of all below a prefix.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { DeleteResult, DeleteSummary } from "../ObjectInfo.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { At, DeleteManyOptions, DeleteOptions, DeletePrefixOptions } from "../ObjectStoreOptions.ts"
import { type Keys, removeFound, streamOfKeys, wrongPrefixRemoval } from "../removal.ts"
import { type Engine, onObject, request } from "./engine.ts"
import { explainStream, list } from "./list.ts"
import { deleteBatch, deleteOnce } from "./removeBatch.ts"
import type { Place } from "./resolve.ts"
import { checkEtag, checkOptions, checkPositive, invalid, unsupported } from "./validate.ts"
import { findDelete } from "./verify.ts"

/** Removes one object. */
export const remove = (
  engine: Engine,
  at: At,
  options: DeleteOptions | undefined
): Effect.Effect<void, ObjectStoreError> =>
  onObject(engine, "delete", at, true, (place) => {
    const ifMatch = options?.ifMatch
    const wrong = checkOptions(engine.subject, "delete", options) ??
      checkEtag(engine.subject, ifMatch) ??
      (ifMatch !== undefined && !engine.backend.capabilities.conditionalDelete
        ? unsupported(engine.subject, "conditionalDelete")
        : undefined)
    return wrong === undefined ? deleteAt(engine, place, ifMatch) : Effect.fail(wrong)
  })

/** Removes an object at a resolved place. */
export const deleteAt = (
  engine: Engine,
  place: { readonly container: string; readonly key: string },
  ifMatch: string | undefined
): Effect.Effect<void, ObjectStoreError> =>
  request(
    engine,
    ifMatch === undefined ? "delete" : "conditional",
    Effect.flatMap(
      deleteOnce(engine, place.container, [{ key: place.key, ifMatch }]),
      ([error]) => error === undefined ? Effect.void : Effect.fail(error)
    ),
    ifMatch === undefined ? undefined : { verify: findDelete(engine, place, ifMatch) }
  )

const defaultConcurrency = 4

/** Removes many objects: one result a key, none lost. */
export const removeMany = (
  engine: Engine,
  keys: Keys,
  options: DeleteManyOptions | undefined
): Stream.Stream<DeleteResult, ObjectStoreError> => {
  const explain = explainStream(engine, "deleteMany", undefined, true)
  const wrong = checkOptions(engine.subject, "deleteMany", options) ??
    checkPositive(engine.subject, "concurrency", options?.concurrency)
  if (wrong !== undefined) return explain(Stream.fail(wrong))
  const size = engine.backend.capabilities.maxDeleteBatch
  const concurrency = Math.min(options?.concurrency ?? defaultConcurrency, engine.requests.capacity)
  return explain(
    streamOfKeys(engine.backend.name, keys).pipe(
      // As many keys as are removed at a time.
      Stream.grouped(Math.max(size * concurrency, 64)),
      Stream.mapEffect((group) => {
        const { batches, refused } = plan(engine, group, size)
        return Effect.map(
          Effect.forEach(batches, (batch) => deleteBatch(engine, batch), { concurrency }),
          (done) => [...refused, ...done.flat()]
        )
      }),
      Stream.flattenIterable
    )
  )
}

/** Cuts keys into batches of one container each; keys that no backend is asked for have their result already. */
const plan = (engine: Engine, keys: ReadonlyArray<At>, size: number) => {
  const refused: Array<DeleteResult> = []
  const byContainer = new Map<string, Array<Place>>()
  for (const at of keys) {
    const resolved = engine.resolver.object(at)
    if (Result.isFailure(resolved)) {
      const text = String(at)
      refused.push({
        uri: text,
        key: text,
        error: engine.observer.explain(resolved.failure, "deleteMany", undefined, true)
      })
      continue
    }
    const { container } = resolved.success
    const places = byContainer.get(container)
    if (places === undefined) byContainer.set(container, [resolved.success])
    else places.push(resolved.success)
  }
  const batches: Array<ReadonlyArray<Place>> = []
  for (const places of byContainer.values()) {
    for (let start = 0; start < places.length; start += size) batches.push(places.slice(start, start + size))
  }
  return { batches, refused }
}

/** Removes all objects below a string prefix. */
export const removePrefix = (
  engine: Engine,
  prefix: At,
  options: DeletePrefixOptions | undefined
): Effect.Effect<DeleteSummary, ObjectStoreError> =>
  Effect.suspend(() => {
    const resolved = engine.resolver.place(prefix)
    const observed = <A>(uri: string | undefined, effect: Effect.Effect<A, ObjectStoreError>) =>
      engine.observer.operation("deletePrefix", uri, true, effect)
    if (Result.isFailure(resolved)) return observed(undefined, Effect.fail(resolved.failure))
    const place = resolved.success
    const uri = place.names.uri(place.key)
    const wrong = wrongPrefixRemoval(options, place.empty)
    if (wrong !== undefined) return observed(uri, Effect.fail(invalid(engine.subject, wrong)))
    const found = Stream.map(list(engine, "deletePrefix", prefix, undefined), ({ uri }) => uri)
    return observed(
      uri,
      removeFound(engine.backend.name, found, (uris) => removeMany(engine, uris, { concurrency: options?.concurrency }))
    )
  })
