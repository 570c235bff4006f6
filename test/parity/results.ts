import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import type { Note } from "../../src/testing/conformance/note.ts"

/**
 * What became of one case on one store: `not asked` where a column is of some cases only, `missing` if the test did not get as
 * far as a verdict.
 */
export type Outcome = Omit<Note, "verdict"> & { readonly verdict: Note["verdict"] | "not asked" | "missing" }

/** A column of the table, and the name of the suite that fills it. */
interface Column {
  readonly title: string
  readonly store: string
  /** Why it holds some cases only. */
  readonly partial?: string | undefined
}

/** Where a run leaves them for `npm run parity`. */
export const resultsFile = fileURLToPath(new URL("../../.cache/parity.json", import.meta.url))

/** Writes what a run found. */
export const writeResults = (outcomes: ReadonlyArray<Outcome>): void => {
  NodeFs.mkdirSync(NodePath.dirname(resultsFile), { recursive: true })
  NodeFs.writeFileSync(resultsFile, JSON.stringify(outcomes))
}

/** Reads what the last run found. */
export const readResults = (): ReadonlyArray<Outcome> =>
  JSON.parse(NodeFs.readFileSync(resultsFile, "utf8")) as ReadonlyArray<Outcome>

/** The columns of the table. */
export const columns: ReadonlyArray<Column> = [
  { title: "memory", store: "memory" },
  { title: "file", store: "file" },
  { title: "direct", store: "direct" }
]

/** One row a case; an outcome a column. */
export const rowsOf = (outcomes: ReadonlyArray<Outcome>, cases: ReadonlyArray<string>) => {
  const found = new Map(outcomes.map((outcome) => [`${outcome.store}\n${outcome.case}`, outcome]))
  return cases.map((name) => ({
    name,
    cells: columns.map(({ partial, store }): Outcome =>
      found.get(`${store}\n${name}`) ??
        { store, case: name, verdict: partial === undefined ? "missing" : "not asked", reason: partial }
    )
  }))
}

/** Cells that nothing explains. */
export const gapsOf = (rows: ReturnType<typeof rowsOf>): ReadonlyArray<Outcome> =>
  rows.flatMap(({ cells }) => cells).filter(({ verdict }) => verdict === "failed" || verdict === "missing")
