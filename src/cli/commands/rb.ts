/**
 * `objectstore rb`: removal of empty containers.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { changeContainers } from "../containers.ts"
import * as Options from "../options.ts"

export const rb = Command.make(
  "rb",
  {
    json: Options.json,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    yield* changeContainers("rb", options, {
      type: "removed",
      change: ({ name, store }) => store.deleteContainer(name)
    })
  })
).pipe(Command.withDescription(Options.summary("rb")))
