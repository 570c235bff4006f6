/**
 * What a model of Azure Blob holds: containers, blobs, blocks.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as NodeCrypto from "node:crypto"
import { crc64nvme } from "../../codec/Crc64nvme.ts"
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"

/** A blob: one version of it. It never changes, but for a copy that is pending. */
export interface Blob {
  readonly body: Uint8Array
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly lastModified: number
  readonly versionId: string | undefined
  readonly contentMd5: string | undefined
  /** `content-type` and its like. */
  readonly attributes: ReadonlyMap<string, string>
  readonly metadata: ReadonlyMap<string, string>
  readonly tags: string | undefined
  readonly tier: string
  /** Committed blocks, in order. */
  readonly blocks: ReadonlyArray<Block>
  readonly copy?: PendingCopy | undefined
}

/** A block. */
export interface Block {
  readonly id: string
  readonly body: Uint8Array
}

/** A copy that was begun and is shown as pending for a while. */
export interface PendingCopy {
  readonly id: string
  status: "pending" | "success" | "aborted"
  /** How often it is still shown as pending. */
  left: number
  readonly source: Blob
}

/** A container. */
export interface Container {
  readonly etag: string
  readonly lastModified: number
  readonly blobs: Map<string, Blob>
  /** Blocks that wait for a commit, by key. */
  readonly uncommitted: Map<string, Map<string, Uint8Array>>
  /** All versions, by key and version id. */
  readonly versions: Map<string, Map<string, Blob>>
}

/** How a model behaves where the service may do one thing or another. */
export interface Behaviour {
  /** Answers an empty page with a next one before the first entries of every listing, as the service may at any time. */
  readonly emptyPages: boolean
  /** How often a copy is shown as pending before it is done. */
  readonly pendingCopies: number
  /** Every write makes a version that can be read by its id. */
  readonly versioning: boolean
}

/** One account. */
export interface State {
  readonly account: string
  readonly accountKey: NodeCrypto.KeyObject
  /** The bearer token that is taken, where one is. */
  readonly token: string | undefined
  readonly behaviour: Behaviour
  /** Where the server listens; known once it does. */
  readonly origin: () => string
  readonly containers: Map<string, Container>
  /** Grows with every change: etags and version ids are made of it. */
  changes: number
}

/** A request whose place is known. */
export interface ModelRequest extends ServerRequest {
  readonly container: string | undefined
  readonly key: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  /** Whether it is signed by the account's key, which opens every blob of the account. */
  readonly isOwner: boolean
}

/** Applies one kind of request. */
export type Operation = (state: State, request: ModelRequest) => ServerReply

/** A new etag. */
export const nextEtag = (state: State): string =>
  `"0x8DE${(++state.changes).toString(16).toUpperCase().padStart(12, "0")}"`

/** A version id is a time; it tells changes of one millisecond apart. */
export const nextVersion = (state: State, now: number): string | undefined =>
  state.behaviour.versioning
    ? DateTime.formatIso(DateTime.makeUnsafe(now)).replace(/Z$/, `${String(state.changes % 10_000).padStart(4, "0")}Z`)
    : undefined

/** Makes a blob visible, which takes away the blocks that wait. */
export const publish = (container: Container, key: string, blob: Blob): void => {
  container.blobs.set(key, blob)
  container.uncommitted.delete(key)
  if (blob.versionId === undefined) return
  const versions = container.versions.get(key) ?? new Map<string, Blob>()
  versions.set(blob.versionId, blob)
  container.versions.set(key, versions)
}

/** The blob of a request: the version that it names, or the current one. */
export const findBlob = (container: Container, { key = "", query }: ModelRequest): Blob | undefined => {
  const version = query.get("versionid")
  return version === undefined ? container.blobs.get(key) : container.versions.get(key)?.get(version)
}

/** CRC-64/NVME with its least significant byte first, base64. */
export const crc64Of = (body: Uint8Array): string => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64LE(crc64nvme(body))
  return bytes.toString("base64")
}

/** MD5, base64. */
export const md5Of = (body: Uint8Array): string => NodeCrypto.createHash("md5").update(body).digest("base64")
