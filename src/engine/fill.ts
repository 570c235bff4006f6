/**
 * Memory that is filled from bodies: parts side by side, all of one version, each resumed at the byte that was delivered last.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Location, ObjectStat, ReadHandle, ReadReply } from "../Backend.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { TransferOptions } from "../ObjectStoreOptions.ts"
import { type Engine, openBodyOnce } from "./engine.ts"
import { report } from "./progress.ts"
import { type Begun, goOn, retrying } from "./retry.ts"
import { changed, checkReply, type Opened, pinTo, type Span } from "./span.ts"
import { checkOf, type Known } from "./spanCheck.ts"

/** Part size and concurrency in force. */
export const readPlan = (engine: Engine, options: TransferOptions | undefined) => ({
  partSize: options?.partSize ?? engine.backend.capabilities.tuning.readPartSize,
  concurrency: options?.concurrency ?? engine.backend.capabilities.tuning.readConcurrency
})

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
      changed(engine)
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
      changed(engine)
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
    const read = (done: PartDone) =>
      fillFromHandle(engine, handle, span, target, { partSize, concurrency }, done).pipe(
        Effect.andThen(handle.verify),
        Effect.andThen(body.close)
      )
    yield* onProgress === undefined ? read(done) : telling(read, done)
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

/** What is done about the bytes of a part that are there, from `start` to `end`. */
type PartDone = (start: number, end: number) => Effect.Effect<void>

/**
 * Tells of parts beside their reading: `read` holds a permit to its end, and whoever is told may wait for one. What is still to be
 * told then is waited for without it.
 */
const telling = Effect.fnUntraced(
  function*(read: (done: PartDone) => Effect.Effect<void, ObjectStoreError>, done: PartDone) {
    const parts = yield* Queue.unbounded<readonly [start: number, end: number], Cause.Done>()
    const teller = yield* Effect.forkScoped(
      Stream.runForEach(Stream.fromQueue(parts), ([start, end]) => done(start, end))
    )
    yield* read((start, end) => Effect.asVoid(Queue.offer(parts, [start, end])))
    yield* Queue.end(parts)
    yield* Fiber.join(teller)
  },
  Effect.scoped
)

const fillFromHandle = (
  engine: Engine,
  handle: ReadHandle,
  span: Span,
  target: Uint8Array,
  plan: { readonly partSize: number; readonly concurrency: number },
  done: PartDone
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
