/**
 * What an argument leads to, one object or a tree, and what is in the tree.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeBuffer from "node:buffer"
import type * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Calls from "../filesystem/calls.ts"
import { explain } from "../filesystem/errors.ts"
import { reserved } from "../filesystem/names.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import { UsageError } from "./exit.ts"
import { followed, lookAt, type Place } from "./places.ts"
import { at, type Ref, Stores, type Tree } from "./stores.ts"

/** An object, or everything below a directory. */
export type Source =
  | { readonly _tag: "Object"; readonly ref: Ref; readonly size: number }
  | { readonly _tag: "Tree"; readonly tree: Tree; readonly entries: ReadonlyArray<Entry> }

/** An object of a tree. */
export interface Entry {
  readonly key: string
  readonly size: number
}

/** That there is nothing at a place. */
export const missing = (place: Place): ObjectStoreError =>
  makeError("NotFound", {
    operation: "find",
    backend: place._tag === "Path" ? place.scheme : place.uri.scheme,
    uri: place.text,
    description: "there is nothing"
  })

const needsRecursive = (place: Place): UsageError =>
  new UsageError({ message: `${place.text} is a directory; with --recursive, what is below it is taken` })

/** The one object that a place names; a directory is wrong usage. */
export const findObject = Effect.fnUntraced(function*(place: Place) {
  if (place._tag === "Path") {
    switch (yield* lookAt(place)) {
      case "missing":
        return yield* missing(place)
      case "directory":
        return yield* new UsageError({ message: `${place.text} is a directory, not an object` })
      case "other":
        return yield* new UsageError({ message: `${place.text} is neither a file nor a directory` })
      case "file":
        if (place.directory) return yield* new UsageError({ message: `${place.text} is a file, not a directory` })
    }
  }
  const stores = yield* Stores
  return yield* stores.object(yield* followed(place))
})

const object = Effect.fnUntraced(function*(place: Place) {
  const ref = yield* findObject(place)
  const info = yield* ref.tree.store.stat(at(ref))
  return { _tag: "Object", ref, size: info.size } satisfies Source
})

const isTree = Effect.fnUntraced(function*(place: Place, recursive: boolean) {
  if (place._tag === "Container") return place.directory || recursive
  return (yield* lookAt(place)) === "directory"
})

/** Finds what a place names. All of a tree is listed before anything else happens, so that no copy runs into itself. */
export const findSource = Effect.fnUntraced(function*(place: Place, recursive: boolean) {
  if (!(yield* isTree(place, recursive))) return yield* object(place)
  if (!recursive) return yield* needsRecursive(place)
  const tree = yield* (yield* Stores).tree(place)
  const entries = yield* tree.store.list(tree.base).pipe(
    Stream.map((info): Entry => ({ key: tree.key(info.uri), size: info.size })),
    Stream.runCollect
  )
  if (entries.length > 0 || place._tag === "Path") return { _tag: "Tree", tree, entries } satisfies Source
  if (place.directory) return yield* missing(place)
  return yield* object(place)
})

/** A part of a directory that is no object. */
export interface Skipped {
  readonly path: string
  readonly what: "a symbolic link" | "a special file" | "no UTF-8 name"
}

/** What a tree of files leaves out. */
export const findSkipped = Effect.fnUntraced(function*(place: Place) {
  if (place._tag === "Container" || (yield* lookAt(place)) !== "directory") return []
  return yield* Effect.mapError(walk(place.path), explain({ operation: "list", backend: place.scheme }))
})

const whatIsSkipped = (entry: NodeFs.Dirent<Buffer>): Skipped["what"] | undefined => {
  if (!NodeBuffer.isUtf8(entry.name)) return "no UTF-8 name"
  if (entry.isFile() || entry.isDirectory()) return undefined
  return entry.isSymbolicLink() ? "a symbolic link" : "a special file"
}

const walk = Effect.fnUntraced(function*(top: string) {
  const skipped: Array<Skipped> = []
  const open = [top]
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const entry of yield* Calls.readdir(directory)) {
      const name = entry.name.toString("utf8")
      if (name.startsWith(reserved)) continue
      const path = NodePath.join(directory, name)
      const what = whatIsSkipped(entry)
      if (what !== undefined) skipped.push({ path, what })
      else if (entry.isDirectory()) open.push(path)
    }
  }
  return skipped
})
