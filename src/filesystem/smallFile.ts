/**
 * Small files of the store's own: written once, read with distrust.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs"
import * as Calls from "./calls.ts"
import type { Durability } from "./DataPath.ts"

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = NodeFs.constants

/**
 * Makes a file that must not exist yet, for this user alone unless `mode` says more. If that fails or is interrupted, there is
 * none.
 */
export const writeSmallFile = (
  path: string,
  text: string,
  durability: Durability,
  mode?: number
): Effect.Effect<void, Calls.Errno> =>
  Effect.uninterruptible(Effect.acquireUseRelease(
    Calls.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW),
    Effect.fnUntraced(function*(fd) {
      const bytes = Buffer.from(text)
      let done = 0
      while (done < bytes.length) done += yield* Calls.write(fd, bytes, done, bytes.length - done, done)
      if (mode !== undefined) yield* Calls.fchmod(fd, mode)
      if (durability !== "none") yield* Calls.fdatasync(fd)
    }, Effect.tapError(() => Effect.ignore(Calls.unlink(path)))),
    Calls.closeQuietly
  ))

/** Reads an open small file: its text, or `undefined` if it is larger than `limit` or no regular file. */
export const readSmall = Effect.fnUntraced(function*(fd: number, limit: number) {
  const stats = yield* Calls.fstat(fd)
  if (!stats.isFile() || stats.size > limit) return undefined
  const bytes = Buffer.allocUnsafe(Number(stats.size))
  let done = 0
  while (done < bytes.length) {
    const count = yield* Calls.read(fd, bytes, done, bytes.length - done, done)
    if (count === 0) break
    done += count
  }
  return bytes.toString("utf8", 0, done)
})

/** Reads a small file as `readSmall` does; one that is missing fails with `ENOENT`. */
export const readSmallFile = (path: string, limit: number): Effect.Effect<string | undefined, Calls.Errno> =>
  Effect.acquireUseRelease(
    Calls.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
    (fd) => readSmall(fd, limit),
    Calls.closeQuietly
  )

/** Removes a file that may be gone already. */
export const removeFile = (path: string): Effect.Effect<void, Calls.Errno> =>
  Effect.catchIf(Calls.unlink(path), (error) => error.code === "ENOENT", () => Effect.void)
