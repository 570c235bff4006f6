import { afterAll, assert, describe, it } from "@effect/vitest"
import { Exit } from "effect"
import { hit } from "./faultPoints.ts"
import { fates } from "./SimulatedBackend.ts"
import { kinds, type Operation } from "./workload.ts"

const figures = { points: 0, operations: 0 }

afterAll(() => console.log(`fault points: ${figures.points} of ${figures.operations} operations`))

const unhealed: ReadonlySet<Operation["op"]> = new Set(["failedStream"])
const moded: ReadonlySet<Operation["op"]> = new Set(["put", "putMultipart", "putStream", "copy"])

describe("one fault at any point of", () => {
  for (const op of new Set(kinds)) {
    it(`${op} is healed, or ends as the interruption that it is, and breaks no promise`, { timeout: 300_000 }, () => {
      for (const mode of moded.has(op) ? ["overwrite", "create", "update"] as const : ["overwrite"] as const) {
        for (const concurrency of [1, 3]) {
          const operation: Operation = {
            id: 9,
            op,
            key: "a",
            to: "b",
            size: 33,
            mode,
            partSize: 8,
            concurrency,
            interrupt: undefined
          }
          const peace = hit(operation, undefined)
          assert.deepStrictEqual(peace.violations, [], op)
          assert.isAbove(peace.requests, 0)
          figures.operations++
          for (let at = 0; at < peace.requests; at++) {
            for (const fate of fates) {
              const one = hit(operation, { at, fate })
              const name = `${op} ${mode} ${concurrency}: ${fate} at request ${at}`
              assert.deepStrictEqual(one.violations, [], [name, ...one.trace].join("\n  "))
              // A create-only copy carries no id of its own, and this store tells no checksums.
              const untold = op === "copy" && mode === "create" && String(one.exit).includes("OutcomeUnknown")
              const healed = Exit.isSuccess(one.exit) || unhealed.has(op) || untold || fate === "dead" ||
                fate.startsWith("interrupted")
              assert.isTrue(healed, [name, String(one.exit), ...one.trace].join("\n  "))
              figures.points++
            }
          }
        }
      }
    })
  }
})
