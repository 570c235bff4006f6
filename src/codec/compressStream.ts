/**
 * Compresses content to frames that stand by themselves, several at a time, and a table of them.
 *
 * @internal
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { combineCrc32c } from "./combineCrc.ts"
import { crc32c, printCrc32c } from "./Crc32c.ts"
import { parseFrameHeader } from "./FrameHeader.ts"
import { printSeekTable, type SeekTableEntry } from "./SeekTable.ts"
import { corrupt, notBytes, taskError } from "./zstdErrors.ts"
import { compressMemory } from "./zstdMemory.ts"
import { type CompressOptions, compressPlan } from "./ZstdOptions.ts"
import { ZstdPool } from "./ZstdPool.ts"

type Bytes = Uint8Array<ArrayBuffer>

/** The original of one frame: the first `length` bytes of memory that belongs to us. */
interface Original {
  readonly memory: Bytes
  readonly length: number
}

/** Copied at a time; other fibers have a turn between. */
const copyStep = 4 * 1024 * 1024
const firstMemory = 64 * 1024

/**
 * Cuts a stream of bytes into the originals of frames: `frameSize` bytes each, but the last. What comes is copied at once, for
 * it may be used again by whoever made it. An empty stream is one empty original. `free` is memory to use.
 */
const cut = (frameSize: number, free: Array<Bytes>) => <E, R>(self: Stream.Stream<Uint8Array, E, R>) =>
  Stream.transformPull(self, (pull) => {
    const rest: Array<Uint8Array> = []
    let frames = 0
    let ended = false

    const more = pull.pipe(
      Effect.flatMap((chunks) => {
        const wrong = notBytes("compress", chunks)
        if (wrong !== undefined) return wrong
        for (const chunk of chunks) if (chunk.length > 0) rest.push(chunk)
        return Effect.void
      }),
      Pull.catchDone(() =>
        Effect.sync(() => {
          ended = true
        })
      )
    )

    const next: Pull.Pull<Arr.NonEmptyReadonlyArray<Original>, E | ObjectStoreError> = Effect.gen(function*() {
      let memory = free.pop() ?? new Uint8Array(Math.min(frameSize, firstMemory))
      let length = 0
      while (length < frameSize) {
        const chunk = rest[0]
        if (chunk === undefined) {
          if (ended) break
          yield* more
          continue
        }
        const count = Math.min(chunk.length, frameSize - length, copyStep)
        if (length + count > memory.length) {
          const larger = new Uint8Array(Math.min(frameSize, Math.max(2 * memory.length, length + count)))
          larger.set(memory.subarray(0, length))
          memory = larger
        }
        memory.set(chunk.subarray(0, count), length)
        length += count
        if (count === chunk.length) rest.shift()
        else rest[0] = chunk.subarray(count)
        if (count === copyStep) yield* Effect.yieldNow
      }
      if (length === 0 && frames > 0) return yield* Cause.done()
      frames += 1
      return [{ memory, length }] as const
    })
    return Effect.succeed(next)
  })

/** What is known of content when all of it was compressed. */
const makeTotals = () => {
  const entries: Array<SeekTableEntry> = []
  const state = { size: 0, storedSize: 0, crc: 0, storedCrc: 0 }
  const addStored = (length: number, sum: number): void => {
    state.storedCrc = combineCrc32c(state.storedCrc, sum, length)
    state.storedSize += length
  }
  return {
    entries,
    state,
    addStored,
    addFrame: (entry: SeekTableEntry, sum: number, storedSum: number): void => {
      entries.push(entry)
      state.crc = combineCrc32c(state.crc, sum, entry.size)
      state.size += entry.size
      addStored(entry.storedSize, storedSum)
    }
  }
}

/** The frame's checksum of its content. A library that did not write it, or another size, would be found here. */
const checksumOf = (frame: Bytes, size: number): number | undefined => {
  const header = parseFrameHeader(frame)
  if (header === undefined || typeof header === "string" || !header.hasChecksum || header.contentSize !== size) {
    return undefined
  }
  return new DataView(frame.buffer, frame.byteOffset + frame.length - 4, 4).getUint32(0, true)
}

/** See `Zstd.compressStream`. `marks` is asked at the end whether a single frame gets a table, too. */
export const compressStream =
  (options?: CompressOptions, marks: () => boolean = () => false) =>
  <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E | ObjectStoreError, R> =>
    Stream.unwrap(Effect.gen(function*() {
      const pool = yield* ZstdPool
      const { concurrency, frameSize, level, onSummary, seekable } = yield* compressPlan(options, pool)
      const free: Array<Bytes> = []
      const totals = makeTotals()

      const compressFrame = ({ length, memory }: Original) =>
        pool.run(
          { _tag: "Compress", input: memory, length, level },
          [memory.buffer],
          compressMemory(level, length)
        ).pipe(
          Effect.map((answer) => {
            if (answer.input.length === frameSize && free.length < concurrency) free.push(answer.input)
            return { ...answer, length }
          }),
          Effect.mapError((failure) => taskError("compress", failure)),
          Effect.exit
        )

      const frames = self.pipe(
        cut(frameSize, free),
        Stream.mapEffect(compressFrame, { concurrency }),
        Stream.mapEffect(Effect.fnUntraced(function*(exit) {
          const { crc32c: sum, length, output, storedCrc32c } = yield* exit
          const checksum = checksumOf(output, length)
          if (checksum === undefined) return yield* corrupt("compress", "the library made a frame without its checksum")
          totals.addFrame({ storedSize: output.length, size: length, checksum }, sum, storedCrc32c)
          return output
        }))
      )

      const end = Stream.suspend(() => {
        const withTable = seekable && (totals.entries.length > 1 || marks())
        const table = withTable ? printSeekTable(totals.entries) : new Uint8Array(0)
        totals.addStored(table.length, crc32c(table))
        const { crc, size, storedCrc, storedSize } = totals.state
        const summary = {
          size,
          storedSize,
          ratio: size === 0 ? 1 : storedSize / size,
          frames: totals.entries.length,
          seekable: withTable,
          crc32c: printCrc32c(crc),
          storedCrc32c: printCrc32c(storedCrc)
        }
        // The summary is known before the last bytes are handed on, so that who gets them has it.
        const told = onSummary === undefined ? Effect.void : onSummary(summary)
        return withTable ? Stream.fromEffect(Effect.as(told, table)) : Stream.drain(Stream.fromEffect(told))
      })

      return Stream.concat(frames, end)
    }))
