/**
 * `objectstore uploads`: the commands of open uploads.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import { uploadsAbort } from "./uploadsAbort.ts"
import { uploadsLs } from "./uploadsLs.ts"

export const uploads = Command.make("uploads").pipe(
  Command.withDescription("List and drop open uploads"),
  Command.withSubcommands([uploadsAbort, uploadsLs])
)
