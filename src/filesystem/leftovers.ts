/**
 * What killed processes leave behind: temporary files, staged uploads, locks, and metadata of versions that are gone.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Calls from "./calls.ts"
import { temporariesInUse } from "./environment.ts"
import { type Failure, isErrno } from "./errors.ts"
import {
  isId,
  isLock,
  isSidecar,
  isSidecarOf,
  reserved,
  sidecarName,
  sidecarSubject,
  subjectOf,
  temporaryId,
  temporaryName,
  uploadId,
  uploadName,
  uploadRecordName
} from "./names.ts"
import type { Directory, Root } from "./root.ts"
import { etagOf } from "./stats.ts"
import { type Content, readContentIfThere } from "./tree.ts"

const temporaryMark = "tmp~"
const sidecarMark = "meta~"

/** The id under which one of the store's own files is listed as an open upload; `undefined` if it is none of those. */
export const leftoverId = (name: string): string | undefined => {
  const temporary = temporaryId(name)
  if (temporary !== undefined) return temporariesInUse.has(temporary) ? undefined : temporaryMark + temporary
  return isSidecar(name) || isLock(name) ? name.slice(reserved.length) : uploadId(name)
}

/** The files that go when an id is aborted. Ids may come from anywhere. */
export const filesOfId = (id: string): ReadonlyArray<string> => {
  if (isId(id)) return [uploadName(id), uploadRecordName(id)]
  if (/^meta~[0-9a-f]{32}~[0-9a-f-]+$/.test(id)) return [reserved + id]
  if (isLock(reserved + id)) return [reserved + id]
  const temporary = id.startsWith(temporaryMark) ? id.slice(temporaryMark.length) : ""
  return isId(temporary) && !temporariesInUse.has(temporary) ? [temporaryName(temporary)] : []
}

/** Whether an id is one of a sidecar. */
export const isSidecarId = (id: string): boolean => id.startsWith(sidecarMark)

const etagIfThere = (directory: Directory, name: string): Effect.Effect<string | undefined, Failure> =>
  Calls.lstat(directory.at(name)).pipe(
    Effect.map(etagOf),
    Effect.catchIf((error) => isErrno(error, "ENOENT"), () => Effect.succeed(undefined))
  )

/** The sidecars that belong neither to an object as it is now nor to a file that is still to be published. */
const orphansOf = Effect.fnUntraced(function*(directory: Directory, content: Content) {
  const sidecars = content.reserved.filter(isSidecar)
  if (sidecars.length === 0) return sidecars
  const subjects = new Set(sidecars.map(subjectOf))
  const used = new Set<string>()
  // What is published meanwhile is seen below: so files that are to be published come first.
  const staged: Array<string> = []
  for (const name of content.reserved) {
    if (temporaryId(name) === undefined && uploadId(name) === undefined) continue
    const etag = yield* etagIfThere(directory, name)
    if (etag !== undefined) staged.push(etag)
  }
  for (const { name } of content.entries) {
    if (!subjects.has(sidecarSubject(name))) continue
    const etag = yield* etagIfThere(directory, name)
    if (etag !== undefined) used.add(sidecarName(name, etag))
  }
  return sidecars.filter((sidecar) => !used.has(sidecar) && !staged.some((etag) => isSidecarOf(sidecar, etag)))
})

/**
 * Sidecars of a directory that nothing will ever ask for. What looks like one is looked at twice, for a version that is
 * just being published or moved can be missed once.
 */
export const orphanedSidecars = Effect.fnUntraced(
  function*(root: Root, directory: Directory, content: Content) {
    const suspects = yield* orphansOf(directory, content)
    if (suspects.length === 0) return suspects
    const again = yield* readContentIfThere(root, directory.names)
    if (again === undefined) return []
    const orphans = new Set(yield* orphansOf(directory, again))
    return suspects.filter((name) => orphans.has(name))
  }
)

/** Removes the sidecars of a version that is not going to be published. */
export const removeSidecarsOf = Effect.fnUntraced(function*(root: Root, directory: Directory, etag: string) {
  const content = yield* readContentIfThere(root, directory.names)
  for (const name of content?.reserved ?? []) {
    if (isSidecarOf(name, etag)) yield* Effect.ignore(Calls.unlink(directory.at(name)), { log: "Warn" })
  }
})
