/**
 * Removes what a program sees below a prefix, and nothing else that is stored there.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { DeleteSummary } from "../ObjectInfo.ts"
import type { ObjectStoreOperations } from "../ObjectStore.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { At, DeletePrefixOptions } from "../ObjectStoreOptions.ts"
import * as ObjectUri from "../ObjectUri.ts"
import { removeFound, wrongPrefixRemoval } from "../removal.ts"
import { plainRemoval, seenBelow } from "./plainView.ts"

/** Whether a place names no key: all of a container, or of the store's base. */
const isEmpty = (prefix: At): boolean => {
  if (typeof prefix !== "string") return prefix.key === ""
  if (!ObjectUri.isAbsolute(prefix)) return prefix === ""
  const parsed = ObjectUri.parseResult(prefix)
  return Result.isSuccess(parsed) && parsed.success.key === ""
}

const backend = "compress"

/** `deletePrefix` of what a program sees. */
export const removeSeen = (
  store: ObjectStoreOperations,
  prefix: At,
  options: DeletePrefixOptions | undefined
): Effect.Effect<DeleteSummary, ObjectStoreError> =>
  Effect.suspend(() => {
    const wrong = wrongPrefixRemoval(options, isEmpty(prefix))
    if (wrong !== undefined) {
      return Effect.fail(
        makeError("InvalidRequest", {
          operation: "deletePrefix",
          backend,
          description: wrong,
          outcome: "not-applied"
        })
      )
    }
    const found = store.list(prefix).pipe(Stream.filter(seenBelow(prefix)), Stream.map(({ uri }) => uri))
    return removeFound(
      backend,
      found,
      (uris) => Stream.map(store.deleteMany(uris, { concurrency: options?.concurrency }), plainRemoval)
    )
  })
