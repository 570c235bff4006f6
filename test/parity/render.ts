import { columns, type Outcome, type rowsOf } from "./results.ts"

type Rows = ReturnType<typeof rowsOf>

/** Numbers the reasons of what is no pass, in the order of the table. */
const notesOf = (rows: Rows): ReadonlyMap<string, number> => {
  const reasons = rows.flatMap(({ cells }) => cells).flatMap(({ reason }) => reason === undefined ? [] : [reason])
  return new Map([...new Set(reasons)].map((reason, index) => [reason, index + 1]))
}

const symbols: Readonly<Record<Outcome["verdict"], string>> = {
  "passed": "✓",
  "refused": "refused",
  "not applicable": "–",
  "known defect": "defect",
  "not asked": "not asked",
  "failed": "FAILED",
  "missing": "MISSING"
}

const symbolOf = ({ reason, verdict }: Outcome, notes: ReadonlyMap<string, number>): string =>
  reason === undefined ? symbols[verdict] : `${symbols[verdict]} ${notes.get(reason)}`

const escape = (text: string): string => text.replaceAll("|", "\\|")

/** The table and its notes, as Markdown. */
export const renderTable = (rows: Rows): string => {
  const notes = notesOf(rows)
  const cells = [
    ["case", ...columns.map(({ title }) => title)],
    ["---", ...columns.map(() => "---")],
    ...rows.map((row) => [escape(row.name), ...row.cells.map((cell) => symbolOf(cell, notes))])
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const table = cells.map((row) =>
    `| ${row.map((cell, at) => cell === "---" ? "-".repeat(widths[at]!) : cell.padEnd(widths[at]!)).join(" | ")} |`
  )
  return [...table, "", ...[...notes].map(([reason, number]) => `${number}. ${reason}`)].join("\n")
}

/** One line a store. */
export const renderSummary = (rows: Rows): string =>
  columns.map(({ title }, at) => {
    const count = (verdict: Outcome["verdict"]) => rows.filter(({ cells }) => cells[at]!.verdict === verdict).length
    const counts = (["passed", "refused", "not applicable", "known defect", "not asked", "failed", "missing"] as const)
      .map((verdict) => [verdict, count(verdict)] as const).filter(([, number]) => number > 0)
    return `${title}: ${counts.map(([verdict, number]) => `${number} ${verdict}`).join(", ")}`
  }).join("\n")

/** What each column is, and the keys of the suite that its service cannot hold. */
export const renderStores = (rows: Rows): string =>
  columns.map(({ store, title }, at) => {
    const refused = rows.flatMap(({ cells }) => cells[at]!.refusedKeys ?? [])
    const keys = [...new Set(refused)].map((key) => `\`${JSON.stringify(key)}\``)
    return `- ${title}: the suite "${store}"${keys.length === 0 ? "" : `; \`InvalidKey\` for ${keys.join(", ")}`}`
  }).join("\n")
