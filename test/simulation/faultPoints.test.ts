import { afterAll, assert, describe, it } from "@effect/vitest"
import { Exit } from "effect"
import { env } from "node:process"
import { type Hit, hit } from "./faultPoints.ts"
import { type Fate, fates } from "./SimulatedBackend.ts"
import { kinds, type Operation } from "./workload.ts"

const figures = { points: 0, operations: 0, pairs: 0 }

afterAll(() =>
  console.log(
    `fault points: ${figures.points} of ${figures.operations} operations, and ${figures.pairs} pairs of the 10 shortest`
  )
)

const unhealed: ReadonlySet<Operation["op"]> = new Set(["failedStream"])
const moded: ReadonlySet<Operation["op"]> = new Set(["put", "putMultipart", "putStream", "copy"])

const make = (op: Operation["op"], mode: Operation["mode"], concurrency: number): Operation => ({
  id: 9,
  op,
  key: "a",
  to: "b",
  size: 33,
  mode,
  partSize: 8,
  concurrency,
  interrupt: undefined
})

const modesOf = (op: Operation["op"]) =>
  moded.has(op) ? ["overwrite", "create", "update"] as const : ["overwrite"] as const

/** What no repetition heals. */
const mayEnd = (fate: Fate): boolean => fate === "dead" || fate.startsWith("interrupted")

const isHealed = ({ mode, op }: Operation, { exit }: Hit): boolean =>
  // A create-only copy carries no id of its own, and this store tells no checksums.
  Exit.isSuccess(exit) || unhealed.has(op) ||
  (op === "copy" && mode === "create" && String(exit).includes("OutcomeUnknown"))

describe("one fault at any point of", () => {
  for (const op of new Set(kinds)) {
    it(`${op} is healed, or ends as the interruption that it is, and breaks no promise`, { timeout: 300_000 }, () => {
      for (const mode of modesOf(op)) {
        for (const concurrency of [1, 3]) {
          const operation = make(op, mode, concurrency)
          const peace = hit(operation, [])
          assert.deepStrictEqual(peace.violations, [], op)
          assert.isAbove(peace.requests, 0)
          figures.operations++
          for (let at = 0; at < peace.requests; at++) {
            for (const fate of fates) {
              const one = hit(operation, [{ at, fate }])
              const name = `${op} ${mode} ${concurrency}: ${fate} at request ${at}`
              assert.deepStrictEqual(one.violations, [], [name, ...one.trace].join("\n  "))
              const ends = isHealed(operation, one) || mayEnd(fate)
              assert.isTrue(ends, [name, String(one.exit), ...one.trace].join("\n  "))
              figures.points++
            }
          }
        }
      }
    })
  }
})

// `npm run test:simulation` runs all pairs.
const stride = env["MODE"] === "simulation" ? 1 : 3

describe("two faults at any points of", () => {
  const all = [...new Set(kinds)].flatMap((op) => modesOf(op).map((mode) => make(op, mode, 1)))
  const shortest = all.map((operation) => ({ operation, requests: hit(operation, []).requests }))
    .sort((a, b) => a.requests - b.requests).slice(0, 10)
  for (const { operation, requests } of shortest) {
    it(`${operation.op} (${String(operation.mode)}) break no promise`, { timeout: 300_000 }, () => {
      let place = 0
      for (let first = 0; first < requests; first++) {
        for (const fate of fates) {
          const one = { at: first, fate }
          const { requests: reached } = hit(operation, [one])
          for (let second = first + 1; second < reached; second++) {
            for (const other of fates) {
              if (place++ % stride !== 0) continue
              const script = [one, { at: second, fate: other }]
              const both = hit(operation, script)
              const name = script.map(({ at, fate }) => `${fate} at request ${at}`).join(", then ")
              assert.deepStrictEqual(both.violations, [], [name, ...both.trace].join("\n  "))
              const ends = isHealed(operation, both) || script.some(({ fate }) => mayEnd(fate))
              assert.isTrue(ends, [name, String(both.exit), ...both.trace].join("\n  "))
              figures.pairs++
            }
          }
        }
      }
    })
  }
})
