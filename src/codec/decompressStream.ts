/**
 * Decompresses frames: whole ones several at a time, large ones blocks by blocks; everything comes out in order, compared
 * with all that is known of it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { combineCrc32c } from "./combineCrc.ts"
import { printCrc32c } from "./Crc32c.ts"
import type { FrameEnd } from "./frames.ts"
import { type ExpectedFrames, frameSteps, type Step, tooMuch } from "./frameSteps.ts"
import { contradiction, type WalkedFrame } from "./SeekTable.ts"
import { corrupt as corruptIn, taskError } from "./zstdErrors.ts"
import { type DecompressOptions, type DecompressPlan, decompressPlan } from "./ZstdOptions.ts"
import { ZstdPool } from "./ZstdPool.ts"
import type { DecompressAnswer, TaskFailure } from "./zstdProtocol.ts"

const operation = "decompress"

const corrupt = (description: string): ObjectStoreError => corruptIn(operation, description)

/** Frames are remembered up to here, to be held against a table behind them. */
const maxWalked = 2 ** 20

/** A step, done. */
type Done =
  | Exclude<Step, { readonly _tag: "Task" }>
  | {
    readonly _tag: "Answered"
    readonly exit: Exit.Exit<DecompressAnswer, TaskFailure>
    readonly end: FrameEnd | undefined
  }

const perform = (step: Step): Effect.Effect<Done> =>
  step._tag === "Task"
    ? Effect.map(Effect.exit(step.run), (exit): Done => ({ _tag: "Answered", exit, end: step.end }))
    : Effect.succeed(step)

/** Compares what came with what headers, tables and the program tell of it. */
const makeComparison = ({ expected, maxOutput }: DecompressPlan, frames: ExpectedFrames | undefined) => {
  const summary = { size: 0, storedSize: 0, frames: 0, verified: true }
  let crc = 0
  /** Bytes of the frame that is coming out. */
  let frameSize = 0
  let index = 0
  /** All frames since the last table. */
  let walked: Array<WalkedFrame> = []

  const fitsTable = (frame: WalkedFrame): boolean => {
    if (frames === undefined) return true
    if (index >= frames.count) return false
    const { checksum, size, storedSize } = frames.frame(index)
    return storedSize === frame.storedSize && size === frame.size &&
      (checksum === undefined || frame.checksum === undefined || checksum === frame.checksum)
  }

  const endFrame = (frame: WalkedFrame): ObjectStoreError | undefined => {
    const fits = fitsTable(frame)
    index += 1
    summary.storedSize += frame.storedSize
    if (walked.length < maxWalked) walked.push(frame)
    return fits ? undefined : corrupt(`frame ${index} is not what the table tells of it`)
  }

  return {
    /** Some of a frame's content; with `end` the last of it. */
    onContent: (
      { crc32c, hash, output }: DecompressAnswer,
      end: FrameEnd | undefined
    ): ObjectStoreError | undefined => {
      if (summary.size + output.length > maxOutput) return tooMuch(maxOutput)
      crc = combineCrc32c(crc, crc32c, output.length)
      summary.size += output.length
      frameSize += output.length
      if (end === undefined) return undefined
      const size = frameSize
      frameSize = 0
      summary.frames += 1
      const told = end.header.contentSize
      if (told !== undefined && told !== size) return corrupt(`a frame tells of ${told} bytes and has ${size}`)
      const checksum = end.checksum ?? hash
      if (checksum === undefined && size > 0) summary.verified = false
      return endFrame({ storedSize: end.storedSize, size, checksum })
    },
    onSkipped: ({ content, storedSize }: Step & { readonly _tag: "Skipped" }): ObjectStoreError | undefined => {
      const wrong = content === undefined || walked.length === maxWalked ? undefined : contradiction(content, walked)
      if (wrong !== undefined) return corrupt(wrong)
      const error = endFrame({ storedSize, size: 0, checksum: undefined })
      if (content !== undefined) walked = []
      return error
    },
    onEnd: () => {
      const found = { ...summary, crc32c: printCrc32c(crc) }
      if (frames !== undefined && index < frames.count) return corrupt(`only ${index} of ${frames.count} frames came`)
      if (expected?.size !== undefined && expected.size !== found.size) {
        return corrupt(`the original has ${found.size} bytes in place of ${expected.size}`)
      }
      if (expected?.crc32c !== undefined && expected.crc32c !== found.crc32c) {
        return corrupt(`the crc32c of the original is ${found.crc32c} in place of ${expected.crc32c}`)
      }
      return found
    }
  }
}

const nothing = new Uint8Array(0)

/**
 * See `Zstd.decompressStream`. With `frames`, these and no others have to come. `onContent` runs before each piece of content is
 * given out, and is told whether its frame ends with it, and so was compared.
 */
export const decompressFrames =
  (options: DecompressOptions | undefined, frames?: ExpectedFrames, onContent?: (ends: boolean) => void) =>
  <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E | ObjectStoreError, R> =>
    Stream.unwrap(Effect.gen(function*() {
      const pool = yield* ZstdPool
      const plan = yield* decompressPlan(options, pool.threads)
      const comparison = makeComparison(plan, frames)

      const contentOf = Effect.fnUntraced(function*(done: Done): Effect.fn.Return<Uint8Array, ObjectStoreError> {
        if (done._tag === "Failed") return yield* done.error
        if (done._tag === "Skipped") {
          const error = comparison.onSkipped(done)
          return error === undefined ? nothing : yield* error
        }
        const answer = yield* Effect.mapError(done.exit, (failure) => taskError(operation, failure))
        const error = comparison.onContent(answer, done.end)
        if (error !== undefined) return yield* error
        onContent?.(done.end !== undefined)
        return answer.output
      })

      const contents = self.pipe(
        frameSteps(pool, plan, frames),
        Stream.mapEffect(perform, { concurrency: plan.concurrency }),
        Stream.mapEffect(contentOf),
        Stream.filter((content) => content.length > 0)
      )

      const end = Effect.suspend(() => {
        const found = comparison.onEnd()
        if ("reason" in found) return Effect.fail(found)
        return options?.onSummary === undefined ? Effect.void : options.onSummary(found)
      })

      return Stream.concat(contents, Stream.drain(Stream.fromEffect(end)))
    }))
