/**
 * What operations show of themselves: a span and a few metrics each, and the context of their errors.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { type ObjectStoreError, withContext, withoutOutcome } from "../ObjectStoreError.ts"
import { outcomeOf } from "../outcome.ts"

const operations = Metric.counter("objectstore_operations_total", {
  description: "Operations that ended, by operation and result"
})
const retries = Metric.counter("objectstore_retries_total", { description: "Requests that were repeated" })
const throttles = Metric.counter("objectstore_throttles_total", {
  description: "Answers in which the service asked for fewer requests"
})
const exhaustions = Metric.counter("objectstore_retries_exhausted_total", {
  description: "Requests that were not repeated any more, by what was used up: attempts, time, or the endpoint's quota"
})
const tokens = Metric.gauge("objectstore_retry_tokens", {
  description: "Tokens that are left for repetitions, by endpoint; shown once any was taken"
})
const recoveries = Metric.counter("objectstore_recovered_total", {
  description: "Changes whose answer was lost and that were found applied"
})
const bytesRead = Metric.counter("objectstore_read_bytes_total", { description: "Bytes delivered to the program" })
const bytesWritten = Metric.counter("objectstore_written_bytes_total", { description: "Bytes stored" })
const inFlight = Metric.gauge("objectstore_requests_in_flight", { description: "Requests that run now" })
const abandoned = Metric.counter("objectstore_uploads_abandoned_total", {
  description: "Uploads that could not be aborted and stay open"
})

/** The metrics of one store. */
export interface Observer {
  readonly read: (bytes: number) => Effect.Effect<void>
  readonly written: (bytes: number) => Effect.Effect<void>
  readonly abandoned: Effect.Effect<void>
  readonly requestStarted: Effect.Effect<void>
  readonly requestEnded: Effect.Effect<void>
  /** Runs an operation with its span, its counter and the context of its error. */
  readonly operation: <A, R>(
    name: string,
    uri: string | undefined,
    mutation: boolean,
    effect: Effect.Effect<A, ObjectStoreError, R>
  ) => Effect.Effect<A, ObjectStoreError, R>
  /** The same for an operation that is a stream, from its start to its end. */
  readonly stream: <A>(
    name: string,
    uri: string | undefined,
    mutation: boolean,
    stream: Stream.Stream<A, ObjectStoreError>
  ) => Stream.Stream<A, ObjectStoreError>
  /** Completes the context of an error. */
  readonly explain: (
    error: ObjectStoreError,
    name: string,
    uri: string | undefined,
    mutation: boolean,
    elapsed?: number
  ) => ObjectStoreError
}

/** Counts a repeated request. */
export const countRetry = (backend: string, request: string, reason: string): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(retries, { backend, request, reason }), 1)

/** Counts an answer that asks for fewer requests, whether the request is repeated or not. */
export const countThrottle = (backend: string): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(throttles, { backend }), 1)

/** Counts a request that would be repeated, if there was anything left to do it with. */
export const countExhausted = (
  backend: string,
  request: string,
  what: "attempts" | "elapsed" | "quota"
): Effect.Effect<void> => Metric.update(Metric.withAttributes(exhaustions, { backend, request, what }), 1)

/** Shows how many tokens an endpoint has left for repetitions. */
export const showTokens = (endpoint: string, left: number): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(tokens, { endpoint }), left)

/** Counts a change that was found applied after its answer was lost. */
export const countRecovered = (backend: string, request: string): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(recoveries, { backend, request }), 1)

/** Runs an effect in a span; without one where no tracer was provided, since nobody could see it. */
export const spanned = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  name: string,
  options: () => Tracer.SpanOptionsNoTrace
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer
      ? effect
      // A stack would show this file, and costs as much as all the rest.
      : Effect.withSpan(effect, name, { ...options(), captureStackTrace: false })
  )

/** Makes the observer of a store. */
export const makeObserver = (backend: string): Observer => {
  const read = Metric.withAttributes(bytesRead, { backend })
  const written = Metric.withAttributes(bytesWritten, { backend })
  const left = Metric.withAttributes(abandoned, { backend })
  const running = Metric.withAttributes(inFlight, { backend })

  const explain: Observer["explain"] = (error, name, uri, mutation, elapsed) =>
    withContext(mutation || error.outcome === undefined ? error : withoutOutcome(error), {
      operation: name,
      backend,
      uri: error.uri ?? uri,
      elapsed,
      attempts: error.attempts ?? 1,
      outcome: mutation ? outcomeOf(error) : undefined
    })

  const ended = new Map<string, Effect.Effect<void>>()
  const count = (operation: string, exit: Exit.Exit<unknown, ObjectStoreError>): Effect.Effect<void> => {
    const result = exit._tag === "Success" ? "success" : resultOf(exit.cause)
    const name = `${operation} ${result}`
    const known = ended.get(name)
    if (known !== undefined) return known
    const counted = Metric.update(Metric.withAttributes(operations, { backend, operation, result }), 1)
    ended.set(name, counted)
    return counted
  }

  const spanOf = (uri: string | undefined) => ({
    kind: "client" as const,
    attributes: uri === undefined
      ? { "objectstore.backend": backend }
      : { "objectstore.backend": backend, "objectstore.uri": uri }
  })

  return {
    read: (bytes) => Metric.update(read, bytes),
    written: (bytes) => Metric.update(written, bytes),
    abandoned: Metric.update(left, 1),
    // Modified and not set, because stores of one backend share the gauge.
    requestStarted: Metric.modify(running, 1),
    requestEnded: Metric.modify(running, -1),
    explain,
    operation: (name, uri, mutation, effect) =>
      Effect.clockWith((clock: Clock.Clock) => {
        const start = clock.currentTimeMillisUnsafe()
        const counted = effect.pipe(
          Effect.mapError((error) => explain(error, name, uri, mutation, clock.currentTimeMillisUnsafe() - start)),
          Effect.onExit((exit) => count(name, exit))
        )
        return spanned(counted, `ObjectStore.${name}`, () => spanOf(uri))
      }),
    stream: (name, uri, mutation, stream) =>
      Stream.unwrap(Effect.clockWith((clock: Clock.Clock) => {
        const start = clock.currentTimeMillisUnsafe()
        return Effect.succeed(stream.pipe(
          Stream.mapError((error) => explain(error, name, uri, mutation, clock.currentTimeMillisUnsafe() - start)),
          Stream.onExit((exit) => count(name, exit)),
          Stream.withSpan(`ObjectStore.${name}`, spanOf(uri))
        ))
      }))
  }
}

const resultOf = (cause: Cause.Cause<ObjectStoreError>): string =>
  cause.reasons.find((reason) => reason._tag === "Fail")?.error.reason._tag ??
    (Cause.hasDies(cause) ? "defect" : "interrupted")
