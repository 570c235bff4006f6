/**
 * Which exchanges meet which fault.
 *
 * @internal
 */
import * as Predicate from "effect/Predicate"
import { isHit, isKey, wrongHits } from "../hits.ts"
import type { WireFault } from "../WireFault.ts"
import { isEarly } from "./inflict.ts"
import { type Described, type WireOperation, wireOperations } from "./Protocol.ts"

/** One rule: the exchanges that it selects, and the fault that they meet. Without a selection every one is selected. */
export interface WireRule {
  readonly fault: WireFault
  /** The operation, or one of several. */
  readonly operation?: WireOperation | ReadonlyArray<WireOperation> | undefined
  /**
   * The key, or a pattern of it. GCS tells the key of a write in its body, so faults that meet a request before that do not
   * know it.
   */
  readonly key?: string | RegExp | undefined
  /** Which of the selected exchanges, counted from 1: this one, these, or every n-th. */
  readonly hits?: number | ReadonlyArray<number> | { readonly every: number } | undefined
  /** The exchange of this number among all of them, from 0. */
  readonly exchange?: number | undefined
}

/** A script that is played. */
export interface Script {
  /** The fault that an exchange meets as soon as its head has come. */
  readonly early: (described: Described, exchange: number) => WireFault | undefined
  /** The fault that an exchange meets when its request has come whole. */
  readonly whole: (described: Described, exchange: number) => WireFault | undefined
}

const selects = ({ exchange, key, operation }: WireRule, described: Described, number: number): boolean => {
  if (exchange !== undefined && exchange !== number) return false
  if (operation !== undefined) {
    const one = typeof operation === "string"
      ? operation === described.operation
      : operation.includes(described.operation)
    if (!one) return false
  }
  return key === undefined || isKey(key, described.key)
}

/** What is wrong with a rule: it could never be met, and a test of it could never fail. */
const wrongRule = ({ fault, hits, operation = [] }: WireRule): string | undefined => {
  const unknown = [operation].flat().find((one) => !wireOperations.includes(one))
  if (unknown !== undefined) return `there is no operation "${unknown}"; there are ${wireOperations.join(", ")}`
  return Predicate.hasProperty(fault, "_tag") ? wrongHits(hits) : "its fault is none of WireFault"
}

/** Begins to play rules. Of the rules that select an exchange, the first one counts. One that is wrong throws. */
export const play = (rules: ReadonlyArray<WireRule>): Script => {
  for (const [index, rule] of rules.entries()) {
    const wrong = wrongRule(rule)
    if (wrong !== undefined) throw new RangeError(`rule ${index}: ${wrong}`)
  }
  const armed = rules.map((rule) => ({ rule, isEarly: isEarly(rule.fault), hits: 0 }))
  const decide = (early: boolean) => (described: Described, exchange: number): WireFault | undefined => {
    let fault: WireFault | undefined
    for (const one of armed) {
      if (one.isEarly !== early || !selects(one.rule, described, exchange)) continue
      if (isHit(one.rule.hits, ++one.hits)) fault ??= one.rule.fault
    }
    return fault
  }
  return { early: decide(true), whole: decide(false) }
}
