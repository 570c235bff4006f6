/**
 * Uploads in blocks.
 *
 * Blocks belong to a blob and not to an upload, and their ids must be of one length within a blob. So an id is a random text of this
 * upload and the part's number, 16 characters in all: blocks of two uploads are told apart, and a commit names only its own.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import type {
  CopiedPart,
  ListUploadsRequest,
  Location,
  ObjectOptions,
  Part,
  PartReceipt,
  Upload,
  UploadId,
  UploadsPage,
  WriteReply
} from "../../src/Backend.ts"
import { rangeHeader } from "../../src/http/contentRange.ts"
import { retag } from "../../src/http/serviceError.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { xmlDocument, xmlElement, xmlText } from "../../src/http/Xml.ts"
import type { Verified } from "../../src/ObjectInfo.ts"
import { makeError, type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { type BlockList, readBlockList } from "./blockList.ts"
import { checksumHeaders, confirm } from "./checksum.ts"
import { checkKey, type Client, etagOf, sendForHead } from "./client.ts"
import { maxBlocks } from "./config.ts"
import { sourceHeaders } from "./copy.ts"
import { backendName } from "./errors.ts"
import { listBlobs } from "./list.ts"
import { checkOptions, optionHeaders } from "./write.ts"

const prefixLength = 11
const numberLength = 5
const idPattern = /^([0-9a-z]{11})\d{5}$/

const letters = "0123456789abcdefghijklmnopqrstuvwxyz"

/** The text that the ids of one upload begin with, 56 bits of chance. */
const makePrefix = (): string =>
  Array.from({ length: prefixLength }, () => letters[NodeCrypto.randomInt(letters.length)]).join("")

/** The id of a part's block. */
const blockId = (upload: UploadId, number: number): string =>
  Buffer.from(upload.id + String(number).padStart(numberLength, "0")).toString("base64")

/** The upload that a block belongs to; blocks of other programs belong to one that is named by none. */
const uploadOf = (id: string): string | undefined => idPattern.exec(Buffer.from(id, "base64").toString("latin1"))?.[1]

/** What an upload with blocks of other programs is called. */
const foreign = "foreign"

/** Begins an upload: no request, the first block makes the blob. */
export const openUpload = (
  { container, key }: Location,
  options: ObjectOptions
): Effect.Effect<Upload, ObjectStoreError> =>
  checkKey({ operation: "openUpload", mutation: true }, key).pipe(
    Effect.andThen(checkOptions(options)),
    Effect.andThen(Effect.sync(() => ({ container, key, id: makePrefix(), options })))
  )

const checkNumber = (number: number): Effect.Effect<void, ObjectStoreError> =>
  number <= maxBlocks ? Effect.void : Effect.fail(makeError("LimitExceeded", {
    operation: "uploadPart",
    backend: backendName,
    limit: "maxParts",
    description: `part ${number} is more than ${maxBlocks}`,
    outcome: "not-applied"
  }))

/** Stores one block. */
export const uploadPart = Effect.fnUntraced(function*(
  client: Client,
  upload: Upload,
  { body, number, offset }: Part
): Effect.fn.Return<PartReceipt, ObjectStoreError> {
  yield* checkNumber(number)
  const checksum = yield* checksumHeaders(client.settings.checksum, body)
  const reply = yield* sendForHead(client, {
    operation: "uploadPart",
    mutation: true,
    method: "PUT",
    container: upload.container,
    key: upload.key,
    query: { comp: "block", blockid: blockId(upload, number) },
    headers: checksum,
    body,
    accept: [201]
  })
  const verified = yield* confirm("uploadPart", checksum, reply)
  return { number, offset, size: body.length, state: verified }
})

/** Stores one block out of another blob of the account. */
export const copyPart = Effect.fnUntraced(function*(
  client: Client,
  upload: Upload,
  { from, ifMatch, length, number, offset }: CopiedPart
): Effect.fn.Return<PartReceipt, ObjectStoreError> {
  yield* checkNumber(number)
  const source = yield* sourceHeaders(client, from)
  yield* sendForHead(client, {
    operation: "copyPart",
    mutation: true,
    method: "PUT",
    container: upload.container,
    key: upload.key,
    query: { comp: "block", blockid: blockId(upload, number) },
    headers: {
      ...source,
      "x-ms-source-range": rangeHeader({ offset, length }),
      ...(ifMatch === undefined ? undefined : { "x-ms-source-if-match": ifMatch })
    },
    accept: [201]
  })
  return { number, offset, size: length, state: "size" satisfies Verified }
})

/** Publishes the blob made of the blocks of `parts`. */
export const completeUpload = Effect.fnUntraced(function*(
  client: Client,
  upload: Upload,
  { parts, size }: { readonly parts: ReadonlyArray<PartReceipt>; readonly size: number }
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const { container, key, options } = upload
  const ids = parts.map(({ number }) => blockId(upload, number))
  const list = xmlElement("BlockList", ...ids.map((id) => xmlText("Uncommitted", id)))
  const reply = yield* sendForHead(client, {
    operation: "completeUpload",
    mutation: true,
    create: options.mode === "create",
    method: "PUT",
    container,
    key,
    query: { comp: "blocklist" },
    headers: optionHeaders(options),
    body: Buffer.from(xmlDocument(list)),
    accept: [201]
  }).pipe(
    Effect.catchReason("ObjectStoreError", "UploadNotFound", (_, error) => whatBecame(client, upload, ids, error))
  )
  return {
    etag: yield* etagOf({ operation: "completeUpload", mutation: true }, reply),
    version: reply.headers["x-ms-version-id"],
    size,
    // The list names these blocks and no others, so the blob is as good as the worst of them.
    verified: parts.every(({ state }) => state === "checksum") ? "checksum" : "size"
  }
})

/**
 * Looks at the blob after a commit that found blocks missing. Ids are made of chance, so a blob of exactly these blocks is the one that
 * was committed here, by a request whose answer was lost.
 */
const whatBecame = Effect.fnUntraced(function*(
  client: Client,
  upload: Upload,
  ids: ReadonlyArray<string>,
  error: ObjectStoreError
): Effect.fn.Return<Pick<TransportReply, "status" | "headers">, ObjectStoreError> {
  const list = yield* Effect.mapError(readBlockList(client, upload, "all"), () => error)
  const { committed, headers, uncommitted } = list
  if (committed.length === ids.length && committed.every((block, index) => block.id === ids[index])) {
    return { status: 200, headers }
  }
  return yield* uncommitted.some((block) => uploadOf(block.id) === upload.id) ? missingPart(error) : error
})

/** The upload is there, and so one of the blocks is not. */
const missingPart = (error: ObjectStoreError): ObjectStoreError =>
  retag(withContext(error, { description: "a part was never stored", outcome: "not-applied" }), "InvalidRequest")

/** Nothing drops blocks: they expire a week after the last one, or go with the next commit or put of the key. */
export const abortUpload: Effect.Effect<void, ObjectStoreError> = Effect.void

/** Most lists of blocks that are asked for at a time. */
const lookups = 8

/**
 * Lists open uploads, as far as the service tells: keys that have blocks and no blob yet, or an empty one. Blocks beside a blob that
 * has bytes are not listed by it.
 */
export const listUploads = Effect.fnUntraced(function*(
  client: Client,
  { container, cursor, prefix }: ListUploadsRequest
): Effect.fn.Return<UploadsPage, ObjectStoreError> {
  const { maxPageSize } = client.settings.capabilities
  const page = yield* listBlobs(client, { container, prefix, cursor, limit: maxPageSize }, "uncommittedblobs")
  const empty = page.objects.filter((one) => one.size === 0)
  const uploads = yield* Effect.forEach(
    empty,
    ({ key, lastModified }) =>
      readBlockList(client, { container, key }, "uncommitted").pipe(
        Effect.map((list) => idsOf(list).map((id) => ({ container, key, id, initiated: lastModified }))),
        // It was committed or removed since the listing.
        Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed([]))
      ),
    { concurrency: lookups }
  )
  return { uploads: uploads.flat(), next: page.next }
})

const idsOf = ({ uncommitted }: BlockList): ReadonlyArray<string> => [
  ...new Set(uncommitted.map((block) => uploadOf(block.id) ?? foreign))
]
