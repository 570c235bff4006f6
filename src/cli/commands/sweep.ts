/**
 * `objectstore sweep`: uploads and temporary files that nobody finished.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Options from "../options.ts"
import { Stores, withStores } from "../stores.ts"
import { dropUploads, findBelow, isBefore } from "../uploads.ts"

/** Older than any upload that is still in progress, as a rule. */
const defaultAge = 24 * 3600 * 1000

export const sweep = Command.make(
  "sweep",
  {
    ...Options.connection,
    dryRun: Options.dryRun,
    json: Options.json,
    olderThan: Options.olderThan,
    yes: Options.yes,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const places = yield* (yield* Stores).places(options.places)
    const before = (yield* Clock.currentTimeMillis) - (options.olderThan ?? defaultAge)
    const found = (yield* Effect.forEach(places, findBelow)).flat()
    // What does not tell its age is not known to be old.
    yield* dropUploads("sweep", found.filter(isBefore(before)), options)
  })
).pipe(withStores, Command.withDescription(Options.summary("sweep")))
