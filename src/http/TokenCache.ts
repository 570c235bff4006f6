/**
 * Bearer tokens, and other credentials that end: fetched when the first request needs them, shared by all requests, and
 * fetched again before they expire.
 *
 * However many requests ask at a time, one fetch is under way; it belongs to the cache and not to the request that began
 * it, so interrupting that one fails no other. A token that nears its end is still handed out while the next one is
 * fetched. A failure is answered to those who wait for it and then forgotten.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"

/** A bearer token, and when it ends, in milliseconds since 1970; one without an end is used until a service refuses it. */
export interface Token<A = Redacted.Redacted<string>> {
  readonly value: A
  readonly expiresAt?: number | undefined
}

/** Times in milliseconds. */
export interface TokenCacheOptions {
  /** So long before its end a token is fetched anew, while the old one is still used. 5 minutes without it. */
  readonly refreshAhead?: number | undefined
  /** So long before its end a token is not used any more: clocks differ, and a request takes time. 30 seconds without it. */
  readonly margin?: number | undefined
  /**
   * While there is a token to use, fetches begin this far apart: one that failed, that brought a token near its end, or
   * that brought the token again which was refused before. 10 seconds without it.
   */
  readonly pause?: number | undefined
}

/** Hands out tokens. */
export interface TokenCache<A = Redacted.Redacted<string>> {
  /** A token that is good now. */
  readonly get: Effect.Effect<A, ObjectStoreError>
  /**
   * Forgets a token that the service refused, so that the next `get` fetches one; a newer one stays. Answers whether the
   * next `get` may bring another one: not, if the source has just given this one again.
   */
  readonly refused: (token: A) => Effect.Effect<boolean>
}

/** Most milliseconds that a fetch takes. */
const mostTime = 60_000

/**
 * Makes a cache over `fetch` for a backend. A fetch that takes longer than a minute is `Timeout`, or else all requests would wait for
 * it; one that is under way when the scope closes is interrupted.
 */
export const makeTokenCache = Effect.fnUntraced(function*<A = Redacted.Redacted<string>>(
  backend: string,
  fetch: Effect.Effect<Token<A>, ObjectStoreError>,
  options: TokenCacheOptions = {}
): Effect.fn.Return<TokenCache<A>, never, Scope.Scope> {
  const { margin = 30_000, pause = 10_000, refreshAhead = 300_000 } = options
  const scope = yield* Effect.scope
  let current: Token<A> | undefined
  let flight: Fiber.Fiber<Token<A>, ObjectStoreError> | undefined
  let nextTry = 0
  /** The token in hand has ended by this machine's clock when it came; who gave it knows better, for a while. */
  let cameEnded = false
  let lastRefused: A | undefined

  const inTime = Effect.timeoutOrElse(fetch, {
    duration: mostTime,
    orElse: () =>
      Effect.fail(makeError("Timeout", {
        operation: "token",
        backend,
        phase: "request",
        description: `no credentials came in ${mostTime} ms`,
        outcome: "not-applied"
      }))
  })

  const fetched = Effect.onExit(inTime, (exit) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      flight = undefined
      nextTry = now + pause
      if (exit._tag === "Success") {
        current = exit.value
        cameEnded = leftOf(current, now) <= margin
        return Effect.void
      }
      // With a token in hand nobody waits for this failure.
      return current === undefined || Cause.hasInterruptsOnly(exit.cause)
        ? Effect.void
        : Effect.logDebug("the next bearer token could not be fetched; the one in hand is used", exit.cause)
    }))

  const start = Effect.uninterruptible(Effect.map(
    Effect.suspend(() =>
      flight === undefined ? Effect.forkIn(fetched, scope, { startImmediately: true }) : Effect.succeed(flight)
    ),
    (fiber) => {
      if (fiber.pollUnsafe() === undefined) flight = fiber
      return fiber
    }
  ))

  const wait = Effect.map(Effect.flatMap(start, Fiber.join), (token) => token.value)

  return {
    get: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (current === undefined) return wait
      const left = leftOf(current, now)
      const { value } = current
      if (left <= margin) return cameEnded && now < nextTry ? Effect.succeed(value) : wait
      return left > refreshAhead || now < nextTry ? Effect.succeed(value) : Effect.as(start, value)
    }),
    refused: (token) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (current === undefined || !Equal.equals(current.value, token)) return true
        if (lastRefused !== undefined && Equal.equals(lastRefused, token) && now < nextTry) return false
        current = undefined
        lastRefused = token
        return true
      })
  }
})

const leftOf = ({ expiresAt }: Token<unknown>, now: number): number =>
  expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - now
