/**
 * Containers: the directories in the root.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { BackendContainer } from "../Backend.ts"
import { sortByKey } from "../keyOrder.ts"
import * as Calls from "./calls.ts"
import { type Environment, inExistingDirectory, syncDirectory } from "./environment.ts"
import { type Failure, isErrno, refuse } from "./errors.ts"
import { decodeSegment, encodeSegment, keepName } from "./names.ts"
import { writeSmallFile } from "./smallFile.ts"
import { timeOf } from "./stats.ts"
import { readContentIfThere, removeHollow } from "./tree.ts"

/** Makes `createContainer`. A file in the directory says that it stays though it is empty. */
export const makeCreateContainer = (env: Environment) =>
  Effect.fnUntraced(
    function*(container: string) {
      const name = encodeSegment(container)
      const root = yield* env.root.openDirectory([], { create: true })
      yield* Effect.mapError(
        Calls.mkdir(root.at(name)),
        (failure): Failure => isErrno(failure, "EEXIST") ? refuse("AlreadyExists", "the directory exists") : failure
      )
      const directory = yield* env.root.openDirectory([name])
      yield* writeSmallFile(directory.at(keepName), "", env.durability)
      yield* syncDirectory(env, directory)
      yield* syncDirectory(env, root)
    },
    Effect.uninterruptible,
    Effect.scoped
  )

/** Makes `deleteContainer`. What interrupted writes left in the directory goes with it. */
export const makeDeleteContainer = (env: Environment) =>
  Effect.fnUntraced(function*(container: string) {
    const name = encodeSegment(container)
    const absent = () => Effect.fail<Failure>(refuse("ContainerNotFound", "there is no such directory"))
    yield* inExistingDirectory(env.root, [name], () => Effect.void, absent)
    if (!(yield* Effect.uninterruptible(removeHollow(env.root, [name], "all")))) {
      return yield* refuse("NotEmpty", "there is something in the directory")
    }
    yield* inExistingDirectory(env.root, [], (root) => syncDirectory(env, root), () => Effect.void)
  })

/** Makes `listContainers`. */
export const makeListContainers = (env: Environment): Effect.Effect<ReadonlyArray<BackendContainer>, Failure> =>
  inExistingDirectory<ReadonlyArray<BackendContainer>>(
    env.root,
    [],
    (root) =>
      Effect.gen(function*() {
        const content = yield* readContentIfThere(env.root, [])
        const found: Array<BackendContainer> = []
        for (const { kind, name } of content?.entries ?? []) {
          if (kind !== "directory") continue
          const stats = yield* Effect.catchIf(
            Calls.lstat(root.at(name)),
            (error) => error.code === "ENOENT",
            () => Effect.succeed(undefined)
          )
          if (stats !== undefined) found.push({ name: decodeSegment(name), created: timeOf(stats.birthtimeNs) })
        }
        return sortByKey(found, ({ name }) => name)
      }),
    () => Effect.succeed([])
  )
