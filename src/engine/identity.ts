/**
 * The mark by which a write is recognised: a random id in the object's metadata, which no program sees.
 *
 * It is on writes whose repetition would not be harmless (conditional writes and uploads in parts), and only where an
 * answer can be lost on the way: a file system has nothing between it and the program, and metadata there cost a file.
 *
 * @internal
 */
import * as NodeCrypto from "node:crypto"
import type { ObjectOptions } from "../Backend.ts"
import type { Capabilities } from "../Capabilities.ts"
import type { Metadata } from "../ObjectInfo.ts"

/**
 * The name of the id: one that every service takes. It has no `_` and no `-`, because proxies drop headers with the one
 * and Azure refuses the other.
 */
export const writeIdName = "objectstorewriteid"

/** Whether writes to a backend carry an id. */
export const carriesWriteId = ({ io, metadata }: Capabilities): boolean =>
  metadata && (io === "http" || io === "memory")

/** Adds a fresh id, if the metadata have room for it. */
export const withWriteId = (capabilities: Capabilities, object: ObjectOptions): ObjectOptions => {
  if (!carriesWriteId(capabilities)) return object
  const id = NodeCrypto.randomUUID()
  let bytes = writeIdName.length + id.length
  for (const [name, value] of Object.entries(object.metadata)) bytes += name.length + Buffer.byteLength(value)
  if (bytes > capabilities.maxMetadataBytes) return object
  const metadata: Record<string, string> = Object.assign(Object.create(null), object.metadata)
  metadata[writeIdName] = id
  return { ...object, metadata }
}

const nothing: Metadata = Object.freeze(Object.create(null) as Metadata)

/** The id that metadata carry. */
export const writeIdOf = (metadata: Metadata | undefined): string | undefined =>
  metadata !== undefined && Object.hasOwn(metadata, writeIdName) ? metadata[writeIdName] : undefined

/**
 * The metadata without the id: what a program wrote. Whatever the backend made of it, it inherits nothing, for names come from
 * strange hands.
 */
export const withoutWriteId = (metadata: Metadata | undefined): Metadata => {
  if (metadata === undefined) return nothing
  const bare = Object.getPrototypeOf(metadata) === null
  if (bare && !Object.hasOwn(metadata, writeIdName)) return metadata
  const kept: Record<string, string> = Object.assign(Object.create(null), metadata)
  delete kept[writeIdName]
  return kept
}
