import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

/** What became of one case on one store, as `describeObjectStore` notes it in the `meta` of the test. */
export interface Outcome {
  readonly store: string
  readonly case: string
  readonly verdict:
    | "passed"
    /** The store lacks what the case needs, and refused it as it must. */
    | "refused"
    /** The store lacks what the case needs, and there is nothing to refuse. */
    | "not applicable"
    /** The server's own defect, by name. */
    | "known defect"
    | "failed"
    /** The test did not get as far as a verdict. */
    | "missing"
  readonly reason: string | undefined
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

/** The columns of the table: each names the suite of `describeObjectStore` that fills it. */
export const columns: ReadonlyArray<{ readonly title: string; readonly store: string }> = [
  { title: "memory", store: "memory" },
  { title: "file", store: "file" },
  { title: "direct", store: "direct" }
]

/** One row a case; an outcome a column. */
export const rowsOf = (outcomes: ReadonlyArray<Outcome>, cases: ReadonlyArray<string>) => {
  const found = new Map(outcomes.map((outcome) => [`${outcome.store}\n${outcome.case}`, outcome]))
  return cases.map((name) => ({
    name,
    cells: columns.map(({ store }): Outcome =>
      found.get(`${store}\n${name}`) ?? { store, case: name, verdict: "missing", reason: undefined }
    )
  }))
}

/** Cells that nothing explains. */
export const gapsOf = (rows: ReturnType<typeof rowsOf>): ReadonlyArray<Outcome> =>
  rows.flatMap(({ cells }) => cells).filter(({ verdict }) => verdict === "failed" || verdict === "missing")
