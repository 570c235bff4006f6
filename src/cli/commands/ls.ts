/**
 * `objectstore ls`: lists of objects.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ObjectInfo, Prefix } from "../../ObjectInfo.ts"
import * as Options from "../options.ts"
import { count, type Format, infoJson, type Line, print, sizeText, timeText } from "../output.ts"
import { lookAt, type Place } from "../places.ts"
import { findObject, missing } from "../sources.ts"
import { at, show, Stores, type Tree } from "../stores.ts"

interface Totals {
  objects: number
  prefixes: number
  bytes: number
}

const objectLine = (format: Format, info: ObjectInfo, shown: string): Line => ({
  json: infoJson(info, shown),
  text: `${sizeText(format, info.size).padStart(format.exact === true ? 14 : 9)}  ${
    timeText(format, info.lastModified)
  }  ${shown}`
})

const line = (format: Format, tree: Tree, item: ObjectInfo | Prefix, totals: Totals): Line => {
  const shown = item._tag === "Prefix"
    ? `${tree.show(tree.key(item.uri.slice(0, -1)))}/`
    : tree.show(tree.key(item.uri))
  if (item._tag === "ObjectInfo") {
    totals.objects++
    totals.bytes += item.size
    return objectLine(format, item, shown)
  }
  totals.prefixes++
  return {
    json: { type: "prefix", uri: shown, key: item.key },
    text: `${"-".padStart(format.exact === true ? 14 : 9)}  ${"-".padEnd(format.exact === true ? 24 : 16)}  ${shown}`
  }
}

const listOne = Effect.fnUntraced(function*(place: Place, recursive: boolean, format: Format, totals: Totals) {
  if (place._tag === "Path" && (yield* lookAt(place)) !== "directory") {
    const ref = yield* findObject(place)
    const info = yield* ref.tree.store.stat(at(ref))
    totals.objects++
    totals.bytes += info.size
    return yield* print(format, [objectLine(format, info, show(ref))])
  }
  const before = totals.objects + totals.prefixes
  const tree = yield* (yield* Stores).tree(place)
  const items = recursive ? tree.store.list(tree.base) : tree.store.listDirectory(tree.base)
  yield* Stream.runForEachArray(items, (page) => print(format, page.map((item) => line(format, tree, item, totals))))
  if (place._tag === "Path" || totals.objects + totals.prefixes > before) return
  if (place.uri.key === "") return
  if (place.directory) return yield* missing(place)
  const ref = yield* findObject(place)
  const info = yield* ref.tree.store.stat(at(ref))
  totals.objects++
  totals.bytes += info.size
  yield* print(format, [objectLine(format, info, show(ref))])
})

export const ls = Command.make(
  "ls",
  {
    exact: Options.exact,
    json: Options.json,
    recursive: Options.recursive,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const totals: Totals = { objects: 0, prefixes: 0, bytes: 0 }
    const places = yield* (yield* Stores).places(options.places)
    yield* Effect.forEach(places, (place) => listOne(place, options.recursive, options, totals), { discard: true })
    yield* print(options, [{
      json: { type: "summary", command: "ls", ...totals },
      text: `${count(totals.objects, "object")}, ${sizeText(options, totals.bytes)}${options.exact ? " bytes" : ""}${
        totals.prefixes === 0 ? "" : `, ${count(totals.prefixes, "directory", "directories")}`
      }`
    }])
  })
).pipe(Command.withDescription(Options.summary("ls")))
