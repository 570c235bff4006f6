/**
 * `objectstore ls`: lists of objects.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ObjectInfo, Prefix } from "../../ObjectInfo.ts"
import { UsageError } from "../exit.ts"
import * as Options from "../options.ts"
import { count, type Format, infoJson, type Line, print, sizeText, timeText } from "../output.ts"
import { lookAt, type Place, type ServicePlace } from "../places.ts"
import { findObject, missing } from "../sources.ts"
import { at, show, Stores, type Tree, withStores } from "../stores.ts"

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

const prefixLine = (format: Format, shown: string, key: string, created?: DateTime.Utc): Line => ({
  json: { type: "prefix", uri: shown, key, created: created === undefined ? undefined : DateTime.formatIso(created) },
  text: `${"-".padStart(format.exact === true ? 14 : 9)}  ${
    timeText(format, created).padEnd(format.exact === true ? 24 : 16)
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
  return prefixLine(format, shown, item.key)
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

const listContainers = Effect.fnUntraced(function*(place: ServicePlace, format: Format, totals: Totals) {
  const containers = (yield* Stores).containers(place)
  yield* Stream.runForEachArray(containers, (page) => {
    totals.prefixes += page.length
    return print(format, page.map(({ created, name }) => prefixLine(format, `${name}/`, "", created)))
  })
})

export const ls = Command.make(
  "ls",
  {
    ...Options.connection,
    exact: Options.exact,
    json: Options.json,
    recursive: Options.recursive,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const totals: Totals = { objects: 0, prefixes: 0, bytes: 0 }
    const places = yield* (yield* Stores).listed(options.places)
    const service = places.find(({ _tag }) => _tag === "Service")
    if (options.recursive && service !== undefined) {
      return yield* new UsageError({
        message: `${service.text} is a service; --recursive is for what is in a container`
      })
    }
    yield* Effect.forEach(places, (place) =>
      place._tag === "Service"
        ? listContainers(place, options, totals)
        : listOne(place, options.recursive, options, totals), { discard: true })
    yield* print(options, [{
      json: { type: "summary", command: "ls", ...totals },
      text: `${count(totals.objects, "object")}, ${sizeText(options, totals.bytes)}${options.exact ? " bytes" : ""}${
        totals.prefixes === 0 ? "" : `, ${count(totals.prefixes, "directory", "directories")}`
      }`
    }])
  })
).pipe(withStores, Command.withDescription(Options.summary("ls")))
