/**
 * `objectstore mb`: new containers.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { changeContainers } from "../containers.ts"
import * as Options from "../options.ts"
import { withStores } from "../stores.ts"

export const mb = Command.make(
  "mb",
  {
    ...Options.connection,
    json: Options.json,
    location: Options.location,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const { location } = options
    yield* changeContainers("mb", options, {
      type: "made",
      change: ({ name, store }) => store.createContainer(name, location === undefined ? undefined : { location })
    })
  })
).pipe(withStores, Command.withDescription(Options.summary("mb")))
