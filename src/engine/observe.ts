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
import type { Outcome } from "../ErrorReason.ts"
import { makeError, type ObjectStoreError, withContext } from "../ObjectStoreError.ts"

const operations = Metric.counter("objectstore_operations_total", {
  description: "Operations that ended, by operation and result"
})
const retries = Metric.counter("objectstore_retries_total", { description: "Requests that were repeated" })
const throttles = Metric.counter("objectstore_throttles_total", {
  description: "Answers in which the service asked for fewer requests"
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
      outcome: mutation ? error.outcome ?? defaultOutcome(error) : undefined
    })

  const count = (operation: string, exit: Exit.Exit<unknown, ObjectStoreError>): Effect.Effect<void> =>
    Metric.update(
      Metric.withAttributes(operations, {
        backend,
        operation,
        result: exit._tag === "Success" ? "success" : resultOf(exit.cause)
      }),
      1
    )

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
        return effect.pipe(
          Effect.mapError((error) => explain(error, name, uri, mutation, clock.currentTimeMillisUnsafe() - start)),
          Effect.onExit((exit) => count(name, exit)),
          Effect.withSpan(`ObjectStore.${name}`, spanOf(uri))
        )
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

/** A read changes nothing, so its failure says nothing of a change. */
const withoutOutcome = (error: ObjectStoreError): ObjectStoreError =>
  makeError(error.reason._tag, { ...error.reason, cause: error.reason.cause, outcome: undefined } as never)

const resultOf = (cause: Cause.Cause<ObjectStoreError>): string =>
  cause.reasons.find((reason) => reason._tag === "Fail")?.error.reason._tag ??
    (Cause.hasDies(cause) ? "defect" : "interrupted")

/** Failures after which a request may have been applied although its answer says or was nothing of the sort. */
const uncertain: ReadonlySet<string> = new Set([
  "Timeout",
  "Unavailable",
  "BodyInterrupted",
  "ProtocolViolation",
  "OutcomeUnknown"
])

const defaultOutcome = (error: ObjectStoreError): Outcome =>
  uncertain.has(error.reason._tag) ||
    (error.reason._tag === "ConnectionFailed" &&
      (error.reason.phase === "request" || error.reason.phase === "headers"))
    ? "unknown"
    : "not-applied"
