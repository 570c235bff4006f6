/**
 * Reading: what is known of an object, and its bytes out of a descriptor that keeps the version.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as NodeFs from "node:fs"
import type { BackendRange, Location, ObjectStat, ReadReply, ReadRequest } from "../Backend.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { ReadConditions } from "../ObjectStoreOptions.ts"
import * as Calls from "./calls.ts"
import { type Environment, inExistingDirectory, pathOfKey } from "./environment.ts"
import { explain, type Failure, isErrno, refuse } from "./errors.ts"
import { type KeyPath } from "./names.ts"
import { type Labels, noLabels, readSidecar } from "./sidecar.ts"
import { checkConditions, etagOf, statOf } from "./stats.ts"

/** How often a version that is replaced while its metadata are read is looked at again. */
const tries = 50

const missing = (): ObjectStoreError => refuse("NotFound", "there is no such object")

const expectFile = (stats: NodeFs.BigIntStats): Effect.Effect<NodeFs.BigIntStats, Failure> =>
  stats.isFile()
    ? Effect.succeed(stats)
    : Effect.fail(
      stats.isDirectory() ? missing() : refuse("InvalidKey", "it is a symbolic link or a special file, not an object")
    )

/**
 * The labels of a version; `undefined` if it was replaced while they were read. A version has its sidecar as long as it
 * has the name: so if there is none and the name is still this version's, it never had one.
 */
const labelsOf = Effect.fnUntraced(
  function*(env: Environment, { directory, name }: KeyPath, stats: NodeFs.BigIntStats) {
    const labels = yield* readSidecar(env.root, directory, name, etagOf(stats))
    if (labels !== undefined) return labels
    const now = yield* env.root.peek(directory, name)
    return etagOf(now) === etagOf(stats) ? noLabels : undefined
  }
)

const toStat = (stats: NodeFs.BigIntStats, labels: Labels): ObjectStat & { readonly etag: string } => ({
  ...statOf(stats),
  ...labels
})

const restless = refuse.bind(undefined, "Unavailable", "the object is replaced again and again")

/** Makes `head`. */
export const makeHead = (env: Environment) => {
  const attempt = (path: KeyPath, left: number): Effect.Effect<ObjectStat, Failure> => {
    const found = inExistingDirectory(
      env.root,
      path.directory,
      ({ at }) =>
        Effect.gen(function*() {
          const stats = yield* Effect.flatMap(Calls.lstat(at(path.name)), expectFile)
          const labels = yield* labelsOf(env, path, stats)
          return labels === undefined ? undefined : toStat(stats, labels)
        }),
      () => Effect.fail(missing())
    )
    return Effect.flatMap(found, (stat) =>
      stat !== undefined
        ? Effect.succeed(stat)
        : left > 0
        ? attempt(path, left - 1)
        : Effect.fail(restless()))
  }
  return Effect.fnUntraced(function*({ key }: Location, conditions: ReadConditions) {
    const stat = yield* attempt(yield* pathOfKey(key), tries)
    yield* checkConditions(stat, conditions)
    return stat
  })
}

/** A version of an object, held open. */
export interface OpenObject {
  readonly fd: number
  readonly stats: NodeFs.BigIntStats
  readonly labels: Labels
}

/** To O_DIRECT the system answers EINVAL for a directory, and for a file where the file system does not take it. */
const notDirect = (env: Environment, { directory, name }: KeyPath): Effect.Effect<never, Failure, Scope.Scope> =>
  env.root.openFile(directory, name, { flags: 0, expected: true }).pipe(
    Effect.flatMap(Calls.fstat),
    Effect.flatMap(expectFile),
    Effect.andThen(Effect.fail(refuse("Unsupported", "the file system does not take O_DIRECT", { capability: "io" })))
  )

/** Opens the current version of an object. */
export const openObject = (env: Environment, path: KeyPath): Effect.Effect<OpenObject, Failure, Scope.Scope> => {
  const attempt = (left: number): Effect.Effect<OpenObject, Failure, Scope.Scope> =>
    Effect.gen(function*() {
      const fd = yield* env.root.openFile(path.directory, path.name, { flags: env.data.readFlags, expected: true })
        .pipe(
          Effect.catchIf((failure) => isErrno(failure, "ENOTDIR"), () => Effect.fail(missing())),
          Effect.catchIf(
            (failure) => isErrno(failure, "EINVAL") && env.data.io === "direct",
            () => notDirect(env, path)
          )
        )
      const stats = yield* Effect.flatMap(Calls.fstat(fd), expectFile)
      const labels = yield* labelsOf(env, path, stats)
      if (labels !== undefined) return { fd, stats, labels }
      return left > 0 ? yield* attempt(left - 1) : yield* restless()
    })
  return attempt(tries)
}

const spanOf = (size: number, range: BackendRange | undefined): Effect.Effect<readonly [number, number], Failure> => {
  if (range === undefined) return Effect.succeed([0, size])
  if ("suffix" in range) {
    const length = Math.min(size, range.suffix)
    return Effect.succeed([size - length, length])
  }
  return range.offset < size
    ? Effect.succeed([range.offset, Math.min(size - range.offset, range.length)])
    : Effect.fail(refuse("RangeNotSatisfiable", `the object has ${size} bytes`, { size }))
}

const changed = (): ObjectStoreError => refuse("ObjectChanged", "another program changed the file while it was read")

/** Makes `read`. */
export const makeRead = (env: Environment, name: string) => {
  const onError = explain({ operation: "read", backend: name })
  return Effect.fnUntraced(function*({ key }: Location, { conditions, range }: ReadRequest) {
    const { fd, labels, stats } = yield* openObject(env, yield* pathOfKey(key))
    const stat = toStat(stats, labels)
    yield* checkConditions(stat, conditions)
    const [offset, length] = yield* spanOf(stat.size, range)

    const readInto = (at: number, target: Uint8Array): Effect.Effect<void, ObjectStoreError> =>
      Effect.mapError(
        Effect.flatMap(
          env.data.readInto(fd, at, target),
          (count) => count === target.length ? Effect.void : Effect.fail<Failure>(changed())
        ),
        onError
      )
    const verify = Effect.mapError(
      Effect.flatMap(
        Calls.fstat(fd),
        (now) => etagOf(now) === stat.etag ? Effect.void : Effect.fail<Failure>(changed())
      ),
      onError
    )

    let done = 0
    const into = (target: Uint8Array): Effect.Effect<number, ObjectStoreError> =>
      Effect.suspend(() => {
        const count = Math.min(target.length, length - done)
        if (count === 0) return Effect.succeed(0)
        return readInto(offset + done, target.subarray(0, count)).pipe(
          Effect.andThen(Effect.suspend(() => {
            done += count
            return done === length ? verify : Effect.void
          })),
          Effect.as(count)
        )
      })
    const reply: ReadReply = { stat, offset, length, into, handle: { readInto, verify } }
    return reply
  })
}
