/**
 * Which failures are repeated, how often and how fast: a service with a default.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import { type OptionNames, wrongOptions } from "../optionNames.ts"
import { defaultMatrix, type RequestClass, type RetryMatrix, verdictsOf } from "./retryMatrix.ts"

/**
 * How failures are retried. Times are milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicyOptions {
  /** Which failure of which request is repeated. */
  readonly matrix: RetryMatrix
  /**
   * Most requests for one thing, the first one included. 1 switches retries off. A body counts anew when a request has
   * brought it further, so that a long one ends over a connection that keeps breaking.
   */
  readonly maxAttempts: number
  /** The first delay is a random part of this, the next one of its double, and so on (full jitter). */
  readonly baseDelay: number
  /** The same after the service asked for fewer requests. */
  readonly throttleDelay: number
  /** No delay is longer, also not one that the service asks for. */
  readonly maxDelay: number
  /** No retry begins later than this after the first request, or after the last one that brought a body further. */
  readonly maxElapsed: number
}

/**
 * The default policy: 5 requests at most, from 100 ms (500 ms when throttled) up to 20 s, 3 minutes in all.
 *
 * @category configuration
 * @since 0.1.0
 */
export const defaultRetryPolicy: RetryPolicyOptions = {
  matrix: defaultMatrix,
  maxAttempts: 5,
  baseDelay: 100,
  throttleDelay: 500,
  maxDelay: 20_000,
  maxElapsed: 180_000
}

/**
 * The retry policy in force: a service with a default, so that it can be replaced for a program, a layer or one effect.
 *
 * **Example** (No retries)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { defaultRetryPolicy, ObjectStore, RetryPolicy } from "effect-objectstore"
 * import { MemoryLive } from "effect-objectstore/layers/Memory"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   return yield* store.exists("a")
 * }).pipe(Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 1 }))
 *
 * Effect.runPromise(program.pipe(Effect.provide(MemoryLive)))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const RetryPolicy = Context.Reference<RetryPolicyOptions>("effect-objectstore/RetryPolicy", {
  defaultValue: () => defaultRetryPolicy
})

const names: OptionNames<RetryPolicyOptions> = {
  matrix: true,
  maxAttempts: true,
  baseDelay: true,
  throttleDelay: true,
  maxDelay: true,
  maxElapsed: true
}

const times = ["baseDelay", "throttleDelay", "maxDelay", "maxElapsed"] as const

/** What is wrong with a policy, if anything is: it may come from a file or from a program without types. */
const wrongPolicy = (policy: RetryPolicyOptions): string | undefined => {
  const wrong = wrongOptions(names, policy, "RetryPolicy")
  if (wrong !== undefined) return wrong
  const { matrix, maxAttempts } = policy
  if (!Number.isSafeInteger(maxAttempts) || maxAttempts < 1) return "RetryPolicy.maxAttempts is no positive integer"
  const time = times.find((name) => !(typeof policy[name] === "number" && policy[name] >= 0))
  if (time !== undefined) return `RetryPolicy.${time} is no time in milliseconds`
  if (!Predicate.isObject(matrix)) return "RetryPolicy.matrix is no object"
  for (const [failure, verdicts] of Object.entries(matrix)) {
    if (!Object.hasOwn(defaultMatrix, failure)) {
      return `RetryPolicy.matrix: no failure is called "${failure.slice(0, 80)}"`
    }
    if (verdicts === undefined) continue
    for (const kind of Object.keys(verdictsOf) as Array<RequestClass>) {
      const possible: ReadonlyArray<string> = verdictsOf[kind]
      if (!possible.includes(verdicts[kind])) {
        return `RetryPolicy.matrix: ${failure}.${kind} is none of ${possible.join(", ")}`
      }
    }
  }
  return undefined
}

const checked = new WeakSet<RetryPolicyOptions>([defaultRetryPolicy])

/**
 * Fails a request whose policy makes no sense, before it is made: else a program would find out only when something fails.
 *
 * @internal
 */
export const checkPolicy = (
  backend: string,
  policy: RetryPolicyOptions
): Effect.Effect<never, ObjectStoreError> | undefined => {
  if (Predicate.isObject(policy) && checked.has(policy)) return undefined
  const description = wrongPolicy(policy)
  if (description === undefined) {
    checked.add(policy)
    return undefined
  }
  return Effect.fail(makeError("Configuration", { operation: "request", backend, description, outcome: "not-applied" }))
}
