/**
 * Writes the tables of capabilities into README.md and docs/capabilities.md, from what the layers say of themselves. The
 * stores of clouds are made of options alone; none of them is asked anything.
 */
import { Effect } from "effect"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as Azure from "../layers/Azure.ts"
import * as Direct from "../layers/Direct.ts"
import * as File from "../layers/File.ts"
import * as Gcs from "../layers/Gcs.ts"
import * as Memory from "../layers/Memory.ts"
import * as S3 from "../layers/S3.ts"
import type { Capabilities } from "../src/Capabilities.ts"

/** What stands before and after a table. */
export const tableMarkers = ["<!-- capabilities -->", "<!-- /capabilities -->"] as const

const units = [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const

const size = (bytes: number): string => {
  if (bytes === Number.MAX_SAFE_INTEGER) return "the file system's"
  // Exact where that is short.
  const unit = units.find(([, factor]) => bytes >= factor && bytes % factor === 0 && bytes < 10_000 * factor) ??
    units.find(([, factor]) => bytes >= factor)
  return unit === undefined
    ? `${bytes} B`
    : `${(bytes / unit[1]).toLocaleString("en", { maximumFractionDigits: 1 })} ${unit[0]}`
}

const flag = (value: boolean): string => value ? "yes" : "no"

type Row = readonly [label: string, show: (can: Capabilities) => string]

const main: ReadonlyArray<Row> = [
  ["read if match, none match, (un)modified since", (can) => flag(can.conditionalRead)],
  ["create only, update only over an etag", (can) => flag(can.conditionalCreate && can.conditionalUpdate)],
  ["delete if match", (can) => flag(can.conditionalDelete)],
  ["copy with conditions on source and target", (can) => flag(can.conditionalCopy && can.conditionalCopySource)],
  ["attributes and user metadata", (can) => flag(can.attributes && can.metadata)],
  ["listing ordered by the bytes of the key", (can) => flag(can.sortedList)],
  ["copy inside the store", (can) => flag(can.serverCopy)],
  ["rename in one atomic step", (can) => flag(can.atomicRename)],
  ["both `a` and `a/b` can exist", (can) => flag(!can.hierarchical)],
  ["open uploads listed and removed at once", (can) => flag(can.multipart.listed && can.multipart.abort === "removes")],
  ["containers", (can) => can.containers],
  ["old versions", (can) => flag(can.versions)],
  ["signed URLs", (can) => flag(can.presign)],
  [
    "longest key",
    (can) => size(can.maxKeyBytes) + (can.maxSegmentBytes === undefined ? "" : `, ${can.maxSegmentBytes} B a segment`)
  ],
  ["largest object", (can) => size(can.maxObjectSize)]
]

const further: ReadonlyArray<Row> = [
  ["create only, update only, when an upload completes", (can) => flag(can.multipart.conditionalComplete)],
  ["ranges that count from the end", (can) => flag(can.suffixRange)],
  ["`startAfter` in a listing", (can) => flag(can.listStartAfter)],
  ["names of user metadata", (can) => can.metadataNames === "token" ? "a-z 0-9 - _ ." : "a-z 0-9 _"],
  ["values of user metadata and attributes", (can) => can.metadataValues === "text" ? "any text" : "ASCII"],
  ["user metadata, most", (can) => size(can.maxMetadataBytes)],
  ["storage class on writes", (can) => flag(can.storageClass)],
  ["tags on writes", (can) => flag(can.tags)],
  ["a place for new containers", (can) => flag(can.containerLocation)],
  ["open uploads are listed", (can) => flag(can.multipart.listed)],
  ["parts of a dropped upload", (can) => can.multipart.abort === "removes" ? "removed" : "expire"],
  ["parts side by side", (can) => flag(!can.multipart.ordered)],
  ["uploads of one key apart from each other", (can) => flag(can.multipart.isolated)],
  ["part, least and most", (can) => `${size(can.multipart.minPartSize)} – ${size(can.multipart.maxPartSize)}`],
  ["parts, most", (can) => can.multipart.maxParts.toLocaleString("en")],
  ["largest object of one request", (can) => size(can.maxWriteSize)],
  ["largest object of one copy request", (can) => size(can.maxCopySize)],
  ["keys a page", (can) => can.maxPageSize.toLocaleString("en")],
  ["keys a delete request", (can) => can.maxDeleteBatch.toLocaleString("en")]
]

/** A key that nobody has: a store of GCS that can sign is made of one. */
const someKey = (): string =>
  JSON.stringify({
    type: "service_account",
    client_email: "nobody@example.iam.gserviceaccount.com",
    private_key: NodeCrypto.generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" }
    }).privateKey
  })

const stores = (directory: string) =>
  Effect.all({
    "`mem://`": Memory.make(),
    "`file://`": File.make({ root: directory }),
    "`direct://`": Direct.make({ root: directory, fallback: "buffered" }),
    "`s3://` (AWS)": S3.make({
      vendor: "aws",
      region: "us-east-1",
      credentials: { accessKeyId: "A", secretAccessKey: "B" }
    }),
    "`az://`": Azure.make({ account: "account", accountKey: "AAAA" }),
    "`gs://`": Gcs.make({ credentials: { key: someKey() } })
  })

const table = (rows: ReadonlyArray<Row>, all: Readonly<Record<string, { readonly capabilities: Capabilities }>>) => {
  const columns = Object.values(all)
  const cells = [
    ["", ...Object.keys(all)],
    ["---", ...columns.map(() => "---")],
    ...rows.map(([label, show]) => [label, ...columns.map((store) => show(store.capabilities))])
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  return cells.map((row) =>
    `| ${
      row.map((cell, column) => cell === "---" ? "-".repeat(widths[column]!) : cell.padEnd(widths[column]!)).join(" | ")
    } |`
  ).join("\n")
}

/** The tables by the file that shows them; `directory` exists and is where the stores of files have their roots. */
export const renderCapabilities = Effect.fnUntraced(
  function*(directory: string) {
    const all = yield* stores(directory)
    return { "README.md": table(main, all), "docs/capabilities.md": table([...main, ...further], all) }
  },
  Effect.scoped
)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-capabilities-"))
  const tables = await Effect.runPromise(renderCapabilities(directory))
  NodeFs.rmSync(directory, { recursive: true })
  const [start, end] = tableMarkers
  for (const [name, text] of Object.entries(tables)) {
    const file = fileURLToPath(new URL(`../${name}`, import.meta.url))
    const old = NodeFs.readFileSync(file, "utf8")
    const before = old.slice(0, old.indexOf(start) + start.length)
    NodeFs.writeFileSync(file, `${before}\n\n${text}\n\n${old.slice(old.indexOf(end))}`)
    console.log(`wrote the table of ${name}`)
  }
}
