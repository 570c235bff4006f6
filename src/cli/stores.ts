/**
 * The stores of places: each opened once, when it is needed, with its layer loaded only then.
 *
 * A store of files is opened at the directory that a place names, or that its object is in. So nothing outside of that
 * directory is ever made, removed or followed, and the directory itself stays. Containers are the universal store's.
 *
 * @internal
 */
import * as Command from "effect/cli/Command"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodePath from "node:path"
import * as Universal from "../../layers/Universal.ts"
import { decodeSegment, encodeSegment } from "../filesystem/names.ts"
import type { ContainerInfo } from "../ObjectInfo.ts"
import type { ObjectStore } from "../ObjectStore.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import * as ObjectUri from "../ObjectUri.ts"
import { type Cloud, cloudOf, type Connection, universalOptions } from "./connection.ts"
import type { UsageError } from "./exit.ts"
import {
  badPlace,
  type ContainerPlace,
  type Listed,
  parseListed,
  parsePlace,
  type PathPlace,
  type Place,
  type ServicePlace
} from "./places.ts"

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

/** A bucket, container or directory, as its store names it. */
export interface Container {
  readonly store: ObjectStore["Service"]
  readonly name: string
}

/** Location of an object as its store takes it. */
export const at = ({ key, tree }: Ref): string => tree.at(key)

/** Location or local path of an object, for people. */
export const show = ({ key, tree }: Ref): string => tree.show(key)

type Opened = Effect.Effect<ObjectStore["Service"], ObjectStoreError>

/** Opens stores. */
export class Stores extends Context.Service<Stores, {
  /** Reads the arguments that name places. */
  readonly places: <const Texts extends ReadonlyArray<string>>(
    texts: Texts
  ) => Effect.Effect<{ readonly [Index in keyof Texts]: Place }, ObjectStoreError | UsageError>
  /** Reads the arguments that name places, or services with all their containers. */
  readonly listed: (
    texts: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Listed>, ObjectStoreError | UsageError>
  /** The containers of a service. */
  readonly containers: (place: ServicePlace) => Stream.Stream<ContainerInfo, ObjectStoreError>
  /** The directory or container that a place names. */
  readonly tree: (place: Place) => Effect.Effect<Tree, ObjectStoreError>
  /** The object that a place names. */
  readonly object: (place: Place) => Effect.Effect<Ref, ObjectStoreError>
  /** The container that a place names, which may not be there. */
  readonly container: (place: Place) => Effect.Effect<Container, ObjectStoreError>
}>()("effect-objectstore/cli/Stores") {}

const openFiles = (scheme: "file" | "direct", root: string) =>
  Effect.flatMap(
    scheme === "file"
      ? Effect.map(Effect.promise(() => import("../../layers/File.ts")), ({ make }) => make({ root }))
      : Effect.map(Effect.promise(() => import("../../layers/Direct.ts")), ({ make }) => make({ root })),
    (make) => make
  )

const encodeKey = (key: string): string => key.split("/").map(encodeSegment).join("/")
const decodeKey = (path: string): string => path.split("/").map(decodeSegment).join("/")

const parentOf = (place: PathPlace): string => NodePath.dirname(place.path)

const containerTree = (store: ObjectStore["Service"], { scheme, uri }: ContainerPlace, prefix: string): Tree => {
  const base = ObjectUri.printPrefix(uri) + prefix
  return {
    store,
    local: false,
    base,
    at: (key) => base + key,
    key: (uri) => uri.slice(base.length),
    show: scheme === uri.scheme
      ? (key) => base + key
      : (key) => ObjectUri.print({ ...uri, scheme, key: prefix + key })
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

const cloudsOf = (places: ReadonlyArray<Listed>): ReadonlyArray<Cloud> => [
  ...new Set(places.flatMap((place) => (place._tag === "Path" ? undefined : cloudOf(place.scheme)) ?? []))
]

const makeStores = Effect.fnUntraced(function*(connection: Connection) {
  const scope = yield* Effect.scope
  const opened = new Map<string, Opened>()
  const universal = yield* Deferred.make<Universal.UniversalStores>()

  /** The places say which services are meant, so the stores of services are made when they have been read. */
  const meant = <A extends ReadonlyArray<Listed>>(places: A) =>
    universalOptions(connection, cloudsOf(places)).pipe(
      Effect.flatMap((options) => Scope.provide(Universal.makeStores(options), scope)),
      Effect.flatMap((stores) => Deferred.succeed(universal, stores)),
      Effect.as(places)
    )

  const storeOf = (uri: ObjectUri.ObjectUri) =>
    Effect.flatMap(Deferred.await(universal), (stores) => stores.storeOf(uri))

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

  return Stores.of({
    places: <const Texts extends ReadonlyArray<string>>(texts: Texts) =>
      Effect.map(
        Effect.flatMap(Effect.forEach(texts, parsePlace), meant),
        (places) => places as unknown as { readonly [Index in keyof Texts]: Place }
      ),
    listed: (texts) => Effect.flatMap(Effect.forEach(texts, parseListed), meant),
    containers: ({ prefix }) =>
      Stream.unwrap(Effect.map(Deferred.await(universal), ({ store }) => store.listContainers({ prefix }))),
    tree: (place) => {
      if (place._tag === "Container") {
        return Effect.map(
          storeOf(place.uri),
          (store) => containerTree(store, place, place.directory ? place.uri.key : `${place.uri.key}/`)
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
        return Effect.map(storeOf(place.uri), (store) => ({
          tree: containerTree(store, place, ""),
          key: place.uri.key
        }))
      }
      const directory = parentOf(place)
      return Effect.map(files(place, directory), (store) => ({
        tree: { ...pathTree(store, place, directory, ""), show: () => place.text },
        key: NodePath.basename(place.path)
      }))
    },
    container: (place) => {
      if (place._tag === "Path") {
        const name = NodePath.basename(place.path)
        return name === ""
          ? Effect.fail(badPlace(place.text, "it names the root, which is there"))
          : Effect.map(files(place, parentOf(place)), (store) => ({ store, name }))
      }
      return place.uri.key === ""
        ? Effect.map(storeOf(place.uri), (store) => ({ store, name: place.uri.container }))
        : Effect.fail(badPlace(place.text, "it names what is in a container, not the container"))
    }
  })
})

/** Gives a command its stores, reached as its options say; they close in the end. */
export const withStores = <const Name extends string, Input extends Connection, ContextInput, E, R>(
  command: Command.Command<Name, Input, ContextInput, E, R>
) => Command.provide(command, (input) => Layer.effect(Stores, makeStores(input)))
