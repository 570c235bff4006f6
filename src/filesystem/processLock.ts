/**
 * Locks between processes: a file beside the object's, made by `link`, that names its owner.
 *
 * A lock is held for a comparison and a rename. It is taken only from a process that is dead: of this host and pid
 * namespace, provably, one whose pid is free or belongs to a later process, or that ran in an earlier boot; of another
 * one, of which nothing can be known, when the lock's file is older than any change takes. Whoever takes a lock from a dead owner first takes a
 * second lock, whose name is made of this very acquisition, and looks again: so no two can take it, and nobody takes one
 * that was released meanwhile.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Calls from "./calls.ts"
import { reserveTemporary } from "./environment.ts"
import { type Failure, refuse } from "./errors.ts"
import { lockName, randomId } from "./names.ts"
import type { Directory } from "./root.ts"
import { readSmallFile, removeFile, writeSmallFile } from "./smallFile.ts"
import { etagOf } from "./stats.ts"

const Owner = Schema.Struct({
  /** The boot of the system, so a pid of an earlier one is known to be dead. */
  boot: Schema.String,
  host: Schema.String,
  /** The pid namespace; in another one, a pid says nothing. */
  namespace: Schema.String,
  pid: Schema.Int,
  /** When the process began, in ticks since the boot. */
  start: Schema.String,
  /** This one acquisition. */
  nonce: Schema.String
})
type Owner = typeof Owner.Type

const decodeOwner = Schema.decodeUnknownOption(Schema.fromJsonString(Owner))

const ownerLimit = 4096
/** Waits of at most `longestWait` milliseconds: about ten seconds in all. */
const tries = 220
const longestWait = 50

/** Nanoseconds after which a lock is abandoned if its owner cannot be asked: far more than the wait and the change take. */
const longestUse = 120_000_000_000n

const textOf = (path: string): Effect.Effect<string> =>
  Effect.orElseSucceed(Effect.map(Calls.readFile(path), (text) => text.trim()), () => "")

/** The 22nd field of `/proc/PID/stat`, counted behind the name, which may hold blanks and brackets. */
const startOf = (pid: number | "self"): Effect.Effect<string> =>
  Effect.map(textOf(`/proc/${pid}/stat`), (text) => text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "")

const identify = Effect.gen(function*() {
  return {
    boot: yield* textOf("/proc/sys/kernel/random/boot_id"),
    host: yield* textOf("/proc/sys/kernel/hostname"),
    namespace: yield* Effect.orElseSucceed(Calls.readlink("/proc/self/ns/pid"), () => ""),
    pid: process.pid,
    start: yield* startOf("self")
  }
})

const isPidFree = (pid: number): Effect.Effect<boolean> =>
  Effect.sync(() => {
    try {
      process.kill(pid, 0)
      return false
    } catch (error) {
      return (error as Calls.Errno).code === "ESRCH"
    }
  })

/** What is known of a lock. */
interface Found {
  /** `undefined` if the file does not tell it, or not to this user. */
  readonly owner: Owner | undefined
  /** Of this one acquisition. */
  readonly identity: string
  readonly modified: bigint
}

const isAbandoned = (
  me: Omit<Owner, "nonce">,
  { modified, owner }: Found,
  now: bigint
): Effect.Effect<boolean> => {
  if (owner !== undefined && owner.host === me.host && owner.boot !== me.boot) return Effect.succeed(true)
  if (owner === undefined || owner.host !== me.host || owner.namespace !== me.namespace) {
    return Effect.succeed(now - modified > longestUse)
  }
  return Effect.flatMap(
    isPidFree(owner.pid),
    (free) =>
      free || owner.start === ""
        ? Effect.succeed(free)
        : Effect.map(startOf(owner.pid), (start) => start !== owner.start)
  )
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const readOwner = (path: string): Effect.Effect<Owner | undefined, Calls.Errno> =>
  readSmallFile(path, ownerLimit).pipe(
    Effect.map((text) => Option.getOrUndefined(decodeOwner(text))),
    Effect.catchIf((error) => error.code === "EACCES", () => Effect.succeed(undefined))
  )

/** Looks at a lock; `undefined` where there is none. */
const find = (path: string): Effect.Effect<Found | undefined, Calls.Errno> =>
  Effect.gen(function*() {
    const owner = yield* readOwner(path)
    // After the owner: so a lock that another one replaced meanwhile never looks older than it is.
    const stats = yield* Calls.lstat(path)
    const found: Found = { owner, identity: owner?.nonce ?? etagOf(stats), modified: stats.mtimeNs }
    return found
  }).pipe(Effect.catchIf((error) => error.code === "ENOENT", () => Effect.succeed(undefined)))

/** A file to make a lock of: who owns it, and the time as the file system's own clock tells it. */
const prepare = Effect.fnUntraced(function*(directory: Directory) {
  const me = yield* identify
  const { path } = yield* reserveTemporary(directory)
  const nonce = randomId()
  yield* writeSmallFile(path, JSON.stringify({ ...me, nonce }), "none")
  const stats = yield* Calls.lstat(path)
  return { me, path, etag: etagOf(stats), now: stats.mtimeNs }
})

/** Acquires a lock: the etag of its file. */
const acquire = (directory: Directory, name: string, restore: Restore): Effect.Effect<string, Failure> =>
  Effect.scoped(Effect.gen(function*() {
    const mine = yield* prepare(directory)
    const path = directory.at(name)
    const attempt = Effect.as(Calls.link(mine.path, path), true).pipe(
      Effect.catchIf((error) => error.code === "EEXIST", () => Effect.succeed(false)),
      // The lock may have been made in spite of the error; nobody would give it back.
      Effect.tapError(() => release(directory, name, mine.etag))
    )
    for (let i = 0; i < tries; i++) {
      if (yield* attempt) return mine.etag
      const found = yield* find(path)
      if (found === undefined) continue
      if (yield* isAbandoned(mine.me, found, mine.now)) {
        yield* takeAbandoned(directory, name, found, restore)
        continue
      }
      yield* restore(Effect.sleep(Math.min(2 ** Math.min(i, 10), longestWait)))
    }
    return yield* refuse("Conflict", `another process holds the lock ${directory.path}/${name}`)
  }))

/**
 * Removes a lock of one's own, unless it was held so long that others have taken it. No file is opened for this, because a
 * process that has too many open must be able to give a lock back; a failure is not taken at its first word either, for a lock that
 * stays keeps everybody out as long as this process lives.
 */
const release = (directory: Directory, name: string, etag: string): Effect.Effect<void> =>
  Calls.lstat(directory.at(name)).pipe(
    Effect.flatMap((stats) => etagOf(stats) === etag ? removeFile(directory.at(name)) : Effect.void),
    Effect.catchIf((error) => error.code === "ENOENT", () => Effect.void),
    Effect.retry({ times: 3 }),
    Effect.ignore({ log: "Warn" })
  )

/** Removes a lock if it is still the one that was seen. */
const removeIfSame = Effect.fnUntraced(function*(directory: Directory, name: string, identity: string) {
  const found = yield* find(directory.at(name))
  if (found?.identity !== identity) return false
  yield* removeFile(directory.at(name))
  return true
})

/** Removes an abandoned lock, under a lock of that: tells whether it was this process that did. */
const takeAbandoned = (
  directory: Directory,
  name: string,
  { identity }: Found,
  restore: Restore
): Effect.Effect<boolean, Failure> =>
  withName(directory, lockName(`${name} ${identity}`), restore)(removeIfSame(directory, name, identity))

const withName =
  (directory: Directory, name: string, restore: Restore) =>
  <A, R>(use: Effect.Effect<A, Failure, R>): Effect.Effect<A, Failure, R> =>
    Effect.flatMap(
      acquire(directory, name, restore),
      (etag) => Effect.ensuring(restore(use), release(directory, name, etag))
    )

/** Whether a lock that was found in a directory is abandoned, as this machine's clock says. */
export const isAbandonedLock = Effect.fnUntraced(function*(directory: Directory, name: string) {
  const found = yield* find(directory.at(name))
  if (found === undefined) return false
  const now = yield* Clock.currentTimeNanos
  return yield* isAbandoned(yield* identify, found, now)
})

/** Removes a lock if it is abandoned, and tells so. */
export const removeAbandonedLock = (directory: Directory, name: string): Effect.Effect<boolean, Failure> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.scoped(Effect.gen(function*() {
      const found = yield* find(directory.at(name))
      if (found === undefined) return false
      const { me, now } = yield* prepare(directory)
      return (yield* isAbandoned(me, found, now)) && (yield* takeAbandoned(directory, name, found, restore))
    }))
  )

/** Runs an effect while this process alone holds the lock of a name in a directory. Waiting for it can be interrupted. */
export const withProcessLock =
  (directory: Directory, name: string) => <A, R>(use: Effect.Effect<A, Failure, R>): Effect.Effect<A, Failure, R> =>
    Effect.uninterruptibleMask((restore) => withName(directory, lockName(name), restore)(use))
