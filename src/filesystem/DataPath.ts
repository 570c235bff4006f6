/**
 * How bytes travel between memory and files: the one thing in which `file://` and `direct://` differ.
 *
 * Paths given to a data path are safe already (a name below a verified directory descriptor); it only moves bytes.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Errno } from "./calls.ts"

/**
 * What a write waits for: nothing (`"none"`), that the object's bytes are on the disk (`"file"`), or that its name is there
 * too (`"full"`).
 *
 * @category models
 * @since 0.1.0
 */
export type Durability = "none" | "file" | "full"

/** The way bytes travel. */
export interface DataPath {
  readonly io: "buffered" | "direct"
  /** Flags added to `O_RDONLY | O_NOFOLLOW | O_CLOEXEC` when a file is opened for `readInto`. */
  readonly readFlags: number
  /**
   * Fills `target` from `offset` of a file that was opened with `readFlags`; answers the number of bytes, less than asked
   * only where the file ends. Any offset, any length, any target. Interruption waits for calls in flight, so that nothing
   * writes to `target` afterwards.
   */
  readonly readInto: (fd: number, offset: number, target: Uint8Array) => Effect.Effect<number, Errno>
  /**
   * Opens `path` for writing: creates it (`O_EXCL | O_NOFOLLOW`, mode 0600) or, with `create: false`, opens the existing
   * file. Descriptors are closed with the scope.
   */
  readonly openWriter: (
    path: string,
    options: { readonly create: boolean }
  ) => Effect.Effect<FileWriter, Errno, Scope.Scope>
}

/** A file being written. */
export interface FileWriter {
  /** A descriptor of the file, for `fstat`, `futimes` and the like; never for data. */
  readonly fd: number
  /** Writes all of `body` at `offset`; any offset, any length; writes to places that do not overlap may run side by side. */
  readonly write: (offset: number, body: Uint8Array) => Effect.Effect<void, Errno>
  /** Makes the file exactly `size` bytes long and, unless `"none"`, forces it to the disk. A failure is final. */
  readonly finish: (size: number, durability: Durability) => Effect.Effect<void, Errno>
}
