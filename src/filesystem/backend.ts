/**
 * The backend of directories: everything `file://` and `direct://` share, which is all but the way bytes travel.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Backend } from "../Backend.ts"
import type { Tuning } from "../Capabilities.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { DataPath, Durability } from "./DataPath.ts"

/** What a backend of a directory is made of. */
export interface FileBackendOptions {
  /** Its name, which is its scheme as well. */
  readonly name: "file" | "direct"
  /** The root: an absolute path of a directory, or of one that the first write makes. */
  readonly root: string
  readonly data: DataPath
  readonly durability: Durability
  /** Whether the first write makes a missing root; `true` without it. */
  readonly createRoot?: boolean | undefined
  /** Sizes and numbers other than the usual ones. */
  readonly tuning?: Partial<Tuning> | undefined
}

/** Makes the backend. Nothing is made on the disk before the first write; a root that is no directory is `Configuration`. */
export const makeFileBackend = (
  options: FileBackendOptions
): Effect.Effect<Backend, ObjectStoreError, Scope.Scope> => Effect.die(options)
