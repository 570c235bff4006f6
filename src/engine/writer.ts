/**
 * Writes whose length is not known: bytes are gathered into parts, which are uploaded side by side while more come in.
 * What ends before the first part is full is written with one request.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { ObjectOptions, PartReceipt, WriteReply } from "../Backend.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { WriteOptions } from "../ObjectStoreOptions.ts"
import { type Engine, request } from "./engine.ts"
import { withWriteId } from "./identity.ts"
import { allocate, allocateAligned, allocateOrFail } from "./memory.ts"
import { report } from "./progress.ts"
import type { Place } from "./resolve.ts"
import { type Leftovers, type OpenedUpload, openUpload, tooLarge, type UploadPlan } from "./upload.ts"
import { findWrite } from "./verify.ts"

/** A write in progress. */
export interface Writing<A> {
  readonly write: (chunk: Uint8Array) => Effect.Effect<void, ObjectStoreError>
  readonly finish: Effect.Effect<A, ObjectStoreError>
}

/** A write in progress, in a scope that aborts it unless it finished. */
interface Session extends Writing<WriteReply> {
  /**
   * Takes all chunks of a stream; those that come together are one write, and what fits into the buffer at hand costs no turn.
   * A part that fails ends it at once, and does not wait for what the stream brings next.
   */
  readonly writeFrom: (body: Stream.Stream<Uint8Array, ObjectStoreError>) => Effect.Effect<void, ObjectStoreError>
}

/** The first buffer of a write, which doubles as it fills. */
const smallestBuffer = 64 * 1024

/**
 * Begins a write. With `always`, also a small object goes in parts. `labels` are asked for when the first request is made that
 * carries them.
 */
export const openSession = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  labels: () => ObjectOptions,
  plan: UploadPlan,
  options: Pick<WriteOptions, "onProgress" | "size"> | undefined,
  always: boolean,
  left: Leftovers
): Effect.fn.Return<Session, ObjectStoreError, Scope.Scope> {
  const { backend } = engine
  const { maxObjectSize, multipart, tuning } = backend.capabilities
  const allocateBuffer = tuning.alignedBuffers ? allocateAligned : allocate
  const outer = yield* Effect.scope
  // Part fibers end before the upload is aborted: their scope is younger, so it closes first.
  const uploadScope = yield* Scope.fork(outer)
  const slots = Semaphore.makeUnsafe(plan.concurrency)
  const turn = Semaphore.makeUnsafe(1)
  const free: Array<Uint8Array> = []
  const fibers = new Set<Fiber.Fiber<void>>()
  const receipts: Array<PartReceipt> = []
  const failed = Deferred.makeUnsafe<never, ObjectStoreError>()
  let upload: OpenedUpload | undefined
  let finished = false
  /** Whether bytes that were taken are lost, because a write did not end well. */
  let broken = false
  let buffer: Uint8Array = new Uint8Array(0)
  let filled = 0
  let offset = 0
  let parts = 0
  let sent = 0
  const single = always ? 0 : plan.threshold
  // Until the upload opens, the buffer grows up to what one request may carry; parts then have their own size.
  const capacity = (): number => upload === undefined ? Math.max(single, plan.partSize) : plan.partSize

  const progress = (bytes: number) =>
    Effect.suspend(() => {
      sent += bytes
      return report(options?.onProgress, { bytes: sent, total: options?.size })
    })

  const opened = Effect.suspend(() =>
    upload === undefined
      ? Effect.map(Scope.provide(openUpload(engine, place, labels(), left), uploadScope), (open) => upload = open)
      : Effect.succeed(upload)
  )

  const sendPart = Effect.fnUntraced(function*(body: Uint8Array, last: boolean, done: Effect.Effect<void>) {
    yield* check
    const open = yield* opened
    if (parts === multipart.maxParts) {
      return yield* tooLarge(
        engine,
        "maxParts",
        `more than ${multipart.maxParts} parts of ${plan.partSize} bytes; give a larger partSize`
      )
    }
    const number = ++parts
    const start = offset
    offset += body.length
    // Taken here, so that the producer waits; the fiber gives it back.
    yield* slots.take(1)
    const send = open.part(number, start, body, last).pipe(
      Effect.flatMap((receipt) => {
        receipts[number - 1] = receipt
        return progress(body.length)
      })
    )
    // With a share of the budget the producer goes on meanwhile. Without one it waits for this part, for nothing else: so
    // it holds one buffer, and operations that feed each other never wait for each other's shares.
    const ready = Latch.makeUnsafe(false)
    const fiber = yield* engine.bytes.withShareNow(body.length, Effect.andThen(ready.open, send)).pipe(
      Effect.flatMap((sent) => Option.isNone(sent) ? send : Effect.void),
      Effect.catchCause((cause) => Deferred.failCause(failed, cause)),
      Effect.ensuring(Effect.andThen(done, slots.release(1))),
      Effect.asVoid,
      Effect.forkIn(outer, { startImmediately: true })
    )
    fibers.add(fiber)
    fiber.addObserver(() => {
      fibers.delete(fiber)
      ready.openUnsafe()
    })
    yield* ready.await
  })

  const flushFull = Effect.fnUntraced(function*() {
    const body = buffer
    const size = plan.partSize
    // The buffer of a single request can hold several parts.
    const rest = filled % size
    const whole = filled - rest
    const next = free.pop() ?? (yield* allocateOrFail(engine, size, allocateBuffer))
    next.set(body.subarray(whole, filled))
    const reused = body.length === size
    buffer = next
    filled = rest
    for (let start = 0; start < whole; start += size) {
      yield* sendPart(
        body.subarray(start, start + size),
        false,
        reused ? Effect.sync(() => void free.push(body)) : Effect.void
      )
    }
  })

  const grow = (needed: number): Effect.Effect<void, ObjectStoreError> =>
    Effect.map(
      allocateOrFail(engine, Math.min(capacity(), Math.max(needed, buffer.length * 2, smallestBuffer)), allocateBuffer),
      (larger) => {
        larger.set(buffer.subarray(0, filled))
        buffer = larger
      }
    )

  const refuse = (description: string): Effect.Effect<never, ObjectStoreError> =>
    Effect.fail(makeError("InvalidRequest", {
      operation: "write",
      backend: backend.name,
      description,
      outcome: "not-applied"
    }))

  const isOpen = (): boolean => outer.state._tag !== "Closed" && !Deferred.isDoneUnsafe(failed)

  const check = Effect.suspend(() => {
    if (outer.state._tag === "Closed") return refuse("the writer's scope has closed")
    return Deferred.isDoneUnsafe(failed) ? Deferred.await(failed) : Effect.void
  })

  const begin = Effect.suspend(() => {
    if (finished) return refuse("the writer has finished")
    return Effect.andThen(
      check,
      Effect.suspend(() =>
        broken ? refuse("an earlier write failed or was interrupted, so bytes are missing") : Effect.void
      )
    )
  })

  const write = Effect.fnUntraced(function*(chunks: ReadonlyArray<Uint8Array>) {
    for (const chunk of chunks) {
      let position = 0
      if (offset + filled + chunk.length > maxObjectSize) {
        return yield* tooLarge(engine, "maxObjectSize", `the object has more than ${maxObjectSize} bytes`)
      }
      while (position < chunk.length) {
        if (!isOpen()) yield* check
        const count = Math.min(chunk.length - position, capacity() - filled)
        if (count === 0) {
          yield* flushFull()
          continue
        }
        if (filled + count > buffer.length) yield* grow(filled + count)
        buffer.set(count === chunk.length ? chunk : chunk.subarray(position, position + count), filled)
        filled += count
        position += count
      }
    }
  })

  const writeAll = (chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ObjectStoreError> =>
    turn.withPermits(1)(Effect.andThen(
      begin,
      Effect.onExit(write(chunks), (exit) => Effect.sync(() => broken = Exit.isFailure(exit)))
    ))

  const finish = Effect.fnUntraced(function*() {
    yield* begin
    finished = true
    if (upload === undefined && !always && filled <= single) {
      const reply = yield* writeWhole(engine, place, buffer.subarray(0, filled), labels())
      yield* progress(filled)
      return reply
    }
    const size = offset + filled
    if (size === 0 || (upload === undefined && filled === 0)) {
      // No part: an empty object is written whole, and no upload is left.
      return yield* writeWhole(engine, place, new Uint8Array(0), labels())
    }
    for (let start = 0; start < filled; start += plan.partSize) {
      const end = Math.min(filled, start + plan.partSize)
      yield* sendPart(buffer.subarray(start, end), end === filled, Effect.void)
    }
    yield* Effect.raceFirst(Fiber.awaitAll(fibers), Deferred.await(failed))
    yield* check
    const open = yield* opened
    return yield* open.complete(receipts, size)
  })

  return {
    write: (chunk) => writeAll([chunk]),
    writeFrom: (body) => Effect.raceFirst(Stream.runForEachArray(body, writeAll), Deferred.await(failed)),
    finish: turn.withPermits(1)(finish())
  }
})

/** Writes bytes with one request. */
export const writeWhole = (
  engine: Engine,
  place: Place,
  body: Uint8Array,
  options: ObjectOptions
): Effect.Effect<WriteReply, ObjectStoreError> =>
  Effect.suspend(() => {
    const { backend } = engine
    // To overwrite again with the same bytes is harmless, so that needs no mark.
    const plain = options.mode === "overwrite"
    const object = plain ? options : withWriteId(backend.capabilities, options)
    return Effect.filterOrFail(
      request(engine, plain ? "put" : "conditional", backend.write(place, body, object), {
        verify: findWrite(engine, place, body, object)
      }),
      (reply) => reply.size === body.length,
      (reply) =>
        makeError("IntegrityFailed", {
          operation: "write",
          backend: backend.name,
          description: `${body.length} bytes were sent, the store counted ${reply.size}`,
          outcome: "applied"
        })
    )
  })
