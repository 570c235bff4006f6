/**
 * Directories as trees: whether objects are in them, and their removal if not.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as NodeFs from "node:fs"
import * as Calls from "./calls.ts"
import { type Failure, isErrno } from "./errors.ts"
import { isSidecar, reserved } from "./names.ts"
import type { Root } from "./root.ts"
import { removeFile } from "./smallFile.ts"

/** An entry of a directory. */
export interface Entry {
  readonly name: string
  readonly kind: "file" | "directory" | "other"
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The name as text; `undefined` where it is not UTF-8, so no key leads to it. */
const nameOf = (bytes: Buffer): string | undefined => {
  const text = bytes.toString("utf8")
  if (!text.includes("\ufffd")) return text
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

const kindOf = (entry: NodeFs.Dirent<Buffer>): Entry["kind"] =>
  entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other"

/** An entry as text; `undefined` where its name is not UTF-8 or the store's own. */
export const toEntry = (entry: NodeFs.Dirent<Buffer>): Entry | undefined => {
  const name = nameOf(entry.name)
  return name === undefined || name.startsWith(reserved) ? undefined : { name, kind: kindOf(entry) }
}

/** What is in a directory. */
export interface Content {
  /** What may be objects or hold some, and what is neither. */
  readonly entries: Array<Entry>
  /** The store's own files. */
  readonly reserved: Array<string>
  /** Names that are not UTF-8, printable. */
  readonly unreadable: Array<string>
}

/** Reads a directory. */
export const readContent = (root: Root, names: ReadonlyArray<string>): Effect.Effect<Content, Failure> =>
  Effect.map(
    Effect.scoped(Effect.flatMap(root.openDirectory(names), ({ at }) => Calls.readdir(at(".")))),
    (found) => {
      const content: Content = { entries: [], reserved: [], unreadable: [] }
      for (const entry of found) {
        const name = nameOf(entry.name)
        if (name === undefined) content.unreadable.push(entry.name.toString("latin1"))
        else if (name.startsWith(reserved)) content.reserved.push(name)
        else content.entries.push({ name, kind: kindOf(entry) })
      }
      return content
    }
  )

/** As `readContent`; `undefined` where the directory is gone or was none. */
export const readContentIfThere = (
  root: Root,
  names: ReadonlyArray<string>
): Effect.Effect<Content | undefined, Failure> =>
  Effect.catchIf(
    readContent(root, names),
    (failure) => isErrno(failure, "ENOENT", "ENOTDIR"),
    () => Effect.succeed(undefined)
  )

/** Which of the store's own files may go with a directory: those that no operation can be using, or all of them. */
export type Removable = "sidecars" | "all"

/**
 * Removes a directory with the directories in it, if none of them holds anything but removable files of the store. Tells
 * whether it is gone. Nothing is removed if it is not.
 */
export const removeHollow = Effect.fnUntraced(
  function*(root: Root, names: ReadonlyArray<string>, removable: Removable) {
    const plan = yield* survey(root, names, removable)
    if (plan === undefined) return false
    // The innermost directories first.
    for (const { files, names } of plan.reverse()) {
      yield* Effect.scoped(Effect.gen(function*() {
        const directory = yield* root.openDirectory(names)
        yield* Effect.forEach(files, (file) => removeFile(directory.at(file)), { discard: true })
      }))
      yield* Effect.scoped(Effect.flatMap(
        root.openDirectory(names.slice(0, -1)),
        (parent) => Calls.rmdir(parent.at(names.at(-1)!))
      ))
    }
    return true
  },
  Effect.catchIf(
    (failure) => isErrno(failure, "ENOENT", "ENOTEMPTY", "EEXIST"),
    // Somebody else was here meanwhile.
    () => Effect.succeed(false)
  )
)

interface Step {
  readonly names: ReadonlyArray<string>
  readonly files: ReadonlyArray<string>
}

const survey = Effect.fnUntraced(function*(root: Root, top: ReadonlyArray<string>, removable: Removable) {
  const steps: Array<Step> = []
  const open: Array<ReadonlyArray<string>> = [top]
  for (let names = open.pop(); names !== undefined; names = open.pop()) {
    const content = yield* readContent(root, names)
    const stays = content.unreadable.length > 0 ||
      content.entries.some(({ kind }) => kind !== "directory") ||
      removable === "sidecars" && !content.reserved.every(isSidecar)
    if (stays) return undefined
    steps.push({ names, files: content.reserved })
    for (const { name } of content.entries) open.push([...names, name])
  }
  return steps
})
