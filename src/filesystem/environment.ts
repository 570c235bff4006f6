/**
 * What the operations of one store share, and the way they reach a directory that they are going to change.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Calls from "./calls.ts"
import type { DataPath, Durability } from "./DataPath.ts"
import { type Failure, isErrno, refuse } from "./errors.ts"
import { type KeyPath, randomId, temporaryName, toPath } from "./names.ts"
import type { Directory, Root } from "./root.ts"
import { removeFile } from "./smallFile.ts"

/** A store's surroundings. */
export interface Environment {
  readonly root: Root
  readonly data: DataPath
  readonly durability: Durability
  /** The permissions of new files, as other programs would make them: 0666 without the umask. */
  readonly mode: Effect.Effect<number>
}

/** How often something is begun anew because others remove directories meanwhile. */
const tries = 50

/** The path of a key, or `InvalidKey`. */
export const pathOfKey = (key: string): Effect.Effect<KeyPath, Failure> =>
  Effect.suspend(() => {
    const path = toPath(key)
    return typeof path === "string" ? Effect.fail(refuse("InvalidKey", path)) : Effect.succeed(path)
  })

/**
 * Uses a directory, making it first if it is missing. If the directory is removed meanwhile (it was empty, and somebody
 * else pruned it), all is done again. After a failure, what was made for it and is empty is pruned.
 */
export const inDirectory = <A>(
  { root }: Environment,
  names: ReadonlyArray<string>,
  use: (directory: Directory) => Effect.Effect<A, Failure, Scope.Scope>
): Effect.Effect<A, Failure> =>
  Effect.suspend(() => {
    /** How many components of the path were there before. */
    let given = names.length
    const onMade = (index: number): void => {
      given = Math.min(given, index)
    }
    const attempt = (left: number): Effect.Effect<A, Failure> =>
      Effect.scoped(Effect.flatMap(
        root.openDirectory(names, { create: true, onMade }),
        (directory) => left > 0 ? use(directory) : unlessIncapable(directory, use(directory))
      )).pipe(
        Effect.catchIf((failure) => isErrno(failure, "ENOENT"), () =>
          left > 0
            ? attempt(left - 1)
            : Effect.fail(refuse("Unavailable", "others keep removing the directory")))
      )
    return Effect.onError(attempt(tries), () => prune(root, names, given))
  })

/** Some file systems (`/proc`) call a new file missing, in a directory that is there. */
const unlessIncapable = <A>(
  { fd }: Directory,
  used: Effect.Effect<A, Failure, Scope.Scope>
): Effect.Effect<A, Failure, Scope.Scope> =>
  Effect.catchIf(
    used,
    (failure) => isErrno(failure, "ENOENT"),
    (failure) =>
      Effect.flatMap(Calls.fstat(fd), ({ nlink }) =>
        Effect.fail(nlink === 0n ? failure : refuse("PermissionDenied", "no file can be made in this directory")))
  )

/** Uses a directory that is there; a missing one is told by `missing`. */
export const inExistingDirectory = <A>(
  root: Root,
  names: ReadonlyArray<string>,
  use: (directory: Directory) => Effect.Effect<A, Failure, Scope.Scope>,
  missing: () => Effect.Effect<A, Failure>
): Effect.Effect<A, Failure> => {
  const opened = root.openDirectory(names).pipe(
    Effect.catchIf((failure) => isErrno(failure, "ENOENT", "ENOTDIR"), () => Effect.succeed(undefined))
  )
  return Effect.scoped(
    Effect.flatMap(opened, (directory) => directory === undefined ? missing() : use(directory))
  )
}

/** Removes a directory and its parents, as long as they are empty; never the root, nor the first `stay` components. */
export const prune = (root: Root, names: ReadonlyArray<string>, stay = 0): Effect.Effect<void> => {
  const name = names.at(-1)
  if (name === undefined || names.length <= stay) return Effect.void
  const parent = names.slice(0, -1)
  return Effect.scoped(Effect.flatMap(root.openDirectory(parent), (directory) => Calls.rmdir(directory.at(name)))).pipe(
    Effect.matchEffect({
      // It is not empty or not there, or it may not be removed: then the parents stay as well.
      onFailure: () => Effect.void,
      onSuccess: () => prune(root, parent, stay)
    })
  )
}

/** Forces a directory's names to the disk, and those of its parents if they are new. */
export const syncDirectory = (
  { durability, root }: Environment,
  directory: Directory
): Effect.Effect<void, Failure> => {
  if (durability !== "full") return Effect.void
  const own = Calls.fsync(directory.fd)
  if (!directory.made) return own
  const parents = directory.names.map((_, depth) => directory.names.slice(0, depth))
  return Effect.andThen(
    own,
    Effect.forEach(
      parents,
      (names) => Effect.scoped(Effect.flatMap(root.openDirectory(names), ({ fd }) => Calls.fsync(fd))),
      { discard: true }
    )
  )
}

/** Temporary files that this process is using, by their ids: no leftovers. */
export const temporariesInUse = new Set<string>()

/** A name for a new file, which is removed with the scope unless it was `taken`. */
export interface Temporary {
  readonly path: string
  taken: boolean
}

/** Reserves the name of a temporary file in a directory. */
export const reserveTemporary = (directory: Directory): Effect.Effect<Temporary, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const id = randomId()
        temporariesInUse.add(id)
        return { id, temporary: { path: directory.at(temporaryName(id)), taken: false } }
      }),
      ({ id, temporary }) =>
        // A file that cannot be removed is found again by `listUploads`.
        Effect.andThen(
          temporary.taken ? Effect.void : Effect.ignore(removeFile(temporary.path), { log: "Warn" }),
          Effect.sync(() => temporariesInUse.delete(id))
        )
    ),
    ({ temporary }) => temporary
  )
