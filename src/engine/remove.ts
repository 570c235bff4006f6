/**
 * Removal of one object, of many, and of all below a prefix.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { DeleteResult, DeleteSummary } from "../ObjectInfo.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { At, DeleteManyOptions, DeleteOptions, DeletePrefixOptions } from "../ObjectStoreOptions.ts"
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
  keys: Iterable<At> | Stream.Stream<At, unknown>,
  options: DeleteManyOptions | undefined
): Stream.Stream<DeleteResult, ObjectStoreError> => {
  const explain = explainStream(engine, "deleteMany", undefined, true)
  const wrong = checkOptions(engine.subject, "deleteMany", options) ??
    checkPositive(engine.subject, "concurrency", options?.concurrency)
  if (wrong !== undefined) return explain(Stream.fail(wrong))
  const source: Stream.Stream<At, ObjectStoreError> = Stream.isStream(keys)
    ? Stream.mapError(keys, (cause) =>
      makeError("SourceFailed", {
        operation: "deleteMany",
        backend: engine.backend.name,
        description: "the stream of keys failed",
        outcome: "unknown",
        cause
      }))
    : Stream.fromIterable(keys)
  const size = engine.backend.capabilities.maxDeleteBatch
  const concurrency = Math.min(options?.concurrency ?? defaultConcurrency, engine.requests.capacity)
  return explain(source.pipe(
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
  ))
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

const maxNamedFailures = 1000

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
    const wrong = checkOptions(engine.subject, "deletePrefix", options) ??
      (options?.all === undefined || typeof options.all === "boolean"
        ? undefined
        : invalid(engine.subject, "all is not true or false"))
    if (wrong !== undefined) return observed(uri, Effect.fail(wrong))
    if (place.empty && options?.all !== true) {
      return observed(
        uri,
        Effect.fail(invalid(engine.subject, "an empty prefix removes everything; say so with { all: true }"))
      )
    }
    return observed(uri, removeListed(engine, prefix, options))
  })

const removeListed = Effect.fnUntraced(function*(
  engine: Engine,
  prefix: At,
  options: DeletePrefixOptions | undefined
) {
  let deleted = 0
  let failed = 0
  const failures: Array<{ uri: string; reason: string; message: string }> = []
  const found = Stream.map(list(engine, "deletePrefix", prefix, undefined), ({ uri }) => uri)
  yield* removeMany(engine, found, { concurrency: options?.concurrency }).pipe(
    Stream.runForEachArray((results) =>
      Effect.sync(() => {
        for (const { error, uri } of results) {
          if (error === undefined) deleted++
          else if (++failed <= maxNamedFailures) {
            failures.push({ uri, reason: error.reason._tag, message: error.message })
          }
        }
      })
    ),
    // The listing is ours: its failure is the operation's own reason.
    Effect.mapError((error) =>
      error.reason._tag === "SourceFailed" && isObjectStoreError(error.reason.cause) ? error.reason.cause : error
    )
  )
  if (failed > 0) {
    return yield* makeError("PartialFailure", {
      operation: "deletePrefix",
      backend: engine.backend.name,
      description: `${failed} of ${failed + deleted} objects could not be removed: ${failures[0]!.message}`,
      succeeded: deleted,
      failed,
      failures,
      outcome: "unknown"
    })
  }
  return { deleted }
})
