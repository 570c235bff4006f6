/**
 * Whether many things may go: `--yes`, or an answer on a terminal.
 *
 * @internal
 */
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import { UsageError } from "./exit.ts"

/** Goes on if `what` may be removed; else it is wrong usage, which says how many things it is about. */
export const confirmRemoval = Effect.fnUntraced(function*(what: string, options: {
  readonly many: boolean
  readonly yes: boolean
}) {
  if (!options.many || options.yes) return
  const stdio = yield* Stdio.Stdio
  const terminal = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
  if (!terminal) return yield* new UsageError({ message: `it would remove ${what}; --yes lets it` })
  const agreed = yield* Prompt.run(Prompt.Confirm({ message: `Remove ${what}?` }))
  if (!agreed) return yield* new UsageError({ message: `nothing was removed of ${what}` })
})
