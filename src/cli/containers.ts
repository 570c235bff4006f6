/**
 * Changes of containers, one after another.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { Incomplete, UsageError } from "./exit.ts"
import type { CommandName } from "./help.ts"
import { complain, count, failureLine, type Format, print } from "./output.ts"
import { isLink } from "./places.ts"
import { type Container, Stores } from "./stores.ts"

/** What is done to each container, and how it is told. */
interface Change {
  readonly type: "made" | "removed"
  readonly change: (container: Container) => Effect.Effect<void, ObjectStoreError>
}

/** Changes the containers that places name. Every failure is reported, and the others go on. */
export const changeContainers = Effect.fnUntraced(function*(
  command: CommandName,
  options: Format & { readonly places: ReadonlyArray<string> },
  { change, type }: Change
) {
  const stores = yield* Stores
  const places = yield* stores.places(options.places)
  for (const place of places) {
    if (yield* isLink(place)) {
      return yield* new UsageError({ message: `${place.text} is a symbolic link, no container` })
    }
  }
  const containers = yield* Effect.forEach(
    places,
    (place) => Effect.map(stores.container(place), (container) => ({ container, uri: place.text }))
  )
  const totals = { succeeded: 0, failed: 0 }
  yield* Effect.forEach(
    containers,
    ({ container, uri }) =>
      Effect.flatMap(Effect.result(change(container)), (result) => {
        if (Result.isSuccess(result)) {
          totals.succeeded++
          return print(options, [{ json: { type, uri } }])
        }
        totals.failed++
        return Effect.andThen(
          complain(result.failure.message),
          print(options, [failureLine({ uri }, result.failure)])
        )
      }),
    { discard: true }
  )
  yield* print(options, [{
    json: { type: "summary", command, ...totals },
    text: `${type} ${count(totals.succeeded, "container")}${totals.failed === 0 ? "" : `, ${totals.failed} failed`}`
  }])
  if (totals.failed > 0) return yield* new Incomplete({ command, ...totals })
})
