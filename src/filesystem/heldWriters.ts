/**
 * Writers of staged uploads that stay open between their parts, so that a part costs one system call and not seven.
 *
 * Only some uploads of a store have one, because open uploads are not bounded and descriptors are. The others open their
 * file for each part.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { FileWriter } from "./DataPath.ts"

/** Uploads of one store that hold a writer. */
const most = 16

/** A writer that is open as long as it is used, or was not released. */
export interface HeldWriter {
  /** Lends the writer; `undefined` once it was released. */
  readonly use: <A, E, R>(f: (writer: FileWriter | undefined) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Closes the writer, as soon as nobody uses it: a number that was closed may be another file's. */
  readonly release: Effect.Effect<void>
}

/** The writers that one store holds. */
export interface HeldWriters {
  /** Keeps a writer, which is open in `scope`; with too many held already, closes the scope and keeps nothing. */
  readonly hold: (writer: FileWriter, scope: Scope.Closeable) => Effect.Effect<HeldWriter>
}

const none: HeldWriter = { use: (f) => f(undefined), release: Effect.void }

/** Makes the writers of one store, which are closed with its scope. */
export const makeHeldWriters: Effect.Effect<HeldWriters, never, Scope.Scope> = Effect.gen(function*() {
  const held = new Set<HeldWriter>()
  yield* Effect.addFinalizer(() => Effect.forEach(held, ({ release }) => release, { discard: true }))
  return {
    hold: (writer, scope) =>
      Effect.suspend(() => {
        const close = Scope.close(scope, Exit.void)
        if (held.size >= most) return Effect.as(close, none)
        let users = 0
        let released = false
        const leave = Effect.suspend(() => {
          users--
          return released && users === 0 ? close : Effect.void
        })
        const own: HeldWriter = {
          use: (f) =>
            Effect.acquireUseRelease(
              Effect.sync(() => {
                users++
                return released ? undefined : writer
              }),
              f,
              () => leave
            ),
          release: Effect.suspend(() => {
            held.delete(own)
            if (released) return Effect.void
            released = true
            return users === 0 ? close : Effect.void
          })
        }
        held.add(own)
        return Effect.succeed(own)
      })
  }
})
