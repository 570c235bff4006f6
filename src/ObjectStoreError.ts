/**
 * The one error of the library: a tagged `reason`, and shortcuts to its context.
 *
 * Catch one reason with `Effect.catchReason("ObjectStoreError", "NotFound", …)`, several with `Effect.catchReasons`, or
 * lift all of them into the error channel with `Effect.unwrapReason("ObjectStoreError")`.
 *
 * **Example** (A default for a missing object)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { MemoryLive } from "effect-objectstore/layers/Memory"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   return yield* store.get("settings.json").pipe(
 *     Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(new TextEncoder().encode("{}")))
 *   )
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(MemoryLive)))
 * ```
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { ErrorReason, ErrorReasons, type ErrorReasonTag, type Outcome } from "./ErrorReason.ts"

const TypeId = "~effect-objectstore/ObjectStoreError" as const

/** Of a location, so much is shown in a message; `uri` has all of it. */
const maxShown = 512

/**
 * The error that every operation of a store fails with, and the only one.
 *
 * @category errors
 * @since 0.1.0
 */
export class ObjectStoreError extends Schema.TaggedError<ObjectStoreError>("effect-objectstore/ObjectStoreError")(
  "ObjectStoreError",
  { reason: ErrorReason }
) {
  readonly [TypeId] = TypeId
  override readonly cause = this.reason
  /** One line: reason, operation, location and description; control characters are escaped. */
  override get message(): string {
    const { _tag, description, operation, uri } = this.reason
    const place = uri === undefined ? "" : ` ${uri.length > maxShown ? `${uri.slice(0, maxShown)}…` : uri}`
    return printable(`${_tag}: ${operation}${place}${description === undefined ? "" : `: ${description}`}`)
  }
  /** Whether the same request may succeed later. */
  get isRetryable(): boolean {
    const { reason } = this
    return retryable.has(reason._tag) || (reason._tag === "LimitExceeded" && reason.limit === "descriptors")
  }
  /** The operation that failed. */
  get operation(): string {
    return this.reason.operation
  }
  /** The backend's name. */
  get backend(): string {
    return this.reason.backend
  }
  /** The location, without secrets. */
  get uri(): string | undefined {
    return this.reason.uri
  }
  /** For mutations: whether the change was applied. */
  get outcome(): Outcome | undefined {
    return this.reason.outcome
  }
  /** The HTTP status, where the service speaks HTTP. */
  get status(): number | undefined {
    return this.reason.status
  }
  /** The service's own error code: `"NoSuchKey"`, `"ENOENT"`. */
  get code(): string | undefined {
    return this.reason.code
  }
  /** The service's request id. */
  get requestId(): string | undefined {
    return this.reason.requestId
  }
  /** How many requests were made. */
  get attempts(): number | undefined {
    return this.reason.attempts
  }
  /** Milliseconds from the start of the operation to this failure. */
  get elapsed(): number | undefined {
    return this.reason.elapsed
  }
  /** Milliseconds the service asked to wait, 0 if it did not. */
  get retryAfter(): number {
    return "retryAfter" in this.reason ? this.reason.retryAfter ?? 0 : 0
  }
  /** What `JSON.stringify` shows: the reason, and of its cause no more than names, messages and codes. */
  override toJSON(): unknown {
    return { _tag: this._tag, message: this.message, reason: shownReason(this.reason) }
  }
}

/** What others threw may hold anything: whole requests with their secrets, certificates that lead to themselves. */
const shownReason = (reason: ErrorReason): Record<string, unknown> => ({
  ...reason,
  cause: reason.cause === undefined ? undefined : shownCause(reason.cause, maxCauses)
})

/** So many causes of causes are shown. */
const maxCauses = 5

const shownCause = (cause: unknown, left: number): unknown => {
  if (isObjectStoreError(cause)) return cause.toJSON()
  if (!(cause instanceof Error)) return typeof cause === "string" ? cause : typeof cause
  const { code } = cause as { readonly code?: unknown }
  return {
    name: cause.name,
    message: cause.message,
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    cause: cause.cause === undefined || left === 0 ? undefined : shownCause(cause.cause, left - 1)
  }
}

/**
 * Whether a value is an `ObjectStoreError`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isObjectStoreError = (u: unknown): u is ObjectStoreError => Predicate.hasProperty(u, TypeId)

/**
 * The fields of the reason with tag `Tag`.
 *
 * @category models
 * @since 0.1.0
 */
export type ReasonFields<Tag extends ErrorReasonTag> = ConstructorParameters<(typeof ErrorReasons)[Tag]>[0]

/**
 * Makes an `ObjectStoreError` with the reason `tag`.
 *
 * **Example** (A backend's own failure)
 *
 * ```ts
 * import { makeError } from "effect-objectstore"
 *
 * const error = makeError("NotFound", { operation: "head", backend: "ftp", uri: "ftp://host/a", code: "550" })
 * console.log(error.message) // NotFound: head ftp://host/a
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeError = <Tag extends ErrorReasonTag>(tag: Tag, fields: ReasonFields<Tag>): ObjectStoreError => {
  const Reason = ErrorReasons[tag] as unknown as new(fields: unknown) => ErrorReason
  const known: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    // A number that a service made up (NaN, Infinity) says nothing.
    if (value !== undefined && (typeof value !== "number" || Number.isFinite(value))) known[name] = value
  }
  return new ObjectStoreError({ reason: new Reason(known) })
}

/**
 * Copies an error with some context fields replaced; fields given as `undefined` are left as they are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withContext = (
  error: ObjectStoreError,
  context: {
    readonly operation?: string | undefined
    readonly backend?: string | undefined
    readonly uri?: string | undefined
    readonly description?: string | undefined
    readonly attempts?: number | undefined
    readonly elapsed?: number | undefined
    readonly outcome?: Outcome | undefined
  }
): ObjectStoreError => {
  const given = Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined))
  return remake(error, given)
}

/** A read changes nothing, so its failure says nothing of a change. @internal */
export const withoutOutcome = (error: ObjectStoreError): ObjectStoreError => remake(error, { outcome: undefined })

const remake = (error: ObjectStoreError, context: Readonly<Record<string, unknown>>): ObjectStoreError => {
  const fields: Record<string, unknown> = { ...error.reason, cause: error.reason.cause, ...context }
  return makeError(error.reason._tag, fields as ReasonFields<ErrorReasonTag>)
}

const retryable: ReadonlySet<ErrorReasonTag> = new Set<ErrorReasonTag>([
  "Throttled",
  "Unavailable",
  "Timeout",
  "ConnectionFailed",
  "BodyInterrupted"
])

/**
 * Escapes control characters, so that keys and server messages are safe on a terminal.
 *
 * @category combinators
 * @since 0.1.0
 */
export const printable = (text: string): string =>
  text.replace(
    // oxlint-disable-next-line no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
