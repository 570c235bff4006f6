/**
 * Removes what a program sees below a prefix, and nothing else that is stored there.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { outcomeOf } from "../engine/outcome.ts"
import type { DeleteSummary } from "../ObjectInfo.ts"
import type { ObjectStoreOperations } from "../ObjectStore.ts"
import { isObjectStoreError, makeError, type ObjectStoreError, printable, withContext } from "../ObjectStoreError.ts"
import type { At, DeletePrefixOptions } from "../ObjectStoreOptions.ts"
import * as ObjectUri from "../ObjectUri.ts"
import { plainName, seenBelow } from "./plainView.ts"

const maxNamedFailures = 1000

const refuse = (description: string) =>
  makeError("InvalidRequest", { operation: "deletePrefix", backend: "compress", description, outcome: "not-applied" })

/** Whether a place names no key: all of a container, or of the store's base. */
const isEmpty = (prefix: At): boolean => {
  if (typeof prefix !== "string") return prefix.key === ""
  if (!ObjectUri.isAbsolute(prefix)) return prefix === ""
  const parsed = ObjectUri.parseResult(prefix)
  return Result.isSuccess(parsed) && parsed.success.key === ""
}

const wrongOptions = (prefix: At, options: DeletePrefixOptions | undefined): ObjectStoreError | undefined => {
  if (options !== undefined && !Predicate.isObject(options)) return refuse("the options are no object")
  const unknown = Object.keys(options ?? {}).find((name) => name !== "all" && name !== "concurrency")
  if (unknown !== undefined) return refuse(`there is no option "${printable(unknown.slice(0, 80))}"`)
  const all = options?.all
  if (all !== undefined && typeof all !== "boolean") return refuse("all is not true or false")
  return isEmpty(prefix) && all !== true
    ? refuse("an empty prefix removes everything; say so with { all: true }")
    : undefined
}

/** `deletePrefix` of what a program sees. */
export const removeSeen = Effect.fnUntraced(function*(
  store: ObjectStoreOperations,
  prefix: At,
  options: DeletePrefixOptions | undefined
): Effect.fn.Return<DeleteSummary, ObjectStoreError> {
  const wrong = wrongOptions(prefix, options)
  if (wrong !== undefined) return yield* wrong
  let deleted = 0
  let failed = 0
  const failures: Array<{ uri: string; reason: string; message: string }> = []
  const found = store.list(prefix).pipe(Stream.filter(seenBelow(prefix)), Stream.map(({ uri }) => uri))
  yield* store.deleteMany(found, { concurrency: options?.concurrency }).pipe(
    Stream.runForEach(({ error, uri }) =>
      Effect.sync(() => {
        if (error === undefined) deleted++
        else if (++failed <= maxNamedFailures) {
          failures.push({ uri: plainName(uri), reason: error.reason._tag, message: error.message })
        }
      })
    ),
    // The listing is ours: its failure is the operation's own reason.
    Effect.mapError((error) => {
      const { _tag, cause } = error.reason
      const own = _tag === "SourceFailed" && isObjectStoreError(cause) ? cause : error
      const untouched = deleted === 0 && failed === 0
      return withContext(own, { operation: "deletePrefix", outcome: untouched ? outcomeOf(own) : "unknown" })
    })
  )
  if (failed > 0) {
    return yield* makeError("PartialFailure", {
      operation: "deletePrefix",
      backend: "compress",
      description: `${failed} of ${failed + deleted} objects could not be removed: ${failures[0]!.message}`,
      succeeded: deleted,
      failed,
      failures,
      outcome: "unknown"
    })
  }
  return { deleted }
})
