/**
 * Locations and local paths as places in stores, and the stores themselves: each opened once, when it is needed, with its
 * layer loaded only then.
 *
 * A store of files is opened at the directory that a place names, or that its object is in. So nothing outside of that
 * directory is ever made, removed or followed, and the directory itself stays.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as NodePath from "node:path"
import * as Calls from "../filesystem/calls.ts"
import { explain } from "../filesystem/errors.ts"
import { decodeSegment, encodeSegment, reserved } from "../filesystem/names.ts"
import type { ObjectStore } from "../ObjectStore.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import * as ObjectUri from "../ObjectUri.ts"

/** What an argument names: a path of files, or a key in a container. */
export type Place = PathPlace | ContainerPlace

interface Common {
  /** As it was given. */
  readonly text: string
  /** Whether it can only be a directory: it ends in `/`, or names a whole container. */
  readonly directory: boolean
}

/** A place in files, by a location or a local path. */
export interface PathPlace extends Common {
  readonly _tag: "Path"
  readonly scheme: "file" | "direct"
  /** Whether it was given as a local path. Local names are keys to the letter, whatever a `file://` store would make of them. */
  readonly local: boolean
  /** The absolute path. */
  readonly path: string
}

/** A place in a container. */
export interface ContainerPlace extends Common {
  readonly _tag: "Container"
  readonly uri: ObjectUri.ObjectUri
}

/** A directory or container in its store; keys are relative to it. */
export interface Tree {
  readonly store: ObjectStore["Service"]
  readonly local: boolean
  /** The location that keys are appended to. */
  readonly base: string
  /** The location of a key, as the store takes it. */
  readonly at: (key: string) => string
  /** The key of a location that the store told. */
  readonly key: (uri: string) => string
  /** The location or local path of a key, for people. */
  readonly show: (key: string) => string
}

/** An object in its store. */
export interface Ref {
  readonly tree: Tree
  readonly key: string
}

/** Location of an object as its store takes it. */
export const at = ({ key, tree }: Ref): string => tree.at(key)

/** Location or local path of an object, for people. */
export const show = ({ key, tree }: Ref): string => tree.show(key)

const badPlace = (text: string, description: string): ObjectStoreError =>
  makeError("InvalidUri", { operation: "parse", backend: "uri", uri: ObjectUri.redact(text), description })

const pathText = (segments: ReadonlyArray<string>): string => `/${segments.join("/")}`

/** Reads an argument. */
export const parsePlace = (text: string): Effect.Effect<Place, ObjectStoreError> => {
  if (!ObjectUri.isAbsolute(text)) return parseLocal(text)
  const parsed = ObjectUri.parseResult(text)
  if (Result.isFailure(parsed)) return Effect.fail(badPlace(text, parsed.failure))
  const uri = parsed.success
  const directory = uri.key === "" || uri.key.endsWith("/")
  if (uri.scheme !== "file" && uri.scheme !== "direct") {
    return Effect.succeed({ _tag: "Container", text, directory, uri })
  }
  const segments = (directory ? uri.key.slice(0, -1) : uri.key).split("/")
  const odd = uri.key === "" ? undefined : segments.find((segment) => encodeSegment(segment) !== segment)
  if (odd !== undefined) {
    return Effect.fail(badPlace(
      text,
      `the command takes no file location with the part "${odd}", which is no plain file name`
    ))
  }
  return Effect.succeed({
    _tag: "Path",
    text,
    directory,
    scheme: uri.scheme,
    local: false,
    path: uri.key === "" ? "/" : pathText(segments)
  })
}

const parseLocal = (text: string): Effect.Effect<Place, ObjectStoreError> => {
  if (text === "") return Effect.fail(badPlace(text, "an empty path names nothing"))
  if (text.includes("\0")) return Effect.fail(badPlace(text, "a path has no NUL"))
  if (text.includes("\ufffd") || !text.isWellFormed()) return Effect.fail(badPlace(text, "the path is not UTF-8"))
  const path = NodePath.resolve(text)
  if (path.split("/").some((name) => name.startsWith(reserved))) {
    return Effect.fail(badPlace(text, `names that begin with "${reserved}" are the store's own`))
  }
  return Effect.succeed({
    _tag: "Path",
    text,
    directory: /(?:^|\/)\.{0,2}$/.test(text),
    scheme: "file",
    local: true,
    path
  })
}

/** What is at a path; the path as a whole may lead through symbolic links, because a person gave it. */
export const lookAt = (place: PathPlace): Effect.Effect<"file" | "directory" | "missing" | "other", ObjectStoreError> =>
  Calls.stat(place.path).pipe(
    Effect.map((stats) =>
      stats.isFile() ? "file" as const : stats.isDirectory() ? "directory" as const : "other" as const
    ),
    Effect.catchIf(
      ({ code }) => code === "ENOENT" || code === "ENOTDIR",
      () => Effect.succeed("missing" as const)
    ),
    Effect.mapError(explain({ operation: "stat", backend: place.scheme }))
  )

/** Whether the last name of a path is a symbolic link, whatever it leads to. */
export const isLink = (place: Place): Effect.Effect<boolean, ObjectStoreError> =>
  place._tag === "Container" ? Effect.succeed(false) : Calls.lstat(place.path).pipe(
    Effect.map((stats) => stats.isSymbolicLink()),
    Effect.catchIf(({ code }) => code === "ENOENT" || code === "ENOTDIR", () => Effect.succeed(false)),
    Effect.mapError(explain({ operation: "stat", backend: place.scheme }))
  )

/** Whether what is copied to a place goes below it and keeps its name. */
export const isDirectory = (place: Place): Effect.Effect<boolean, ObjectStoreError> =>
  place.directory || place._tag === "Container"
    ? Effect.succeed(place.directory)
    : Effect.map(lookAt(place), (kind) => kind === "directory")

/** The name that what is at a place gets in another directory. */
export const nameOf = (place: Place): string =>
  place._tag === "Path"
    ? NodePath.basename(place.path)
    : place.uri.key.slice(place.uri.key.lastIndexOf("/", place.uri.key.length - 2) + 1).replace(/\/$/, "")

/** A local path that is read is what it leads to, links and all; every other place is what it says. */
export const followed = (place: Place): Effect.Effect<Place, ObjectStoreError> =>
  place._tag === "Path" && place.local
    ? Calls.realpath(place.path).pipe(
      Effect.map((path): Place => ({ ...place, path })),
      Effect.mapError(explain({ operation: "open", backend: "file" }))
    )
    : Effect.succeed(place)

type Opened = Effect.Effect<ObjectStore["Service"], ObjectStoreError>

/** Opens stores. */
export class Stores extends Context.Service<Stores, {
  /** The directory or container that a place names. */
  readonly tree: (place: Place) => Effect.Effect<Tree, ObjectStoreError>
  /** The object that a place names. */
  readonly object: (place: Place) => Effect.Effect<Ref, ObjectStoreError>
}>()("effect-objectstore/cli/Stores") {}

const openFiles = (scheme: "file" | "direct", root: string) =>
  Effect.flatMap(
    scheme === "file"
      ? Effect.map(Effect.promise(() => import("../../layers/File.ts")), ({ make }) => make({ root }))
      : Effect.map(Effect.promise(() => import("../../layers/Direct.ts")), ({ make }) => make({ root })),
    (make) => make
  )

const openContainer = (uri: ObjectUri.ObjectUri): Effect.Effect<ObjectStore["Service"], ObjectStoreError> =>
  uri.scheme === "mem"
    ? Effect.flatMap(
      Effect.promise(() => import("../../layers/Memory.ts")),
      ({ make }) => make({ base: ObjectUri.printPrefix(uri) })
    )
    : Effect.fail(makeError("Unsupported", {
      operation: "open",
      backend: uri.scheme,
      uri: ObjectUri.print(uri),
      capability: "scheme",
      description: "the command opens file, direct and mem locations and local paths"
    }))

const encodeKey = (key: string): string => key.split("/").map(encodeSegment).join("/")
const decodeKey = (path: string): string => path.split("/").map(decodeSegment).join("/")

const parentOf = (place: PathPlace): string => NodePath.dirname(place.path)

const containerTree = (store: ObjectStore["Service"], uri: ObjectUri.ObjectUri, prefix: string): Tree => {
  const base = ObjectUri.printPrefix(uri) + prefix
  return {
    store,
    local: false,
    base,
    at: (key) => base + key,
    key: (uri) => uri.slice(base.length),
    show: (key) => base + key
  }
}

const pathTree = (store: ObjectStore["Service"], place: PathPlace, directory: string, shown: string): Tree => {
  const base = `${place.scheme}://${directory === "/" ? "" : directory}/`
  return {
    store,
    local: place.local,
    base,
    at: place.local ? (key) => base + decodeKey(key) : (key) => base + key,
    key: place.local ? (uri) => encodeKey(uri.slice(base.length)) : (uri) => uri.slice(base.length),
    show: (key) => shown + key
  }
}

const withSlash = (text: string): string => text.endsWith("/") ? text : `${text}/`

const makeStores = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const opened = new Map<string, Opened>()

  const once = (name: string, open: Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope>) =>
    Effect.suspend(() => {
      const known = opened.get(name)
      if (known !== undefined) return known
      return Effect.flatMap(Effect.cached(Effect.provideService(open, Scope.Scope, scope)), (store) => {
        opened.set(name, store)
        return store
      })
    })

  const files = (place: PathPlace, directory: string) =>
    once(`${place.scheme} ${directory}`, openFiles(place.scheme, directory))

  const container = (uri: ObjectUri.ObjectUri) => once(ObjectUri.printPrefix(uri), openContainer(uri))

  return Stores.of({
    tree: (place) => {
      if (place._tag === "Container") {
        return Effect.map(
          container(place.uri),
          (store) => containerTree(store, place.uri, place.directory ? place.uri.key : `${place.uri.key}/`)
        )
      }
      return Effect.map(
        files(place, place.path),
        (store) => pathTree(store, place, place.path, place.text === "." ? "" : withSlash(place.text))
      )
    },
    object: (place) => {
      if (place.directory) return Effect.fail(badPlace(place.text, "it names a directory, not an object"))
      if (place._tag === "Container") {
        return Effect.map(container(place.uri), (store) => ({
          tree: containerTree(store, place.uri, ""),
          key: place.uri.key
        }))
      }
      const directory = parentOf(place)
      return Effect.map(files(place, directory), (store) => ({
        tree: { ...pathTree(store, place, directory, ""), show: () => place.text },
        key: NodePath.basename(place.path)
      }))
    }
  })
})

/** Layer of the stores; closes them in the end. */
export const layerStores: Layer.Layer<Stores> = Layer.effect(Stores, makeStores)
