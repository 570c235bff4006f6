/**
 * The beginning of a read: the first request is already a range, and its answer tells size and version.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Location, ObjectStat, ReadReply } from "../Backend.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { ReadConditions } from "../ObjectStoreOptions.ts"
import { type Engine, openBody, request } from "./engine.ts"
import type { Known } from "./spanCheck.ts"
import type { BackendRangeOrEmpty } from "./validate.ts"

/** Which bytes of which version a read delivers. */
export interface Span {
  readonly stat: ObjectStat
  readonly offset: number
  readonly length: number
}

/** Conditions that hold a read to the version of `stat`. */
export const pinTo = (engine: Engine, stat: ObjectStat): ReadConditions => ({
  ifMatch: engine.backend.capabilities.conditionalRead ? stat.etag : undefined,
  version: engine.backend.capabilities.versions ? stat.version : undefined
})

/** Whether two replies tell of one version; a store without etags is held to the time of its last change. */
export const isSameVersion = (one: ObjectStat, other: ObjectStat): boolean =>
  one.size === other.size && one.etag === other.etag && one.version === other.version &&
  (one.etag !== undefined || one.lastModified?.epochMilliseconds === other.lastModified?.epochMilliseconds)

/** Options that hold a read to the version of `stat`, also where no condition can. */
export const heldTo = (engine: Engine, stat: ObjectStat) => ({ ...pinTo(engine, stat), pinned: stat })

/** The conditions among the options of a read. */
export const conditionsOf = (options: ReadConditions | undefined): ReadConditions => ({
  ifMatch: options?.ifMatch,
  ifNoneMatch: options?.ifNoneMatch,
  ifModifiedSince: options?.ifModifiedSince,
  ifUnmodifiedSince: options?.ifUnmodifiedSince,
  version: options?.version
})

/** The first reply of a read: the version, and the span that is wanted of it. */
export interface Opened {
  readonly span: Span
  /** The open body, which begins at the span's offset; absent when the span is empty. */
  readonly body?: { readonly reply: ReadReply; readonly close: Effect.Effect<void> } | undefined
}

const openAny = Effect.fnUntraced(function*(
  engine: Engine,
  at: Location,
  range: BackendRangeOrEmpty | undefined,
  options: ReadConditions | undefined,
  firstLength: number
) {
  const conditions = conditionsOf(options)
  const { backend } = engine
  if (range === "empty") {
    const stat = yield* request(engine, "read", backend.head(at, conditions))
    return { span: { stat, offset: 0, length: 0 } } satisfies Opened
  }
  if (range !== undefined && "suffix" in range && (!backend.capabilities.suffixRange || range.suffix > firstLength)) {
    // Parts count from the front, so a long suffix needs the size first.
    const stat = yield* request(engine, "read", backend.head(at, conditions))
    const length = Math.min(range.suffix, stat.size)
    const offset = stat.size - length
    if (length === 0) return { span: { stat, offset, length } } satisfies Opened
    const pinned = { ...conditions, ...pinTo(engine, stat) }
    const body = yield* openBody(engine, at, {
      range: { offset, length: Math.min(length, firstLength) },
      conditions: pinned
    }).pipe(Effect.mapError(changed(engine, "the object changed between its size and its first byte")))
    yield* checkReply(engine, body.reply, { offset, length: Math.min(length, firstLength), stat })
    return { span: { stat: body.reply.stat, offset, length }, body } satisfies Opened
  }
  const asked = range === undefined
    ? { offset: 0, length: firstLength }
    : "suffix" in range
    ? range
    : { offset: range.offset, length: Math.min(range.length, firstLength) }
  const opened = yield* openBody(engine, at, { range: asked, conditions }).pipe(
    Effect.map((body): Opened | { readonly body: Opened["body"] & object } => ({ body })),
    Effect.catchIf(
      // An empty object has no first byte; only a range that was asked for fails.
      (error) => error.reason._tag === "RangeNotSatisfiable" && (range === undefined || "suffix" in range),
      () =>
        Effect.map(
          request(engine, "read", backend.head(at, conditions)),
          (stat): Opened => ({ span: { stat, offset: 0, length: stat.size } })
        )
    )
  )
  if ("span" in opened) {
    if (opened.span.length === 0) return opened
    return yield* makeError("ObjectChanged", {
      operation: "read",
      backend: engine.backend.name,
      description: "the object was empty and is not any more"
    })
  }
  const { reply } = opened.body
  const { size } = reply.stat
  const offset = "suffix" in asked ? Math.max(0, size - asked.suffix) : asked.offset
  const wanted = range === undefined
    ? size
    : "suffix" in range
    ? size - offset
    : Math.min(range.length, size - offset)
  const first = Math.min(wanted, "suffix" in asked ? asked.suffix : asked.length)
  yield* checkReply(engine, reply, { offset, length: first })
  return { span: { stat: reply.stat, offset, length: wanted }, body: opened.body } satisfies Opened
})

/**
 * Makes the first request of a read, which asks for at most `firstLength` bytes. A version that is `pinned` is the one that
 * answers, or it is `ObjectChanged`.
 */
export const openSpan = (
  engine: Engine,
  at: Location,
  range: BackendRangeOrEmpty | undefined,
  options: (ReadConditions & Pick<Known, "pinned">) | undefined,
  firstLength: number
): Effect.Effect<Opened, ObjectStoreError, Scope.Scope> =>
  Effect.filterOrFail(
    openAny(engine, at, range, options, firstLength),
    ({ span }) => options?.pinned === undefined || isSameVersion(options.pinned, span.stat),
    () => objectChanged(engine)
  )

const changedWhile = "the object changed while it was read"

/** An answer is what was asked for, or nothing. */
export const checkReply = (
  engine: Engine,
  reply: ReadReply,
  asked: { readonly offset: number; readonly length: number; readonly stat?: ObjectStat | undefined }
): Effect.Effect<void, ObjectStoreError> => {
  const { stat } = asked
  if (stat !== undefined && !isSameVersion(stat, reply.stat)) {
    return Effect.fail(objectChanged(engine))
  }
  return reply.offset === asked.offset && reply.length === asked.length
    ? Effect.void
    : violation(
      engine,
      `asked for ${asked.length} bytes at ${asked.offset}, answered ${reply.length} at ${reply.offset}`
    )
}

const violation = (engine: Engine, description: string): Effect.Effect<never, ObjectStoreError> =>
  Effect.fail(makeError("ProtocolViolation", { operation: "read", backend: engine.backend.name, description }))

/** A failure of a request for bytes that are known to exist. */
export const changed =
  (engine: Engine, description: string = changedWhile) => (error: ObjectStoreError): ObjectStoreError =>
    error.reason._tag === "PreconditionFailed" || error.reason._tag === "NotFound" ||
      error.reason._tag === "RangeNotSatisfiable"
      ? makeError("ObjectChanged", { operation: "read", backend: engine.backend.name, description, cause: error })
      : error

const objectChanged = (engine: Engine): ObjectStoreError =>
  makeError("ObjectChanged", {
    operation: "read",
    backend: engine.backend.name,
    description: changedWhile
  })
