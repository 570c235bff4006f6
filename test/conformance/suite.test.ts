import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Stream } from "effect"
import * as Memory from "effect-objectstore/layers/Memory"
import {
  Case,
  cases,
  checkProperty,
  describeObjectStore,
  nameOf,
  runCase,
  runCases,
  unmet
} from "effect-objectstore/testing"
import { judge } from "../../src/testing/conformance/describeObjectStore.ts"
import { generate } from "../../src/testing/model/generate.ts"

const broken = Case.subject("mine", [
  Case.test("dies", function*() {
    return yield* Effect.die(new Error("broken"))
  }),
  Case.test("needs what there is not", function*() {
    return yield* Effect.die(new Error("it ran"))
  }, { needs: [Case.flag("versions")] }),
  Case.contract("needs a backend", function*() {
    return yield* Effect.void
  }),
  Case.test("holds", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    assert.isTrue(yield* t.store.exists(t.key("x")))
  })
])

describe("the suite itself", () => {
  it("names every case once", () => {
    const names = cases.map(nameOf)
    assert.strictEqual(new Set(names).size, names.length)
  })

  it.effect("gives a result for every case, also for ones of your own", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const results = yield* runCases({ store }, broken)
      assert.deepStrictEqual(results.map((result) => result._tag), [
        "Failed",
        "NotApplicable",
        "NotApplicable",
        "Passed"
      ])
      assert.deepStrictEqual(unmet(broken[1]!, store.capabilities), ["versions"])
    }))

  it.effect("removes what a case wrote", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      yield* runCase({ store }, broken[3]!)
      assert.deepStrictEqual(yield* Stream.runCollect(store.list()), [])
      yield* runCase({ store, cleanup: false }, broken[3]!)
      assert.strictEqual((yield* Stream.runCollect(store.list())).length, 1)
    }))

  it.effect("fails a case that is skipped and yet passes", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make()
      const [failed, unneeded, , passed] = yield* runCases({ store }, broken)
      assert.strictEqual(judge(passed!, undefined)._tag, "Pass")
      assert.strictEqual(judge(failed!, undefined)._tag, "Fail")
      assert.deepStrictEqual(judge(failed!, "known"), { _tag: "Skip", reason: "known" })
      assert.deepStrictEqual(judge(unneeded!, undefined), { _tag: "Skip", reason: "needs versions" })
      const verdict = judge(passed!, "known")
      assert.strictEqual(verdict._tag, "Fail")
      if (verdict._tag === "Fail") assert.include(Cause.pretty(verdict.cause), "take it off the list")
    }))

  it("refuses to skip a case that there is not", () => {
    assert.throws(
      () => describeObjectStore("memory", Memory.layer(), { skip: { "get: no such case": "because" } }),
      "there is no case"
    )
  })
})

describe("the property test itself", () => {
  it("makes the same sequence of a seed for ever", () => {
    const can = {
      create: true,
      update: true,
      conditionalDelete: true,
      conditionalCopy: true,
      metadata: true,
      startAfter: true,
      hierarchical: false,
      isolated: true
    }
    assert.deepStrictEqual(generate(7, 16, can), generate(7, 16, can))
    assert.notDeepEqual(generate(7, 16, can), generate(8, 16, can))
  })

  it.live("passes between two stores of one kind", () =>
    Effect.gen(function*() {
      const [store, model] = [yield* Memory.make(), yield* Memory.make()]
      const result = yield* checkProperty({ store, model, seeds: [1, 2, 3] })
      assert.deepStrictEqual(result, { _tag: "Passed", sequences: 3 })
    }))
})
