/**
 * The program behind the command: parses arguments, runs the command that they name, and ends with its exit code.
 *
 * @internal
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { cat } from "./commands/cat.ts"
import { checksum } from "./commands/checksum.ts"
import { cp } from "./commands/cp.ts"
import { get } from "./commands/get.ts"
import { ls } from "./commands/ls.ts"
import { mb } from "./commands/mb.ts"
import { presign } from "./commands/presign.ts"
import { put } from "./commands/put.ts"
import { rb } from "./commands/rb.ts"
import { rm } from "./commands/rm.ts"
import { stat } from "./commands/stat.ts"
import { sweep } from "./commands/sweep.ts"
import { uploads } from "./commands/uploads.ts"
import { ending, exitCodes } from "./exit.ts"
import { complain, guardStreams, logger } from "./output.ts"

/** The whole command. */
export const objectstore = Command.make("objectstore").pipe(
  Command.withDescription("Objects in files and clouds, by one command"),
  Command.withSubcommands([cat, checksum, cp, get, ls, mb, presign, put, rb, rm, stat, sweep, uploads])
)

/** What is wrong with the arguments is told in one line, as every failure is; the help was asked for before. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation" || event._tag === "Help" && event.reason === "Implicit"
      ? Effect.void
      : CliOutput.defaultPresenter.present(event)
}

const services = Layer.mergeAll(
  NodeServices.layer,
  Logger.layer([logger]),
  CliOutput.layerPresenter(presenter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
)

/** Runs the command, and ends the process. */
export const run = (args: ReadonlyArray<string>, version: string): void => {
  let terminated = false
  process.once("SIGTERM", () => {
    terminated = true
  })
  guardStreams.pipe(
    Effect.andThen(Command.runWith(objectstore, { version })(args)),
    Effect.provide(services),
    Effect.onExit((exit: Exit.Exit<unknown, unknown>) => {
      const { line } = ending(exit)
      return line === undefined ? Effect.void : complain(line)
    }),
    NodeRuntime.runMain({
      disableErrorReporting: true,
      teardown: (exit, onExit) => {
        const { code } = ending(exit)
        onExit(code === exitCodes.interrupted && terminated ? exitCodes.terminated : code)
      }
    })
  )
}
