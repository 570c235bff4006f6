/**
 * How a finished file gets its name: the one step in which an object appears, whole, with its attributes and metadata.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as NodeFs from "node:fs"
import type { ObjectOptions, WriteReply } from "../Backend.ts"
import type { WriteMode } from "../ObjectStoreOptions.ts"
import * as Calls from "./calls.ts"
import type { FileWriter } from "./DataPath.ts"
import { type Environment, syncDirectory, type Temporary } from "./environment.ts"
import { explain, type Failure, inDoubt, isErrno, refuse } from "./errors.ts"
import { withKeys } from "./keyLocks.ts"
import { withProcessLock } from "./processLock.ts"
import type { Directory } from "./root.ts"
import { type Labels, type Leaving, leaving, removeSidecar, sidecarText, writeSidecar } from "./sidecar.ts"
import { removeFile } from "./smallFile.ts"
import { etagOf, stamp } from "./stats.ts"
import { removeHollow } from "./tree.ts"

/** Ends the writing of a file: exact size, permissions, its own time, forced to the disk as the store promises. */
export const seal = Effect.fnUntraced(function*(env: Environment, writer: FileWriter, size: number) {
  let stats = yield* Calls.fstat(writer.fd)
  if (stats.size !== BigInt(size)) {
    yield* writer.finish(size, "none")
    stats = yield* Calls.fstat(writer.fd)
  }
  yield* Calls.fchmod(writer.fd, yield* env.mode)
  yield* stamp(writer.fd, stats)
  yield* writer.finish(size, env.durability)
  const sealed = yield* Calls.fstat(writer.fd)
  return sealed.size === BigInt(size)
    ? sealed
    : yield* refuse("IntegrityFailed", `the file holds ${sealed.size} bytes, not ${size}`)
})

/** A failure after the change was made. */
export const applied = (failure: Failure) => explain({ operation: "", backend: "", outcome: "applied" })(failure)

/** What is at a name: a regular file, or nothing. Anything else is refused. */
export const lookAt = (directory: Directory, name: string): Effect.Effect<NodeFs.BigIntStats | undefined, Failure> =>
  Calls.lstat(directory.at(name)).pipe(
    Effect.flatMap((stats) =>
      stats.isFile() || stats.isDirectory()
        ? Effect.succeed(stats)
        : Effect.fail(refuse("InvalidKey", "it is a symbolic link or a special file, not an object"))
    ),
    Effect.catchIf((failure) => isErrno(failure, "ENOENT"), () => Effect.succeed(undefined))
  )

/** As `lookAt`, where an object is to be put: a directory without objects makes way, another one is `Conflict`. */
export const lookAtTarget = Effect.fnUntraced(function*(env: Environment, directory: Directory, name: string) {
  const found = yield* lookAt(directory, name)
  if (found === undefined || found.isFile()) return found
  if (yield* removeHollow(env.root, [...directory.names, name], "sidecars")) return undefined
  return yield* refuse("Conflict", "it is a directory that is in use, so it cannot be an object")
})

/** Fails unless a write of this mode may go over what is there. */
export const checkMode = (
  mode: WriteMode,
  found: NodeFs.BigIntStats | undefined
): Effect.Effect<void, Failure> => {
  if (mode === "overwrite") return Effect.void
  if (mode === "create") {
    return found === undefined ? Effect.void : Effect.fail(refuse("AlreadyExists", "the object exists"))
  }
  if (found === undefined) return Effect.fail(refuse("PreconditionFailed", "the object does not exist"))
  const etag = etagOf(found)
  return etag === mode.update ? Effect.void : Effect.fail(refuse("PreconditionFailed", `the etag is ${etag}`))
}

/** Where an object is put. */
export interface Target {
  readonly directory: Directory
  readonly name: string
}

/** The name of a target's lock in this process. */
export const lockPath = ({ directory, name }: Target): string => `${directory.path}/${name}`

/** Runs an effect that nothing interrupts, alone among changes of the target; also those of other processes, if asked. */
export const exclusively =
  (targets: ReadonlyArray<Target>, between: ReadonlyArray<Target>) =>
  <A, R>(step: Effect.Effect<A, Failure, R>): Effect.Effect<A, Failure, R> =>
    between
      .toSorted((a, b) => lockPath(a) < lockPath(b) ? -1 : 1)
      .reduceRight(
        (inner: Effect.Effect<A, Failure, R>, { directory, name }) => withProcessLock(directory, name)(inner),
        Effect.uninterruptible(step)
      )
      .pipe(withKeys(targets.map(lockPath)))

/**
 * Moves a file to a name and says so to `moved`. For a create-only write it only links the file there, because a link
 * never replaces anything; then the old name stays, for others to remove.
 */
export const place = (
  mode: WriteMode,
  from: string,
  to: string,
  moved: () => void
): Effect.Effect<void, Failure> => {
  if (mode !== "create") return Effect.andThen(Effect.mapError(Calls.rename(from, to), inDoubt), Effect.sync(moved))
  return Effect.mapError(Calls.link(from, to), (error) => {
    if (isErrno(error, "EEXIST")) return refuse("AlreadyExists", "the object exists")
    return isErrno(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS")
      ? refuse("Unsupported", "the file system has no hard links, which create-only writes need", {
        capability: "conditionalCreate",
        cause: error
      })
      : inDoubt(error)
  })
}

/** Removes the metadata of a version that did not get its name; one that got it in spite of an error keeps them. */
export const unlessPlaced = ({ directory, name }: Target, etag: string): Effect.Effect<void> =>
  lookAt(directory, name).pipe(
    Effect.flatMap((found) =>
      found !== undefined && etagOf(found) === etag ? Effect.void : removeSidecar(directory, name, etag)
    ),
    Effect.ignore
  )

/** Publishes a sealed file under a name, as the mode allows. */
export const publish = (
  env: Environment,
  target: Target,
  source: { readonly temporary: Temporary; readonly stats: NodeFs.BigIntStats },
  options: Labels & Pick<ObjectOptions, "mode">
): Effect.Effect<WriteReply, Failure> => {
  const { directory, name } = target
  const { mode } = options
  const { stats, temporary } = source
  const etag = etagOf(stats)
  const step = Effect.gen(function*() {
    const found = yield* lookAtTarget(env, directory, name)
    yield* checkMode(mode, found)
    const old = found === undefined ? undefined : yield* leaving(directory, name, found)
    const text = yield* sidecarText(options)
    if (text !== undefined) yield* writeSidecar(directory, name, etag, text, env)
    yield* Effect.tapError(
      place(mode, temporary.path, directory.at(name), () => {
        temporary.taken = true
      }),
      () => text === undefined ? Effect.void : unlessPlaced(target, etag)
    )
    // What was linked has another name; with it, the metadata of this version could not be told to be over.
    if (mode === "create") yield* Effect.ignore(removeFile(temporary.path), { log: "Warn" })
    yield* Effect.mapError(settle(env, target, old), applied)
    const reply: WriteReply = { etag, size: Number(stats.size), verified: "size" }
    return reply
  })
  return exclusively([target], typeof mode === "object" ? [target] : [])(Effect.scoped(step))
}

/** What remains to be done once an object has its name: the old version's metadata go, and the name reaches the disk. */
export const settle = (
  env: Environment,
  { directory }: Target,
  replaced: Leaving | undefined
): Effect.Effect<void, Failure> =>
  Effect.andThen(replaced === undefined ? Effect.void : replaced.forget, syncDirectory(env, directory))
