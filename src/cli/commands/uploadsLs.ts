/**
 * `objectstore uploads ls`: lists of open uploads.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Options from "../options.ts"
import { count, print } from "../output.ts"
import { Stores, withStores } from "../stores.ts"
import { findAt, uploadLine } from "../uploads.ts"

export const uploadsLs = Command.make(
  "ls",
  {
    ...Options.connection,
    exact: Options.exact,
    json: Options.json,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const places = yield* (yield* Stores).places(options.places)
    const found = (yield* Effect.forEach(places, findAt)).flat()
    yield* print(options, found.map((one) => uploadLine("upload", options, one)))
    yield* print(options, [{
      json: { type: "summary", command: "uploads ls", uploads: found.length },
      text: count(found.length, "open upload")
    }])
  })
).pipe(withStores, Command.withDescription(Options.summary("uploads ls")))
