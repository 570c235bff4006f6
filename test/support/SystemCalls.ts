import { Effect, type Scope } from "effect"
import mutable from "node:fs"
import { syncBuiltinESMExports } from "node:module"

/** The calls by which the file backends wait for the system. */
const names = [
  "open",
  "close",
  "read",
  "write",
  "fstat",
  "lstat",
  "stat",
  "fsync",
  "fdatasync",
  "ftruncate",
  "futimes",
  "rename",
  "link",
  "unlink",
  "mkdir",
  "rmdir",
  "readlink",
  "realpath",
  "copyFile",
  "readdir",
  "readFile",
  "writeFile",
  "fchmod",
  "utimes"
] as const

type Call = (...args: Array<unknown>) => unknown

/** A call that is made, or whose answer comes. */
export interface CallName {
  readonly name: (typeof names)[number]
  readonly args: ReadonlyArray<unknown>
}

/** The error of a system call. */
export const errno = (code: string, syscall: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall })

/** What a test does at a call. */
export interface SystemCalls {
  /**
   * Runs right before each call is made (`1`, `2`, …), and right before its answer is delivered (`1.5`, `2.5`, …). An error
   * is answered instead of making the call, or instead of its answer.
   */
  onCall: (call: number, what: CallName) => NodeJS.ErrnoException | void
  /** Calls made since it was last set to 0. */
  count: number
}

/** Watches every system call of `node:fs` until the scope closes. */
export const watchSystemCalls: Effect.Effect<SystemCalls, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const originals = new Map<string, Call>()
    const watch: SystemCalls = { onCall: () => {}, count: 0 }
    for (const name of names) {
      const original = (mutable as unknown as Record<string, Call>)[name]
      if (original === undefined) continue
      originals.set(name, original)
      const watched: Call = (...args) => {
        const call = ++watch.count
        const what: CallName = { name, args }
        const failure = watch.onCall(call, what)
        const done = args.at(-1)
        if (typeof done !== "function") {
          if (failure !== undefined) throw failure
          return original(...args)
        }
        if (failure !== undefined) return void setImmediate(done as Call, failure)
        return original(...args.slice(0, -1), (...answer: Array<unknown>) => {
          const late = watch.onCall(call + 0.5, what)
          ;(done as Call)(...(late === undefined || answer[0] !== null ? answer : [late]))
        })
      }
      Object.assign(mutable, { [name]: Object.assign(watched, original) })
    }
    syncBuiltinESMExports()
    return { originals, watch }
  }),
  ({ originals }) =>
    Effect.sync(() => {
      Object.assign(mutable, Object.fromEntries(originals))
      syncBuiltinESMExports()
    })
).pipe(Effect.map(({ watch }) => watch))
