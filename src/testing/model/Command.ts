/**
 * The commands of the property test: plain data, so that a sequence can be printed, kept, shrunk and run again.
 *
 * @since 0.1.0
 */

/**
 * When a command may write: `"right"` names the etag that the object has, `"stale"` one that it has no longer.
 *
 * @category models
 * @since 0.1.0
 */
export type CommandMode = "overwrite" | "create" | "right" | "stale"

/**
 * A range of a command.
 *
 * @category models
 * @since 0.1.0
 */
export type CommandRange =
  | { readonly offset: number; readonly length?: number | undefined }
  | { readonly suffix: number }

/**
 * One step of a sequence. `fill` makes the bytes of a write unlike those of every other one.
 *
 * @category models
 * @since 0.1.0
 */
export type Command =
  | {
    readonly op: "put" | "putMultipart" | "putStream"
    readonly key: string
    readonly size: number
    readonly fill: number
    readonly mode: CommandMode
    readonly metadata: boolean
  }
  /** A put whose source fails after `size` bytes, or stalls there and is interrupted. */
  | { readonly op: "failedPut" | "stalledPut"; readonly key: string; readonly size: number; readonly fill: number }
  /** A put that is interrupted after some turns of the scheduler. */
  | {
    readonly op: "interruptedPut"
    readonly key: string
    readonly size: number
    readonly fill: number
    readonly turns: number
  }
  | { readonly op: "openWriter"; readonly slot: number; readonly key: string; readonly mode: "overwrite" | "create" }
  | { readonly op: "write"; readonly slot: number; readonly size: number; readonly fill: number }
  | { readonly op: "finishWriter" | "abandonWriter"; readonly slot: number }
  | { readonly op: "get" | "stat" | "exists" | "read"; readonly key: string }
  | { readonly op: "getRange"; readonly key: string; readonly range: CommandRange }
  | {
    readonly op: "list" | "listDirectory"
    readonly prefix: string
    readonly pageSize?: number | undefined
    readonly startAfter?: string | undefined
  }
  | { readonly op: "copy" | "rename"; readonly key: string; readonly to: string; readonly mode: CommandMode }
  | { readonly op: "delete"; readonly key: string; readonly mode: "always" | "right" | "stale" }
  | { readonly op: "deleteMany"; readonly keys: ReadonlyArray<string> }
  | { readonly op: "deletePrefix"; readonly prefix: string }

/**
 * Prints a sequence, one command a line.
 *
 * @category testing
 * @since 0.1.0
 */
export const printCommands = (commands: ReadonlyArray<Command>): string =>
  commands.map((command, i) => `  ${String(i + 1).padStart(2)}  ${JSON.stringify(command)}`).join("\n")
