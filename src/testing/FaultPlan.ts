/**
 * Which operation meets which fault, and the journal of those that did.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import type { Backend } from "../Backend.ts"
import { ErrorReasons } from "../ErrorReason.ts"
import type { ObjectStoreOperations } from "../ObjectStore.ts"
import { makeError, type ObjectStoreError, printable } from "../ObjectStoreError.ts"
import type { Fault } from "./Fault.ts"
import { isHit, isKey, wrongHits } from "./hits.ts"
import { isOperation } from "./operationNames.ts"

/**
 * Operations of a backend that can meet a fault: its primitives, `deleteEntry` for one key of a batch, and `readInto` for
 * every time that bytes are taken from a body.
 *
 * @category models
 * @since 0.1.0
 */
export type BackendOperation =
  | Exclude<keyof Backend, "name" | "capabilities" | "address" | "endpoint">
  | "deleteEntry"
  | "readInto"

/**
 * Operations of a store that can meet a fault: its methods, and those of its readers and writers.
 *
 * @category models
 * @since 0.1.0
 */
export type StoreOperation =
  | Exclude<keyof ObjectStoreOperations, "capabilities">
  | "reader.read"
  | "reader.readInto"
  | "reader.stream"
  | "writer.write"
  | "writer.finish"

/**
 * Any operation that can meet a fault.
 *
 * @category models
 * @since 0.1.0
 */
export type FaultOperation = BackendOperation | StoreOperation

/**
 * One rule: the calls that it selects, and the fault that they meet. Without a selection every call is selected.
 *
 * `Truncate` selects only operations that deliver bytes; so does `Corrupt`, and on a backend also `write` and
 * `uploadPart`.
 *
 * @category models
 * @since 0.1.0
 */
export interface FaultRule {
  readonly fault: Fault
  /** The operation, one of several, or what a predicate says. */
  readonly operation?:
    | FaultOperation
    | ReadonlyArray<FaultOperation>
    | ((operation: FaultOperation) => boolean)
    | undefined
  /**
   * The key: this one, a pattern, or what a predicate says. It is the key as the operation was given it: relative or a
   * location on a store, within its container on a backend. For a listing it is the prefix, for containers their name;
   * `deleteMany` and `listContainers` have `""`. A copy is selected by either of its keys, a batch by any.
   */
  readonly key?: string | RegExp | ((key: string) => boolean) | undefined
  /** Which of the selected calls, counted from 1: this one, these, or every n-th. */
  readonly hits?: number | ReadonlyArray<number> | { readonly every: number } | undefined
  /** How likely each of them meets the fault, from 0 to 1; certainly without it. */
  readonly probability?: number | undefined
  /** The window on the `Clock` in which calls are selected, from when the rules were set. */
  readonly from?: Duration.Input | undefined
  /** The end of the window. */
  readonly until?: Duration.Input | undefined
}

/**
 * What a plan is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface FaultPlanOptions {
  /** Asked in order: delays add up, and of the other faults the first one counts. */
  readonly rules: ReadonlyArray<FaultRule>
  /** Decides what is left to chance: the same seed and calls give the same faults. Drawn from `Random` without it. */
  readonly seed?: string | number | undefined
}

/**
 * A fault that was injected.
 *
 * @category models
 * @since 0.1.0
 */
export interface InjectedFault {
  readonly operation: FaultOperation
  readonly key: string
  /** Which call it was of those that the rule selects, from 1. */
  readonly hit: number
  /** The rule's place in the plan, from 0. */
  readonly rule: number
  readonly fault: Fault
  /** Milliseconds from when the rules were set to the call. */
  readonly time: number
}

/**
 * A plan that is being carried out. One plan can be given to several stores and backends; they share its counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface FaultPlan {
  /** What decides: print it, so that a run can be repeated. */
  readonly seed: string | number
  /** The faults that were injected so far, in order. */
  readonly journal: Effect.Effect<ReadonlyArray<InjectedFault>>
  /** Replaces all rules, and begins their counts and windows anew; the journal goes on. `[]` ends the faults. */
  readonly setRules: (rules: ReadonlyArray<FaultRule>) => Effect.Effect<void, ObjectStoreError>
  /** Decides what a call meets. For decorators; a program has no need of it. */
  readonly decide: (call: FaultCall) => Effect.Effect<Decision>
}

/**
 * A call, as a plan sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface FaultCall {
  readonly operation: FaultOperation
  readonly keys: readonly [string, ...Array<string>]
  /** Whether the operation delivers bytes, or takes them. */
  readonly bytes?: "delivered" | "taken" | undefined
}

/**
 * A fault that was decided on, and the note in the journal that it has happened.
 *
 * @category models
 * @since 0.1.0
 */
export interface DecidedFault<Kind extends Fault = Fault> {
  readonly fault: Kind
  readonly record: Effect.Effect<void>
}

/**
 * What a call meets.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  readonly delays: ReadonlyArray<DecidedFault<Extract<Fault, { readonly _tag: "Delay" }>>>
  readonly fault?: DecidedFault<Exclude<Fault, { readonly _tag: "Delay" }>> | undefined
}

interface ArmedRule extends Omit<FaultRule, "from" | "until"> {
  readonly from: number
  readonly until: number
  count: number
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

const wrongRule = ({ fault, from, hits, operation = [], probability, until }: FaultRule): string | undefined => {
  const unknown = typeof operation === "function" ? undefined : [operation].flat().find((name) => !isOperation(name))
  if (unknown !== undefined) return `there is no operation "${printable(String(unknown))}"`
  if (!Predicate.hasProperty(fault, "_tag")) return "its fault is none of Fault"
  if ((fault._tag === "Fail" || fault._tag === "FailAfter") && !Object.hasOwn(ErrorReasons, fault.reason)) {
    return `there is no reason "${printable(String(fault.reason))}"`
  }
  const wrong = wrongHits(hits)
  if (wrong !== undefined) return wrong
  if (probability !== undefined && !(probability >= 0 && probability <= 1)) {
    return `probability ${probability} is not from 0 to 1`
  }
  for (const time of [from, until]) {
    if (time !== undefined && Option.isNone(Duration.fromInput(time))) return `${String(time)} is no duration`
  }
  if (fault._tag === "Truncate" && !isCount(fault.bytes)) return `bytes ${fault.bytes} is not a non-negative integer`
  if (fault._tag === "Corrupt" && !isCount(fault.offset)) return `offset ${fault.offset} is not a non-negative integer`
  if (fault._tag === "Delay" && !(fault.millis >= 0)) return "a delay is not negative"
  return undefined
}

const arm = (rules: ReadonlyArray<FaultRule>): Effect.Effect<ReadonlyArray<ArmedRule>, ObjectStoreError> =>
  Effect.forEach(rules, (rule, index) => {
    const wrong = wrongRule(rule)
    return wrong === undefined
      ? Effect.succeed({
        ...rule,
        from: rule.from === undefined ? 0 : Duration.toMillis(Duration.fromInputUnsafe(rule.from)),
        until: rule.until === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(rule.until)),
        count: 0
      })
      : Effect.fail(makeError("Configuration", {
        operation: "makeFaultPlan",
        backend: "faults",
        description: `rule ${index}: ${wrong}`
      }))
  })

const selectsKey = (rule: ArmedRule, key: string): boolean => {
  if (rule.key === undefined) return true
  return typeof rule.key === "function" ? rule.key(key) : isKey(rule.key, key)
}

const selectsOperation = ({ fault, operation }: ArmedRule, call: FaultCall): boolean => {
  if (fault._tag === "Truncate" && call.bytes !== "delivered") return false
  if (fault._tag === "Corrupt" && call.bytes === undefined) return false
  if (operation === undefined) return true
  if (typeof operation === "function") return operation(call.operation)
  return typeof operation === "string" ? operation === call.operation : operation.includes(call.operation)
}

/**
 * Makes a plan. Fails with `Configuration` if a rule is wrong.
 *
 * **Example** (The first two reads of one key fail, and a tenth of everything is slow)
 *
 * ```ts
 * import { Effect } from "effect"
 * import * as Memory from "effect-objectstore/layers/Memory"
 * import { Fault, faults, makeFaultPlan } from "effect-objectstore/testing/doubles"
 *
 * const program = Effect.gen(function*() {
 *   const plan = yield* makeFaultPlan({
 *     seed: "a run that failed",
 *     rules: [
 *       { operation: "get", key: "a", hits: [1, 2], fault: Fault.fail("Unavailable") },
 *       { probability: 0.1, fault: Fault.delay("10 millis") }
 *     ]
 *   })
 *   const store = faults(yield* Memory.make(), plan)
 *   yield* store.put("a", "hello")
 *   yield* Effect.retry(store.get("a"), { times: 2 })
 *   return yield* plan.journal
 * })
 *
 * Effect.runPromise(program).then((journal) => console.log(journal.filter((entry) => entry.rule === 0).length)) // 2
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFaultPlan: (options: FaultPlanOptions) => Effect.Effect<FaultPlan, ObjectStoreError> = Effect
  .fnUntraced(function*(options: FaultPlanOptions) {
    const seed = options.seed ?? (yield* Random.nextInt)
    let armed = yield* arm(options.rules)
    let start = yield* Clock.currentTimeMillis
    const journal: Array<InjectedFault> = []

    // Every hit of every rule has a number of its own, so that what else happens meanwhile does not change it.
    const draw = (rule: number, hit: number) => Random.withSeed(Random.next, `${seed}/${rule}/${hit}`)

    const decide = Effect.fnUntraced(function*(call: FaultCall): Effect.fn.Return<Decision> {
      if (armed.length === 0) return { delays: [] }
      const time = (yield* Clock.currentTimeMillis) - start
      const delays: Array<Decision["delays"][number]> = []
      let fault: Decision["fault"]
      for (const [index, rule] of armed.entries()) {
        if (time < rule.from || time >= rule.until || !selectsOperation(rule, call)) continue
        const key = call.keys.find((one) => selectsKey(rule, one))
        if (key === undefined) continue
        const hit = ++rule.count
        if (!isHit(rule.hits, hit)) continue
        if (rule.probability !== undefined && (yield* draw(index, hit)) >= rule.probability) continue
        const record = Effect.sync(() => {
          journal.push({ operation: call.operation, key, hit, rule: index, fault: rule.fault, time })
        })
        if (rule.fault._tag === "Delay") delays.push({ fault: rule.fault, record })
        else fault ??= { fault: rule.fault, record }
      }
      return { delays, fault }
    })

    return {
      seed,
      journal: Effect.sync(() => [...journal]),
      setRules: (rules) =>
        Effect.flatMap(arm(rules), (next) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            armed = next
            start = now
          })),
      decide
    }
  })
