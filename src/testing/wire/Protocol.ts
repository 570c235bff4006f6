/**
 * What a fault server has to know of a service.
 *
 * @internal
 */
import type { ServerHead, ServerReply, ServerRequest } from "../protocol/Server.ts"
import type { WireRefusal } from "../WireFault.ts"

/** All of them. */
export const wireOperations = [
  "head",
  "read",
  "write",
  "openUpload",
  "uploadPart",
  "copyPart",
  "completeUpload",
  "abortUpload",
  "queryUpload",
  "listUploads",
  "listPage",
  "delete",
  "deleteBatch",
  "copy",
  "createContainer",
  "deleteContainer",
  "headContainer",
  "listContainers",
  "other"
] as const

/**
 * What a request asks for, in the words of the backend contract; `headContainer`, `queryUpload` and `other` beside.
 */
export type WireOperation = typeof wireOperations[number]

/** Where a request goes; `""` for what it does not name. */
export interface Described {
  readonly operation: WireOperation
  readonly container: string
  readonly key: string
}

/** An object that is stored: the same one as long as nobody writes it. */
export interface StoredObject {
  /** What the layer takes for the object's etag. */
  readonly etag: string
  readonly body: Uint8Array
}

/** A service with a memory. */
export interface Protocol {
  /** Carries a request out. */
  readonly respond: (request: ServerRequest, now: number) => ServerReply
  /** What a head asks for; with a request that has come whole, its key too where the body tells it. */
  readonly describe: (head: ServerHead, request: ServerRequest | undefined) => Described
  /** How the service says no. */
  readonly refuse: (refusal: WireRefusal, head: ServerHead) => ServerReply
  /** The document of an error that the service did not expect. */
  readonly errorDocument: string
  /** Containers and keys of everything that is there. */
  readonly places: () => ReadonlyArray<readonly [container: string, key: string]>
  /** An object that is there now. */
  readonly find: (container: string, key: string) => StoredObject | undefined
  /** Puts an object there behind everybody's back. */
  readonly store: (container: string, key: string, body: Uint8Array, now: number) => void
  /** Uploads that are open. */
  readonly openUploads: () => number
}
