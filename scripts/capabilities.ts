/**
 * Writes the table of capabilities into README.md, from what the layers say of themselves.
 */
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as Azure from "../layers/Azure.ts"
import * as Direct from "../layers/Direct.ts"
import * as File from "../layers/File.ts"
import * as Memory from "../layers/Memory.ts"
import type { Capabilities } from "../src/Capabilities.ts"

/** What stands before and after the table. */
export const tableMarkers = ["<!-- capabilities -->", "<!-- /capabilities -->"] as const

const units = [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const

const size = (bytes: number): string => {
  if (bytes === Number.MAX_SAFE_INTEGER) return "the file system's"
  const unit = units.find(([, factor]) => bytes >= factor && bytes % factor === 0)
  return unit === undefined ? `${bytes.toLocaleString("en")} B` : `${(bytes / unit[1]).toLocaleString("en")} ${unit[0]}`
}

const flag = (value: boolean): string => value ? "yes" : "no"

const rows: ReadonlyArray<readonly [label: string, show: (can: Capabilities) => string]> = [
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

/** The table; `directory` exists and is where the stores of files have their roots. */
export const renderCapabilities = Effect.fnUntraced(
  function*(directory: string) {
    const memory = yield* Memory.make()
    const file = yield* File.make({ root: directory })
    const direct = yield* Direct.make({ root: directory, fallback: "buffered" })
    const azure = yield* Azure.make({ account: "devstoreaccount1" })
    const columns = [["mem", memory], ["file", file], ["direct", direct], ["az", azure]] as const
    const cells = [
      ["", ...columns.map(([scheme]) => `\`${scheme}://\``)],
      ["---", ...columns.map(() => "---")],
      ...rows.map(([label, show]) => [label, ...columns.map(([, store]) => show(store.capabilities))])
    ]
    const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
    return cells.map((row) =>
      `| ${
        row.map((cell, column) => cell === "---" ? "-".repeat(widths[column]!) : cell.padEnd(widths[column]!)).join(
          " | "
        )
      } |`
    ).join("\n")
  },
  Effect.scoped
)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = fileURLToPath(new URL("../README.md", import.meta.url))
  const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-capabilities-"))
  const table = await Effect.runPromise(renderCapabilities(directory))
  NodeFs.rmSync(directory, { recursive: true })
  const text = NodeFs.readFileSync(readme, "utf8")
  const [start, end] = tableMarkers
  const before = text.slice(0, text.indexOf(start) + start.length)
  NodeFs.writeFileSync(readme, `${before}\n\n${table}\n\n${text.slice(text.indexOf(end))}`)
}
