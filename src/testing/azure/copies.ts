/**
 * Copy Blob, Copy Blob From URL, Abort Copy Blob; and sources, which are blobs of the model itself.
 *
 * @internal
 */
import * as NodeCrypto from "node:crypto"
import type { ServerReply } from "../protocol/Server.ts"
import { identifySas, isToken, mayDo } from "./authorize.ts"
import { checkMetadata, described, inContainer, onBlob } from "./blobs.ts"
import { checkSource, checkWrite } from "./conditions.ts"
import { placeOf } from "./places.ts"
import { refuse, stored } from "./replies.ts"
import { type Blob, type ModelRequest, type Operation, publish, type State } from "./state.ts"

/** Copy Blob From URL. */
const maxSyncCopy = 256 * 1024 * 1024

/**
 * The blob that `x-ms-copy-source` names. It is read as by a stranger: with the signature in its query, or with the token of
 * `x-ms-copy-source-authorization`; an owner opens every blob of the account where the service copies in its own time.
 */
export const readSource = (state: State, request: ModelRequest, opensAll: boolean): Blob | ServerReply => {
  const { headers, now } = request
  const text = headers["x-ms-copy-source"] ?? ""
  const origin = state.origin()
  if (!text.startsWith(`${origin}/`)) return refuse(400, "InvalidHeaderValue")
  const mark = text.indexOf("?")
  const rawPath = text.slice(origin.length, mark === -1 ? text.length : mark)
  const query = new Map(new URLSearchParams(mark === -1 ? "" : text.slice(mark).replaceAll("+", "%2B")))
  const place = placeOf(state, rawPath)
  if (place === undefined || place.key === undefined) return refuse(400, "InvalidHeaderValue")
  const granted = query.has("sig") ? identifySas(state, query, place, now) : undefined
  const isOpen = opensAll || isToken(state, headers["x-ms-copy-source-authorization"]) ||
    (granted !== undefined && !("status" in granted) && mayDo(granted, "r"))
  if (!isOpen) return refuse(403, "CannotVerifyCopySource")
  const blob = state.containers.get(place.container ?? "")?.blobs.get(place.key)
  if (blob === undefined) return refuse(404, "CannotVerifyCopySource")
  return checkSource(headers, blob) ?? blob
}

/** Copy Blob, and Copy Blob From URL with `x-ms-requires-sync`. */
export const copyBlob: Operation = inContainer((state, request, container) => {
  const { headers, key = "" } = request
  const isSync = headers["x-ms-requires-sync"] === "true"
  const source = readSource(state, request, !isSync && request.isOwner)
  if ("status" in source) return source
  const refusal = checkMetadata(request) ?? checkWrite(headers, container.blobs.get(key))
  if (refusal !== undefined) return refusal
  if (isSync && source.body.length > maxSyncCopy) return refuse(409, "CannotVerifyCopySource")
  const id = NodeCrypto.randomUUID()
  const left = state.behaviour.pendingCopies
  const described_ = described(state, request)
  const own = described_.metadata.size > 0
  const copied = {
    ...described_,
    attributes: source.attributes,
    metadata: own ? described_.metadata : source.metadata,
    blocks: source.blocks,
    body: left > 0 ? new Uint8Array() : source.body,
    contentMd5: left > 0 ? undefined : source.contentMd5,
    copy: { id, status: left > 0 ? "pending" : "success", left, source } as const
  }
  publish(container, key, { ...copied, copy: { ...copied.copy } })
  return { ...stored(copied, { "x-ms-copy-id": id, "x-ms-copy-status": copied.copy.status }), status: 202 }
})

/** Abort Copy Blob: what is left is a blob of no bytes. */
export const abortCopy: Operation = onBlob((_, { query }, { copy }) => {
  if (copy === undefined || copy.status !== "pending") return refuse(409, "NoPendingCopyOperation")
  if (copy.id !== query.get("copyid")) return refuse(409, "CopyIdMismatch")
  copy.status = "aborted"
  return { status: 204 }
})
