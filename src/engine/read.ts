/**
 * Reads into memory: the first request is already a range and tells size and version; the rest is read in parts, side by
 * side, straight into one target, all of that version.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Location, ObjectStat, ReadHandle, ReadReply } from "../Backend.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { ByteRange, ReadConditions, ReadOptions, TransferOptions } from "../ObjectStoreOptions.ts"
import { type Engine, openBody, openBodyOnce, request } from "./engine.ts"
import { report } from "./progress.ts"
import { type Begun, goOn, retrying } from "./retry.ts"
import { checkOf, type Known } from "./spanCheck.ts"
import { tooLarge } from "./upload.ts"
import {
  type BackendRangeOrEmpty,
  checkConditions,
  checkDecompress,
  checkExpected,
  checkOptions,
  checkRange,
  checkTransfer
} from "./validate.ts"

/** Which bytes of which version a read delivers. */
export interface Span {
  readonly stat: ObjectStat
  readonly offset: number
  readonly length: number
}

/** Part size and concurrency in force. */
export const readPlan = (engine: Engine, options: TransferOptions | undefined) => ({
  partSize: options?.partSize ?? engine.backend.capabilities.tuning.readPartSize,
  concurrency: options?.concurrency ?? engine.backend.capabilities.tuning.readConcurrency
})

/** Checks all options of a read, and the range. */
export const checkRead = (
  engine: Engine,
  options: ReadOptions | undefined,
  range: ByteRange | undefined
): BackendRangeOrEmpty | undefined | ObjectStoreError =>
  checkOptions(engine.subject, "read", options) ?? checkTransfer(engine.subject, options) ??
    checkConditions(engine.subject, options) ?? checkExpected(engine.subject, options?.expected) ??
    checkDecompress(engine.subject, options) ??
    (range === undefined ? undefined : checkRange(engine.subject, range))

/** Conditions that hold a read to the version of `stat`. */
export const pinTo = (engine: Engine, stat: ObjectStat): ReadConditions => ({
  ifMatch: engine.backend.capabilities.conditionalRead ? stat.etag : undefined,
  version: engine.backend.capabilities.versions ? stat.version : undefined
})

/** Whether two replies tell of one version; a store without etags is held to the time of its last change. */
export const isSameVersion = (one: ObjectStat, other: ObjectStat): boolean =>
  one.size === other.size && one.etag === other.etag && one.version === other.version &&
  (one.etag !== undefined || one.lastModified?.epochMilliseconds === other.lastModified?.epochMilliseconds)

const conditionsOf = (options: ReadConditions | undefined): ReadConditions => ({
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

/** Makes the first request of a read. It asks for at most `firstLength` bytes. */
export const openSpan = Effect.fnUntraced(function*(
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

/** An answer is what was asked for, or nothing. */
const checkReply = (
  engine: Engine,
  reply: ReadReply,
  asked: { readonly offset: number; readonly length: number; readonly stat?: ObjectStat | undefined }
): Effect.Effect<void, ObjectStoreError> => {
  const { stat } = asked
  if (stat !== undefined && !isSameVersion(stat, reply.stat)) {
    return Effect.fail(makeError("ObjectChanged", {
      operation: "read",
      backend: engine.backend.name,
      description: "the object changed while it was read"
    }))
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

const changed = (engine: Engine, description: string) => (error: ObjectStoreError): ObjectStoreError =>
  error.reason._tag === "PreconditionFailed" || error.reason._tag === "NotFound" ||
    error.reason._tag === "RangeNotSatisfiable"
    ? makeError("ObjectChanged", { operation: "read", backend: engine.backend.name, description, cause: error })
    : error

/** Fills `target` from a body, whose bytes so far are `state.done`. */
const drain = Effect.fnUntraced(function*(
  engine: Engine,
  reply: ReadReply,
  target: Uint8Array,
  state: { done: number }
) {
  const start = state.done
  const end = start + reply.length
  while (state.done < end) {
    const count = yield* reply.into(target.subarray(state.done, end)).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          const received = "received" in error.reason ? error.reason.received : undefined
          if (received !== undefined) state.done = Math.max(state.done, Math.min(end, start + received))
        })
      )
    )
    if (count === 0) {
      return yield* makeError("BodyInterrupted", {
        operation: "read",
        backend: engine.backend.name,
        received: state.done - start,
        description: `the body ended after ${state.done - start} of ${reply.length} bytes`
      })
    }
    state.done += count
  }
})

/** Fills `target` with the bytes at `offset` of the version of `stat`, resuming at the byte that was delivered last. */
export const readPart = (
  engine: Engine,
  at: Location,
  stat: ObjectStat,
  offset: number,
  target: Uint8Array
): Effect.Effect<void, ObjectStoreError> =>
  Effect.suspend(() => {
    const part = resumable(engine, at, stat, offset, target, 0)
    return Effect.mapError(
      retrying(engine.backend.name, "body", engine.quota, part.read, part.hooks),
      changed(engine, "the object changed while it was read")
    )
  })

/** The same where the first body, which was open already, broke off after `done` bytes. */
const resumePart = (
  engine: Engine,
  at: Location,
  stat: ObjectStat,
  offset: number,
  target: Uint8Array,
  done: number,
  error: ObjectStoreError
): Effect.Effect<void, ObjectStoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const part = resumable(engine, at, stat, offset, target, done)
    return Effect.mapError(
      goOn(engine.backend.name, "body", engine.quota, part.read, error, now, part.hooks),
      changed(engine, "the object changed while it was read")
    )
  })

/** One request for what is missing of a part, every time that it is run. */
const resumable = (
  engine: Engine,
  at: Location,
  stat: ObjectStat,
  offset: number,
  target: Uint8Array,
  done: number
) => {
  const state = { done }
  const begun: Begun = { at: undefined }
  return {
    read: Effect.suspend(() => readMissing(engine, at, stat, offset, target, state, begun)),
    hooks: { progress: () => state.done, begun }
  }
}

const readMissing = Effect.fnUntraced(
  function*(
    engine: Engine,
    at: Location,
    stat: ObjectStat,
    offset: number,
    target: Uint8Array,
    state: { done: number },
    begun: Begun
  ) {
    if (state.done === target.length) return
    const range = { offset: offset + state.done, length: target.length - state.done }
    const body = yield* openBodyOnce(engine, at, { range, conditions: pinTo(engine, stat) }, begun)
    yield* checkReply(engine, body.reply, { ...range, stat })
    yield* drain(engine, body.reply, target, state)
  },
  Effect.scoped
)

/**
 * Reads the rest of an opened span into `target`, whose length is the span's. Closes the first body as soon as it is
 * drained, so that its permit is free for other parts.
 */
export const fill = Effect.fnUntraced(function*(
  engine: Engine,
  at: Location,
  opened: Opened,
  target: Uint8Array,
  options: Known | undefined
) {
  const { body, span } = opened
  const pieced = body !== undefined && body.reply.length < span.length
  const check = yield* checkOf(engine, span, options, pieced)
  if (body === undefined) return yield* check?.verify ?? Effect.void
  const { concurrency, partSize } = readPlan(engine, options)
  const onProgress = options?.onProgress
  let bytes = 0
  const done = (start: number, end: number) =>
    Effect.suspend(() => {
      check?.add(start, target.subarray(start, end))
      bytes += end - start
      return report(onProgress, { bytes, total: span.length })
    })
  const { handle } = body.reply
  if (handle !== undefined) {
    yield* fillFromHandle(engine, handle, span, target, { partSize, concurrency }, done)
    yield* handle.verify
    yield* body.close
    return yield* check?.verify ?? Effect.void
  }
  const first = body.reply.length
  let resumed = false
  const readFirst = Effect.suspend(() => {
    const state = { done: 0 }
    return drain(engine, body.reply, target.subarray(0, first), state).pipe(
      Effect.ensuring(body.close),
      Effect.catch((error) => {
        resumed = true
        return resumePart(engine, at, span.stat, span.offset, target.subarray(0, first), state.done, error)
      })
    )
  })
  if (first === span.length) {
    yield* readFirst
    yield* done(0, first)
    if (check === undefined && resumed) {
      const late = yield* checkOf(engine, span, options, true)
      late?.add(0, target)
      return yield* late?.verify ?? Effect.void
    }
    return yield* check?.verify ?? Effect.void
  }
  yield* Effect.forEach(
    partsOf(first, span.length, partSize),
    ([start, end]) =>
      Effect.andThen(
        start === 0 ? readFirst : readPart(engine, at, span.stat, span.offset + start, target.subarray(start, end)),
        done(start, end)
      ),
    { concurrency, discard: true }
  )
  return yield* check?.verify ?? Effect.void
})

const fillFromHandle = (
  engine: Engine,
  handle: ReadHandle,
  span: Span,
  target: Uint8Array,
  plan: { readonly partSize: number; readonly concurrency: number },
  done: (start: number, end: number) => Effect.Effect<void>
): Effect.Effect<void, ObjectStoreError> => {
  const { length, offset } = span
  const part = (start: number, end: number) =>
    Effect.andThen(
      retrying(engine.backend.name, "body", engine.quota, handle.readInto(offset + start, target.subarray(start, end))),
      done(start, end)
    )
  if (length <= plan.partSize) return part(0, length)
  // As many fibers as calls at a time, and not one for each part.
  const parts = partsOf(plan.partSize, length, plan.partSize)
  const worker: Effect.Effect<void, ObjectStoreError> = Effect.suspend(() => {
    const next = parts.next()
    return next.done === true ? Effect.void : Effect.andThen(part(...next.value), worker)
  })
  const workers = Math.min(plan.concurrency, Math.ceil(length / plan.partSize))
  return Effect.all(Array.from({ length: workers }, () => worker), { concurrency: workers, discard: true })
}

/** Cuts `length` into a first part and parts of `partSize`, as pairs of start and end. */
function* partsOf(first: number, length: number, partSize: number): Generator<readonly [number, number]> {
  yield [0, first]
  for (let start = first; start < length; start += partSize) yield [start, Math.min(length, start + partSize)]
}

/** Refuses to deliver more than was allowed. */
export const checkSize = (
  engine: Engine,
  length: number,
  maxSize: number | undefined
): Effect.Effect<void, ObjectStoreError> =>
  maxSize === undefined || length <= maxSize
    ? Effect.void
    : Effect.fail(
      tooLarge(engine, "maxSize", `${length} bytes would be delivered, more than the ${maxSize} that are allowed`)
    )

/** Reads an object or a range of it into memory that `place` provides once the size is known. */
export const readSpan = Effect.fnUntraced(
  function*(
    engine: Engine,
    at: Location,
    range: BackendRangeOrEmpty | undefined,
    options: (ReadOptions & Known) | undefined,
    place: (span: Span) => Effect.Effect<Uint8Array, ObjectStoreError>
  ) {
    const { partSize } = readPlan(engine, options)
    const opened = yield* openSpan(engine, at, range, options, partSize)
    yield* checkSize(engine, opened.span.length, options?.maxSize)
    const target = yield* place(opened.span)
    yield* fill(engine, at, opened, target.subarray(0, opened.span.length), options)
    yield* engine.observer.read(opened.span.length)
    return { span: opened.span, target }
  },
  Effect.scoped
)
