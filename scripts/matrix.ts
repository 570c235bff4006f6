/**
 * Writes the retry matrix into docs/reliability.md, from the data that the engine runs by.
 */
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import { requestClasses, type RetryFailure, type RetryVerdicts } from "../src/engine/retryMatrix.ts"
import { defaultRetryPolicy } from "../src/engine/retryPolicy.ts"

/** What stands before and after the table. */
export const matrixMarkers = ["<!-- retry matrix -->", "<!-- /retry matrix -->"] as const

/** The page that holds it. */
export const matrixPage = fileURLToPath(new URL("../docs/reliability.md", import.meta.url))

/** The table, and a line that names the failures that are never repeated. */
export const renderMatrix = (): string => {
  const rows = Object.entries(defaultRetryPolicy.matrix) as Array<[RetryFailure, RetryVerdicts]>
  const isNever = (row: RetryVerdicts) => requestClasses.every((kind) => row[kind] === "fail")
  const cells = [
    ["failure", ...requestClasses],
    ["---", ...requestClasses.map(() => "---")],
    ...rows.filter(([, row]) => !isNever(row)).map(([failure, row]) => [
      `\`${failure}\``,
      ...requestClasses.map((kind) => row[kind] === "fail" ? "" : row[kind])
    ])
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const table = cells.map((row) =>
    `| ${
      row.map((cell, column) => cell === "---" ? "-".repeat(widths[column]!) : cell.padEnd(widths[column]!)).join(" | ")
    } |`
  ).join("\n")
  const never = rows.filter(([, row]) => isNever(row)).map(([failure]) => `\`${failure}\``).join(" ")
  return `${table}\n\nAn empty cell fails at once. So does every request with:\n${never}.`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = NodeFs.readFileSync(matrixPage, "utf8")
  const [start, end] = matrixMarkers
  const before = text.slice(0, text.indexOf(start) + start.length)
  NodeFs.writeFileSync(matrixPage, `${before}\n\n${renderMatrix()}\n\n${text.slice(text.indexOf(end))}`)
  console.log("wrote the table of docs/reliability.md")
}
