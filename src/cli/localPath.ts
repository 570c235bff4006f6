/**
 * From keys to local files: what a key must not be, and that no two of them become one file.
 *
 * A key comes from a store that others may write to. Under the rules `portable` it becomes a file only if it is the same
 * harmless relative path on Linux, macOS and Windows; under `native`, if this system can hold it.
 *
 * @internal
 */
import * as Result from "effect/Result"
import { maxNameBytes, reserved } from "../filesystem/names.ts"
import { printable } from "../ObjectStoreError.ts"

/** Which keys may become local files. */
export type LocalNames = "portable" | "native"

// learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved also with an extension, in any case.
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/

const wrongSegment = (segment: string, rules: LocalNames): string | undefined => {
  if (segment === "") return "has an empty part"
  if (segment === "." || segment === "..") return `has the part "${segment}"`
  if (segment.includes("\0")) return "has a NUL"
  if (segment.length * 3 > maxNameBytes && Buffer.byteLength(segment) > maxNameBytes) {
    return `has a part of more than ${maxNameBytes} bytes`
  }
  if (segment.toLowerCase().startsWith(reserved)) return `has a part that begins with "${reserved}"`
  if (rules === "native") return process.platform === "win32" ? wrongPortable(segment) : undefined
  return wrongPortable(segment)
}

const wrongPortable = (segment: string): string | undefined => {
  if (control.test(segment)) return "has a control character"
  if (segment.includes("\\")) return "has a backslash"
  if (segment.includes(":")) return "has a colon, which names drives and streams on Windows"
  if (device.test(segment)) return `has the name of a device, "${segment}"`
  if (/[. ]$/.test(segment)) return "has a part that ends in a dot or space"
  return undefined
}

/** The relative path of a key's local file, which is the key itself, or what is wrong with it. */
export const toLocalPath = (key: string, rules: LocalNames): Result.Result<string, string> => {
  if (!key.isWellFormed()) return Result.fail("has a lone surrogate")
  if (key.startsWith("/")) return Result.fail("is an absolute path")
  for (const segment of key.split("/")) {
    const wrong = wrongSegment(segment, rules)
    if (wrong !== undefined) return Result.fail(printable(wrong))
  }
  return Result.succeed(key)
}

/** Paths that a file system may take for one another become one: canonical equivalence first, then case. */
const fold = (path: string, rules: LocalNames): string =>
  rules === "native" && process.platform === "linux"
    ? path
    : path.normalize("NFD").toUpperCase().normalize("NFD")

/** Gives every key its local file, each to one key only. */
export interface LocalPaths {
  /** The local file of a key, or why it gets none. A key that has got one keeps it. */
  readonly claim: (key: string) => Result.Result<string, string>
}

/** Begins with no file given away. */
export const makeLocalPaths = (rules: LocalNames): LocalPaths => {
  const files = new Map<string, string>()
  const directories = new Map<string, string>()
  const claim = (path: string): Result.Result<string, string> => {
    const folded = fold(path, rules)
    const same = files.get(folded)
    if (same !== undefined) return Result.fail(`would be the same file as "${printable(same)}"`)
    const inside = directories.get(folded)
    if (inside !== undefined) return Result.fail(`would be a file where "${printable(inside)}" needs a directory`)
    const parents: Array<string> = []
    for (let i = folded.indexOf("/"); i !== -1; i = folded.indexOf("/", i + 1)) {
      const parent = folded.slice(0, i)
      const file = files.get(parent)
      if (file !== undefined) return Result.fail(`would need a directory where "${printable(file)}" is a file`)
      parents.push(parent)
    }
    for (const parent of parents) if (!directories.has(parent)) directories.set(parent, path)
    files.set(folded, path)
    return Result.succeed(path)
  }
  return { claim: (key) => Result.flatMap(toLocalPath(key, rules), claim) }
}
