/**
 * Turns content into tasks for the pool, in order: whole frames, pieces of large ones, and what is passed over.
 *
 * @internal
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { FrameHeader } from "./FrameHeader.ts"
import { type FrameEnd, type FrameEvent, makeFrameWalker } from "./frames.ts"
import { tableMagic, type WalkedFrame } from "./SeekTable.ts"
import { corrupt, exceeded, notBytes, unsupported } from "./zstdErrors.ts"
import type { DecompressPlan } from "./ZstdOptions.ts"
import type { ZstdPool } from "./ZstdPool.ts"
import type { DecompressAnswer, TaskFailure } from "./zstdProtocol.ts"

/** Content up to here is decompressed in one piece, and so beside other frames. */
const wholeSize = 16 * 1024 * 1024

/** What a table tells of the frames that are decompressed. */
export interface ExpectedFrames {
  readonly count: number
  readonly frame: (index: number) => WalkedFrame
}

/** Something to do. `end`: with it a frame ends. */
export type Step =
  | {
    readonly _tag: "Task"
    readonly run: Effect.Effect<DecompressAnswer, TaskFailure>
    readonly end: FrameEnd | undefined
  }
  | { readonly _tag: "Skipped"; readonly storedSize: number; readonly content: Uint8Array | undefined }
  | { readonly _tag: "Failed"; readonly error: ObjectStoreError }

const operation = "decompress"

/** Why a frame is not decompressed at all; `declared` is what the frames before it told of their sizes. */
const refusal = (
  { contentSize = 0, dictionary, windowSize }: FrameHeader,
  declared: number,
  { maxOutput, maxWindow }: DecompressPlan
): ObjectStoreError | undefined => {
  if (dictionary !== 0) return unsupported(operation, "dictionary", `a frame needs the dictionary ${dictionary}`)
  if (windowSize > maxWindow) {
    return exceeded(
      operation,
      "maxWindow",
      `a frame asks for a window of ${windowSize} bytes; ${maxWindow} are allowed`
    )
  }
  return declared + contentSize > maxOutput ? tooMuch(maxOutput) : undefined
}

export const tooMuch = (maxOutput: number): ObjectStoreError =>
  exceeded(operation, "maxOutput", `the original is larger than the ${maxOutput} bytes that are allowed`)

/** Makes steps of what the walker finds. */
const makeStepper = (pool: ZstdPool, plan: DecompressPlan, expected: ExpectedFrames | undefined) => {
  const windowLog = Math.ceil(Math.log2(plan.maxWindow))
  let header: FrameHeader | undefined
  let declared = 0
  let position = 0
  let session: { readonly id: number; next: number } | undefined

  /** A checksum that only the table has is taken of what comes out. */
  const hashWanted = (open: FrameHeader): boolean =>
    !open.hasChecksum && expected !== undefined && position < expected.count &&
    expected.frame(position).checksum !== undefined

  const whole = ({ end, frame }: FrameEvent & { readonly _tag: "Whole" }): Step => ({
    _tag: "Task",
    run: pool.run(
      { _tag: "Decompress", frame, size: end.size, windowLog, hash: hashWanted(end.header) },
      [frame.buffer],
      end.size + frame.length
    ),
    end
  })

  const piece = ({ blocks, end, most }: FrameEvent & { readonly _tag: "Blocks" }, open: FrameHeader): Step => {
    session ??= { id: pool.openSession(), next: 0 }
    const task = {
      _tag: "Blocks",
      session: session.id,
      sequence: session.next++,
      blocks,
      most,
      windowLog,
      last: end !== undefined,
      hash: hashWanted(open)
    } as const
    if (end !== undefined) session = undefined
    return { _tag: "Task", run: pool.run(task, [blocks.buffer], open.windowSize), end }
  }

  return {
    /** The step that an event asks for, if it asks for one. */
    step: (event: FrameEvent): Step | undefined => {
      switch (event._tag) {
        case "Begin": {
          header = event.header
          const error = refusal(header, declared, plan)
          declared += header.contentSize ?? 0
          return error === undefined ? undefined : { _tag: "Failed", error }
        }
        case "Whole": {
          const made = whole(event)
          position += 1
          return made
        }
        case "Blocks": {
          const made = piece(event, header!)
          if (event.end !== undefined) position += 1
          return made
        }
        case "Skipped":
          position += 1
          return event
        case "Corrupt":
          return { _tag: "Failed", error: corrupt(operation, event.description) }
      }
    },
    /** Gives up a frame that was begun. */
    close: (): void => {
      if (session !== undefined) pool.closeSession(session.id)
    }
  }
}

/** What there is to do for content, step by step; a failure is the last one. */
export const frameSteps =
  (pool: ZstdPool, plan: DecompressPlan, expected: ExpectedFrames | undefined) =>
  <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Step, E | ObjectStoreError, R> =>
    Stream.transformPull(
      self,
      Effect.fnUntraced(function*(pull, scope) {
        // Frames since the last table: a table behind them has as many entries.
        let frames = 0
        const walker = makeFrameWalker({
          wholeSize,
          keep: (magic, length) => magic === tableMagic && (length === 9 + 8 * frames || length === 9 + 12 * frames)
        })
        const stepper = makeStepper(pool, plan, expected)
        yield* Scope.addFinalizer(scope, Effect.sync(stepper.close))
        const state = { ended: false, over: false }

        const more = pull.pipe(
          Effect.flatMap((chunks) => {
            const wrong = notBytes(operation, chunks)
            if (wrong !== undefined) return wrong
            for (const chunk of chunks) walker.feed(chunk)
            return Effect.void
          }),
          Pull.catchDone(() =>
            Effect.sync(() => {
              state.ended = true
            })
          )
        )

        const count = (event: FrameEvent): void => {
          if (event._tag === "Skipped") frames = event.content === undefined ? frames + 1 : 0
          else if ((event._tag === "Whole" || event._tag === "Blocks") && event.end !== undefined) frames += 1
        }

        /** The next event; what is missing at the end is the last one. */
        const nextEvent: Pull.Pull<FrameEvent, E | ObjectStoreError> = Effect.gen(function*() {
          for (;;) {
            const event = walker.next()
            if (event !== undefined) return event
            if (state.ended) {
              const description = walker.end()
              return description === undefined ? yield* Cause.done() : { _tag: "Corrupt", description }
            }
            yield* more
          }
        })

        const next: Pull.Pull<Arr.NonEmptyReadonlyArray<Step>, E | ObjectStoreError> = Effect.gen(function*() {
          for (;;) {
            if (state.over) return yield* Cause.done()
            const event = yield* nextEvent
            count(event)
            const step = stepper.step(event)
            if (step === undefined) continue
            state.over = step._tag === "Failed"
            return [step] as const
          }
        })
        return next
      })
    )
