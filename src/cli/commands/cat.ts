/**
 * `objectstore cat`: the bytes of objects on standard output.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { readingOf } from "../compression.ts"
import * as Options from "../options.ts"
import { write } from "../output.ts"
import { findObject } from "../sources.ts"
import { at, Stores, withStores } from "../stores.ts"

export const cat = Command.make(
  "cat",
  {
    ...Options.connection,
    concurrency: Options.concurrency,
    decompress: Options.decompress,
    partSize: Options.partSize,
    range: Options.range,
    places: Options.locations
  },
  Effect.fnUntraced(function*({ concurrency, decompress, partSize, places, range }) {
    const parsed = yield* (yield* Stores).places(places)
    const refs = yield* Effect.forEach(parsed, findObject)
    yield* Effect.forEach(
      refs,
      (ref) =>
        Stream.runForEach(
          ref.tree.store.stream(at(ref), { concurrency, partSize, range, ...readingOf(ref.key, { decompress }) }),
          write
        ),
      { discard: true }
    )
  })
).pipe(withStores, Command.withDescription(Options.summary("cat")))
