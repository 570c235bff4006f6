import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { type Note, propertyName } from "../../src/testing/conformance/note.ts"

/**
 * What became of one case on one store: `not asked` where a column is of some cases only, `missing` if the test did not get as
 * far as a verdict.
 */
export type Outcome = Omit<Note, "verdict"> & { readonly verdict: Note["verdict"] | "not asked" | "missing" }

/** A column of the table, and the name of the suite that fills it. */
interface Column {
  readonly title: string
  readonly store: string
  /** Why the property test is not run on it. */
  readonly noProperty?: string | undefined
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

/** Reads what the last run found, if there was one. */
export const readResults = (): ReadonlyArray<Outcome> | undefined =>
  NodeFs.existsSync(resultsFile)
    ? JSON.parse(NodeFs.readFileSync(resultsFile, "utf8")) as ReadonlyArray<Outcome>
    : undefined

const routed = "the property test of the universal store runs over file: direct differs in how bytes travel"
const conditions = "the property test needs conditions of deletes and copies, which fake-gcs-server does not obey"
/** The columns of the table. */
export const columns: ReadonlyArray<Column> = [
  { title: "memory", store: "memory" },
  { title: "file", store: "file" },
  { title: "direct", store: "direct" },
  { title: "MinIO", store: "S3 on MinIO" },
  { title: "versitygw", store: "S3 on versitygw" },
  { title: "Azurite", store: "Azurite" },
  {
    title: "Azurite, https",
    store: "Azurite with tokens",
    noProperty: "the property test runs on Azurite over http: what https and tokens add is the connection"
  },
  { title: "Azure model", store: "Azure model" },
  { title: "fake-gcs", store: "GCS on fake-gcs-server" },
  { title: "GCS model", store: "GCS on the model" },
  { title: "u. memory", store: "universal over memory" },
  { title: "u. file", store: "universal over file" },
  { title: "u. direct", store: "universal over direct", noProperty: routed },
  { title: "u. MinIO", store: "universal over MinIO" },
  { title: "u. versitygw", store: "universal over versitygw" },
  { title: "u. Azurite", store: "universal over Azurite" },
  { title: "u. Azure model", store: "universal over the Azure model" },
  { title: "u. fake-gcs", store: "universal over fake-gcs-server", noProperty: conditions },
  { title: "u. GCS model", store: "universal over the GCS model" }
]

/** One row a case; an outcome a column. */
export const rowsOf = (outcomes: ReadonlyArray<Outcome>, cases: ReadonlyArray<string>) => {
  const found = new Map(outcomes.map((outcome) => [`${outcome.store}\n${outcome.case}`, outcome]))
  return cases.map((name) => ({
    name,
    cells: columns.map(({ noProperty, partial, store }): Outcome => {
      const reason = partial ?? (name === propertyName ? noProperty : undefined)
      return found.get(`${store}\n${name}`) ??
        { store, case: name, verdict: reason === undefined ? "missing" : "not asked", reason }
    })
  }))
}

/** Cells that nothing explains. */
export const gapsOf = (rows: ReturnType<typeof rowsOf>): ReadonlyArray<Outcome> =>
  rows.flatMap(({ cells }) => cells).filter(({ verdict }) => verdict === "failed" || verdict === "missing")
