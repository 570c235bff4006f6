/**
 * Makes a sequence that fails smaller, as long as it fails.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Difference } from "./checkProperty.ts"
import type { Command } from "./Command.ts"

const maxRuns = 600

/** Simpler forms of a command, the simplest first. */
const simpler = (command: Command): ReadonlyArray<Command> => {
  const forms: Array<Command> = []
  if ("size" in command) {
    for (const size of [0, 1, 100, 1000]) if (size < command.size) forms.push({ ...command, size })
  }
  if (command.op === "putMultipart" || command.op === "putStream") forms.push({ ...command, op: "put" })
  if ("metadata" in command && command.metadata) forms.push({ ...command, metadata: false })
  if ((command.op === "put" || command.op === "copy") && command.mode !== "overwrite") {
    forms.push({ ...command, mode: "overwrite" })
  }
  if (command.op === "delete" && command.mode !== "always") forms.push({ ...command, mode: "always" })
  if (command.op === "list" && command.startAfter !== undefined) forms.push({ ...command, startAfter: undefined })
  if ((command.op === "list" || command.op === "listDirectory") && command.pageSize !== undefined) {
    forms.push({ ...command, pageSize: undefined })
  }
  if (command.op === "deleteMany") {
    for (const i of command.keys.keys()) forms.push({ ...command, keys: command.keys.filter((_, j) => j !== i) })
  }
  return forms
}

/** Smaller sequences to try: halves left out, then quarters, … then single commands; then simpler commands. */
function* candidates(commands: ReadonlyArray<Command>): Generator<ReadonlyArray<Command>> {
  for (let size = Math.ceil(commands.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < commands.length; start += size) {
      yield [...commands.slice(0, start), ...commands.slice(start + size)]
    }
  }
  for (const [i, command] of commands.entries()) {
    for (const form of simpler(command)) yield commands.map((one, j) => j === i ? form : one)
  }
}

/**
 * Finds a smallest sequence that still differs; `undefined` if the whole one does not differ when it is run again.
 *
 * @category testing
 * @since 0.1.0
 */
export const shrink = Effect.fnUntraced(function*(
  commands: ReadonlyArray<Command>,
  compare: (commands: ReadonlyArray<Command>) => Effect.Effect<Difference | undefined>
): Effect.fn.Return<{ readonly commands: ReadonlyArray<Command>; readonly difference: Difference } | undefined> {
  const first = yield* compare(commands)
  if (first === undefined) return undefined
  let smallest = { commands, difference: first }
  let runs = 0
  let progress = true
  while (progress) {
    progress = false
    for (const candidate of candidates(smallest.commands)) {
      if (runs++ >= maxRuns) return smallest
      const difference = yield* compare(candidate)
      if (difference !== undefined) {
        smallest = { commands: candidate, difference }
        progress = true
        break
      }
    }
  }
  return smallest
})
