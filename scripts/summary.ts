/**
 * Prints the number of tests of a JSON report in one line; fails without a report, or if a test failed.
 */
import * as NodeFs from "node:fs"

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: ReadonlyArray<{ readonly status: string; readonly assertionResults: ReadonlyArray<unknown> }>
}

const count = (file: string | undefined): { passed: number; failed: number; skipped: number } => {
  try {
    const report = JSON.parse(NodeFs.readFileSync(file ?? "", "utf8")) as Report
    // A file that could not be loaded has no tests, and yet it failed.
    const broken = report.testResults.filter(({ assertionResults, status }) =>
      status === "failed" && assertionResults.length === 0
    )
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + broken.length,
      skipped: report.numPendingTests + report.numTodoTests
    }
  } catch (error) {
    console.error(`no report of the tests: ${error instanceof Error ? error.message : String(error)}`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

const { failed, passed, skipped } = count(process.argv[2])
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`)
process.exitCode = failed === 0 ? 0 : 1
