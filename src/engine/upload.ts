/**
 * Uploads that cannot leak: one that was opened is completed or aborted on every way out (success, failure, interruption,
 * defect), after all its parts have stopped, and the abort is awaited.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Location, ObjectOptions, PartReceipt, Upload, WriteReply } from "../Backend.ts"
import { isObjectStoreError, makeError, type ObjectStoreError, printable, withContext } from "../ObjectStoreError.ts"
import type { WriteOptions } from "../ObjectStoreOptions.ts"
import { checkPartSize } from "../partSize.ts"
import { type Engine, request } from "./engine.ts"
import { withWriteId } from "./identity.ts"
import { invalid } from "./validate.ts"
import { findComplete } from "./verify.ts"

/** An upload in a scope; the scope aborts it unless it was completed. */
export interface OpenedUpload {
  readonly upload: Upload
  readonly part: (
    number: number,
    offset: number,
    body: Uint8Array,
    last: boolean
  ) => Effect.Effect<PartReceipt, ObjectStoreError>
  readonly complete: (
    parts: ReadonlyArray<PartReceipt>,
    size: number
  ) => Effect.Effect<WriteReply, ObjectStoreError>
}

/** What is said of uploads that could not be aborted; whoever ran into it adds a line. */
export type Leftovers = Array<string>

/** Runs a write in a scope of its own; an upload that could not be aborted then is told in the write's error. */
export const inOwnScope = <A, R>(
  run: (left: Leftovers) => Effect.Effect<A, ObjectStoreError, R>
): Effect.Effect<A, ObjectStoreError, Exclude<R, Scope.Scope>> =>
  Effect.suspend(() => {
    const left: Leftovers = []
    return Effect.mapError(
      Effect.scoped(run(left)),
      (error) =>
        left.length === 0
          ? error
          : withContext(error, { description: [error.reason.description ?? "it failed", ...left].join("; ") })
    )
  })

/** Opens an upload that its scope aborts. */
export const openUpload = Effect.fnUntraced(function*(
  engine: Engine,
  at: Location,
  options: ObjectOptions,
  left: Leftovers
): Effect.fn.Return<OpenedUpload, ObjectStoreError, Scope.Scope> {
  const { backend } = engine
  const object = withWriteId(backend.capabilities, options)
  let completed = false
  const upload = yield* Effect.uninterruptibleMask((restore) =>
    Effect.tap(
      initiate(engine, at, object, left, restore),
      (upload) => Effect.addFinalizer((exit) => completed ? Effect.void : abandon(engine, upload, exit, left))
    )
  )
  return {
    upload,
    part: (number, offset, body, last) =>
      checkReceipt(
        engine,
        { number, length: body.length },
        request(engine, "part", backend.uploadPart(upload, { number, offset, body, last }))
      ).pipe(
        Effect.mapError((error) => withContext(error, { outcome: "not-applied" }))
      ),
    complete: (parts, size) =>
      Effect.tap(
        Effect.onExit(
          request(engine, "complete", backend.completeUpload(upload, { parts, size }), {
            verify: findComplete(engine, at, size, object)
          }),
          (exit) => Effect.sync(() => completed = exit._tag === "Success")
        ),
        (reply) =>
          reply.size === size
            ? Effect.void
            : Effect.fail(makeError("IntegrityFailed", {
              operation: "completeUpload",
              backend: backend.name,
              description: `${size} bytes were sent, the store counted ${reply.size}`,
              outcome: "applied"
            }))
      )
  }
})

/** A receipt is for all bytes of its part, or the part failed. */
export const checkReceipt = (
  engine: Engine,
  { length, number }: { readonly number: number; readonly length: number },
  receipt: Effect.Effect<PartReceipt, ObjectStoreError>
): Effect.Effect<PartReceipt, ObjectStoreError> =>
  Effect.filterOrFail(
    receipt,
    ({ size }) => size === length,
    ({ size }) =>
      makeError("IntegrityFailed", {
        operation: "uploadPart",
        backend: engine.backend.name,
        description: `part ${number} has ${length} bytes, the store counted ${size}`,
        outcome: "not-applied"
      })
  )

/**
 * Asks for an upload on a fiber of its own, so that an interruption can wait a while for the answer to a request that is
 * under way: what it opened is aborted, and what stays unknown is told.
 */
const initiate = Effect.fnUntraced(function*(
  engine: Engine,
  at: Location,
  object: ObjectOptions,
  left: Leftovers,
  restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
): Effect.fn.Return<Upload, ObjectStoreError> {
  let sent = false
  const send = Effect.suspend(() => {
    sent = true
    return Effect.tapError(engine.backend.openUpload(at, object), () => Effect.sync(() => sent = false))
  })
  const fiber = yield* Effect.forkChild(
    Effect.interruptible(request(engine, "initiate", send, { onLost: maybeOpen(engine, at) })),
    { startImmediately: true }
  )
  const settle = Effect.flatMap(Effect.timeoutOption(Fiber.await(fiber), abortBudget.interruption), (answer) => {
    if (Option.isNone(answer)) return Effect.andThen(Fiber.interrupt(fiber), maybeOpen(engine, at))
    return Exit.isSuccess(answer.value) ? abandon(engine, answer.value.value, Exit.interrupt(), left) : Effect.void
  })
  return yield* restore(Fiber.join(fiber)).pipe(
    Effect.onInterrupt(() => Effect.suspend(() => sent ? settle : Fiber.interrupt(fiber))),
    // Nothing is visible under the key before it completes.
    Effect.mapError((error) => withContext(error, { outcome: "not-applied" }))
  )
})

/** Most milliseconds that an abort takes, retries included: after a failure, and after an interruption. */
const abortBudget = { failure: 30_000, interruption: 5000 }

/**
 * Aborts with retries, in bounded time. An upload that stays open all the same is logged, counted, noted on the span and
 * among the leftovers, and found again by `listUploads`.
 */
const abandon = (
  engine: Engine,
  upload: Upload,
  exit: Exit.Exit<unknown, unknown>,
  left: Leftovers
): Effect.Effect<void> => {
  const budget = Exit.hasInterrupts(exit) ? abortBudget.interruption : abortBudget.failure
  const abort = Effect.interruptible(
    request(engine, "abort", engine.backend.abortUpload(upload), { onDone: () => undefined })
  )
  return Effect.exit(Effect.timeoutOption(abort, budget)).pipe(
    Effect.flatMap((aborted) => {
      if (Exit.isSuccess(aborted) && Option.isSome(aborted.value)) return Effect.void
      const why = Exit.isSuccess(aborted) ? `no answer within ${budget} ms` : reasonOf(aborted.cause)
      const line = `upload ${upload.id} to ${show(upload)} could not be aborted (${why}) and stays open`
      left.push(line)
      return report(engine, line)
    })
  )
}

const show = ({ container, key }: Location): string => printable(container === "" ? key : `${container}/${key}`)

const reasonOf = (cause: Cause.Cause<ObjectStoreError>): string => {
  const failure = Cause.squash(cause)
  return isObjectStoreError(failure) ? failure.message : Cause.pretty(cause).split("\n")[0]!
}

/** The answer to a request that opens an upload was lost, so there may be one whose id nobody knows. */
const maybeOpen = (engine: Engine, at: Location): Effect.Effect<void> =>
  report(engine, `the answer to a request that opens an upload to ${show(at)} was lost, so one may stay open`)

const report = (engine: Engine, line: string): Effect.Effect<void> =>
  Effect.all([
    engine.observer.abandoned,
    Effect.logWarning(line),
    Effect.clockWith((clock) =>
      Effect.currentSpan.pipe(
        Effect.map((span) =>
          span.event(line, clock.currentTimeNanosUnsafe(), { "objectstore.backend": engine.backend.name })
        ),
        Effect.ignore
      )
    )
  ], { discard: true })

/** Part size and concurrency of an upload, within the backend's limits. */
export interface UploadPlan {
  readonly partSize: number
  readonly concurrency: number
  /** Up to this size a stream is written with one request; a part size that was asked for is also this limit. */
  readonly threshold: number
  /** The same for bytes in memory. */
  readonly bytesThreshold: number
}

/** Plans an upload of `size` bytes, or of an unknown number. */
export const planUpload = (
  engine: Engine,
  options: WriteOptions | undefined,
  size: number | undefined
): UploadPlan | ObjectStoreError => {
  const { maxObjectSize, maxWriteSize, multipart, tuning } = engine.backend.capabilities
  const concurrency = multipart.ordered ? 1 : options?.concurrency ?? tuning.writeConcurrency
  if (size !== undefined && size > maxObjectSize) {
    return tooLarge(engine, "maxObjectSize", `the object has ${size} bytes, the most are ${maxObjectSize}`)
  }
  const given = options?.partSize
  if (given !== undefined) {
    const wrong = checkPartSize(multipart, given, size)
    const threshold = Math.min(given, maxWriteSize)
    return wrong === undefined
      ? { partSize: given, concurrency, threshold, bytesThreshold: threshold }
      : invalid(engine.subject, wrong)
  }
  const needed = size === undefined ? 0 : Math.ceil(size / multipart.maxParts)
  const rounded = roundUp(Math.max(tuning.writePartSize, multipart.minPartSize, needed), multipart.partMultiple)
  const partSize = Math.min(rounded, multipart.maxPartSize)
  return {
    partSize,
    concurrency,
    threshold: Math.min(maxWriteSize, Math.max(tuning.multipartThreshold, partSize)),
    bytesThreshold: Math.min(maxWriteSize, Math.max(tuning.bytesThreshold, partSize))
  }
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple

/** `LimitExceeded`, before or while a write. */
export const tooLarge = (engine: Engine, limit: string, description: string): ObjectStoreError =>
  makeError("LimitExceeded", {
    operation: "write",
    backend: engine.backend.name,
    limit,
    description,
    outcome: "not-applied"
  })

/** Uploads bytes that are in memory: parts are views of them, side by side. */
export const uploadBytes = (
  engine: Engine,
  at: Location,
  body: Uint8Array,
  object: ObjectOptions,
  plan: UploadPlan,
  onPart: (bytes: number) => Effect.Effect<void>
): Effect.Effect<WriteReply, ObjectStoreError> =>
  inOwnScope((left) =>
    Effect.gen(function*() {
      const upload = yield* openUpload(engine, at, object, left)
      const count = Math.ceil(body.length / plan.partSize)
      const parts = yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => index),
        (index) => {
          const offset = index * plan.partSize
          const part = body.subarray(offset, offset + plan.partSize)
          return Effect.tap(upload.part(index + 1, offset, part, index + 1 === count), () => onPart(part.length))
        },
        { concurrency: plan.concurrency }
      )
      return yield* upload.complete(parts, body.length)
    })
  )
