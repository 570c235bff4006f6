import { Effect, type Scope } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const make = (parent: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => NodeFs.realpathSync(NodeFs.mkdtempSync(NodePath.join(parent, "objectstore-")))),
    (path) => Effect.sync(() => NodeFs.rmSync(path, { recursive: true, force: true }))
  )

/** A directory of its own, removed with the scope. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = make(NodeOs.tmpdir())

/** The same in memory, where that is: forcing things to the disk takes no time there. */
export const memoryDirectory: Effect.Effect<string, never, Scope.Scope> = make(
  NodeFs.existsSync("/dev/shm") ? "/dev/shm" : NodeOs.tmpdir()
)
