/**
 * `objectstore rb`: removal of empty containers.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { changeContainers } from "../containers.ts"
import * as Options from "../options.ts"
import { withStores } from "../stores.ts"

export const rb = Command.make(
  "rb",
  {
    ...Options.connection,
    json: Options.json,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    yield* changeContainers("rb", options, {
      type: "removed",
      change: ({ name, store }) => store.deleteContainer(name)
    })
  })
).pipe(withStores, Command.withDescription(Options.summary("rb")))
