/**
 * Copies inside a store: a clone where the file system can share blocks, else its bytes, and then a name.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs"
import type { CopyRequest, Location } from "../Backend.ts"
import * as Calls from "./calls.ts"
import type { FileWriter } from "./DataPath.ts"
import { type Environment, inDirectory, pathOfKey, reserveTemporary, type Temporary } from "./environment.ts"
import { type Failure, isErrno, refuse } from "./errors.ts"
import { checkMode, publish, seal } from "./publish.ts"
import { type OpenObject, openObject } from "./read.ts"
import { etagOf } from "./stats.ts"

const pieceSize = 4 * 1024 * 1024
const inFlight = 2

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = NodeFs.constants

/** File systems that cannot share blocks, by their device numbers: asked once. */
const withoutClones = new Set<bigint>()

/** Clones the source; tells whether that was possible. */
const clone = (source: OpenObject, temporary: Temporary): Effect.Effect<boolean, Failure> => {
  const { dev } = source.stats
  if (withoutClones.has(dev)) return Effect.succeed(false)
  return Calls.copyFile(`/proc/self/fd/${source.fd}`, temporary.path, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE).pipe(
    // The clone of a file that is read-only is so too, and is still to be opened.
    Effect.andThen(Calls.chmod(temporary.path, 0o600)),
    Effect.as(true),
    Effect.catchIf(
      (error) => isErrno(error, "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EXDEV", "ENOTTY", "ENOENT"),
      (error) => {
        // Across devices it may still work within this one; without /proc the source cannot be named.
        if (!isErrno(error, "EXDEV", "ENOENT")) withoutClones.add(dev)
        return Effect.succeed(false)
      }
    )
  )
}

const copyBytes = (env: Environment, source: OpenObject, writer: FileWriter, size: number) =>
  Effect.suspend(() => {
    let next = 0
    const worker = Effect.suspend(() => {
      const buffer = new Uint8Array(Math.min(size, pieceSize))
      const step: Effect.Effect<void, Failure> = Effect.suspend(() => {
        const offset = next
        if (offset >= size) return Effect.void
        const piece = buffer.subarray(0, Math.min(pieceSize, size - offset))
        next += piece.length
        return Effect.flatMap(env.data.readInto(source.fd, offset, piece), (count) =>
          count === piece.length
            ? Effect.andThen(writer.write(offset, piece), step)
            : Effect.fail<Failure>(changed()))
      })
      return step
    })
    return Effect.all(Array.from({ length: inFlight }, () => worker), { concurrency: inFlight, discard: true })
  })

const changed = () => refuse("ObjectChanged", "another program changed the source while it was copied")

/** Makes `copy`. */
export const makeCopy = (env: Environment) =>
  Effect.fnUntraced(function*(from: Location, to: Location, { ifMatch, mode }: CopyRequest) {
    const { directory: names, name } = yield* pathOfKey(to.key)
    const source = yield* openObject(env, yield* pathOfKey(from.key))
    if (ifMatch !== undefined) yield* checkMode({ update: ifMatch }, source.stats)
    const size = Number(source.stats.size)
    return yield* inDirectory(env, names, (directory) =>
      Effect.gen(function*() {
        const temporary = yield* reserveTemporary(directory)
        const cloned = yield* clone(source, temporary)
        const writer = yield* env.data.openWriter(temporary.path, { create: !cloned })
        if (!cloned) yield* copyBytes(env, source, writer, size)
        const now = yield* Calls.fstat(source.fd)
        if (etagOf(now) !== etagOf(source.stats)) return yield* changed()
        const stats = yield* seal(env, writer, size)
        return yield* publish(env, { directory, name }, { temporary, stats }, { ...source.labels, mode })
      }))
  }, Effect.scoped)
