/**
 * Repeats requests that are worth repeating: one policy, a service with a default; time and randomness only through
 * Clock and Random.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { makeError, type ObjectStoreError, withContext } from "../ObjectStoreError.ts"
import { countRetry, countThrottle } from "./observe.ts"
import { defaultMatrix, failureOf, type RequestClass, type RetryMatrix, type Verdict } from "./retryMatrix.ts"

/**
 * How failures are retried. Times are milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicyOptions {
  /** Which failure of which request is repeated. */
  readonly matrix: RetryMatrix
  /** Most requests for one thing, the first one included. 1 switches retries off. */
  readonly maxAttempts: number
  /** The first delay is a random part of this, the next one of its double, and so on (full jitter). */
  readonly baseDelay: number
  /** The same after the service asked for fewer requests. */
  readonly throttleDelay: number
  /** No delay is longer, also not one that the service asks for. */
  readonly maxDelay: number
  /** No retry begins later than this after the first request. */
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

/**
 * Tokens that all retries of one store share, so that a broken service is not answered with a multiple of its load: a
 * retry takes some and gives them back if it succeeds, and a request that succeeds at once gives one back.
 *
 * @internal
 */
export interface RetryQuota {
  tokens: number
}

const quotaSize = 500
const retryCost = 10
const throttleCost = 5

/** @internal */
export const makeRetryQuota = (): RetryQuota => ({ tokens: quotaSize })

/**
 * What a repeated request may need.
 *
 * @internal
 */
export interface RetryHooks<A> {
  /** Answers a failure that means success. */
  readonly onDone?: (() => A) | undefined
  /** Makes waits interruptible where the request itself is not. */
  readonly restore?: (<B, E, R>(effect: Effect.Effect<B, E, R>) => Effect.Effect<B, E, R>) | undefined
}

/**
 * Runs `request` until it succeeds or the policy says that it is over.
 *
 * @internal
 */
export const retrying = <A, R>(
  backend: string,
  kind: RequestClass,
  quota: RetryQuota,
  request: Effect.Effect<A, ObjectStoreError, R>,
  hooks?: RetryHooks<A>
): Effect.Effect<A, ObjectStoreError, R> =>
  Effect.catch(
    Effect.map(request, (answer) => {
      giveBack(quota, 1)
      return answer
    }),
    (error) => afterFailure(backend, kind, quota, request, error, hooks)
  )

const giveBack = (quota: RetryQuota, tokens: number): void => {
  quota.tokens = Math.min(quotaSize, quota.tokens + tokens)
}

const afterFailure = Effect.fnUntraced(function*<A, R>(
  backend: string,
  kind: RequestClass,
  quota: RetryQuota,
  request: Effect.Effect<A, ObjectStoreError, R>,
  firstError: ObjectStoreError,
  hooks: RetryHooks<A> | undefined
): Effect.fn.Return<A, ObjectStoreError, R> {
  const policy = yield* RetryPolicy
  const start = yield* Clock.currentTimeMillis
  let error = firstError
  let repeatedOnce = false
  for (let attempt = 1;; attempt++) {
    const throttled = error.reason._tag === "Throttled"
    if (throttled) yield* countThrottle(backend)
    let verdict: Verdict = policy.matrix[failureOf(error.reason)]?.[kind] ?? "fail"
    if (verdict === "done" && hooks?.onDone !== undefined) return hooks.onDone()
    // What certainly was not applied can be repeated without asking.
    if (verdict === "verify" && error.outcome === "not-applied") verdict = "retry"
    if (verdict === "verify") return yield* ambiguous(error, attempt)
    const again = verdict === "retry" || verdict === "resume" || (verdict === "once" && !repeatedOnce)
    if (!again || attempt >= policy.maxAttempts) return yield* withContext(error, { attempts: attempt })
    repeatedOnce ||= verdict === "once"

    const cost = throttled ? throttleCost : retryCost
    const ceiling = Math.min(
      policy.maxDelay,
      (throttled ? policy.throttleDelay : policy.baseDelay) * 2 ** (attempt - 1)
    )
    const jitter = yield* Random.next
    const delay = Math.min(policy.maxDelay, Math.max(jitter * ceiling, clampDelay(error.retryAfter)))
    const elapsed = (yield* Clock.currentTimeMillis) - start
    if (quota.tokens < cost || elapsed + delay > policy.maxElapsed) {
      return yield* withContext(error, { attempts: attempt })
    }
    quota.tokens -= cost
    yield* countRetry(backend, kind, error.reason._tag)
    const pause = Effect.sleep(delay)
    yield* hooks?.restore === undefined ? pause : hooks.restore(pause)
    const next = yield* Effect.result(request)
    if (next._tag === "Success") {
      giveBack(quota, cost)
      return next.success
    }
    error = next.failure
  }
})

/** A retry-after that is no sensible number asks for nothing. */
const clampDelay = (retryAfter: number): number => Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : 0

/**
 * The change may have been applied, and the store does not tell whose it was: say so instead of guessing.
 */
const ambiguous = (error: ObjectStoreError, attempts: number): ObjectStoreError =>
  error.outcome === "applied"
    ? withContext(error, { attempts })
    : makeError("OutcomeUnknown", {
      operation: error.operation,
      backend: error.backend,
      uri: error.uri,
      description: `the answer was lost: ${error.message}`,
      attempts,
      outcome: "unknown",
      cause: error
    })
