/**
 * Locks between processes: a file beside the object's, made by `link`, that names its owner.
 *
 * A lock is held for a comparison and a rename. Only a process that is provably dead loses it: one of this boot and this
 * pid namespace whose pid is free or belongs to a later process. Whoever takes a lock from a dead owner first takes a
 * second lock, whose name is made of this very acquisition, and looks again: so no two can take it, and nobody takes one
 * that was released meanwhile.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Calls from "./calls.ts"
import { reserveTemporary } from "./environment.ts"
import { type Failure, refuse } from "./errors.ts"
import { lockName, randomId } from "./names.ts"
import type { Directory } from "./root.ts"
import { readSmallFile, removeFile, writeSmallFile } from "./smallFile.ts"

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

const isDead = (me: Omit<Owner, "nonce">, owner: Owner): Effect.Effect<boolean> => {
  if (owner.host !== me.host) return Effect.succeed(false)
  if (owner.boot !== me.boot) return Effect.succeed(true)
  if (owner.namespace !== me.namespace) return Effect.succeed(false)
  return Effect.flatMap(
    isPidFree(owner.pid),
    (free) =>
      free || owner.start === ""
        ? Effect.succeed(free)
        : Effect.map(startOf(owner.pid), (start) => start !== owner.start)
  )
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const readOwner = (path: string): Effect.Effect<Option.Option<Owner> | undefined, Calls.Errno> =>
  readSmallFile(path, ownerLimit).pipe(
    Effect.map((text) => decodeOwner(text)),
    Effect.catchIf((error) => error.code === "ENOENT", () => Effect.succeed(undefined))
  )

const acquire = (directory: Directory, name: string, restore: Restore): Effect.Effect<void, Failure> =>
  Effect.scoped(Effect.gen(function*() {
    const me = yield* identify
    const path = directory.at(name)
    const { path: mine } = yield* reserveTemporary(directory)
    const attempt = Effect.as(Calls.link(mine, path), true).pipe(
      Effect.catchIf((error) => error.code === "EEXIST", () => Effect.succeed(false))
    )
    const loop = Effect.gen(function*() {
      for (let i = 0; i < tries; i++) {
        if (yield* attempt) return
        const owner = yield* readOwner(path)
        if (owner === undefined) continue
        if (Option.isSome(owner) && (yield* isDead(me, owner.value))) {
          yield* takeFromDead(directory, name, owner.value, restore)
          continue
        }
        yield* restore(Effect.sleep(Math.min(2 ** Math.min(i, 10), longestWait)))
      }
      return yield* refuse("Conflict", `another process holds the lock ${directory.path}/${name}`)
    })
    yield* writeSmallFile(mine, JSON.stringify({ ...me, nonce: randomId() }), "none")
    yield* loop
  }))

const takeFromDead = (
  directory: Directory,
  name: string,
  dead: Owner,
  restore: Restore
): Effect.Effect<void, Failure> =>
  withName(directory, lockName(`${name} ${dead.nonce}`), restore)(
    Effect.flatMap(readOwner(directory.at(name)), (owner) =>
      owner !== undefined && Option.isSome(owner) && owner.value.nonce === dead.nonce
        ? removeFile(directory.at(name))
        : Effect.void)
  )

const withName =
  (directory: Directory, name: string, restore: Restore) =>
  <A, R>(use: Effect.Effect<A, Failure, R>): Effect.Effect<A, Failure, R> =>
    Effect.andThen(
      acquire(directory, name, restore),
      Effect.ensuring(restore(use), Effect.ignore(removeFile(directory.at(name)), { log: "Warn" }))
    )

/** Runs an effect while this process alone holds the lock of a name in a directory. Waiting for it can be interrupted. */
export const withProcessLock =
  (directory: Directory, name: string) => <A, R>(use: Effect.Effect<A, Failure, R>): Effect.Effect<A, Failure, R> =>
    Effect.uninterruptibleMask((restore) => withName(directory, lockName(name), restore)(use))
