import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Backend, fromBackend } from "effect-objectstore"
import * as Memory from "effect-objectstore/layers/Memory"
import { cases, checkProperty, nameOf, printFalsified, runCase } from "effect-objectstore/testing"
import { mutants } from "./mutants.ts"

const base = "mem://mutants/"
const seeds = Array.from({ length: 600 }, (_, i) => i + 1)

const storeOver = Effect.fnUntraced(function*(plant: (backend: Backend) => Backend) {
  const backend = plant(yield* Memory.makeBackend({ base }))
  return { backend, store: yield* fromBackend(backend, { base }) }
})

/** The first case that notices the bug. */
const firstFailure = Effect.fnUntraced(function*(plant: (backend: Backend) => Backend) {
  const { backend, store } = yield* storeOver(plant)
  for (const one of cases) {
    const result = yield* runCase({ store, backend, cleanup: false }, one)
    if (result._tag === "Failed") return nameOf(one)
  }
  return undefined
})

describe("planted bugs", () => {
  it.live("a store without one passes every case", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* firstFailure((backend) => backend))
    }), 120_000)

  for (const { name, plant, property } of mutants) {
    it.live(`the suite notices: ${name}`, () =>
      Effect.gen(function*() {
        const failure = yield* firstFailure(plant)
        assert.isDefined(failure, "no case failed")
        yield* Effect.log(`${name} -> ${failure}`)
      }), 120_000)

    if (property) {
      it.live(`the property test notices: ${name}`, () =>
        Effect.gen(function*() {
          const { store } = yield* storeOver(plant)
          const { store: model } = yield* storeOver((backend) => backend)
          const result = yield* checkProperty({ store, model, seeds })
          if (result._tag === "Passed") return assert.fail("no sequence showed a difference")
          yield* Effect.log(`${name} ->\n${printFalsified(result)}`)
          assert.isAtMost(result.commands.length, 8, "commands of the shrunk sequence")
        }), 120_000)
    }
  }
})
