/**
 * Uploads that were begun and not completed: finding, telling and dropping them.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { OpenUpload } from "../ObjectInfo.ts"
import { confirmRemoval } from "./confirm.ts"
import { Incomplete, UsageError } from "./exit.ts"
import type { CommandName } from "./help.ts"
import { complain, count, failureLine, type Format, type Line, print, timeText } from "./output.ts"
import { lookAt, type Place } from "./places.ts"
import { missing } from "./sources.ts"
import { Stores, type Tree } from "./stores.ts"

/** An open upload in its store. */
export interface Found {
  readonly tree: Tree
  readonly upload: OpenUpload
}

/** The open uploads below a directory or container. */
export const findBelow = Effect.fnUntraced(function*(place: Place) {
  if (place._tag === "Path") {
    const kind = yield* lookAt(place)
    if (kind === "missing") return yield* missing(place)
    if (kind !== "directory") return yield* new UsageError({ message: `${place.text} is not a directory` })
  }
  const tree = yield* (yield* Stores).tree(place)
  return yield* collect(tree, tree.base)
})

const collect = (tree: Tree, prefix: string) =>
  tree.store.listUploads(prefix).pipe(Stream.map((upload): Found => ({ tree, upload })), Stream.runCollect)

/** The open uploads to what a place names, and below it. */
export const findAt = Effect.fnUntraced(function*(place: Place) {
  if (place.directory || (place._tag === "Path" && (yield* lookAt(place)) === "directory")) {
    return yield* findBelow(place)
  }
  // An upload of an object that there is not yet, or a directory of uploads alone.
  const { key, tree } = yield* (yield* Stores).object(place)
  const found = yield* collect(tree, tree.at(key))
  return found.filter(({ upload }) => upload.uri === tree.at(key) || upload.uri.startsWith(`${tree.at(key)}/`))
})

const describe = ({ tree, upload }: Found) => ({
  uri: tree.show(tree.key(upload.uri)),
  id: upload.id,
  initiated: upload.initiated === undefined ? undefined : DateTime.formatIso(upload.initiated)
})

/** The line of an upload. */
export const uploadLine = (type: string, format: Format, found: Found): Line => {
  const json = { type, ...describe(found) }
  return { json, text: `${timeText(format, found.upload.initiated)}  ${json.uri}` }
}

/** Whether an upload is known to have been begun before a time. */
export const isBefore = (time: number) => ({ upload: { initiated } }: Found): boolean =>
  initiated !== undefined && DateTime.toEpochMillis(initiated) <= time

/** Drops uploads. Every failure is reported, and the others go on. */
export const dropUploads = Effect.fnUntraced(function*(
  command: CommandName,
  found: ReadonlyArray<Found>,
  options: Format & { readonly dryRun: boolean; readonly yes: boolean }
) {
  const totals = { succeeded: 0, failed: 0 }

  const report = (type: "plan" | "swept", one: Found) => {
    totals.succeeded++
    return print(options, [uploadLine(type, options, one)])
  }
  const drop = Effect.fnUntraced(function*(one: Found) {
    const result = yield* Effect.result(one.tree.store.abortUpload(one.upload))
    if (Result.isSuccess(result) || result.failure.reason._tag === "UploadNotFound") {
      return yield* report("swept", one)
    }
    totals.failed++
    yield* complain(result.failure.message)
    yield* print(options, [failureLine(describe(one), result.failure)])
  })

  if (!options.dryRun) {
    yield* confirmRemoval(count(found.length, "unfinished upload"), { many: found.length > 1, yes: options.yes })
  }
  yield* Effect.forEach(found, (one) => options.dryRun ? report("plan", one) : drop(one), { discard: true })
  // No request drops them there (Azure), so a list looks the same afterwards.
  if (!options.dryRun && found.some(({ tree }) => tree.store.capabilities.multipart.abort === "expires")) {
    yield* complain("Warning: the service drops what was sent by itself, within a week, and lists it until then")
  }
  yield* print(options, [{
    json: { type: "summary", command, dryRun: options.dryRun, ...totals },
    text: `${options.dryRun ? "would drop" : "dropped"} ${count(totals.succeeded, "unfinished upload")}${
      totals.failed === 0 ? "" : `, ${totals.failed} failed`
    }`
  }])
  if (totals.failed > 0) return yield* new Incomplete({ command, ...totals })
})
