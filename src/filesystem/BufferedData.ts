/**
 * Buffered I/O: bytes travel through the page cache.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs"
import * as Calls from "./calls.ts"
import type { DataPath, FileWriter } from "./DataPath.ts"

/** Most bytes a call: what an interruption may have to wait for. */
const callSize = 16 * 1024 * 1024

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = NodeFs.constants

const repeated = <A>(call: Effect.Effect<A, Calls.Errno>): Effect.Effect<A, Calls.Errno> =>
  Effect.catchIf(call, (error) => error.code === "EINTR", () => repeated(call))

const readInto: DataPath["readInto"] = Effect.fnUntraced(function*(fd, offset, target) {
  let done = 0
  while (done < target.length) {
    const count = yield* repeated(
      Calls.read(fd, target, done, Math.min(target.length - done, callSize), offset + done)
    )
    if (count === 0) break
    done += count
  }
  return done
})

const writeAll = Effect.fnUntraced(function*(fd: number, offset: number, body: Uint8Array) {
  let done = 0
  while (done < body.length) {
    done += yield* repeated(Calls.write(fd, body, done, Math.min(body.length - done, callSize), offset + done))
  }
})

const finish = Effect.fnUntraced(
  function*(fd: number, ...[size, durability]: Parameters<FileWriter["finish"]>) {
    const stats = yield* Calls.fstat(fd)
    if (stats.size !== BigInt(size)) yield* Calls.ftruncate(fd, size)
    if (durability === "file") yield* Calls.fdatasync(fd)
    if (durability === "full") yield* Calls.fsync(fd)
  }
)

const openWriter: DataPath["openWriter"] = Effect.fnUntraced(function*(path, { create }) {
  const fd = yield* Effect.acquireRelease(
    Calls.open(path, O_WRONLY | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0)),
    Calls.closeQuietly
  )
  return {
    fd,
    write: (offset, body) => writeAll(fd, offset, body),
    finish: (size, durability) => finish(fd, size, durability)
  }
})

/** The data path of `file://`. */
export const bufferedData: DataPath = { io: "buffered", readFlags: 0, readInto, openWriter }
