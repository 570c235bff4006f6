import { afterAll, assert, describe, it } from "@effect/vitest"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { env } from "node:process"
import { fileURLToPath } from "node:url"
import { type Bug, buggyEngine, bugs } from "./mutants.ts"
import { type Outcome, simulate } from "./simulate.ts"

// `npm run test:simulation` runs in the mode of that name: many schedules, and every bug looked for anew.
const thorough = env["MODE"] === "simulation"
const schedules = thorough ? 20_000 : 1000
const mostForBug = 10_000
const keptFile = fileURLToPath(new URL("./failing-seeds.json", import.meta.url))
const kept = JSON.parse(NodeFs.readFileSync(keptFile, "utf8")) as { readonly [what: string]: ReadonlyArray<number> }
const directory = NodePath.join(fileURLToPath(new URL("../..", import.meta.url)), ".cache", `simulation-${process.pid}`)
const figures: Array<string> = []

afterAll(() => {
  NodeFs.rmSync(directory, { recursive: true, force: true })
  console.log(`simulation: ${figures.join("; ")}`)
})

const show = ({ seed, trace, violations }: Outcome): string =>
  [`seed ${seed}:`, ...violations, "what happened:", ...trace].join("\n  ")

describe("the engine in bad weather", () => {
  it(`breaks no promise in ${schedules} schedules`, { timeout: 3_600_000 }, () => {
    const start = performance.now()
    let requests = 0
    for (let seed = 1; seed <= schedules; seed++) {
      const outcome = simulate(seed)
      requests += outcome.requests
      if (outcome.violations.length > 0) assert.fail(show(outcome))
    }
    const minutes = (performance.now() - start) / 60_000
    figures.push(
      `${schedules} schedules, ${requests} requests, ${
        Math.round(schedules / minutes)
      } schedules a minute, no violation`
    )
  })

  it("does the same again with the same seed, and something else with another", () => {
    const hashes = new Set<string>()
    for (let seed = 1; seed <= 50; seed++) {
      const { hash } = simulate(seed)
      assert.strictEqual(simulate(seed).hash, hash)
      hashes.add(hash)
    }
    assert.isAbove(hashes.size, 45)
  })

  it("passes the seeds that failed once", () => {
    for (const seed of kept["engine"] ?? []) assert.deepStrictEqual(simulate(seed).violations, [], `seed ${seed}`)
  })
})

describe("a bug in the engine", () => {
  for (const bug of Object.keys(bugs) as Array<Bug>) {
    it(`is found: ${bug}`, { timeout: 3_600_000 }, async () => {
      const engine = await buggyEngine(directory, bug)
      for (const seed of kept[bug] ?? []) {
        assert.isAbove(simulate(seed, engine).violations.length, 0, `the kept seed ${seed} does not show it any more`)
        assert.deepStrictEqual(simulate(seed).violations, [], `seed ${seed} without the bug`)
      }
      if (!thorough && kept[bug] !== undefined) return
      let seed = 1
      while (seed <= mostForBug && simulate(seed, engine).violations.length === 0) seed++
      assert.isAtMost(seed, mostForBug)
      figures.push(`"${bug}" found by schedule ${seed}: ${simulate(seed, engine).violations[0]}`)
    })
  }
})
