import type { Reporter, TestCase, TestModule } from "vitest/node"
import { renderSummary, renderTable } from "./render.ts"
import { columns, type Outcome, rowsOf, writeResults } from "./results.ts"

const outcomeOf = (test: TestCase): ReadonlyArray<Outcome> => {
  const meta = test.meta() as { readonly conformance?: Outcome }
  return meta.conformance === undefined ? [] : [meta.conformance]
}

/** Prints the table of parity after a run that filled all of its columns, and leaves what any run found for `npm run parity`. */
export class ParityReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const outcomes = modules.flatMap((module) => [...module.children.allTests()].flatMap(outcomeOf))
    const stores = new Set(outcomes.map(({ store }) => store))
    if (!columns.some(({ store }) => stores.has(store))) return
    writeResults(outcomes)
    if (!columns.every(({ store }) => stores.has(store))) return
    const cases = outcomes.filter(({ store }) => store === columns[0]?.store).map((outcome) => outcome.case)
    const rows = rowsOf(outcomes, cases)
    process.stdout.write(`\n${renderTable(rows)}\n\n${renderSummary(rows)}\n`)
  }
}
