/**
 * Removing objects: the file, its metadata, and the directories that become empty.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { DeleteEntry } from "../Backend.ts"
import * as Calls from "./calls.ts"
import { type Environment, inExistingDirectory, pathOfKey, prune, syncDirectory } from "./environment.ts"
import { explain, inDoubt, isErrno } from "./errors.ts"
import { applied, checkMode, exclusively, lookAt } from "./publish.ts"
import { leaving } from "./sidecar.ts"

/** Objects removed at the same time. */
const concurrency = 4

/** Removes one object; answers the directory that may be empty now. */
const removeOne = Effect.fnUntraced(function*(env: Environment, { ifMatch, key }: DeleteEntry) {
  const { directory: names, name } = yield* pathOfKey(key)
  // With `ifMatch`, a missing object is one that is not in the required state.
  const absent = ifMatch === undefined ? Effect.void : checkMode({ update: ifMatch }, undefined)
  return yield* inExistingDirectory<ReadonlyArray<string> | undefined>(
    env.root,
    names,
    (directory) => {
      const step = Effect.gen(function*() {
        const found = yield* lookAt(directory, name)
        if (found === undefined || found.isDirectory()) return yield* Effect.as(absent, undefined)
        if (ifMatch !== undefined) yield* checkMode({ update: ifMatch }, found)
        const old = yield* leaving(directory, name, found)
        const gone = yield* Effect.as(Calls.unlink(directory.at(name)), false).pipe(
          Effect.mapError(inDoubt),
          Effect.catchIf((error) => isErrno(error, "ENOENT"), () => Effect.succeed(true))
        )
        if (gone) return yield* Effect.as(absent, undefined)
        yield* Effect.mapError(
          Effect.andThen(old.forget, syncDirectory(env, directory)),
          applied
        )
        return names
      })
      const target = { directory, name }
      return exclusively([target], ifMatch === undefined ? [] : [target])(Effect.scoped(step))
    },
    () => Effect.as(absent, undefined)
  )
})

/** Makes `deleteBatch`. */
export const makeDeleteBatch = (env: Environment, name: string) => {
  const onError = explain({ operation: "delete", backend: name, outcome: "not-applied" })
  return Effect.fnUntraced(function*(_container: string, entries: ReadonlyArray<DeleteEntry>) {
    const touched = new Map<string, ReadonlyArray<string>>()
    return yield* Effect.forEach(
      entries,
      (entry) =>
        Effect.match(removeOne(env, entry), {
          onFailure: onError,
          onSuccess: (names) => {
            if (names !== undefined) touched.set(names.join("/"), names)
            return undefined
          }
        }),
      { concurrency }
    ).pipe(
      Effect.ensuring(
        Effect.suspend(() => Effect.forEach(touched.values(), (names) => prune(env.root, names), { discard: true }))
      )
    )
  })
}
