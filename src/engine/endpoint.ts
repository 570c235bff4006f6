/**
 * What all stores of one endpoint share, in one program: the tokens of their repetitions, and the pace of their requests.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { type Budget, makeBudget } from "./budget.ts"
import { Pace } from "./Pace.ts"
import { clampDelay, makeRetryQuota, type RetryQuota } from "./retry.ts"

const rates = Metric.gauge("objectstore_request_rate_limit", {
  description: "Requests a second that are sent to an endpoint which refused many; 0 while nothing is held back"
})
const freezes = Metric.counter("objectstore_freezes_total", {
  description: "Times that sending to an endpoint stopped because it refused too many requests"
})

/** One endpoint. */
export interface Endpoint {
  readonly quota: RetryQuota
  readonly pace: Pace
  /** Whoever has it waits for its time to send; the others wait for it in the order of arrival. */
  readonly gate: Budget
  readonly name: string
  readonly shown: { rate: number | undefined; freezes: number }
}

/** Times of one clock mean nothing to another one, and a program has one. */
const known = new WeakMap<Clock.Clock, Map<string, WeakRef<Endpoint>>>()

const makeEndpoint = (name: string): Endpoint => ({
  quota: makeRetryQuota(name),
  pace: new Pace(),
  gate: makeBudget(1),
  name,
  shown: { rate: undefined, freezes: 0 }
})

/** The endpoint of a backend; without an address it is the store's own. */
export const endpointOf = (backend: string, address: string | undefined): Effect.Effect<Endpoint> =>
  Effect.clockWith((clock) => {
    if (address === undefined) return Effect.succeed(makeEndpoint(backend))
    const ofClock = known.get(clock) ?? new Map<string, WeakRef<Endpoint>>()
    known.set(clock, ofClock)
    const there = ofClock.get(address)?.deref()
    if (there !== undefined) return Effect.succeed(there)
    for (const [name, held] of ofClock) {
      if (held.deref() === undefined) ofClock.delete(name)
    }
    const made = makeEndpoint(address)
    ofClock.set(address, new WeakRef(made))
    return Effect.succeed(made)
  })

const isShown = ({ pace, shown }: Endpoint): boolean => pace.rate === shown.rate && pace.freezes === shown.freezes

/** Shows what has changed. */
const show = (endpoint: Endpoint): Effect.Effect<void> => {
  if (isShown(endpoint)) return Effect.void
  const { name, pace, shown } = endpoint
  const stopped = pace.freezes - shown.freezes
  shown.rate = pace.rate
  shown.freezes = pace.freezes
  return Effect.andThen(
    Metric.update(Metric.withAttributes(rates, { endpoint: name }), pace.rate ?? 0),
    stopped === 0 ? Effect.void : Metric.update(Metric.withAttributes(freezes, { endpoint: name }), stopped)
  )
}

/** Waits until a request may be sent to an endpoint that holds requests back. */
export const waitForTurn = (endpoint: Endpoint): Effect.Effect<void> => {
  const { gate, pace } = endpoint
  const turn: Effect.Effect<void> = Effect.clockWith((clock) => {
    const delay = pace.delay(clock.currentTimeMillisUnsafe())
    if (delay > 0) return Effect.andThen(Effect.andThen(show(endpoint), Effect.sleep(delay)), turn)
    pace.sent(clock.currentTimeMillisUnsafe())
    return show(endpoint)
  })
  return gate.withShare(1, turn)
}

/** Learns how a request ended, before `then`. */
export const learn = (
  endpoint: Endpoint,
  exit: Exit.Exit<unknown, ObjectStoreError>,
  then: Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.clockWith((clock) => {
    const error = Exit.isSuccess(exit) ? undefined : exit.cause.reasons.find(Cause.isFailReason)?.error
    if (error?.reason._tag === "Throttled") {
      endpoint.pace.refused(clock.currentTimeMillisUnsafe(), clampDelay(error.retryAfter))
    } else if (Exit.isSuccess(exit) || error?.status !== undefined) {
      endpoint.pace.accepted(clock.currentTimeMillisUnsafe())
    }
    return isShown(endpoint) ? then : Effect.andThen(show(endpoint), then)
  })
