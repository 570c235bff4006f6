/**
 * The mark on objects that were compressed on their way into the store: an entry of their metadata, where the backend keeps
 * metadata and there is room for it. Everybody sees it, and copies carry it.
 *
 * @internal
 */
import type { ObjectOptions } from "../Backend.ts"
import type { Capabilities } from "../Capabilities.ts"
import type { Metadata } from "../ObjectInfo.ts"

/** A name that every service takes, see `writeIdName`. */
export const markName = "objectstorecompression"

/** What the mark tells of the original: what was known when the write began. */
export interface Mark {
  readonly size?: number | undefined
  readonly crc32c?: string | undefined
}

/** What is added to the key of what is compressed. */
export const suffix = ".zst"

const print = ({ crc32c, size }: Mark): string =>
  `zstd${size === undefined ? "" : `;size=${size}`}${crc32c === undefined ? "" : `;crc32c=${crc32c}`}`

/** Adds the mark. */
export const withMark = (capabilities: Capabilities, object: ObjectOptions, mark: Mark): ObjectOptions => {
  if (!capabilities.metadata) return object
  const text = print(mark)
  let bytes = markName.length + text.length
  for (const [name, value] of Object.entries(object.metadata)) bytes += name.length + Buffer.byteLength(value)
  if (bytes > capabilities.maxMetadataBytes) return object
  const metadata: Record<string, string> = Object.assign(Object.create(null), object.metadata)
  metadata[markName] = text
  return { ...object, metadata }
}

/** The mark in metadata, if it is one. */
export const markOf = (metadata: Metadata | undefined): Mark | undefined => {
  if (metadata === undefined || !Object.hasOwn(metadata, markName)) return undefined
  const [format, ...fields] = metadata[markName]!.split(";")
  if (format !== "zstd") return undefined
  const field = (name: string) => fields.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
  const digits = field("size")
  const size = digits !== undefined && /^\d{1,16}$/.test(digits) ? Number(digits) : undefined
  return { size: Number.isSafeInteger(size) ? size : undefined, crc32c: field("crc32c") }
}

/** The metadata without the mark. */
export const withoutMark = (metadata: Metadata): Metadata => {
  if (!Object.hasOwn(metadata, markName)) return metadata
  const kept: Record<string, string> = Object.assign(Object.create(null), metadata)
  delete kept[markName]
  return kept
}
