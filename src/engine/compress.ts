/**
 * Writes of content that is compressed on the way: the frames that come out go into parts as any other bytes do.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { ObjectOptions, WriteReply } from "../Backend.ts"
import { suffix, withMark } from "../codec/compressionMark.ts"
import { compressStream } from "../codec/compressStream.ts"
import type { CompressSummary } from "../codec/ZstdOptions.ts"
import { makeError, type ObjectStoreError, withContext } from "../ObjectStoreError.ts"
import type { At, CompressionOptions, WriteOptions } from "../ObjectStoreOptions.ts"
import { ObjectUri } from "../ObjectUri.ts"
import type { Engine } from "./engine.ts"
import { report } from "./progress.ts"
import type { Place } from "./resolve.ts"
import { type Leftovers, planUpload, type UploadPlan } from "./upload.ts"
import { openSession } from "./writer.ts"

/** Where what is compressed is stored: a place that is wrong stays as it is, so that it is told as it was given. */
export const compressedAt = (engine: Engine, at: At): At => {
  if (Result.isFailure(engine.resolver.object(at))) return at
  if (typeof at === "string") return at.endsWith(suffix) ? at : at + suffix
  return at.key.endsWith(suffix) ? at : new ObjectUri({ ...at, key: at.key + suffix })
}

/**
 * Plans the parts of what is compressed. Limits are held against the original, where its size is known: what could only be
 * stored if it compresses well is refused before it begins.
 */
export const planCompressed = (
  engine: Engine,
  options: WriteOptions | undefined,
  size: number | undefined
): UploadPlan | ObjectStoreError => {
  const { maxObjectSize } = engine.backend.capabilities
  // An original does not grow by more, whatever is in it.
  const most = size === undefined || size > maxObjectSize || options?.partSize !== undefined
    ? size
    : Math.min(Math.ceil(size * 1.03) + 64 * 1024, maxObjectSize)
  return planUpload(engine, options, most)
}

/** What a compressed write answers. */
export interface Written {
  readonly reply: WriteReply
  readonly compression: CompressSummary
}

/** Compresses a body into one object, in the scope at hand. `size` is the original's, where it is known. */
export const writeCompressed = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  body: Stream.Stream<Uint8Array, ObjectStoreError>,
  object: ObjectOptions,
  plan: UploadPlan,
  settings: {
    readonly compression: CompressionOptions
    readonly onProgress: WriteOptions["onProgress"]
    readonly size: number | undefined
    readonly always: boolean
  },
  left: Leftovers
): Effect.fn.Return<Written, ObjectStoreError, Scope.Scope> {
  const { compression, onProgress, size } = settings
  let summary: CompressSummary | undefined
  // Metadata go with the first request of a write: what fits into one is marked with all that is known in the end.
  const { frameSize, level, mark = true } = compression
  // Where they tell no size, a table tells that nothing was cut off, also of a single frame.
  let unsized = false
  const labels = () => {
    if (!mark) return object
    unsized = summary === undefined && size === undefined
    return withMark(engine.backend.capabilities, object, summary ?? { size })
  }
  let taken = 0
  // Progress is that of the original, told when a part of what became of it was stored.
  const progress = onProgress === undefined
    ? undefined
    : () => Effect.suspend(() => report(onProgress, { bytes: taken, total: size }))
  const session = yield* openSession(engine, place, labels, plan, { onProgress: progress }, settings.always, left)
  const onSummary = (found: CompressSummary) =>
    Effect.sync(() => {
      summary = found
    })
  yield* session.writeFrom(body.pipe(
    Stream.map((chunk) => {
      taken += chunk.length
      return chunk
    }),
    compressStream({ frameSize, level, onSummary }, () => unsized),
    Stream.mapError((error) => withContext(error, { outcome: error.outcome ?? "not-applied" }))
  ))
  const reply = yield* session.finish
  if (summary === undefined) return yield* Effect.die(new Error("the compressor told no summary"))
  return { reply, compression: summary }
})

/** A chunk on its way from a writer to the compressor. */
interface Item {
  readonly chunk: Uint8Array
  /** The compressor has asked for the next one, so it has copied this one. */
  readonly taken: Deferred.Deferred<void>
}

/** Chunks that are pushed, as a stream: whoever pushes one waits until it has been taken. */
const makeFeed = Effect.map(Queue.unbounded<Item, Cause.Done>(), (queue) => {
  let current: Item | undefined
  const next = Effect.suspend(() => {
    if (current !== undefined) Deferred.doneUnsafe(current.taken, Exit.void)
    current = undefined
    return Effect.map(Queue.take(queue), (item) => {
      current = item
      return [item.chunk] as const
    })
  })
  return {
    stream: Stream.fromPull(Effect.succeed(next)),
    write: (chunk: Uint8Array): Effect.Effect<void> =>
      Effect.suspend(() => {
        const item: Item = { chunk, taken: Deferred.makeUnsafe() }
        return Effect.andThen(Queue.offer(queue, item), Deferred.await(item.taken))
      }),
    end: Queue.end(queue)
  }
})

/** A writer in a scope, which publishes on `finish`; `run` writes what it is fed. */
export const openCompressed = Effect.fnUntraced(function*(
  engine: Engine,
  run: (body: Stream.Stream<Uint8Array>) => Effect.Effect<Written, ObjectStoreError, Scope.Scope>
) {
  const scope = yield* Effect.scope
  const feed = yield* makeFeed
  const failed = Deferred.makeUnsafe<never, ObjectStoreError>()
  const turn = Semaphore.makeUnsafe(1)
  const fiber = yield* run(feed.stream).pipe(
    Effect.onError((cause) => Deferred.failCause(failed, cause)),
    Effect.forkIn(scope, { startImmediately: true })
  )
  let state: "open" | "finished" | "broken" = "open"

  const refuse = (description: string): Effect.Effect<never, ObjectStoreError> =>
    Effect.fail(makeError("InvalidRequest", {
      operation: "write",
      backend: engine.backend.name,
      description,
      outcome: "not-applied"
    }))

  const begin = Effect.suspend(() => {
    if (state === "finished") return refuse("the writer has finished")
    if (scope.state._tag === "Closed") return refuse("the writer's scope has closed")
    if (Deferred.isDoneUnsafe(failed)) return Deferred.await(failed)
    return state === "broken"
      ? refuse("an earlier write failed or was interrupted, so bytes are missing")
      : Effect.void
  })

  return {
    write: (chunk: Uint8Array): Effect.Effect<void, ObjectStoreError> =>
      turn.withPermits(1)(Effect.andThen(
        begin,
        Effect.raceFirst(feed.write(chunk), Deferred.await(failed)).pipe(
          Effect.onExit((exit) =>
            Effect.sync(() => {
              if (Exit.isFailure(exit)) state = "broken"
            })
          )
        )
      )),
    finish: turn.withPermits(1)(Effect.andThen(
      begin,
      Effect.suspend(() => {
        state = "finished"
        return Effect.andThen(feed.end, Fiber.join(fiber)).pipe(
          // What is not waited for any more must not be published later.
          Effect.onInterrupt(() => Fiber.interrupt(fiber))
        )
      })
    ))
  }
})
