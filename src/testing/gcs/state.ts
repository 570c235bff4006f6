/**
 * What the model of GCS holds: buckets, versions of objects, sessions of uploads and unfinished rewrites.
 *
 * @internal
 */
import { createHash } from "node:crypto"
import { crc32c, printCrc32c } from "../../codec/Crc32c.ts"
import { compareKeys } from "../../keyOrder.ts"

/** The fields of an object that a writer chooses. */
export interface Chosen {
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly contentLanguage?: string | undefined
  readonly contentDisposition?: string | undefined
  readonly cacheControl?: string | undefined
  readonly storageClass?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/** One version of an object. Its bytes never change; a patch makes another `metageneration` of it. */
export interface Version {
  readonly key: string
  readonly generation: number
  readonly metageneration: number
  readonly created: number
  readonly updated: number
  readonly media: Uint8Array
  readonly crc32c: string
  /** Composed objects have none. */
  readonly md5: string | undefined
  readonly componentCount: number | undefined
  readonly chosen: Chosen
}

/** One key: its versions, oldest first; the last one is live unless it was removed. */
export interface Entry {
  readonly versions: Array<Version>
  live: Version | undefined
}

/** One bucket. */
export interface Bucket {
  readonly name: string
  readonly project: string
  readonly location: string
  readonly created: number
  metageneration: number
  versioning: boolean
  readonly entries: Map<string, Entry>
}

/** One session of an upload. */
export interface Session {
  readonly id: string
  readonly bucket: string
  readonly key: string
  readonly chosen: Chosen
  readonly crc32c: string | undefined
  readonly md5: string | undefined
  readonly conditions: Conditions
  chunks: Array<Uint8Array>
  /** Bytes in `chunks`. */
  committed: number
  state: "open" | "done" | "ended"
  result: Version | undefined
}

/** A rewrite that takes more calls. */
export interface Rewrite {
  readonly source: Version
  readonly chosen: Chosen
  /** Source and target, which a token belongs to. */
  readonly path: string
  readonly written: number
}

/** Conditions on generations. */
export interface Conditions {
  readonly generationMatch?: number | undefined
  readonly generationNotMatch?: number | undefined
  readonly metagenerationMatch?: number | undefined
  readonly metagenerationNotMatch?: number | undefined
}

/** All of it. */
export interface State {
  readonly buckets: Map<string, Bucket>
  readonly sessions: Map<string, Session>
  readonly rewrites: Map<string, Rewrite>
  lastGeneration: number
  lastToken: number
}

/** A model that holds nothing. */
export const makeState = (): State => ({
  buckets: new Map(),
  sessions: new Map(),
  rewrites: new Map(),
  lastGeneration: 0,
  lastToken: 0
})

/** Generations are microseconds since 1970, and grow even within one of them. */
const nextGeneration = (state: State, now: number): number => {
  state.lastGeneration = Math.max(state.lastGeneration + 1, now * 1000)
  return state.lastGeneration
}

/** Names that tell nothing: of sessions, rewrites and requests. */
export const nextToken = (state: State): string =>
  createHash("sha256").update(`token ${++state.lastToken}`).digest("base64url").slice(0, 32)

/** Checksums of bytes, as the service writes them. */
export const checksumsOf = (media: Uint8Array): { readonly crc32c: string; readonly md5: string } => ({
  crc32c: printCrc32c(crc32c(media)),
  md5: createHash("md5").update(media).digest("base64")
})

/** The live version of a key. */
export const liveOf = (bucket: Bucket, key: string): Version | undefined => bucket.entries.get(key)?.live

/** A version of a key: the live one, or that of a generation. */
export const versionOf = (bucket: Bucket, key: string, generation: number | undefined): Version | undefined =>
  generation === undefined
    ? liveOf(bucket, key)
    : bucket.entries.get(key)?.versions.find((version) => version.generation === generation)

/** Publishes bytes under a key. The version before stays where the bucket keeps versions. */
export const publish = (
  state: State,
  bucket: Bucket,
  key: string,
  media: Uint8Array,
  chosen: Chosen,
  now: number,
  componentCount?: number
): Version => {
  const sums = checksumsOf(media)
  const version: Version = {
    key,
    generation: nextGeneration(state, now),
    metageneration: 1,
    created: now,
    updated: now,
    media,
    crc32c: sums.crc32c,
    md5: componentCount === undefined ? sums.md5 : undefined,
    componentCount,
    chosen
  }
  const entry = bucket.entries.get(key) ?? { versions: [], live: undefined }
  if (!bucket.versioning) retire(entry)
  entry.versions.push(version)
  entry.live = version
  bucket.entries.set(key, entry)
  return version
}

/** Forgets the live version of a key. */
const retire = (entry: Entry): void => {
  if (entry.live === undefined) return
  entry.versions.splice(entry.versions.indexOf(entry.live), 1)
  entry.live = undefined
}

/** Replaces the description of a version. */
export const redescribe = (bucket: Bucket, version: Version, chosen: Chosen, now: number): Version => {
  const next: Version = { ...version, chosen, metageneration: version.metageneration + 1, updated: now }
  const entry = bucket.entries.get(version.key)!
  entry.versions[entry.versions.indexOf(version)] = next
  if (entry.live === version) entry.live = next
  return next
}

/** Removes a version: for good if its generation was named or the bucket keeps none, else it only ends to be live. */
export const remove = (bucket: Bucket, version: Version, byGeneration: boolean): void => {
  const entry = bucket.entries.get(version.key)!
  if (entry.live === version) entry.live = undefined
  if (byGeneration || !bucket.versioning) entry.versions.splice(entry.versions.indexOf(version), 1)
  if (entry.versions.length === 0) bucket.entries.delete(version.key)
}

/** The keys of a bucket by their UTF-8 bytes. */
export const sortedKeys = (bucket: Bucket): ReadonlyArray<string> => [...bucket.entries.keys()].sort(compareKeys)

/** Whether conditions hold for the version that is there, or for none: generation 0. */
export const holds = (conditions: Conditions, version: Version | undefined): boolean => {
  const { generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch } = conditions
  const generation = version?.generation ?? 0
  const metageneration = version?.metageneration ?? 0
  return (generationMatch === undefined || generationMatch === generation) &&
    (generationNotMatch === undefined || generationNotMatch !== generation) &&
    (metagenerationMatch === undefined || metagenerationMatch === metageneration) &&
    (metagenerationNotMatch === undefined || metagenerationNotMatch !== metageneration)
}
