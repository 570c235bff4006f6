import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { defaultMatrix, type RetryMatrix, type RetryVerdicts, verdictsOf } from "effect-objectstore"
import { readFileSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import { matrixMarkers, matrixPage, renderMatrix } from "../../scripts/matrix.ts"
import { failureOf } from "../../src/engine/retryMatrix.ts"
import { type Cell, cells, errorOf, expected, observe, trials } from "./MatrixTest.ts"

const withCell = ({ failure, kind, verdict }: Cell): RetryMatrix => ({
  ...defaultMatrix,
  [failure]: { ...defaultMatrix[failure], [kind]: verdict } as RetryVerdicts
})

/** Whether a matrix treats a cell otherwise than it was decided, in any trial. */
const differs = Effect.fnUntraced(function*(cell: Cell, matrix: RetryMatrix) {
  for (const trial of trials) {
    if (!isDeepStrictEqual(yield* observe(cell, trial, matrix), expected(cell, trial))) return true
  }
  return false
})

const figures: Array<string> = []

afterAll(() => console.log(`retry matrix: ${figures.join(", ")}`))

describe("the retry matrix", () => {
  it("tells all of its failures apart", () => {
    for (const failure of new Set(cells.map((cell) => cell.failure))) {
      assert.strictEqual(failureOf(errorOf(failure).reason), failure)
    }
    assert.deepStrictEqual(Object.keys(defaultMatrix), [...new Set(cells.map((cell) => cell.failure))])
  })

  it.effect("does in every cell what was decided, at the times that the policy says", () =>
    Effect.gen(function*() {
      let exercised = 0
      for (const cell of cells) {
        for (const trial of trials) {
          const name = `${cell.failure} of ${cell.kind}: ${trial.name}`
          assert.deepStrictEqual(yield* observe(cell, trial, defaultMatrix), expected(cell, trial), name)
        }
        exercised++
      }
      const all = Object.values(defaultMatrix).reduce((sum, row) => sum + Object.keys(row).length, 0)
      figures.push(`${exercised} of ${all} cells exercised`)
      assert.strictEqual(exercised, all)
    }))

  it.effect("shows every change of any cell", () =>
    Effect.gen(function*() {
      let mutants = 0
      const survivors: Array<string> = []
      for (const cell of cells) {
        for (const verdict of verdictsOf[cell.kind]) {
          if (verdict === cell.verdict) continue
          mutants++
          if (!(yield* differs(cell, withCell({ ...cell, verdict })))) {
            survivors.push(`${cell.failure} of ${cell.kind}: ${cell.verdict} as ${verdict}`)
          }
        }
      }
      figures.push(`${mutants - survivors.length} of ${mutants} changed cells noticed`)
      assert.deepStrictEqual(survivors, [])
    }))
})

describe("docs/reliability.md", () => {
  it("shows the matrix that the engine runs by; `npm run matrix` writes it", () => {
    const [start, end] = matrixMarkers
    const text = readFileSync(matrixPage, "utf8")
    const shown = text.slice(text.indexOf(start) + start.length, text.indexOf(end)).trim()
    assert.strictEqual(shown, renderMatrix())
  })
})
