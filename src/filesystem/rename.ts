/**
 * Renames: one atomic step of the file system, and the metadata with it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as NodeFs from "node:fs"
import type { CopyRequest, Location, WriteReply } from "../Backend.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { type Environment, inDirectory, pathOfKey, prune, syncDirectory } from "./environment.ts"
import { type Failure, isErrno, refuse } from "./errors.ts"
import {
  applied,
  checkMode,
  exclusively,
  lookAt,
  lookAtTarget,
  place,
  settle,
  type Target,
  unlessPlaced
} from "./publish.ts"
import { leaving, noLabels, readSidecar, removeSidecar, sidecarText, writeSidecar } from "./sidecar.ts"
import { removeFile } from "./smallFile.ts"
import { etagOf } from "./stats.ts"

const missing = (): ObjectStoreError => refuse("NotFound", "there is no such object")

const present = Effect.fnUntraced(function*(directory: Target["directory"], name: string) {
  const source = yield* lookAt(directory, name)
  if (source === undefined || source.isDirectory()) return yield* missing()
  return source
})

const replyOf = (stats: NodeFs.BigIntStats): WriteReply & { readonly etag: string } => ({
  etag: etagOf(stats),
  size: Number(stats.size),
  verified: "size"
})

/** What was moved: another process may have written a newer version right before, whose metadata then follow. */
const followVersion = Effect.fnUntraced(
  function*(env: Environment, from: Target, to: Target, expected: NodeFs.BigIntStats) {
    const stats = yield* lookAt(to.directory, to.name)
    const etag = stats === undefined ? undefined : etagOf(stats)
    if (stats?.isFile() !== true || etag === undefined || etag === etagOf(expected)) return replyOf(expected)
    // Whoever writes the old name now leaves them there, because this version has a name.
    const labels = yield* readSidecar(env.root, from.directory.names, from.name, etag)
    yield* removeSidecar(to.directory, to.name, etagOf(expected))
    // Without any, it has none, or it is one that was put at the target meanwhile.
    if (labels === undefined) return replyOf(stats)
    const text = yield* sidecarText(labels)
    if (text !== undefined) yield* writeSidecar(to.directory, to.name, etag, text, env)
    yield* removeSidecar(from.directory, from.name, etag)
    // Who took the name meanwhile may have found no metadata to remove.
    const now = yield* lookAt(to.directory, to.name)
    if (now === undefined || etagOf(now) !== etag) yield* removeSidecar(to.directory, to.name, etag)
    return replyOf(stats)
  }
)

/** Whether two looks saw one version of one file. */
const isSame = (a: NodeFs.BigIntStats, b: NodeFs.BigIntStats): boolean => a.dev === b.dev && etagOf(a) === etagOf(b)

/** Removes the old name of a file that was linked to its new one, unless another process put a newer version there. */
const unlinkOrigin = Effect.fnUntraced(function*(from: Target, to: Target, expected: NodeFs.BigIntStats) {
  const linked = yield* lookAt(to.directory, to.name)
  // No call unlinks a name only if it is of one file: what is put there between the next two calls is lost.
  const now = yield* lookAt(from.directory, from.name)
  if (now === undefined || !isSame(now, expected) && (linked === undefined || !isSame(now, linked))) return
  yield* removeFile(from.directory.at(from.name))
})

/** How often a source that others change is looked at anew. */
const looks = 100

/** Checks the conditions, and puts the source's metadata where they are found once it is there. */
const prepare = Effect.fnUntraced(function*(env: Environment, from: Target, to: Target, request: CopyRequest) {
  const { ifMatch, mode } = request
  for (let left = looks;; left--) {
    const source = yield* present(from.directory, from.name)
    if (ifMatch !== undefined) yield* checkMode({ update: ifMatch }, source)
    const found = yield* lookAtTarget(env, to.directory, to.name)
    yield* checkMode(mode, found)
    const etag = etagOf(source)
    const labels = yield* readSidecar(env.root, from.directory.names, from.name, etag)
    const text = yield* sidecarText(labels ?? noLabels)
    if (text !== undefined) yield* writeSidecar(to.directory, to.name, etag, text, env)
    const now = yield* lookAt(from.directory, from.name)
    if (left === 0 || now !== undefined && isSame(now, source)) return { etag, found, source, text }
    if (text !== undefined) yield* removeSidecar(to.directory, to.name, etag)
  }
})

const move = (
  env: Environment,
  from: Target,
  to: Target,
  request: CopyRequest,
  left: () => void
) => {
  const { ifMatch, mode } = request
  const step = Effect.gen(function*() {
    const { etag, found, source, text } = yield* prepare(env, from, to, request)
    const old = found === undefined ? undefined : yield* leaving(to.directory, to.name, found)
    const own = text === undefined ? undefined : yield* leaving(from.directory, from.name, source)
    const origin = from.directory.at(from.name)
    let moved = false
    yield* Effect.tapError(
      place(mode, origin, to.directory.at(to.name), () => {
        // A rename between two links of one file does nothing.
        moved = found?.ino !== source.ino || found.dev !== source.dev
      }),
      () => text === undefined ? Effect.void : unlessPlaced(to, etag)
    )
    const finish = Effect.gen(function*() {
      if (!moved) yield* unlinkOrigin(from, to, source)
      left()
      const reply = yield* followVersion(env, from, to, source)
      // If another version went instead, this one may have gone elsewhere, and its metadata are to follow it.
      if (own !== undefined) yield* reply.etag === etag ? removeSidecar(from.directory, from.name, etag) : own.forget
      yield* settle(env, to, old)
      yield* syncDirectory(env, from.directory)
      return reply
    })
    return yield* Effect.mapError(finish, applied)
  })
  const between = [...(ifMatch === undefined ? [] : [from]), ...(typeof mode === "object" ? [to] : [])]
  return exclusively([from, to], between)(Effect.scoped(step))
}

/** Makes `rename`. */
export const makeRename = (env: Environment) =>
  Effect.fnUntraced(function*(from: Location, to: Location, request: CopyRequest) {
    const source = yield* pathOfKey(from.key)
    const target = yield* pathOfKey(to.key)
    let empty = false
    const left = (): void => {
      empty = true
    }
    const opened = env.root.openDirectory(source.directory).pipe(
      Effect.catchIf((failure) => isErrno(failure, "ENOENT", "ENOTDIR"), () => Effect.fail<Failure>(missing()))
    )
    return yield* Effect.scoped(
      Effect.flatMap(
        opened,
        (directory) =>
          // A missing source is NotFound whatever the target, and makes no directory for it.
          Effect.andThen(
            present(directory, source.name),
            inDirectory(
              env,
              target.directory,
              (into) =>
                move(env, { directory, name: source.name }, { directory: into, name: target.name }, request, left)
            )
          )
      )
    ).pipe(
      // Only now: a lock may have been in the directory.
      Effect.ensuring(Effect.suspend(() => empty ? prune(env.root, source.directory) : Effect.void))
    )
  })
