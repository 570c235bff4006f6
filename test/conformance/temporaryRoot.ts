import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A new directory that is removed with the scope. */
export const temporaryRoot = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "objectstore-"))),
  (root) => Effect.promise(() => rm(root, { recursive: true, force: true }))
)
