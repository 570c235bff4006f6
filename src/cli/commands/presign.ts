/**
 * `objectstore presign`: a URL for one object. It is a secret, and this is the only place that prints one.
 *
 * @internal
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Options from "../options.ts"
import { print } from "../output.ts"
import { at, show, Stores, withStores } from "../stores.ts"

export const presign = Command.make(
  "presign",
  {
    ...Options.connection,
    expiresIn: Options.expiresIn,
    json: Options.json,
    method: Options.method,
    place: Argument.String("LOCATION")
  },
  Effect.fnUntraced(function*(options) {
    const { expiresIn, method } = options
    const stores = yield* Stores
    const [place] = yield* stores.places([options.place])
    const ref = yield* stores.object(place)
    const signed = Redacted.value(yield* ref.tree.store.presign(at(ref), { method, expiresIn }))
    const expires = DateTime.formatIso(DateTime.addDuration(yield* DateTime.now, expiresIn))
    yield* print(options, [
      { json: { type: "presigned", uri: show(ref), method, expires, url: signed }, text: signed },
      { json: { type: "summary", command: "presign", urls: 1 } }
    ])
  })
).pipe(withStores, Command.withDescription(Options.summary("presign")))
