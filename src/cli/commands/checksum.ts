/**
 * `objectstore checksum`: checksums of what objects and files hold.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { beginSum } from "../../codec/partSums.ts"
import * as Options from "../options.ts"
import { print } from "../output.ts"
import { findObject } from "../sources.ts"
import { at, type Ref, show, Stores, withStores } from "../stores.ts"

type Settings = {
  readonly algorithm: "crc32" | "crc32c" | "crc64nvme" | "sha256"
  readonly concurrency: number | undefined
  readonly partSize: number | undefined
}

const sumOf = Effect.fnUntraced(function*(ref: Ref, { algorithm, concurrency, partSize }: Settings) {
  const sum = beginSum(algorithm)
  let bytes = 0
  yield* Stream.runForEach(ref.tree.store.stream(at(ref), { concurrency, partSize }), (chunk) =>
    Effect.sync(() => {
      sum.add(bytes, chunk)
      bytes += chunk.length
    }))
  return { bytes, checksum: sum.digest() }
})

export const checksum = Command.make(
  "checksum",
  {
    ...Options.connection,
    algorithm: Options.algorithm,
    concurrency: Options.concurrency,
    json: Options.json,
    partSize: Options.partSize,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const places = yield* (yield* Stores).places(options.places)
    const refs = yield* Effect.forEach(places, findObject)
    const { algorithm } = options
    let total = 0
    for (const ref of refs) {
      const { bytes, checksum } = yield* sumOf(ref, options)
      total += bytes
      const hex = Buffer.from(checksum, "base64").toString("hex")
      yield* print(options, [{
        json: { type: "checksum", uri: show(ref), algorithm, checksum, hex, size: bytes },
        text: `${checksum}  ${show(ref)}`
      }])
    }
    yield* print(options, [{ json: { type: "summary", command: "checksum", objects: refs.length, bytes: total } }])
  })
).pipe(withStores, Command.withDescription(Options.summary("checksum")))
