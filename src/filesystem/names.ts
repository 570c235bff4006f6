/**
 * Keys and file names: one reversible function a segment, and the names that the store keeps for itself.
 *
 * A segment (what stands between two `/` of a key) is its own file name, but for those that a directory cannot hold or
 * that the store has reserved: `""`, `"."`, `".."`, ones with NUL and ones that begin with {@link reserved}. They become
 * `%=` and the segment with `%` as `%25` and NUL as `%00`. A segment that looks like such a name gets one `%` more in
 * front. So every name that is valid UTF-8 and not reserved belongs to exactly one segment, and the other way round.
 *
 * @internal
 */
import * as NodeCrypto from "node:crypto"

/** Names that begin with it are the store's own: they are never listed, and no key leads to them. */
export const reserved = ".objectstore~"

/** Most bytes of a file name. */
export const maxNameBytes = 255

const isBad = (segment: string): boolean =>
  segment === "" || segment === "." || segment === ".." || segment.startsWith(reserved) || segment.includes("\0")

const escape = (segment: string): string => segment.replaceAll("%", "%25").replaceAll("\0", "%00")

const unescape = (payload: string): string => payload.replaceAll("%00", "\0").replaceAll("%25", "%")

const quoted = /^(%+)=((?:[^%]|%25|%00)*)$/s

/** How many `%` a name carries in front of an escaped bad segment; 0 if it is no such name. */
const depth = (name: string): number => {
  if (!name.startsWith("%")) return 0
  const match = quoted.exec(name)
  if (match === null) return 0
  const [, signs = "", payload = ""] = match
  return !payload.includes("\0") && isBad(unescape(payload)) ? signs.length : 0
}

/** The file name of a segment. */
export const encodeSegment = (segment: string): string => {
  if (isBad(segment)) return `%=${escape(segment)}`
  return depth(segment) > 0 ? `%${segment}` : segment
}

/** The segment of a file name that is not reserved. */
export const decodeSegment = (name: string): string => {
  switch (depth(name)) {
    case 0:
      return name
    case 1:
      return unescape(name.slice(2))
    default:
      return name.slice(1)
  }
}

/** Where the file of a key is: the directories from the root to it, and its name. */
export interface KeyPath {
  readonly directory: ReadonlyArray<string>
  readonly name: string
}

/** The path of a key, or what is wrong with the key. */
export const toPath = (key: string): KeyPath | string => {
  const names = key.split("/").map(encodeSegment)
  for (const name of names) {
    if (name.length > maxNameBytes / 3 && Buffer.byteLength(name) > maxNameBytes) {
      return `a segment takes more than ${maxNameBytes} bytes as a file name`
    }
  }
  return { directory: names.slice(0, -1), name: names.at(-1)! }
}

/** The key of a file. */
export const toKey = (directory: ReadonlyArray<string>, name: string): string =>
  toPrefix(directory) + decodeSegment(name)

/** What the keys of all files in a directory begin with. */
export const toPrefix = (directory: ReadonlyArray<string>): string =>
  directory.map((name) => `${decodeSegment(name)}/`).join("")

const hash = (text: string): string => NodeCrypto.hash("sha256", text, "hex").slice(0, 32)

/** 32 hexadecimal digits that nobody can foretell. */
export const randomId = (): string => NodeCrypto.randomBytes(16).toString("hex")

const id = /^[0-9a-f]{32}$/

/** Whether text is what `randomId` makes; no other text may become part of a path. */
export const isId = (text: string): boolean => id.test(text)

const temporaryPrefix = `${reserved}tmp~`

/** A file that is being written. */
export const temporaryName = (temporary: string): string => temporaryPrefix + temporary

/** The id in the name of a temporary file. */
export const temporaryId = (name: string): string | undefined =>
  name.startsWith(temporaryPrefix) && isId(name.slice(temporaryPrefix.length))
    ? name.slice(temporaryPrefix.length)
    : undefined

const uploadPrefix = `${reserved}up~`
const recordSuffix = ".json"

/** The bytes of an open upload. */
export const uploadName = (upload: string): string => uploadPrefix + upload

/** What an open upload is for. */
export const uploadRecordName = (upload: string): string => uploadPrefix + upload + recordSuffix

/** The id in the name of a file of an open upload. */
export const uploadId = (name: string): string | undefined => {
  if (!name.startsWith(uploadPrefix)) return undefined
  const end = name.endsWith(recordSuffix) ? -recordSuffix.length : undefined
  const upload = name.slice(uploadPrefix.length, end)
  return isId(upload) ? upload : undefined
}

const sidecarPrefix = `${reserved}meta~`

/** Attributes and metadata of one version of a file. */
export const sidecarName = (name: string, etag: string): string => `${sidecarPrefix}${hash(name)}~${etag}`

/** Whether a name is one of a sidecar. */
export const isSidecar = (name: string): boolean => name.startsWith(sidecarPrefix)

/** Whether a sidecar belongs to a version with this etag, whatever its name. */
export const isSidecarOf = (sidecar: string, etag: string): boolean =>
  isSidecar(sidecar) && sidecar.endsWith(`~${etag}`)

/** The part of a sidecar's name that tells the object, for `sidecarSubject` to be compared with. */
export const subjectOf = (sidecar: string): string => sidecar.slice(sidecarPrefix.length, sidecarPrefix.length + 32)

/** What `subjectOf` answers for the sidecars of a file. */
export const sidecarSubject = (name: string): string => hash(name)

const lockPrefix = `${reserved}lock~`

/** The lock of a file, or of whatever `subject` names. */
export const lockName = (subject: string): string => lockPrefix + hash(subject)

/** Whether a name is one of a lock. */
export const isLock = (name: string): boolean => name.startsWith(lockPrefix) && isId(name.slice(lockPrefix.length))

/** A file in a directory that stays though it is empty. */
export const keepName = `${reserved}keep`
