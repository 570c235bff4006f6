/**
 * What the removal of many objects means, whoever does it: the engine, and what stands before a store.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { DeleteResult, DeleteSummary } from "./ObjectInfo.ts"
import { isObjectStoreError, makeError, type ObjectStoreError, withContext } from "./ObjectStoreError.ts"
import type { At, DeletePrefixOptions } from "./ObjectStoreOptions.ts"
import { type OptionNames, wrongOptions } from "./optionNames.ts"
import { outcomeOf } from "./outcome.ts"

/** Keys that are to be removed, as a program gives them. */
export type Keys = Iterable<At> | Stream.Stream<At, unknown>

/** Whether these are keys. Text is none, although it can be walked through: it would be taken for one key a letter. */
export const areKeys = (keys: Keys): boolean =>
  Stream.isStream(keys) || (typeof keys !== "string" && Predicate.isIterable(keys))

/** The keys as a stream, which fails as `deleteMany` does where they cannot be had. */
export const streamOfKeys = (backend: string, keys: Keys): Stream.Stream<At, ObjectStoreError> => {
  if (Stream.isStream(keys)) {
    return Stream.mapError(keys, (cause) =>
      makeError("SourceFailed", {
        operation: "deleteMany",
        backend,
        description: "the stream of keys failed",
        outcome: "unknown",
        cause
      }))
  }
  return areKeys(keys)
    ? Stream.fromIterable(keys)
    : Stream.fail(makeError("InvalidRequest", {
      operation: "deleteMany",
      backend,
      description: "the keys are no iterable of keys and no stream; a single one is removed by delete",
      outcome: "not-applied"
    }))
}

const names: OptionNames<DeletePrefixOptions> = { all: "flag", concurrency: true }

/** What is wrong with a removal below a prefix, in one line. `isEmpty`: the prefix names no key. */
export const wrongPrefixRemoval = (options: DeletePrefixOptions | undefined, isEmpty: boolean): string | undefined => {
  const wrong = options === undefined ? undefined : wrongOptions(names, options)
  if (wrong !== undefined) return wrong
  return isEmpty && options?.all !== true ? "an empty prefix removes everything; say so with { all: true }" : undefined
}

const maxNamedFailures = 1000

/**
 * Removes what a listing finds, and sums up; `remove` is given the locations. Without a result nothing was removed, so what ends
 * the listing then has not changed anything.
 */
export const removeFound = Effect.fnUntraced(function*(
  backend: string,
  found: Stream.Stream<string, ObjectStoreError>,
  remove: (found: Stream.Stream<string, ObjectStoreError>) => Stream.Stream<DeleteResult, ObjectStoreError>
): Effect.fn.Return<DeleteSummary, ObjectStoreError> {
  const operation = "deletePrefix"
  let deleted = 0
  let failed = 0
  const failures: Array<{ uri: string; reason: string; message: string }> = []
  yield* remove(found).pipe(
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
    Effect.mapError((error) => {
      const { _tag, cause } = error.reason
      const outcome = deleted + failed > 0 ? "unknown" as const : undefined
      // The listing is ours: its failure is the operation's own reason.
      return _tag === "SourceFailed" && isObjectStoreError(cause)
        ? withContext(cause, { operation, outcome: outcome ?? "not-applied" })
        : withContext(error, { operation, outcome: outcome ?? outcomeOf(error) })
    })
  )
  if (failed > 0) {
    return yield* makeError("PartialFailure", {
      operation,
      backend,
      description: `${failed} of ${failed + deleted} objects could not be removed: ${failures[0]!.message}`,
      succeeded: deleted,
      failed,
      failures,
      outcome: "unknown"
    })
  }
  return { deleted }
})
