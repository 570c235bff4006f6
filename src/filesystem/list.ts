/**
 * Listings: the tree in the order of the keys, a page at a time.
 *
 * A directory is read once, when the listing comes to it, and sorted as its name with a `/`, so its keys come where they
 * belong among the files beside it. The cursor is a chain of such directories with a place in each, and never changes: a
 * page can be asked for again. Nothing is open between pages.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { ListedObject, ListPage, ListRequest } from "../Backend.ts"
import { compareKeys, sortByKey } from "../keyOrder.ts"
import { printable } from "../ObjectStoreError.ts"
import * as Calls from "./calls.ts"
import { type Environment, inExistingDirectory } from "./environment.ts"
import { type Failure, isErrno } from "./errors.ts"
import { decodeSegment, toPath, toPrefix } from "./names.ts"
import type { Root } from "./root.ts"
import { statOf } from "./stats.ts"
import { readContentIfThere, toEntry } from "./tree.ts"

/** Files looked at in one go, and at the same time. */
const batch = 256
const inFlight = 4

/** An entry with what its keys begin with inside the directory: `name`, or `name/` for a directory. */
interface Item {
  readonly name: string
  readonly sort: string
  readonly directory: boolean
}

/** A directory that is being listed. */
interface Frame {
  readonly names: ReadonlyArray<string>
  readonly items: ReadonlyArray<Item>
  readonly index: number
  readonly parent: Frame | undefined
}

interface Cursor {
  readonly frame: Frame | undefined
  /** Whether the listing has told that it skipped something. */
  readonly warned: boolean
}

/** What of `startAfter` matters inside a directory whose keys begin with `prefix`; `false` if all keys come before it. */
const afterIn = (prefix: string, startAfter: string | undefined): string | undefined | false => {
  if (startAfter === undefined || compareKeys(startAfter, prefix) < 0) return undefined
  return startAfter.startsWith(prefix) ? startAfter.slice(prefix.length) : false
}

const isAfter = (sort: string, directory: boolean, after: string | undefined): boolean =>
  after === undefined || compareKeys(sort, after) > 0 || directory && after.startsWith(sort)

const sortOf = (name: string, directory: boolean): string => directory ? `${decodeSegment(name)}/` : decodeSegment(name)

/** Whether the directory holds an object after `startAfter`, at any depth. */
const holdsObject = Effect.fnUntraced(
  function*(root: Root, top: ReadonlyArray<string>, startAfter: string | undefined) {
    const open: Array<ReadonlyArray<string>> = [top]
    for (let names = open.pop(); names !== undefined; names = open.pop()) {
      const parent: ReadonlyArray<string> = names
      const after = afterIn(toPrefix(parent), startAfter)
      if (after === false) continue
      const found = yield* inExistingDirectory(
        root,
        parent,
        ({ at }) =>
          Calls.scan(at("."), (raw) => {
            const entry = toEntry(raw)
            if (entry === undefined || entry.kind === "other") return false
            const directory = entry.kind === "directory"
            if (!isAfter(sortOf(entry.name, directory), directory, after)) return false
            if (directory) open.push([...parent, entry.name])
            return !directory
          }),
        () => Effect.succeed(false)
      )
      if (found) return true
    }
    return false
  }
)

/** What a page needs to know of the listing. */
interface Listing {
  readonly env: Environment
  readonly request: ListRequest
  warned: boolean
}

const warn = (listing: Listing, names: ReadonlyArray<string>, skipped: ReadonlyArray<string>): Effect.Effect<void> => {
  if (listing.warned || skipped.length === 0) return Effect.void
  listing.warned = true
  return Effect.logWarning(
    `The listing leaves out what is neither a file nor a directory, or has a name that is not UTF-8: "${
      printable(skipped[0]!)
    }" in "${printable(toPrefix(names))}", and perhaps more`
  )
}

/** Reads and sorts a directory; `undefined` if nothing in it is wanted. */
const enter = Effect.fnUntraced(
  function*(listing: Listing, names: ReadonlyArray<string>, start: string, parent: Frame | undefined) {
    const after = afterIn(toPrefix(names), listing.request.startAfter)
    if (after === false) return parent
    const content = yield* readContentIfThere(listing.env.root, names)
    if (content === undefined) return parent
    const items: Array<Item> = []
    const skipped: Array<string> = [...content.unreadable]
    for (const { kind, name } of content.entries) {
      const directory = kind === "directory"
      const sort = sortOf(name, directory)
      if (!sort.startsWith(start) || !isAfter(sort, directory, after)) continue
      if (kind === "other") skipped.push(name)
      else items.push({ name, sort, directory })
    }
    yield* warn(listing, names, skipped)
    const frame: Frame = { names, items: sortByKey(items, ({ sort }) => sort), index: 0, parent }
    return frame
  }
)

const begin = (listing: Listing): Effect.Effect<Frame | undefined, Failure> => {
  const { prefix } = listing.request
  const slash = prefix.lastIndexOf("/") + 1
  const directory = toPath(prefix.slice(0, slash))
  // Where a name would be too long for a file, there are no files.
  return typeof directory === "string"
    ? Effect.succeed(undefined)
    : enter(listing, directory.directory, prefix.slice(slash), undefined)
}

/** Looks at files of one directory; those that are gone meanwhile are left out. */
const look = Effect.fnUntraced(
  function*(listing: Listing, names: ReadonlyArray<string>, items: ReadonlyArray<Item>) {
    const prefix = toPrefix(names)
    const objects: Array<ListedObject> = []
    const answers = yield* inExistingDirectory(
      listing.env.root,
      names,
      ({ at }) => Calls.lstatAll(items.map(({ name }) => at(name)), inFlight),
      () => Effect.succeed([])
    )
    for (const [i, answer] of answers.entries()) {
      if (answer instanceof Error) {
        if (!isErrno(answer, "ENOENT", "ENOTDIR")) return yield* Effect.fail<Failure>(answer)
      } else if (answer.isFile()) {
        objects.push({ key: prefix + items[i]!.sort, ...statOf(answer) })
      }
    }
    return objects
  }
)

/** Makes `listPage`. */
export const makeListPage = (env: Environment) =>
  Effect.fnUntraced(function*(request: ListRequest) {
    const cursor = request.cursor as Cursor | undefined
    const listing: Listing = { env, request, warned: cursor?.warned ?? false }
    const objects: Array<ListedObject> = []
    const prefixes: Array<string> = []
    let frame = cursor === undefined ? yield* begin(listing) : cursor.frame
    while (frame !== undefined) {
      const { index, items, names, parent }: Frame = frame
      const room = request.limit - objects.length - prefixes.length
      const item = items[index]
      if (item === undefined) {
        frame = parent
        continue
      }
      if (room === 0) break
      if (item.directory) {
        const inside = [...names, item.name]
        frame = { ...frame, index: index + 1 }
        if (request.delimiter === undefined) frame = yield* enter(listing, inside, "", frame)
        else if (yield* holdsObject(env.root, inside, request.startAfter)) prefixes.push(toPrefix(inside))
        continue
      }
      let end = index + 1
      while (end < items.length && end - index < Math.min(room, batch) && !items[end]!.directory) end++
      for (const object of yield* look(listing, names, items.slice(index, end))) objects.push(object)
      frame = { ...frame, index: end }
    }
    const next: Cursor | undefined = frame === undefined ? undefined : { frame, warned: listing.warned }
    const page: ListPage = { objects, prefixes, next }
    return page
  })
