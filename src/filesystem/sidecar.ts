/**
 * Attributes and user metadata: a small JSON file beside the object's file, named after the object and its etag.
 *
 * It is written before the version that it belongs to becomes visible, and found by that version's etag, so bytes and
 * metadata change in one step. Another program that changes the file makes another etag and so leaves the sidecar behind.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as NodeFs from "node:fs"
import type { Attributes, Metadata } from "../ObjectInfo.ts"
import * as Calls from "./calls.ts"
import type { Durability } from "./DataPath.ts"
import { type Failure, isErrno, refuse } from "./errors.ts"
import { sidecarName } from "./names.ts"
import { type Directory, O_PATH, type Root } from "./root.ts"
import { readSmall, removeFile, writeSmallFile } from "./smallFile.ts"
import { etagOf } from "./stats.ts"

const limit = 64 * 1024

/** What an object carries besides its bytes. */
export interface Labels {
  readonly attributes: Attributes
  readonly metadata: Metadata
}

export const noLabels: Labels = { attributes: {}, metadata: {} }

/** Labels in JSON; metadata are pairs, so that no name can be taken for a property of every object. */
export const LabelsJson = Schema.Struct({
  attributes: Schema.Struct({
    contentType: Schema.optional(Schema.String),
    contentEncoding: Schema.optional(Schema.String),
    contentLanguage: Schema.optional(Schema.String),
    contentDisposition: Schema.optional(Schema.String),
    cacheControl: Schema.optional(Schema.String)
  }),
  metadata: Schema.Array(Schema.Tuple([Schema.String, Schema.String]))
})

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(LabelsJson))

/** Labels as they are kept in JSON. */
export const encodeLabels = ({ attributes, metadata }: Labels): typeof LabelsJson.Type => ({
  attributes,
  metadata: Object.entries(metadata)
})

/** Labels as the program knows them. */
export const decodeLabels = ({ attributes, metadata }: typeof LabelsJson.Type): Labels => ({
  attributes,
  metadata: Object.fromEntries(metadata)
})

const isPlain = ({ attributes, metadata }: Labels): boolean =>
  Object.values(attributes).every((value) => value === undefined) && Object.keys(metadata).length === 0

/** The sidecar's text, `undefined` where there is nothing to keep; too much of it is `LimitExceeded`. */
export const sidecarText = (labels: Labels): Effect.Effect<string | undefined, Failure> => {
  if (isPlain(labels)) return Effect.succeed(undefined)
  const text = JSON.stringify(encodeLabels(labels))
  return Buffer.byteLength(text) <= limit
    ? Effect.succeed(text)
    : Effect.fail(
      refuse("LimitExceeded", `attributes and metadata take more than ${limit} bytes`, { limit: "metadata" })
    )
}

/** What a store does with every file. */
interface Surroundings {
  readonly durability: Durability
  readonly mode: Effect.Effect<number>
}

/** Writes the sidecar of a version that is not visible yet; who may read the one may read the other. */
export const writeSidecar = (
  directory: Directory,
  name: string,
  etag: string,
  text: string,
  { durability, mode }: Surroundings
): Effect.Effect<void, Failure> => {
  const path = directory.at(sidecarName(name, etag))
  const write = Effect.flatMap(mode, (permissions) => writeSmallFile(path, text, durability, permissions))
  // An etag that comes again is one of a file that is long gone.
  return Effect.catchIf(
    write,
    (error) => error.code === "EEXIST",
    () => Effect.andThen(removeFile(path), write)
  )
}

/** Removes the sidecar of a version. */
export const removeSidecar = (directory: Directory, name: string, etag: string): Effect.Effect<void, Failure> =>
  removeFile(directory.at(sidecarName(name, etag)))

/** A version that is about to lose its name. */
export interface Leaving {
  /** Removes its sidecar, now that the name is gone. */
  readonly forget: Effect.Effect<void, Failure>
}

/**
 * Keeps hold of a version whose name is about to be taken from it. Its sidecar may go only if the file has no other name
 * by then: a process that renames it meanwhile reads the sidecar afterwards, and removes it. Another program's hard link
 * keeps it too, until it is swept.
 */
export const leaving = Effect.fnUntraced(function*(directory: Directory, name: string, stats: NodeFs.BigIntStats) {
  const sidecar = directory.at(sidecarName(name, etagOf(stats)))
  const described = yield* Effect.match(Calls.lstat(sidecar), { onFailure: () => false, onSuccess: () => true })
  const none: Leaving = { forget: Effect.void }
  if (!described) return none
  const fd = yield* Effect.acquireRelease(
    openIfThere(directory.at(name)),
    (fd) => fd === undefined ? Effect.void : Calls.closeQuietly(fd)
  )
  // If it is gone already, whoever took its name removes the sidecar.
  if (fd === undefined || etagOf(yield* Calls.fstat(fd)) !== etagOf(stats)) return none
  const held: Leaving = {
    forget: Effect.flatMap(Calls.fstat(fd), ({ nlink }) => nlink === 0n ? removeFile(sidecar) : Effect.void)
  }
  return held
})

/** Where there is no `O_PATH`, a file that may not be read keeps its sidecar until it is swept. */
const openIfThere = (path: string): Effect.Effect<number | undefined, Failure> =>
  Effect.catchIf(
    Calls.open(path, O_PATH | NodeFs.constants.O_NOFOLLOW),
    (error) => isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES"),
    () => Effect.succeed(undefined)
  )

/** Reads the labels of a version; `undefined` where it has none. */
export const readSidecar = (
  root: Root,
  names: ReadonlyArray<string>,
  name: string,
  etag: string
): Effect.Effect<Labels | undefined, Failure> =>
  Effect.scoped(Effect.flatMap(
    root.openFile(names, sidecarName(name, etag), { flags: 0, expected: false }),
    (fd) => Effect.flatMap(readSmall(fd, limit), parse)
  )).pipe(
    Effect.catchIf((failure) => isErrno(failure, "ENOENT", "ENOTDIR"), () => Effect.succeed(undefined))
  )

const parse = (text: string | undefined): Effect.Effect<Labels, Failure> =>
  Option.match(decode(text), {
    onNone: () => Effect.fail(refuse("IntegrityFailed", "the file with the object's metadata is damaged")),
    onSome: (labels) => Effect.succeed(decodeLabels(labels))
  })
