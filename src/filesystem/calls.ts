/**
 * System calls as Effects: one call each, uninterruptible, because a call that runs in the thread pool cannot be taken
 * back and may still write to the memory it was given.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"

/** What a system call fails with. */
export type Errno = NodeJS.ErrnoException

const call = <A>(run: (done: (error: Errno | null, value: A) => void) => void): Effect.Effect<A, Errno> =>
  Effect.uninterruptible(Effect.callback<A, Errno>((resume) => {
    try {
      run((error, value) => resume(error === null ? Effect.succeed(value) : Effect.fail(error)))
    } catch (error) {
      // What Node's permission model refuses it throws; anything else that is thrown is a defect of ours.
      if ((error as Errno).code !== "ERR_ACCESS_DENIED") throw error
      resume(Effect.fail(error as Errno))
    }
  }))

const callVoid = (run: (done: (error: Errno | null) => void) => void): Effect.Effect<void, Errno> =>
  call<void>((done) => run((error) => done(error, undefined)))

export const open = (path: string, flags: number, mode = 0o600): Effect.Effect<number, Errno> =>
  call((done) => NodeFs.open(path, flags, mode, done))

export const close = (fd: number): Effect.Effect<void, Errno> => callVoid((done) => NodeFs.close(fd, done))

/** Closes a descriptor of which a close can tell nothing new: what was written was forced to the disk before, or never shall be. */
export const closeQuietly = (fd: number): Effect.Effect<void> => Effect.ignore(close(fd))

export const read = (
  fd: number,
  target: Uint8Array,
  at: number,
  length: number,
  position: number
): Effect.Effect<number, Errno> => call((done) => NodeFs.read(fd, target, at, length, position, done))

export const write = (
  fd: number,
  body: Uint8Array,
  at: number,
  length: number,
  position: number
): Effect.Effect<number, Errno> => call((done) => NodeFs.write(fd, body, at, length, position, done))

export const fstat = (fd: number): Effect.Effect<NodeFs.BigIntStats, Errno> =>
  call((done) => NodeFs.fstat(fd, { bigint: true }, done))

export const lstat = (path: string): Effect.Effect<NodeFs.BigIntStats, Errno> =>
  call((done) => NodeFs.lstat(path, { bigint: true }, done))

export const stat = (path: string): Effect.Effect<NodeFs.BigIntStats, Errno> =>
  call((done) => NodeFs.stat(path, { bigint: true }, done))

export const fsync = (fd: number): Effect.Effect<void, Errno> => callVoid((done) => NodeFs.fsync(fd, done))

export const fdatasync = (fd: number): Effect.Effect<void, Errno> => callVoid((done) => NodeFs.fdatasync(fd, done))

export const ftruncate = (fd: number, size: number): Effect.Effect<void, Errno> =>
  callVoid((done) => NodeFs.ftruncate(fd, size, done))

/** Node's permission model allows no call that changes a file by its descriptor; the same file has a name below `/proc`. */
const byName = <A>(
  call: Effect.Effect<A, Errno>,
  fd: number,
  other: (path: string) => Effect.Effect<A, Errno>
): Effect.Effect<A, Errno> =>
  Effect.catchIf(call, (error) => error.code === "ERR_ACCESS_DENIED", () => other(`/proc/self/fd/${fd}`))

export const futimes = (fd: number, atime: number, mtime: number): Effect.Effect<void, Errno> =>
  byName(
    callVoid((done) => NodeFs.futimes(fd, atime, mtime, done)),
    fd,
    (path) => callVoid((done) => NodeFs.utimes(path, atime, mtime, done))
  )

export const fchmod = (fd: number, mode: number): Effect.Effect<void, Errno> =>
  byName(callVoid((done) => NodeFs.fchmod(fd, mode, done)), fd, (path) => chmod(path, mode))

export const chmod = (path: string, mode: number): Effect.Effect<void, Errno> =>
  callVoid((done) => NodeFs.chmod(path, mode, done))

export const rename = (from: string, to: string): Effect.Effect<void, Errno> =>
  callVoid((done) => NodeFs.rename(from, to, done))

export const link = (from: string, to: string): Effect.Effect<void, Errno> =>
  callVoid((done) => NodeFs.link(from, to, done))

export const unlink = (path: string): Effect.Effect<void, Errno> => callVoid((done) => NodeFs.unlink(path, done))

export const mkdir = (path: string, mode = 0o777): Effect.Effect<void, Errno> =>
  callVoid((done) => NodeFs.mkdir(path, mode, done))

/**
 * Makes a directory and what is missing above it. Node's own recursive call never ends where a directory exists and yet
 * refuses new ones with ENOENT, as in `/proc`.
 */
export const mkdirs = (path: string): Effect.Effect<void, Errno> =>
  mkdir(path).pipe(
    Effect.catchIf(
      (error) => error.code === "ENOENT" && NodePath.dirname(path) !== path,
      () => Effect.andThen(mkdirs(NodePath.dirname(path)), mkdir(path))
    ),
    Effect.catchIf(
      (error) => error.code === "EEXIST",
      (error) => Effect.flatMap(stat(path), (stats) => stats.isDirectory() ? Effect.void : Effect.fail(error))
    )
  )

export const rmdir = (path: string): Effect.Effect<void, Errno> => callVoid((done) => NodeFs.rmdir(path, done))

export const readlink = (path: string): Effect.Effect<string, Errno> =>
  call((done) => NodeFs.readlink(path, "utf8", done))

export const realpath = (path: string): Effect.Effect<string, Errno> =>
  call((done) => NodeFs.realpath.native(path, "utf8", done))

export const copyFile = (from: string, to: string, mode: number): Effect.Effect<void, Errno> =>
  callVoid((done) => NodeFs.copyFile(from, to, mode, done))

/** Entries of a directory with their types; names are the raw bytes. */
export const readdir = (path: string): Effect.Effect<Array<NodeFs.Dirent<Buffer>>, Errno> =>
  call((done) => NodeFs.readdir(path, { withFileTypes: true, encoding: "buffer" }, done))

/** The text of a file of the kernel's, such as one below `/proc`. */
export const readFile = (path: string): Effect.Effect<string, Errno> =>
  call((done) => NodeFs.readFile(path, "utf8", done))

/** Whether `visit` says so of some entry of a directory; reads no further then. Names are the raw bytes. */
export const scan = (path: string, visit: (entry: NodeFs.Dirent<Buffer>) => boolean): Effect.Effect<boolean, Errno> =>
  call((done) => {
    // The types do not know that names can be had as bytes.
    const options = { encoding: "buffer", bufferSize: 64 } as unknown as NodeFs.OpenDirOptions
    NodeFs.opendir(path, options, (error, directory) => {
      if (error !== null) return done(error, false)
      const end = (failure: Errno | null, found: boolean): void => {
        directory.close((closing) => done(failure ?? closing ?? null, found))
      }
      const next = (failure: Errno | null, entry: NodeFs.Dirent | null): void => {
        if (failure !== null || entry === null) return end(failure, false)
        if (visit(entry as unknown as NodeFs.Dirent<Buffer>)) return end(null, true)
        directory.read(next)
      }
      directory.read(next)
    })
  })

/** What is at each of these paths: the answer, or the error, in the order asked. */
export const lstatAll = (
  paths: ReadonlyArray<string>,
  inFlight: number
): Effect.Effect<ReadonlyArray<NodeFs.BigIntStats | Errno>> =>
  paths.length === 0 ? Effect.succeed([]) : Effect.uninterruptible(Effect.callback((resume) => {
    const answers: Array<NodeFs.BigIntStats | Errno> = []
    let begun = 0
    let left = paths.length
    const next = (): void => {
      const i = begun++
      if (i >= paths.length) return
      NodeFs.lstat(paths[i]!, { bigint: true }, (error, stats) => {
        answers[i] = error ?? stats
        if (--left === 0) resume(Effect.succeed(answers))
        else next()
      })
    }
    for (let i = 0; i < inFlight; i++) next()
  }))
