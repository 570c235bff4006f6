/**
 * Repeats requests that are worth repeating; time and randomness only through Clock and Random.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { makeError, type ObjectStoreError, withContext } from "../ObjectStoreError.ts"
import { outcomeOf } from "../outcome.ts"
import { countExhausted, countRecovered, countRetry, countThrottle, showTokens } from "./observe.ts"
import { failureOf, type RequestClass, type Verdict } from "./retryMatrix.ts"
import { checkPolicy, RetryPolicy } from "./retryPolicy.ts"

/**
 * Tokens that all retries to one endpoint share, so that a broken service is not answered with a multiple of its load: a
 * retry takes some and gives them back if it succeeds, and a request that succeeds at once gives one back.
 *
 * @internal
 */
export interface RetryQuota {
  tokens: number
  /** Whose tokens they are, for the metric. */
  readonly owner: string
}

const quotaSize = 500
const retryCost = 10
const throttleCost = 5

/** @internal */
export const makeRetryQuota = (owner: string): RetryQuota => ({ tokens: quotaSize, owner })

/**
 * What the store says about a change whose answer was lost: it holds it; it does not, so that the request can be repeated;
 * it never will, for a reason that is certain; or it cannot be told.
 *
 * @internal
 */
export type Finding<A> =
  | { readonly _tag: "Applied"; readonly answer: A }
  | { readonly _tag: "NotApplied" }
  | { readonly _tag: "Refused"; readonly error: ObjectStoreError }
  | { readonly _tag: "Unclear"; readonly description: string }

/**
 * The failure that leaves a change open, and when the first request for it began.
 *
 * @internal
 */
export interface LostAnswer {
  readonly error: ObjectStoreError
  readonly since: number
}

/**
 * What a repeated request may need.
 *
 * @internal
 */
export interface RetryHooks<A> {
  /** Answers a failure that means success. */
  readonly onDone?: (() => A) | undefined
  /** The same only where an answer was lost before, so that the failure may be the echo of our own success. */
  readonly onEcho?: (() => A) | undefined
  /** Asks the store what became of the change. */
  readonly verify?: ((lost: LostAnswer) => Effect.Effect<Finding<A>, ObjectStoreError>) | undefined
  /** Runs when an answer is lost. */
  readonly onLost?: Effect.Effect<void> | undefined
  /** How far it came; attempts and time count from the last failure that came further than the one before. */
  readonly progress?: (() => number) | undefined
  /** When the first request was made, if it had to wait for its turn. */
  readonly begun?: Begun | undefined
}

/**
 * When a request was made for the first time: its wait for a turn is no time that the service was given.
 *
 * @internal
 */
export interface Begun {
  at: number | undefined
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
  Effect.clockWith((clock) => {
    const since = clock.currentTimeMillisUnsafe()
    return Effect.catch(
      Effect.flatMap(request, (answer) =>
        quota.tokens >= quotaSize ? Effect.succeed(answer) : Effect.as(change(quota, 1), answer)),
      (error) =>
        goOn(backend, kind, quota, request, error, hooks?.begun?.at ?? since, hooks)
    )
  })

/** Gives tokens back, or takes them. */
const change = (quota: RetryQuota, tokens: number): Effect.Effect<void> => {
  quota.tokens = Math.min(quotaSize, quota.tokens + tokens)
  return showTokens(quota.owner, quota.tokens)
}

/**
 * Goes on after the first request, which began at `since`, has failed.
 *
 * @internal
 */
export const goOn = Effect.fnUntraced(function*<A, R>(
  backend: string,
  kind: RequestClass,
  quota: RetryQuota,
  request: Effect.Effect<A, ObjectStoreError, R>,
  firstError: ObjectStoreError,
  since: number,
  hooks: RetryHooks<A> | undefined
): Effect.fn.Return<A, ObjectStoreError, R> {
  const policy = yield* RetryPolicy
  // That is what failed.
  if (checkPolicy(backend, policy) !== undefined) return yield* firstError
  const mutation = kind !== "read" && kind !== "body"
  const start = { attempts: 0, time: since, progress: 0 }
  let error = firstError
  let repeated = 0
  let lost: ObjectStoreError | undefined
  let doubted = false
  let asked = false
  let paid = 0
  let atOnce = false
  let spared = 0

  const now = Clock.currentTimeMillis
  const ask = Effect.fnUntraced(function*() {
    asked = true
    const left = Math.max(0, policy.maxElapsed - ((yield* now) - start.time))
    const question = hooks?.verify?.({ error, since }) ?? Effect.succeed(noIdentity)
    return yield* Effect.result(Effect.provideService(question, RetryPolicy, { ...policy, maxElapsed: left }))
  })
  const ended = (reason: ObjectStoreError, attempts: number) =>
    withContext(reason, {
      attempts,
      outcome: lost !== undefined && reason.outcome !== "applied" ? "unknown" : undefined
    })

  for (let attempt = 1;; attempt++) {
    const throttled = error.reason._tag === "Throttled"
    if (throttled) yield* countThrottle(backend)
    const lostNow = mutation && outcomeOf(error) !== "not-applied"
    if (lostNow) lost = error
    // A service that is too busy says that it did nothing. Where the next refusal looks like our own success, it is asked all the same.
    doubted ||= mutation && throttled && (error.status ?? 0) >= 500
    if (lostNow && hooks?.onLost !== undefined) yield* hooks.onLost
    const progress = hooks?.progress?.() ?? 0
    if (progress > start.progress) {
      start.attempts = attempt - 1
      start.time = yield* now
      start.progress = progress
      yield* change(quota, paid)
      repeated = 0
      spared = 0
    }
    const verdict: Verdict = policy.matrix[failureOf(error.reason)]?.[kind] ?? "fail"
    if (verdict === "done" && hooks?.onDone !== undefined) return hooks.onDone()
    if (verdict === "done" && lost !== undefined && hooks?.onEcho !== undefined) {
      yield* countRecovered(backend, kind)
      return hooks.onEcho()
    }
    // The store holds the change, although something is wrong with it: to repeat it would hide that.
    if (error.outcome === "applied" && once.has(kind)) return yield* ended(error, attempt)
    let repeat = verdict === "retry" || verdict === "resume" ||
      (verdict === "once" && repeated < 1) || (verdict === "twice" && repeated < 2)
    const rechecks = verdict === "recheck" && (lost !== undefined || doubted)
    if (rechecks || (verdict === "verify" && outcomeOf(error) !== "not-applied")) {
      const finding = yield* ask()
      if (Result.isSuccess(finding) && finding.success._tag === "Applied") {
        yield* countRecovered(backend, kind)
        return finding.success.answer
      }
      // Where no answer was lost, the refusal stands.
      if (!rechecks || lost !== undefined) {
        if (Result.isFailure(finding)) return yield* unknown(error, lost, attempt, finding.failure.message)
        switch (finding.success._tag) {
          case "Refused":
            return yield* withContext(finding.success.error, { attempts: attempt })
          case "Unclear":
            return yield* unknown(error, lost, attempt, finding.success.description)
          case "NotApplied":
            repeat = true
        }
      }
    } else if (verdict === "verify") repeat = true

    // A kept connection that was dead says nothing of the service: over a new one the request goes at once, and free. A second
    // one in a row does say something.
    atOnce = !atOnce && error.reason._tag === "ConnectionFailed" && error.reason.reused === true
    const cost = atOnce ? 0 : throttled ? throttleCost : retryCost
    const elapsed = (yield* now) - start.time
    // What is refused for being late, or dated wrongly, only needs its new signature.
    const late = elapsed >= policy.maxElapsed && failureOf(error.reason) !== "Unauthenticated.renewed"
    const exhausted = !repeat
      ? undefined
      : attempt - start.attempts >= policy.maxAttempts
      ? "attempts"
      : late
      ? "elapsed"
      : quota.tokens < cost
      ? "quota"
      : undefined
    if (exhausted !== undefined) yield* countExhausted(backend, kind, exhausted)
    if (!repeat || exhausted !== undefined) {
      // The last word is the store's, if an answer to it was lost.
      if (lost !== undefined && !asked && hooks?.verify !== undefined) {
        const finding = yield* ask()
        if (Result.isSuccess(finding) && finding.success._tag === "Applied") {
          yield* countRecovered(backend, kind)
          return finding.success.answer
        }
      }
      return yield* ended(error, attempt)
    }
    if (verdict === "once" || verdict === "twice") repeated++

    if (atOnce) spared++
    const step = 2 ** Math.max(0, attempt - start.attempts - 1 - spared)
    const ceiling = Math.min(policy.maxDelay, (throttled ? policy.throttleDelay : policy.baseDelay) * step)
    const wanted = Math.max((yield* Random.next) * ceiling, clampDelay(error.retryAfter))
    const delay = atOnce ? 0 : Math.max(0, Math.min(policy.maxDelay, policy.maxElapsed - elapsed, wanted))
    yield* change(quota, -cost)
    paid = cost
    yield* countRetry(backend, kind, error.reason._tag)
    yield* Effect.sleep(delay)
    asked = false
    const next = yield* Effect.result(request)
    if (Result.isSuccess(next)) {
      yield* change(quota, cost)
      return next.success
    }
    error = next.failure
  }
})

/** Requests that are not repeated once the store holds what they asked for. */
const once: ReadonlySet<RequestClass> = new Set<RequestClass>(["conditional", "complete", "copy"])

const noIdentity: Finding<never> = { _tag: "Unclear", description: "nothing tells whose change it is" }

/**
 * A retry-after that is no sensible number asks for nothing.
 *
 * @internal
 */
export const clampDelay = (retryAfter: number): number => Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : 0

/** The change may have been applied, and nobody can tell: say so instead of guessing. */
const unknown = (
  error: ObjectStoreError,
  lost: ObjectStoreError | undefined,
  attempts: number,
  why: string
): ObjectStoreError => {
  const then = lost === undefined || lost === error ? "" : `, the next one was ${error.message}`
  return makeError("OutcomeUnknown", {
    operation: error.operation,
    backend: error.backend,
    uri: error.uri,
    description: `the answer was lost (${(lost ?? error).message})${then}, and ${why}`,
    status: error.status,
    code: error.code,
    requestId: error.requestId,
    attempts,
    outcome: "unknown",
    cause: error
  })
}
