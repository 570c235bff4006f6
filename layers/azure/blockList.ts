/**
 * The blocks of a blob.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Location } from "../../src/Backend.ts"
import { readText } from "../../src/http/replyBody.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { parseXml, refuseXml, type XmlReader } from "../../src/http/Xml.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { type Client, send } from "./client.ts"
import { backendName } from "./errors.ts"

/** One block. */
export interface Block {
  /** As it was given, base64. */
  readonly id: string
  readonly size: number
}

/** Blocks that are the blob's, and blocks that wait for a commit. */
export interface BlockList {
  /** Of the reply: the etag is that of the blob. */
  readonly headers: TransportReply["headers"]
  readonly committed: ReadonlyArray<Block>
  readonly uncommitted: ReadonlyArray<Block>
}

const asked = { backend: backendName, operation: "blockList" }

/** 150,000 blocks with ids of 88 characters, and more. */
const maxReply = 32 * 1024 * 1024

/** Asks for the blocks of a blob. */
export const readBlockList = (
  client: Client,
  { container, key }: Location,
  which: "all" | "uncommitted"
): Effect.Effect<BlockList, ObjectStoreError> =>
  send(client, {
    operation: asked.operation,
    mutation: false,
    method: "GET",
    container,
    key,
    query: { comp: "blocklist", blocklisttype: which },
    accept: [200]
  }).pipe(
    Effect.flatMap((reply) =>
      Effect.flatMap(readText(asked, reply, maxReply), (text) =>
        parseXml(asked, text, "BlockList", (xml) => toBlockList(xml, reply.headers)))
    ),
    Effect.scoped
  )

const toBlockList = (xml: XmlReader, headers: TransportReply["headers"]): BlockList => {
  const list = { headers, committed: new Array<Block>(), uncommitted: new Array<Block>() }
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "CommittedBlocks") readBlocks(xml, list.committed)
    else if (name === "UncommittedBlocks") readBlocks(xml, list.uncommitted)
    else xml.skip()
  }
  return list
}

const readBlocks = (xml: XmlReader, blocks: Array<Block>): void => {
  while (xml.child() !== undefined) {
    let id = ""
    let size = -1
    for (let name = xml.child(); name !== undefined; name = xml.child()) {
      if (name === "Name") id = xml.text()
      else if (name === "Size") size = Number(xml.text())
      else xml.skip()
    }
    if (!(Number.isSafeInteger(size) && size >= 0)) refuseXml("a block has no size")
    blocks.push({ id, size })
  }
}
