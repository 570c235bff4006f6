/**
 * `objectstore uploads abort`: removal of open uploads.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Options from "../options.ts"
import { Stores, withStores } from "../stores.ts"
import { dropUploads, findAt, isBefore } from "../uploads.ts"

export const uploadsAbort = Command.make(
  "abort",
  {
    ...Options.connection,
    dryRun: Options.dryRun,
    json: Options.json,
    olderThan: Options.olderThan,
    yes: Options.yes,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const { olderThan } = options
    const places = yield* (yield* Stores).places(options.places)
    const now = yield* Clock.currentTimeMillis
    const all = (yield* Effect.forEach(places, findAt)).flat()
    const found = olderThan === undefined ? all : all.filter(isBefore(now - olderThan))
    yield* dropUploads("uploads abort", found, options)
  })
).pipe(withStores, Command.withDescription(Options.summary("uploads abort")))
