/**
 * `objectstore cp`: copies of objects and trees.
 *
 * @internal
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Result from "effect/Result"
import { type Job, runJobs } from "../batch.ts"
import { type CompressionFlags, keyOf, targetOf } from "../compression.ts"
import { UsageError } from "../exit.ts"
import { type LocalNames, makeLocalPaths } from "../localPath.ts"
import * as Options from "../options.ts"
import { complain, print } from "../output.ts"
import { takesPartSize } from "../partSize.ts"
import { isDirectory, lookAt, nameOf, type Place } from "../places.ts"
import { findSkipped, findSource, type Source } from "../sources.ts"
import { at, Stores, type Tree, withStores } from "../stores.ts"

interface Found {
  readonly place: Place
  readonly source: Source
}

const jobsInto = (tree: Tree, found: ReadonlyArray<Found>, flags: CompressionFlags): Array<Job> =>
  found.flatMap(({ place, source }) => {
    const name = nameOf(place)
    if (source._tag === "Object") {
      return [{ from: source.ref, to: { tree, key: keyOf(name, flags) }, size: source.size }]
    }
    const prefix = found.length === 1 || name === "" ? "" : `${name}/`
    return source.entries.map((entry): Job => ({
      from: { tree: source.tree, key: entry.key },
      to: { tree, key: prefix + keyOf(entry.key, flags) },
      size: entry.size
    }))
  })

/** Marks the copies whose target is the file of another one, or no file that may be made. */
const checkTargets = (jobs: ReadonlyArray<Job>, rules: LocalNames): Array<Job> => {
  const paths = makeLocalPaths(rules)
  const taken = new Map<string, string>()
  return jobs.map((job) => {
    if (job.to.tree.local) {
      const claimed = paths.claim(job.to.key)
      return Result.isSuccess(claimed) ? job : { ...job, refused: claimed.failure }
    }
    const target = at(job.to)
    if (taken.has(target)) return { ...job, refused: `has the same target as ${taken.get(target)}` }
    taken.set(target, at(job.from))
    return job
  })
}

/** A tree that holds its own copy would grow with every run. */
const checkNesting = (found: ReadonlyArray<Found>, target: Tree) =>
  Effect.forEach(found, ({ place, source }) =>
    source._tag === "Tree" && target.base.startsWith(source.tree.base)
      ? Effect.fail(new UsageError({ message: `${place.text} cannot be copied into itself, ${target.show("")}` }))
      : Effect.void, { discard: true })

const planCopy = Effect.fnUntraced(function*(
  places: ReadonlyArray<Place>,
  target: Place,
  options: { readonly recursive: boolean; readonly names: LocalNames } & CompressionFlags
) {
  const stores = yield* Stores
  const found = yield* Effect.forEach(
    places,
    (place) =>
      findSource(place, options.recursive).pipe(
        // A listing warns of what it leaves out; `findSkipped` names all of it.
        Effect.provideService(References.MinimumLogLevel, "Error"),
        Effect.map((source): Found => ({ place, source }))
      )
  )
  const [only] = found
  if (found.length === 1 && only?.source._tag === "Object" && !(yield* isDirectory(target))) {
    const to = targetOf(yield* stores.object(target), options)
    if (at(to) === at(only.source.ref)) {
      return yield* new UsageError({ message: `${only.place.text} and ${target.text} are the same object` })
    }
    return [{ from: only.source.ref, to, size: only.source.size }] satisfies Array<Job>
  }
  if (found.length > 1 && !(yield* isDirectory(target))) {
    return yield* new UsageError({
      message: `${target.text} must be a directory, so end in /, to take ${found.length} sources`
    })
  }
  if (target._tag === "Path" && (yield* lookAt(target)) === "file") {
    return yield* new UsageError({ message: `${target.text} is a file, so no tree can be copied below it` })
  }
  const tree = yield* stores.tree(target)
  yield* checkNesting(found, tree)
  const jobs = checkTargets(jobsInto(tree, found, options), options.names)
  const same = jobs.find((job) => at(job.from) === at(job.to))
  if (same !== undefined) {
    return yield* new UsageError({ message: `${at(same.from)} would be copied onto itself` })
  }
  return jobs
})

export const cp = Command.make(
  "cp",
  {
    ...Options.connection,
    compress: Options.compress,
    concurrency: Options.concurrency,
    decompress: Options.decompress,
    dryRun: Options.dryRun,
    json: Options.json,
    names: Options.names,
    partSize: Options.partSize,
    recursive: Options.recursive,
    verify: Options.verify,
    places: Argument.String("SRC... DST").pipe(Argument.variadic({ min: 2 }))
  },
  Effect.fnUntraced(function*(options) {
    const places = yield* (yield* Stores).places(options.places)
    const sources = places.slice(0, -1)
    const jobs = yield* planCopy(sources, places.at(-1)!, options)
    for (const { to } of jobs.slice(0, 1)) yield* takesPartSize(to.tree, options.partSize)
    const format = { json: options.json }
    const skipped = options.recursive ? (yield* Effect.forEach(sources, findSkipped)).flat() : []
    yield* Effect.forEach(skipped, ({ path, what }) =>
      Effect.andThen(
        complain(`Skipped: ${path}: ${what}`),
        print(format, [{ json: { type: "skipped", from: path, reason: what } }])
      ), { discard: true })
    yield* runJobs("cp", jobs, { settings: options, format, dryRun: options.dryRun, skipped: skipped.length })
  })
).pipe(withStores, Command.withDescription(Options.summary("cp")))
