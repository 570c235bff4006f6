/**
 * `objectstore rm`: removal of objects and trees.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { DeleteResult } from "../../ObjectInfo.ts"
import { confirmRemoval } from "../confirm.ts"
import { Incomplete, UsageError } from "../exit.ts"
import * as Options from "../options.ts"
import { complain, count, failureLine, print } from "../output.ts"
import { isLink, type Place } from "../places.ts"
import { formatSize } from "../size.ts"
import { findSource } from "../sources.ts"
import { at, Stores, type Tree, withStores } from "../stores.ts"

/** What goes from one tree, by location. */
interface Removal {
  readonly tree: Tree
  readonly sizes: Map<string, number>
}

const plan = Effect.fnUntraced(function*(place: Place, recursive: boolean) {
  if (recursive && place._tag === "Path" && place.path === "/") {
    return yield* new UsageError({ message: "the whole file system is never removed" })
  }
  if (yield* isLink(place)) {
    return yield* new UsageError({ message: `${place.text} is a symbolic link; what it leads to is not removed by it` })
  }
  const source = yield* findSource(place, recursive)
  if (source._tag === "Object") {
    return { tree: source.ref.tree, sizes: new Map([[at(source.ref), source.size]]) } satisfies Removal
  }
  const { entries, tree } = source
  return { tree, sizes: new Map(entries.map(({ key, size }) => [tree.at(key), size])) } satisfies Removal
})

export const rm = Command.make(
  "rm",
  {
    ...Options.connection,
    concurrency: Options.concurrency,
    dryRun: Options.dryRun,
    json: Options.json,
    recursive: Options.recursive,
    yes: Options.yes,
    places: Options.locations
  },
  Effect.fnUntraced(function*(options) {
    const places = yield* (yield* Stores).places(options.places)
    const removals = yield* Effect.forEach(places, (place) => plan(place, options.recursive))
    // An object that two arguments name goes once.
    const all = new Map<string, number>()
    for (const { sizes } of removals) {
      for (const [uri, size] of sizes) {
        if (all.has(uri)) sizes.delete(uri)
        else all.set(uri, size)
      }
    }
    const planned = [...all.values()].reduce((sum, size) => sum + size, 0)
    const totals = { succeeded: 0, failed: 0, bytes: 0 }
    const verb = options.dryRun ? "would remove" : "removed"

    if (options.dryRun) {
      const lines = removals.flatMap(({ sizes, tree }) =>
        [...sizes].map(([location, size]) => {
          const uri = tree.show(tree.key(location))
          return { json: { type: "plan", uri, size }, text: `${uri} (${formatSize(size)})` }
        })
      )
      yield* print(options, lines)
      totals.succeeded = all.size
      totals.bytes = planned
    } else {
      yield* confirmRemoval(`${count(all.size, "object")} (${formatSize(planned)})`, {
        many: all.size > 1,
        yes: options.yes
      })
      const report = Effect.fnUntraced(function*(tree: Tree, { error, uri }: DeleteResult) {
        const shown = tree.show(tree.key(uri))
        if (error !== undefined) {
          totals.failed++
          yield* complain(error.message)
          return yield* print(options, [failureLine({ uri: shown }, error)])
        }
        totals.succeeded++
        totals.bytes += all.get(uri) ?? 0
        yield* print(options, [{ json: { type: "removed", uri: shown } }])
      })
      yield* Effect.forEach(removals, ({ sizes, tree }) =>
        Stream.runForEach(
          tree.store.deleteMany(sizes.keys(), { concurrency: options.concurrency }),
          (result) => report(tree, result)
        ), { discard: true })
    }
    yield* print(options, [{
      json: { type: "summary", command: "rm", dryRun: options.dryRun, ...totals },
      text: `${verb} ${count(totals.succeeded, "object")} (${formatSize(totals.bytes)})${
        totals.failed === 0 ? "" : `, ${totals.failed} failed`
      }`
    }])
    if (totals.failed > 0) return yield* new Incomplete({ command: "rm", ...totals })
  })
).pipe(withStores, Command.withDescription(Options.summary("rm")))
