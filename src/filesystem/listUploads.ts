/**
 * Open uploads, and the files that killed processes left behind: both are found in the directories themselves.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ListUploadsRequest, UploadsPage } from "../Backend.ts"
import { compareKeys } from "../keyOrder.ts"
import * as Calls from "./calls.ts"
import { type Environment, inExistingDirectory } from "./environment.ts"
import { type Failure, isErrno } from "./errors.ts"
import { leftoverId, orphanedSidecars } from "./leftovers.ts"
import { isLock, isSidecar, toPath, toPrefix, uploadId, uploadName, uploadRecordName } from "./names.ts"
import { isAbandonedLock } from "./processLock.ts"
import type { Root } from "./root.ts"
import { readSmallFile } from "./smallFile.ts"
import { timeOf } from "./stats.ts"
import { type Content, readContentIfThere } from "./tree.ts"

const Record = Schema.Struct({ key: Schema.String })
const decodeRecord = Schema.decodeUnknownOption(Schema.fromJsonString(Record))

/** A key takes at most this in JSON. */
const recordLimit = 64 * 1024

type Found = UploadsPage["uploads"][number]

/** The key that an upload is for; one whose record is missing or damaged is shown by its file's name. */
const keyOf = (prefix: string, path: string, upload: string): Effect.Effect<string, Failure> =>
  readSmallFile(path, recordLimit).pipe(
    Effect.map((text) => Option.getOrUndefined(decodeRecord(text))?.key),
    Effect.catchIf((error) => error.code === "ENOENT", () => Effect.succeed(undefined)),
    Effect.map((key) =>
      key !== undefined && key.startsWith(prefix) && !key.slice(prefix.length).includes("/")
        ? key
        : prefix + uploadName(upload)
    )
  )

const inOneDirectory = (root: Root, names: ReadonlyArray<string>, content: Content) => {
  const prefix = toPrefix(names)
  return inExistingDirectory<ReadonlyArray<Found>>(
    root,
    names,
    (directory) =>
      Effect.gen(function*() {
        const orphans = new Set(yield* orphanedSidecars(root, directory, content))
        const found = new Map<string, Found>()
        for (const name of content.reserved) {
          const id = leftoverId(name)
          if (id === undefined || found.has(id) || isSidecar(name) && !orphans.has(name)) continue
          const stats = yield* Calls.lstat(directory.at(name)).pipe(
            Effect.catchIf((failure) => isErrno(failure, "ENOENT"), () => Effect.succeed(undefined))
          )
          if (stats === undefined) continue
          if (isLock(name) && !(stats.isFile() && (yield* isAbandonedLock(directory, name)))) continue
          const upload = uploadId(name)
          const key = upload === undefined
            ? prefix + name
            : yield* keyOf(prefix, directory.at(uploadRecordName(upload)), upload)
          found.set(id, { container: "", key, id, initiated: timeOf(stats.birthtimeNs) })
        }
        return [...found.values()]
      }),
    () => Effect.succeed([])
  )
}

/** Makes `listUploads`: all in one page, for open uploads are few and the way to them is the whole tree. */
export const makeListUploads = (env: Environment) =>
  Effect.fnUntraced(function*({ prefix }: ListUploadsRequest) {
    const uploads: Array<Found> = []
    const top = toPath(prefix.slice(0, prefix.lastIndexOf("/") + 1))
    const open: Array<ReadonlyArray<string>> = typeof top === "string" ? [] : [top.directory]
    for (let names = open.pop(); names !== undefined; names = open.pop()) {
      const content = yield* readContentIfThere(env.root, names)
      for (const { kind, name } of content?.entries ?? []) {
        if (kind !== "directory") continue
        const inside = [...names, name]
        const keys = toPrefix(inside)
        if (keys.startsWith(prefix) || prefix.startsWith(keys)) open.push(inside)
      }
      const found = content === undefined ? [] : yield* inOneDirectory(env.root, names, content)
      for (const upload of found) if (upload.key.startsWith(prefix)) uploads.push(upload)
    }
    const page: UploadsPage = { uploads: uploads.sort((a, b) => compareKeys(a.key, b.key)) }
    return page
  })
