/**
 * Reads as a stream: parts are read ahead while there is budget, and delivered in order. Between two pulls nothing is
 * open: a slow consumer holds memory, never a socket or a descriptor.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Location } from "../Backend.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { ReadConditions } from "../ObjectStoreOptions.ts"
import type { Engine } from "./engine.ts"
import { fill, readPart } from "./fill.ts"
import { allocateOrFail } from "./memory.ts"
import { report } from "./progress.ts"
import { checkSize } from "./read.ts"
import { ReadAhead } from "./ReadAhead.ts"
import { openSpan, type Span } from "./span.ts"
import { checkOf, type Known, type SpanCheck } from "./spanCheck.ts"
import type { BackendRangeOrEmpty } from "./validate.ts"

/** A part that is read ahead; `none` if there was no budget for it. */
interface Ahead {
  readonly chunk: Deferred.Deferred<Option.Option<Uint8Array>, ObjectStoreError>
  readonly taken: Latch.Latch
}

/** Streams a span; chunks are fresh memory that belongs to the consumer. */
export const streamSpan = (
  engine: Engine,
  at: Location,
  range: BackendRangeOrEmpty | undefined,
  options: (ReadConditions & Known) | undefined
): Stream.Stream<Uint8Array, ObjectStoreError> =>
  Stream.scoped(Stream.fromPull(Effect.map(Effect.scope, (scope) => makePull(engine, at, range, options, scope).pull)))

/** A stream whose first request was answered. */
export interface OpenedStream {
  readonly span: Span
  /** The chunk that comes first; empty if there is none. */
  readonly first: Uint8Array
  /** All chunks, the first one too; to be run once, in the scope that it was opened in. */
  readonly stream: Stream.Stream<Uint8Array, ObjectStoreError>
}

/** Makes the first request of a stream, which tells what is read. */
export const openStream = Effect.fnUntraced(function*(
  engine: Engine,
  at: Location,
  range: BackendRangeOrEmpty | undefined,
  options: (ReadConditions & Known) | undefined
): Effect.fn.Return<OpenedStream, ObjectStoreError, Scope.Scope> {
  const { begin, pull } = makePull(engine, at, range, options, yield* Effect.scope)
  const { chunk, span } = yield* begin
  return { span, first: chunk, stream: Stream.fromPull(Effect.succeed(pull)) }
})

const makePull = (
  engine: Engine,
  at: Location,
  range: BackendRangeOrEmpty | undefined,
  options: (ReadConditions & Known) | undefined,
  scope: Scope.Scope
) => {
  const { tuning } = engine.backend.capabilities
  const partSize = options?.partSize ?? tuning.streamPartSize
  const concurrency = options?.concurrency ?? tuning.streamConcurrency
  const onProgress = options?.onProgress
  const window = new ReadAhead(concurrency)
  const timed = <A, E, R>(fetch: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) => {
      const start = clock.currentTimeMillisUnsafe()
      return Effect.tap(fetch, () => Effect.sync(() => window.fetched(clock.currentTimeMillisUnsafe() - start)))
    })

  const first = timed(Effect.scoped(Effect.gen(function*() {
    const opened = yield* openSpan(engine, at, range, options, partSize)
    const { body, span } = opened
    yield* checkSize(engine, span.length, options?.maxSize)
    const chunk = yield* allocateOrFail(engine, body === undefined ? 0 : body.reply.length)
    yield* fill(engine, at, { span: { ...span, length: chunk.length }, body }, chunk, {
      partSize,
      pinned: options?.pinned
    })
    return { span, chunk, check: yield* checkOf(engine, span, options, chunk.length < span.length) }
  })))

  let opened: Effect.Success<typeof first> | undefined
  let begun = false
  let delivered = 0
  let started = 0
  const ahead: Array<Ahead> = []

  const part = (start: number, span: { readonly offset: number; readonly length: number }) =>
    Effect.flatMap(
      allocateOrFail(engine, Math.min(partSize, span.length - start)),
      (chunk) => Effect.as(timed(readPart(engine, at, opened!.span.stat, span.offset + start, chunk)), chunk)
    )

  const readAhead = Effect.fnUntraced(function*(span: { readonly offset: number; readonly length: number }) {
    const wanted = window.wanted(yield* Clock.currentTimeMillis)
    // One part at a time needs no budget.
    if (wanted === 1) return
    while (ahead.length < wanted && started < span.length) {
      const start = started
      started += Math.min(partSize, span.length - start)
      const entry: Ahead = { chunk: Deferred.makeUnsafe(), taken: Latch.makeUnsafe(false) }
      ahead.push(entry)
      const read = part(start, span).pipe(
        Effect.asSome,
        Effect.exit,
        Effect.flatMap((exit) => Deferred.done(entry.chunk, exit)),
        Effect.andThen(entry.taken.await)
      )
      yield* engine.bytes.withShareNow(Math.min(partSize, span.length - start), read).pipe(
        Effect.flatMap((ran) => Option.isNone(ran) ? Deferred.succeed(entry.chunk, Option.none()) : Effect.void),
        Effect.forkIn(scope)
      )
    }
  })

  const deliver = Effect.fnUntraced(function*(chunk: Uint8Array, total: number, check: SpanCheck | undefined) {
    check?.add(delivered, chunk)
    delivered += chunk.length
    // Before the last chunk is handed out, so that nobody can take it for the end.
    if (check !== undefined && delivered === total) yield* check.verify
    yield* engine.observer.read(chunk.length)
    yield* report(onProgress, { bytes: delivered, total })
    window.delivered(yield* Clock.currentTimeMillis)
    return [chunk] as const
  })

  const begin = Effect.tap(first, (answer) =>
    Effect.sync(() => {
      opened = answer
      started = answer.chunk.length
    }))

  const pull = Effect.gen(function*() {
    if (!begun) {
      opened ??= yield* begin
      begun = true
      const chunk = opened.chunk
      opened = { ...opened, chunk: new Uint8Array(0) }
      if (chunk.length > 0) return yield* deliver(chunk, opened.span.length, opened.check)
      yield* opened.check?.verify ?? Effect.void
    }
    const { check, span } = opened!
    if (delivered >= span.length) return yield* Cause.done()
    yield* readAhead(span)
    const next = ahead.shift()
    const chunk = next === undefined ? Option.none<Uint8Array>() : yield* Deferred.await(next.chunk)
    if (next !== undefined) yield* next.taken.open
    if (Option.isSome(chunk)) return yield* deliver(chunk.value, span.length, check)
    if (next === undefined) started = delivered + Math.min(partSize, span.length - delivered)
    return yield* deliver(yield* part(delivered, span), span.length, check)
  })

  return { begin, pull }
}
