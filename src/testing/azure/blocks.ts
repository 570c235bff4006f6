/**
 * Put Block, Put Block From URL, Put Block List, Get Block List.
 *
 * @internal
 */
import { xmlElement, xmlText } from "../../http/Xml.ts"
import { checkBody, checkMetadata, described, inContainer } from "./blobs.ts"
import { checkRead, checkWrite } from "./conditions.ts"
import { readSource } from "./copies.ts"
import { document, httpDate, refuse, stored } from "./replies.ts"
import { type Block, type Container, crc64Of, md5Of, type ModelRequest, type Operation, publish } from "./state.ts"

const maxUncommitted = 100_000

/** Keeps a block; ids of one blob have one length. */
const keep = (container: Container, { key = "", query }: ModelRequest, body: Uint8Array) => {
  const id = query.get("blockid") ?? ""
  const bytes = Buffer.from(id, "base64")
  if (bytes.length === 0 || bytes.length > 64 || bytes.toString("base64") !== id) return refuse(400, "InvalidBlockId")
  const blocks = container.uncommitted.get(key) ?? new Map<string, Uint8Array>()
  const others = [...blocks.keys(), ...container.blobs.get(key)?.blocks.map((block) => block.id) ?? []]
  if (others.some((other) => Buffer.byteLength(other, "base64") !== bytes.length)) {
    return refuse(400, "InvalidBlobOrBlock")
  }
  if (blocks.size >= maxUncommitted) return refuse(409, "BlockCountExceedsLimit")
  blocks.set(id, body)
  container.uncommitted.set(key, blocks)
  return undefined
}

/** Put Block. */
export const putBlock: Operation = inContainer((_, request, container) => {
  const { body, headers } = request
  const refusal = checkBody(request) ?? keep(container, request, body)
  if (refusal !== undefined) return refusal
  const sum = headers["content-md5"] === undefined
    ? { "x-ms-content-crc64": crc64Of(body) }
    : { "content-md5": md5Of(body) }
  return { status: 201, headers: sum }
})

const range = /^bytes=(\d+)-(\d+)$/

/** Put Block From URL. */
export const putBlockFromUrl: Operation = inContainer((state, request, container) => {
  const source = readSource(state, request, false)
  if ("status" in source) return source
  const asked = range.exec(request.headers["x-ms-source-range"] ?? "")
  const { body } = source
  if (asked !== null && Number(asked[1]) >= body.length) return refuse(416, "InvalidRange")
  const bytes = asked === null ? body : body.subarray(Number(asked[1]), Number(asked[2]) + 1)
  return keep(container, request, bytes) ?? { status: 201, headers: { "content-md5": md5Of(bytes) } }
})

const entry = /<(Latest|Committed|Uncommitted)>\s*([A-Za-z0-9+/=]+)\s*<\/\1>/g
const maxCommitted = 50_000

/** Put Block List. */
export const putBlockList: Operation = inContainer((state, request, container) => {
  const { body, headers, key = "" } = request
  const existing = container.blobs.get(key)
  const refusal = checkMetadata(request) ?? checkBody(request) ?? checkWrite(headers, existing)
  if (refusal !== undefined) return refusal
  const waiting = container.uncommitted.get(key)
  const committed = new Map(existing?.blocks.map((block) => [block.id, block.body]))
  const blocks: Array<Block> = []
  for (const [, from, id = ""] of Buffer.from(body).toString().matchAll(entry)) {
    const bytes = (from === "Committed" ? undefined : waiting?.get(id)) ??
      (from === "Uncommitted" ? undefined : committed.get(id))
    if (bytes === undefined) return refuse(400, "InvalidBlockList")
    blocks.push({ id, body: bytes })
  }
  if (blocks.length > maxCommitted) return refuse(400, "BlockListTooLong")
  const blob = {
    ...described(state, request),
    body: Buffer.concat(blocks.map((block) => block.body)),
    blocks,
    contentMd5: headers["x-ms-blob-content-md5"]
  }
  publish(container, key, blob)
  // The checksum in the answer is that of the list, not of the blob.
  return stored(blob, { "content-md5": md5Of(body) })
})

const printBlocks = (name: string, blocks: Iterable<readonly [string, Uint8Array]>): string =>
  xmlElement(
    name,
    ...[...blocks].map(([id, body]) => xmlElement("Block", xmlText("Name", id), xmlText("Size", body.length)))
  )

/** Get Block List. */
export const getBlockList: Operation = inContainer((_, request, container) => {
  const { headers, key = "", query } = request
  const blob = container.blobs.get(key)
  const waiting = container.uncommitted.get(key)
  if (blob === undefined && waiting === undefined) return refuse(404, "BlobNotFound")
  const refusal = blob === undefined ? undefined : checkRead(headers, blob)
  if (refusal !== undefined) return refusal
  const which = query.get("blocklisttype") ?? "committed"
  const list = xmlElement(
    "BlockList",
    which === "uncommitted" ? "" : printBlocks("CommittedBlocks", blob?.blocks.map(({ body, id }) => [id, body]) ?? []),
    which === "committed" ? "" : printBlocks("UncommittedBlocks", waiting ?? [])
  )
  return {
    ...document(list),
    headers: {
      "content-type": "application/xml",
      "etag": blob?.etag,
      "last-modified": blob === undefined ? undefined : httpDate(blob.lastModified),
      "x-ms-blob-content-length": String(blob?.body.length ?? 0)
    }
  }
})
