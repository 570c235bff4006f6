/**
 * How the command ends: its own failures, one line for each failure, and the exit codes.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"
import { isObjectStoreError, printable } from "../ObjectStoreError.ts"

/** The command was asked for something that makes no sense. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

/** Some or all of many objects failed; each was reported already. */
export class Incomplete extends Data.TaggedError("Incomplete")<{
  readonly command: string
  readonly succeeded: number
  readonly failed: number
}> {
  override get message(): string {
    return `${this.failed} of ${this.succeeded + this.failed} failed`
  }
}

/** Nobody reads standard output any more. */
export class OutputClosed extends Data.TaggedError("OutputClosed")<{ readonly cause: unknown }> {}

/** Standard output cannot be written. */
export class OutputFailed extends Data.TaggedError("OutputFailed")<{ readonly message: string }> {}

/** The exit codes, as documented in docs/cli.md. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143
} as const

/** How the command ends: its code, and the line that says why. */
export interface Ending {
  readonly code: number
  readonly line?: string | undefined
}

const firstLine = (text: string): string => printable(text.trim().split("\n")[0] ?? "")

const endingOf = (error: unknown): Ending => {
  if (error instanceof OutputClosed) return { code: exitCodes.outputClosed }
  if (error instanceof OutputFailed) return { code: exitCodes.failed, line: `Output: ${firstLine(error.message)}` }
  if (error instanceof UsageError) return { code: exitCodes.usage, line: `Usage: ${printable(error.message)}` }
  if (error instanceof Incomplete) {
    return error.succeeded > 0
      ? { code: exitCodes.partial, line: `PartialFailure: ${error.command}: ${error.message}` }
      : { code: exitCodes.failed, line: `Failed: ${error.command}: ${error.message}` }
  }
  if (CliError.isCliError(error)) {
    const errors = error._tag === "ShowHelp" ? error.errors : [error]
    const command = error._tag === "ShowHelp" ? error.commandPath.join(" ") : "objectstore"
    const text = errors.map(({ message }) => message.trim().replaceAll(/\s*\n\s*/g, ", ")).join("; ")
    const what = text === "" ? `${command} is the name of several commands` : printable(text)
    return { code: exitCodes.usage, line: `Usage: ${what} (${command} --help says more)` }
  }
  if (isObjectStoreError(error)) {
    return {
      code: error.reason._tag === "InvalidUri" ? exitCodes.usage : exitCodes.failed,
      line: error.message
    }
  }
  return {
    code: exitCodes.failed,
    line: `Defect: ${firstLine(error instanceof Error ? error.message : String(error))}`
  }
}

/** How the command ends after this exit of its program. */
export const ending = (exit: Exit.Exit<unknown, unknown>): Ending => {
  if (Exit.isSuccess(exit)) return { code: exitCodes.ok }
  if (Cause.hasInterruptsOnly(exit.cause)) return { code: exitCodes.interrupted }
  return endingOf(Cause.squash(exit.cause))
}
