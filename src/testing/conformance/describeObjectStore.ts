/**
 * Registers the conformance suite with vitest.
 *
 * @since 0.1.0
 */
import { layer as withLayer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AssertionError } from "node:assert"
import type { Backend } from "../../Backend.ts"
import type { Capabilities } from "../../Capabilities.ts"
import { ObjectStore } from "../../ObjectStore.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import { describeProperty, type PropertyOptions } from "../model/describeProperty.ts"
import { type Note, setNote } from "./note.ts"
import { type CaseResult, cases, nameOf, runCase, unmet } from "./suite.ts"

/**
 * Options of `describeObjectStore`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SuiteOptions {
  /** The primitives, of a backend of the same kind: with it the cases of the backend contract run too. */
  readonly backend?: Effect.Effect<Backend, ObjectStoreError, Scope.Scope> | undefined
  /** What every key of the suite begins with; `"conformance/"` without it. */
  readonly prefix?: string | undefined
  /** Whether objects of the cases are removed after them; `true` without it. */
  readonly cleanup?: boolean | undefined
  /** Bytes a part, where the suite cuts objects; the smallest that the store takes without it. */
  readonly partSize?: number | undefined
  /**
   * Keys of the suite, without their prefix, that the service cannot hold as they are: the store has to refuse each of them
   * with `InvalidKey`, and no other.
   */
  readonly refusedKeys?: ReadonlyArray<string> | undefined
  /**
   * Cases that the store is known to fail, by `"subject: name"`, each with the reason. They run all the same, and one that
   * passes fails the suite.
   */
  readonly skip?: Readonly<Record<string, string>> | undefined
  /**
   * Cases that a race inside of the service makes fail now and then, by the same names, each with the reason. They run, and
   * may fail or pass.
   */
  readonly sometimes?: Readonly<Record<string, string>> | undefined
  /** Most milliseconds of a case, and of building the layer; two minutes without it. */
  readonly timeout?: number | undefined
  /** Runs the model-based property test too. */
  readonly property?: PropertyOptions | undefined
}

type Verdict =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Skip"; readonly reason: string }
  | { readonly _tag: "Fail"; readonly cause: Cause.Cause<ObjectStoreError> }

/**
 * What a result means to a test runner; `reason` is why the case is on the list of those that are known to fail,
 * `race` why it is on the list of those that fail now and then.
 *
 * @internal
 */
export const judge = (result: CaseResult, reason: string | undefined, race?: string | undefined): Verdict => {
  switch (result._tag) {
    case "NotApplicable":
      return { _tag: "Skip", reason: `needs ${result.needs.join(", ")}` }
    case "Failed":
      return reason === undefined
        ? race === undefined ? { _tag: "Fail", cause: result.cause } : { _tag: "Skip", reason: race }
        : { _tag: "Skip", reason }
    case "Passed":
      return reason === undefined ? { _tag: "Pass" } : {
        _tag: "Fail",
        cause: Cause.die(
          new AssertionError({ message: `it is skipped (${reason}) and yet it passes: take it off the list` })
        )
      }
  }
}

const noteOf = (store: string, result: CaseResult, verdict: Verdict, capabilities: Capabilities): Note => ({
  store,
  case: nameOf(result.case),
  verdict: verdict._tag === "Fail"
    ? "failed"
    : result._tag === "NotApplicable"
    ? "not applicable"
    : result._tag === "Failed"
    ? "known defect"
    : unmet(result.case, capabilities).length > 0
    ? "refused"
    : "passed",
  reason: verdict._tag === "Skip" ? verdict.reason : undefined
})

/**
 * Registers all cases of the conformance suite for the store of a layer.
 *
 * Every case works below a prefix of its own, so the store may hold other objects. A case that needs a capability which
 * the store does not have asserts how the operation is refused, or is skipped.
 *
 * **Example** (The whole suite for a layer)
 *
 * ```ts
 * import { layer } from "effect-objectstore/layers/Memory"
 * import { describeObjectStore } from "effect-objectstore/testing"
 *
 * describeObjectStore("my memory", layer())
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const describeObjectStore = <E>(
  name: string,
  layer: Layer.Layer<ObjectStore, E>,
  options: SuiteOptions = {}
): void => {
  const timeout = options.timeout ?? 120_000
  const known = new Set(cases.map(nameOf))
  for (const skipped of Object.keys({ ...options.skip, ...options.sometimes })) {
    if (!known.has(skipped)) throw new Error(`there is no case "${skipped}" to skip`)
  }
  const subjects = [...new Set(cases.map((one) => one.subject))]
  withLayer(layer, { excludeTestServices: true, timeout })(name, (it) => {
    for (const subject of subjects) {
      it.describe(subject, () => {
        for (const one of cases.filter((one) => one.subject === subject)) {
          it.effect(one.name, (context) =>
            Effect.gen(function*() {
              const store = yield* ObjectStore
              const backend = one.contract === undefined || options.backend === undefined
                ? undefined
                : yield* options.backend
              const result = yield* runCase({ ...options, store, backend }, one)
              const verdict = judge(result, options.skip?.[nameOf(one)], options.sometimes?.[nameOf(one)])
              const note = noteOf(name, result, verdict, store.capabilities)
              setNote(context.task, { ...note, refusedKeys: options.refusedKeys })
              // The runner has noted the skip before it throws; what it throws would be logged as a failure.
              if (verdict._tag === "Skip") return yield* Effect.ignore(Effect.try(() => context.skip(verdict.reason)))
              if (verdict._tag === "Fail") return yield* Effect.failCause(verdict.cause)
            }), timeout)
        }
      })
    }
  })
  if (options.property !== undefined) describeProperty(name, layer, options.property)
}
