/**
 * `objectstore stat`: what is known of objects.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { ObjectInfo } from "../../ObjectInfo.ts"
import * as Options from "../options.ts"
import { type Format, infoJson, print, sizeText, timeText } from "../output.ts"
import { findObject } from "../sources.ts"
import { at, show, Stores, withStores } from "../stores.ts"

const rows = (format: Format, info: ObjectInfo): Array<readonly [string, string | undefined]> => [
  ["size", sizeText(format, info.size)],
  ["modified", info.lastModified === undefined ? undefined : timeText(format, info.lastModified)],
  ["etag", info.etag],
  ["version", info.version],
  ["stored as", info.storageClass],
  ...Object.entries(info.attributes),
  ...Object.entries(info.metadata).map(([name, value]) => [`metadata ${name}`, value] as const),
  ...Object.entries(info.checksums)
]

const text = (format: Format, info: ObjectInfo, shown: string): ReadonlyArray<string> => [
  shown,
  ...rows(format, info).flatMap(([name, value]) => value === undefined ? [] : [`  ${name.padEnd(16)}  ${value}`])
]

export const stat = Command.make(
  "stat",
  {
    ...Options.connection,
    exact: Options.exact,
    json: Options.json,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const places = yield* (yield* Stores).places(options.places)
    const refs = yield* Effect.forEach(places, findObject)
    let bytes = 0
    for (const ref of refs) {
      const info = yield* ref.tree.store.stat(at(ref))
      bytes += info.size
      const json = {
        ...infoJson(info, show(ref)),
        attributes: info.attributes,
        metadata: info.metadata,
        checksums: info.checksums
      }
      const lines = text(options, info, show(ref))
      yield* print(options, options.json ? [{ json }] : lines.map((text) => ({ json, text })))
    }
    yield* print(options, [{ json: { type: "summary", command: "stat", objects: refs.length, bytes } }])
  })
).pipe(withStores, Command.withDescription(Options.summary("stat")))
