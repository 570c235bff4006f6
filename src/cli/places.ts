/**
 * What arguments name: local paths, and locations in files and containers.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as NodePath from "node:path"
import * as Calls from "../filesystem/calls.ts"
import { explain } from "../filesystem/errors.ts"
import { encodeSegment, reserved } from "../filesystem/names.ts"
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
  /** The scheme in which it is shown. */
  readonly scheme: ObjectUri.Scheme
  /** The location; of the two forms that Azure has, the one whose keys are not encoded. */
  readonly uri: ObjectUri.ObjectUri
}

/** A service, or an account of one, with all its containers. */
export interface ServicePlace {
  readonly _tag: "Service"
  readonly text: string
  readonly scheme: ObjectUri.Scheme
  /** What the locations of its containers begin with. */
  readonly prefix: string
}

/** What may be listed. */
export type Listed = Place | ServicePlace

/** That a place cannot be what it is given for. */
export const badPlace = (text: string, description: string): ObjectStoreError =>
  makeError("InvalidUri", { operation: "parse", backend: "uri", uri: ObjectUri.redact(text), description })

const pathText = (segments: ReadonlyArray<string>): string => `/${segments.join("/")}`

/** The form of a location whose keys are not encoded. */
const plain = (uri: ObjectUri.ObjectUri): ObjectUri.ObjectUri =>
  uri.scheme === "https" ? new ObjectUri.ObjectUri({ ...uri, scheme: "az" }) : uri

/** Reads an argument. */
export const parsePlace = (text: string): Effect.Effect<Place, ObjectStoreError> => {
  if (!ObjectUri.isAbsolute(text)) return parseLocal(text)
  const parsed = ObjectUri.parseResult(text)
  if (Result.isFailure(parsed)) return Effect.fail(badPlace(text, parsed.failure))
  const uri = parsed.success
  const directory = uri.key === "" || uri.key.endsWith("/")
  if (uri.scheme !== "file" && uri.scheme !== "direct") {
    return uri.container === ""
      ? Effect.fail(badPlace(text, "it names no container"))
      : Effect.succeed({ _tag: "Container", text, directory, scheme: uri.scheme, uri: plain(uri) })
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

const services: Readonly<Record<string, ObjectUri.Scheme>> = { gcs: "gs", gs: "gs", mem: "mem", s3: "s3" }

/** Reads an argument that may also name a service: `s3://`, `az://account`. */
export const parseListed = (text: string): Effect.Effect<Listed, ObjectStoreError> => {
  const [, name = ""] = /^([a-z0-9]+):\/\/$/.exec(text) ?? []
  const scheme = Object.hasOwn(services, name) ? services[name] : undefined
  if (scheme !== undefined) return Effect.succeed({ _tag: "Service", text, scheme, prefix: `${scheme}://` })
  const account = ObjectUri.parseResult(text)
  return Result.isSuccess(account) && account.success.account !== "" && account.success.container === ""
    ? Effect.succeed({
      _tag: "Service",
      text,
      scheme: account.success.scheme,
      prefix: ObjectUri.printPrefix(account.success)
    })
    : parsePlace(text)
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
