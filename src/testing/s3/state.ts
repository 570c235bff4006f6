/**
 * What a model of S3 holds: buckets, versions of objects, uploads and their parts.
 *
 * @internal
 */
import { createHash } from "node:crypto"
import { compareKeys } from "../../keyOrder.ts"
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import type { Checksum } from "./checksums.ts"

/** One version of an object; it never changes. */
export interface Version {
  readonly key: string
  readonly id: string | undefined
  /** Only the mark of a removal. */
  readonly isMarker: boolean
  readonly body: Uint8Array
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly lastModified: number
  readonly described: Described
  readonly checksum: Checksum | undefined
}

/** What a writer says of an object besides its bytes. */
export interface Described {
  /** `content-type` and its like. */
  readonly attributes: ReadonlyMap<string, string>
  readonly metadata: ReadonlyMap<string, string>
  readonly tags: string | undefined
  readonly storageClass: string | undefined
}

/** One part of an upload. */
export interface Part {
  readonly body: Uint8Array
  readonly etag: string
  readonly checksum: Checksum | undefined
}

/** An open upload. */
export interface Upload {
  readonly id: string
  readonly key: string
  readonly initiated: number
  readonly described: Described
  /** The checksum that its parts have, where one was named. */
  readonly algorithm: string | undefined
  readonly wholeChecksum: boolean
  readonly parts: Map<number, Part>
}

/** One bucket. */
export interface Bucket {
  readonly name: string
  readonly region: string
  readonly created: number
  versioning: boolean
  /** Versions by key, the newest last. */
  readonly objects: Map<string, Array<Version>>
  readonly uploads: Map<string, Upload>
}

/** What the owner of a model may sign with. */
export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

/** One service. */
export interface State {
  readonly region: string
  readonly pair: KeyPair
  readonly anonymous: boolean
  readonly minPartSize: number
  readonly pageSize: number
  readonly buckets: Map<string, Bucket>
  /** Grows with every change: ids are made of it. */
  changes: number
}

/** A request whose place is known. */
export interface ModelRequest extends ServerRequest {
  readonly bucket: string
  readonly key: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Applies one kind of request. */
export type Operation = (state: State, request: ModelRequest) => ServerReply

/** An id that tells nothing. */
export const nextId = (state: State): string =>
  createHash("sha256").update(`id ${++state.changes}`).digest("base64url").slice(0, 32)

/** MD5, hex. */
export const md5Hex = (body: Uint8Array): string => createHash("md5").update(body).digest("hex")

/** The version that a key has now. */
export const currentOf = (bucket: Bucket, key: string): Version | undefined => {
  const version = bucket.objects.get(key)?.at(-1)
  return version === undefined || version.isMarker ? undefined : version
}

/** Makes a version the current one. */
export const publish = (
  state: State,
  bucket: Bucket,
  version: Omit<Version, "id" | "isMarker">,
  isMarker = false
): Version => {
  const made: Version = { ...version, isMarker, id: bucket.versioning ? nextId(state) : undefined }
  const kept = (bucket.objects.get(version.key) ?? []).filter(({ id }) => bucket.versioning || id !== undefined)
  bucket.objects.set(version.key, [...kept, made])
  return made
}

/** Keys with a current version, by their UTF-8 bytes. */
export const sortedKeys = (bucket: Bucket): ReadonlyArray<string> =>
  [...bucket.objects.keys()].filter((key) => currentOf(bucket, key) !== undefined).sort(compareKeys)
