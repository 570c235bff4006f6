/**
 * `objectstore sweep`: uploads and temporary files that nobody finished.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { OpenUpload } from "../../ObjectInfo.ts"
import { confirmRemoval } from "../confirm.ts"
import { Incomplete, UsageError } from "../exit.ts"
import * as Options from "../options.ts"
import { complain, count, failureLine, print, timeText } from "../output.ts"
import { missing } from "../sources.ts"
import { lookAt, parsePlace, type Place, Stores, type Tree } from "../stores.ts"

interface Leftover {
  readonly tree: Tree
  readonly upload: OpenUpload
}

const find = Effect.fnUntraced(function*(place: Place, before: number) {
  if (place._tag === "Path") {
    const kind = yield* lookAt(place)
    if (kind === "missing") return yield* missing(place)
    if (kind !== "directory") return yield* new UsageError({ message: `${place.text} is not a directory` })
  }
  const tree = yield* (yield* Stores).tree(place)
  return yield* tree.store.listUploads(tree.base).pipe(
    // What does not tell its age is not known to be old.
    Stream.filter(({ initiated }) => initiated !== undefined && DateTime.toEpochMillis(initiated) <= before),
    Stream.map((upload): Leftover => ({ tree, upload })),
    Stream.runCollect
  )
})

export const sweep = Command.make(
  "sweep",
  {
    dryRun: Options.dryRun,
    json: Options.json,
    olderThan: Options.olderThan,
    yes: Options.yes,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const places = yield* Effect.forEach(options.places, parsePlace)
    const before = (yield* Clock.currentTimeMillis) - options.olderThan
    const leftovers = (yield* Effect.forEach(places, (place) => find(place, before))).flat()
    const totals = { succeeded: 0, failed: 0 }

    const describe = ({ tree, upload }: Leftover) => ({
      uri: tree.show(tree.key(upload.uri)),
      id: upload.id,
      initiated: upload.initiated === undefined ? undefined : DateTime.formatIso(upload.initiated)
    })
    const report = (type: "plan" | "swept", leftover: Leftover) => {
      totals.succeeded++
      const json = { type, ...describe(leftover) }
      return print(options, [{ json, text: `${timeText(options, leftover.upload.initiated)}  ${json.uri}` }])
    }
    const drop = Effect.fnUntraced(function*(leftover: Leftover) {
      const result = yield* Effect.result(leftover.tree.store.abortUpload(leftover.upload))
      if (Result.isSuccess(result) || result.failure.reason._tag === "UploadNotFound") {
        return yield* report("swept", leftover)
      }
      totals.failed++
      yield* complain(result.failure.message)
      yield* print(options, [failureLine(describe(leftover), result.failure)])
    })

    if (!options.dryRun) {
      yield* confirmRemoval(count(leftovers.length, "unfinished upload"), {
        many: leftovers.length > 1,
        yes: options.yes
      })
    }
    yield* Effect.forEach(leftovers, (leftover) => options.dryRun ? report("plan", leftover) : drop(leftover), {
      discard: true
    })
    yield* print(options, [{
      json: { type: "summary", command: "sweep", dryRun: options.dryRun, ...totals },
      text: `${options.dryRun ? "would drop" : "dropped"} ${count(totals.succeeded, "unfinished upload")}${
        totals.failed === 0 ? "" : `, ${totals.failed} failed`
      }`
    }])
    if (totals.failed > 0) return yield* new Incomplete({ command: "sweep", ...totals })
  })
).pipe(Command.withDescription(Options.summary("sweep")))
