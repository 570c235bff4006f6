/**
 * All cases, and running them without a test runner.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import type { Backend } from "../../Backend.ts"
import type { Capabilities } from "../../Capabilities.ts"
import type { ObjectStoreOperations } from "../../ObjectStore.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import { backendContract } from "./backendContract.ts"
import { badInput } from "./badInput.ts"
import type { Case, CaseContext, ContractContext } from "./Case.ts"
import { conditions } from "./conditions.ts"
import { containers } from "./containers.ts"
import { copies } from "./copies.ts"
import { deletes } from "./deletes.ts"
import { interruption } from "./interruption.ts"
import { keys } from "./keys.ts"
import { lists } from "./lists.ts"
import { metadata } from "./metadata.ts"
import { multipart } from "./multipart.ts"
import { ranges } from "./ranges.ts"
import { reads } from "./reads.ts"
import { uris } from "./uris.ts"
import { writes } from "./writes.ts"

/**
 * All cases of the suite.
 *
 * @category testing
 * @since 0.1.0
 */
export const cases: ReadonlyArray<Case> = [
  ...reads,
  ...ranges,
  ...writes,
  ...conditions,
  ...multipart,
  ...lists,
  ...deletes,
  ...copies,
  ...keys,
  ...metadata,
  ...containers,
  ...uris,
  ...badInput,
  ...interruption,
  ...backendContract
]

/**
 * What the cases run on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly store: ObjectStoreOperations
  /** The primitives below the store, for the cases of the backend contract. */
  readonly backend?: Backend | undefined
  /** What every key of the suite begins with; it ends in `/`. `"conformance/"` without it. */
  readonly prefix?: string | undefined
  /** Bytes a part, where the suite cuts objects; the smallest that the store takes without it. */
  readonly partSize?: number | undefined
  /** Whether objects of the cases are removed after them; `true` without it. */
  readonly cleanup?: boolean | undefined
  /**
   * Keys of the suite, without their prefix, that the service cannot hold as they are: the store has to refuse each of them
   * with `InvalidKey`, and no other.
   */
  readonly refusedKeys?: ReadonlyArray<string> | undefined
}

/**
 * Names a case: `"subject: what it asserts"`.
 *
 * @category testing
 * @since 0.1.0
 */
export const nameOf = (one: Case): string => `${one.subject}: ${one.name}`

/**
 * The needs of a case that capabilities do not meet.
 *
 * @category testing
 * @since 0.1.0
 */
export const unmet = (one: Case, capabilities: Capabilities): ReadonlyArray<string> =>
  one.needs.filter((need) => !need.met(capabilities)).map((need) => need.name)

/**
 * The smallest part size of at least about a thousand bytes that the capabilities allow.
 *
 * @category testing
 * @since 0.1.0
 */
export const smallestPart = ({ multipart }: Capabilities): number => {
  const least = Math.max(multipart.minPartSize, 1024)
  return Math.ceil(least / multipart.partMultiple) * multipart.partMultiple
}

const token = Effect.map(Random.next, (n) => Math.floor(n * 36 ** 8).toString(36).padStart(8, "0"))

const contextOf = (subject: Subject, unique: string): CaseContext => {
  const prefix = `${subject.prefix ?? "conformance/"}${unique}/`
  return {
    store: subject.store,
    capabilities: subject.store.capabilities,
    prefix,
    key: (name) => prefix + name,
    partSize: subject.partSize ?? smallestPart(subject.store.capabilities),
    refusedKeys: new Set(subject.refusedKeys)
  }
}

/** A container of the case's own, on the primitives. */
const inContainer = (context: CaseContext, backend: Backend, unique: string) => {
  const [scheme] = backend.address.schemes
  if (scheme === "file" || scheme === "direct") {
    return Effect.succeed<ContractContext>({ ...context, backend, container: "" })
  }
  const container = `conformance-${unique}`
  const emptied = Effect.gen(function*() {
    const { objects } = yield* backend.listPage({ container, prefix: "", limit: backend.capabilities.maxPageSize })
    for (const { key } of objects) yield* backend.deleteBatch(container, [{ key }])
    yield* backend.deleteContainer(container)
  })
  return Effect.as(
    backend.capabilities.containers === "explicit"
      ? Effect.acquireRelease(backend.createContainer(container, {}), () => Effect.ignore(emptied, { log: "Warn" }))
      : Effect.void,
    { ...context, backend, container } satisfies ContractContext
  )
}

const clean = ({ prefix, store }: CaseContext) => Effect.ignore(store.deletePrefix(prefix), { log: "Warn" })

/**
 * What became of a case.
 *
 * @category models
 * @since 0.1.0
 */
export type CaseResult =
  | { readonly _tag: "Passed"; readonly case: Case }
  | { readonly _tag: "Failed"; readonly case: Case; readonly cause: Cause.Cause<ObjectStoreError> }
  /** The store lacks what the case needs, or no backend was given for a case of the contract. */
  | { readonly _tag: "NotApplicable"; readonly case: Case; readonly needs: ReadonlyArray<string> }

/**
 * Runs one case in a place of its own.
 *
 * @category testing
 * @since 0.1.0
 */
export const runCase = Effect.fnUntraced(function*(subject: Subject, one: Case): Effect.fn.Return<CaseResult> {
  const { backend, store } = subject
  const unique = yield* token
  const context = contextOf(subject, unique)
  const needs = unmet(one, store.capabilities)
  const contract = one.contract
  const effect = needs.length > 0
    ? one.without?.(context)
    : contract === undefined
    ? one.run?.(context)
    : backend === undefined
    ? undefined
    : Effect.flatMap(inContainer(context, backend, unique), contract)
  if (effect === undefined) {
    return { _tag: "NotApplicable", case: one, needs: needs.length > 0 ? needs : ["a backend"] }
  }
  const cleaned = subject.cleanup === false ? effect : Effect.ensuring(Effect.scoped(effect), clean(context))
  const exit = yield* Effect.exit(Effect.scoped(cleaned))
  return Exit.isSuccess(exit)
    ? { _tag: "Passed", case: one }
    : { _tag: "Failed", case: one, cause: exit.cause }
})

/**
 * Runs cases one after another, all of them without `which`, and gives a result each.
 *
 * **Example** (What a store of your own does not keep)
 *
 * ```ts
 * import { Cause, Console, Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { MemoryLive } from "effect-objectstore/layers/Memory"
 * import { nameOf, runCases } from "effect-objectstore/testing"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   const results = yield* runCases({ store })
 *   for (const result of results) {
 *     if (result._tag === "Failed") yield* Console.log(nameOf(result.case), Cause.pretty(result.cause))
 *   }
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(MemoryLive)))
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const runCases = (
  subject: Subject,
  which: ReadonlyArray<Case> = cases
): Effect.Effect<ReadonlyArray<CaseResult>> => Effect.forEach(which, (one) => runCase(subject, one))
