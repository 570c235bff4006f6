/**
 * Writes docs/parity.md from what the last run of the conformance suites found: first `npm test`, then this. If a cell of its
 * table is unexplained, it fails and writes nothing. With `--check` it never writes.
 */
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import { propertyName } from "../src/testing/conformance/note.ts"
import { cases, nameOf } from "../src/testing/conformance/suite.ts"
import { renderStores, renderSummary, renderTable } from "../test/parity/render.ts"
import { gapsOf, readResults, rowsOf } from "../test/parity/results.ts"

const document = fileURLToPath(new URL("../docs/parity.md", import.meta.url))

const results = readResults()
if (results === undefined) {
  console.error("no run of the tests has left its results: first npm test, then this")
  process.exit(1)
}
const rows = rowsOf(results, [...cases.map(nameOf), propertyName])
const gaps = gapsOf(rows)
const text = `# Parity

Every case of the conformance suite (rows) on every backend and server (columns), as the tests found it. \`npm run parity\` writes
this page after \`npm test\`; \`.ci/run\` prints the table of its own run, and fails if a cell is \`FAILED\` or \`MISSING\`.

The columns "u." are the universal store over that store. moto and gcp-storage-emulator are not here: they serve single tests,
of keys and of sessions, and do too little right for a suite.

- ✓: the case holds.
- refused: the store lacks a capability that the case needs, and refuses the operation as it must, before any byte moves.
- –: the store lacks it, and there is nothing to refuse; the note names it.
- defect: the server (not the layer) does it wrong, as the note says. The case runs all the same, and the suite fails when it
  starts to pass.

${renderTable(rows)}

## Stores

${renderStores(rows)}
`

console.log(renderSummary(rows))
for (const { case: name, store, verdict } of gaps) console.error(`${store}: "${name}" is ${verdict}`)
if (gaps.length > 0) console.error("nothing is written: the results have to be those of a whole run of npm test")
else if (!process.argv.includes("--check")) {
  NodeFs.writeFileSync(document, text)
  console.log("wrote docs/parity.md")
}
process.exitCode = gaps.length === 0 ? 0 : 1
