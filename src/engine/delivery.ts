/**
 * What is delivered of content whose bytes come as a stream: compared, limited and told of, into memory or on.
 *
 * @internal
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { ReaderReadOptions } from "../ObjectStoreOptions.ts"
import type { Engine } from "./engine.ts"
import { allocateOrFail } from "./memory.ts"
import type { Delivery } from "./original.ts"
import { report } from "./progress.ts"
import { checkSize } from "./read.ts"
import { makeSpanCheck } from "./spanCheck.ts"
import { tooLarge } from "./upload.ts"

/** Holds a delivery to what was asked of it: its limit, its checksums, and who watches it. */
export const held = (
  engine: Engine,
  delivery: Delivery,
  options: ReaderReadOptions | undefined
): Effect.Effect<Delivery, ObjectStoreError> =>
  Effect.as(checkSize(engine, delivery.length ?? 0, options?.maxSize), {
    ...delivery,
    content: watched(engine, delivery, options)
  })

const watched = (
  engine: Engine,
  { content, length: total }: Delivery,
  options: ReaderReadOptions | undefined
): Delivery["content"] => {
  const { expected, maxSize = Number.MAX_SAFE_INTEGER, onProgress } = options ?? {}
  if (expected === undefined && onProgress === undefined && maxSize === Number.MAX_SAFE_INTEGER) return content
  return Stream.transformPull(
    content,
    Effect.fnUntraced(function*(pull) {
      const check = expected === undefined ? undefined : yield* makeSpanCheck(engine, expected)
      let bytes = 0
      let ended = false
      // The last chunk waits until all are compared, so that nobody can take it for the end.
      let last: Uint8Array | undefined

      const take = Effect.fnUntraced(function*(chunks: ReadonlyArray<Uint8Array>) {
        for (const chunk of chunks) {
          check?.add(bytes, chunk)
          bytes += chunk.length
          yield* checkSize(engine, bytes, maxSize)
          yield* report(onProgress, { bytes, total })
        }
        if (check === undefined) return chunks
        const ready = last === undefined ? chunks.slice(0, -1) : [last, ...chunks.slice(0, -1)]
        last = chunks.at(-1)
        return ready
      })

      const next: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, ObjectStoreError> = Effect.gen(function*() {
        for (;;) {
          if (ended) return yield* Cause.done()
          const chunks = yield* Pull.catchDone(pull, () => Effect.succeed(undefined))
          if (chunks === undefined) {
            ended = true
            yield* check?.verify ?? Effect.void
            if (last !== undefined) return [last] as const
            continue
          }
          const [first, ...rest] = yield* take(chunks)
          if (first !== undefined) return [first, ...rest] as const
        }
      })
      return next
    })
  )
}

const differs = (engine: Engine, description: string): ObjectStoreError =>
  makeError("IntegrityFailed", { operation: "read", backend: engine.backend.name, description })

/** Delivers into the start of memory; answers the number of bytes. */
export const intoTarget = Effect.fnUntraced(function*(
  engine: Engine,
  { content, length }: Delivery,
  target: Uint8Array
): Effect.fn.Return<number, ObjectStoreError> {
  const tooSmall = (bytes: number) =>
    tooLarge(engine, "target", `${bytes} bytes do not fit into a target of ${target.length}`)
  if (length !== undefined && length > target.length) return yield* tooSmall(length)
  let done = 0
  yield* Stream.runForEachArray(content, (chunks) =>
    Effect.suspend(() => {
      for (const chunk of chunks) {
        if (done + chunk.length > target.length) return Effect.fail(tooSmall(done + chunk.length))
        target.set(chunk, done)
        done += chunk.length
      }
      return Effect.void
    }))
  return done
})

/** Delivers into memory of its own: allocated once, where the length is known. */
export const intoMemory = Effect.fnUntraced(function*(
  engine: Engine,
  delivery: Delivery
): Effect.fn.Return<Uint8Array, ObjectStoreError> {
  const { content, length } = delivery
  if (length !== undefined) {
    const target = yield* allocateOrFail(engine, length)
    const wrong = (description: string) => differs(engine, `${description}, it should have ${length} bytes`)
    const done = yield* Effect.mapError(
      intoTarget(engine, delivery, target),
      // The memory is what the object told of itself.
      (error) =>
        error.reason._tag === "LimitExceeded" && error.reason.limit === "target"
          ? wrong("the original runs over")
          : error
    )
    return done === length ? target : yield* wrong(`the original ended after ${done} bytes`)
  }
  const chunks: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEach(content, (chunk) =>
    Effect.sync(() => {
      chunks.push(chunk)
      size += chunk.length
    }))
  if (chunks.length === 1) return chunks[0]!
  const target = yield* allocateOrFail(engine, size)
  let done = 0
  for (const chunk of chunks) {
    target.set(chunk, done)
    done += chunk.length
  }
  return target
})
