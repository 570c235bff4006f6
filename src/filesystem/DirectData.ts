/**
 * O_DIRECT: bytes travel between the disk and page-aligned memory, past the page cache.
 *
 * A file is seen as blocks of the alignment. Whole blocks travel by O_DIRECT. A block that a write covers in part (its
 * first and last one, at most) is written through a second, buffered descriptor of the same file: the kernel merges such
 * pieces in its page cache, so two neighbours that share a block may be written side by side, and it keeps the two ways
 * coherent because no block is written both ways. Reads take whole blocks and copy what was asked.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs"
import { isAligned, type SlotPool } from "./AlignedMemory.ts"
import * as Calls from "./calls.ts"
import type { DataPath, FileWriter } from "./DataPath.ts"

/** Calls in flight of one `readInto` or `write`. */
const inFlight = 2

/**
 * Most bytes of a call that needs no slot: each call costs the processor about as much as 2 MiB of transfer. This is also
 * what an interruption may have to wait for.
 */
const straightSize = 16 * 1024 * 1024

/** Aligned memory shorter than this goes through a slot as well: a copy is cheaper than two more system calls. */
const straightMinimum = 256 * 1024

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = NodeFs.constants

/** What the data path is made of. */
export interface DirectDataOptions {
  readonly pool: SlotPool
  /** Offsets, lengths and memory are multiples of it: a multiple of the page size. Slots are a multiple of it too. */
  readonly alignment: number
  /** The flag that asks for O_DIRECT, which `node:fs` knows on Linux alone. */
  readonly flag: number
}

/** A run of bytes between two offsets of a file; `straight` ones need no slot. */
interface Piece {
  readonly from: number
  readonly to: number
  readonly straight: boolean
}

/** Makes the data path of `direct://`. */
export const makeDirectData = ({ alignment, flag, pool }: DirectDataOptions): DataPath => {
  const down = (offset: number): number => offset - offset % alignment
  const up = (offset: number): number => down(offset + alignment - 1)

  const cut = (pieces: Array<Piece>, from: number, to: number, straight: boolean): void => {
    for (let at = from; at < to;) {
      const end = Math.min(to, down(at) + (straight ? straightSize : pool.slotSize))
      pieces.push({ from: at, to: end, straight })
      at = end
    }
  }

  /** The calls that move `memory` to or from `offset`. With `apart`, edges and whole blocks never share a call. */
  const piecesOf = (offset: number, memory: Uint8Array, apart: boolean): Array<Piece> => {
    const pieces: Array<Piece> = []
    const end = offset + memory.length
    const first = up(offset)
    const last = down(end)
    const straight = last - first >= straightMinimum && isAligned(memory, first - offset, alignment)
    if (straight || (apart && first < last)) {
      cut(pieces, offset, first, false)
      cut(pieces, first, last, straight)
      cut(pieces, last, end, false)
    } else {
      cut(pieces, offset, end, false)
    }
    return pieces
  }

  /**
   * Reads whole blocks until `wanted` bytes are there or the file ends. Only the same odd count twice is taken for the
   * end: a call may answer less than asked for other reasons.
   */
  const readBlocks = Effect.fnUntraced(
    function*(fd: number, memory: Uint8Array, at: number, wanted: number, position: number) {
      const length = up(wanted)
      let done = 0
      let odd = 0
      for (;;) {
        const count = yield* uninterrupted(Calls.read(fd, memory, at + done, length - done, position + done))
        if (count === 0 || count === odd || done + count >= wanted) return done + count
        odd = count % alignment
        done += count - odd
      }
    }
  )

  const readPiece = (fd: number, offset: number, target: Uint8Array, { from, straight, to }: Piece) => {
    if (straight) return readBlocks(fd, target, from - offset, to - from, from)
    const start = down(from)
    const skip = from - start
    return pool.use((slot) =>
      Effect.map(readBlocks(fd, slot, 0, to - start, start), (count) => {
        const got = Math.min(count, to - start)
        if (got <= skip) return 0
        target.set(slot.subarray(skip, got), from - offset)
        return got - skip
      })
    )
  }

  const readInto: DataPath["readInto"] = (fd, offset, target) => {
    if (target.length === 0) return Effect.succeed(0)
    const pieces = piecesOf(offset, target, false)
    if (pieces.length === 1) return readPiece(fd, offset, target, pieces[0]!)
    return Effect.map(
      Effect.forEach(pieces, (piece) => readPiece(fd, offset, target, piece), { concurrency: inFlight }),
      (counts) => {
        let total = 0
        for (const [i, { from, to }] of pieces.entries()) {
          total += counts[i]!
          if (counts[i]! < to - from) break
        }
        return total
      }
    )
  }

  /** Writes all of it; `unit` is what a call that wrote less than asked is rounded down to before it goes on. */
  const writeAll = Effect.fnUntraced(
    function*(fd: number, memory: Uint8Array, at: number, length: number, position: number, unit: number) {
      let done = 0
      while (done < length) {
        const count = yield* uninterrupted(Calls.write(fd, memory, at + done, length - done, position + done))
        if (count < unit) return yield* shortWrite(count, length - done)
        done += count - count % unit
      }
    }
  )

  const writer = (buffered: number, direct: number): FileWriter => {
    const writeEdge = (from: number, body: Uint8Array, at: number, length: number) =>
      writeAll(buffered, body, at, length, from, 1)
    const writePiece = (offset: number, body: Uint8Array, { from, straight, to }: Piece) => {
      if (from % alignment !== 0 || to % alignment !== 0) return writeEdge(from, body, from - offset, to - from)
      if (straight) return writeAll(direct, body, from - offset, to - from, from, alignment)
      return pool.use((slot) => {
        slot.set(body.subarray(from - offset, to - offset))
        return writeAll(direct, slot, 0, to - from, from, alignment)
      })
    }
    return {
      fd: buffered,
      write: (offset, body) => {
        const pieces = piecesOf(offset, body, true)
        if (pieces.length === 1) return writePiece(offset, body, pieces[0]!)
        return Effect.forEach(pieces, (piece) => writePiece(offset, body, piece), {
          concurrency: inFlight,
          discard: true
        })
      },
      finish: Effect.fnUntraced(function*(size, durability) {
        const stat = yield* Calls.fstat(buffered)
        if (stat.size !== BigInt(size)) yield* Calls.ftruncate(buffered, size)
        if (durability === "file") yield* Calls.fdatasync(buffered)
        if (durability === "full") yield* Calls.fsync(buffered)
      })
    }
  }

  const openWriter: DataPath["openWriter"] = Effect.fnUntraced(function*(path, { create }) {
    // The buffered descriptor comes first, for a refused O_DIRECT leaves the file that it created.
    const flags = O_WRONLY | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0)
    const buffered = yield* Effect.acquireRelease(Calls.open(path, flags), Calls.closeQuietly)
    const direct = yield* Effect.acquireRelease(
      // The same file, whatever has the name by now.
      Calls.open(`/proc/self/fd/${buffered}`, O_WRONLY | flag),
      Calls.closeQuietly
    ).pipe(
      Effect.tapError(() => create ? Effect.ignore(Calls.unlink(path)) : Effect.void),
      Effect.mapError(refusedFlag)
    )
    return writer(buffered, direct)
  })

  return { io: "direct", readFlags: flag, readInto, openWriter }
}

/** Repeats a call that a signal ended before it began. */
const uninterrupted = <A>(call: Effect.Effect<A, Calls.Errno>): Effect.Effect<A, Calls.Errno> =>
  Effect.catchIf(call, (error) => error.code === "EINTR", () => uninterrupted(call))

/** The probe has seen a file system take O_DIRECT; one that is mounted below the root may not. */
const refusedFlag = (error: Calls.Errno): Calls.Errno =>
  error.code === "EINVAL"
    ? Object.assign(new Error("the file system does not take O_DIRECT", { cause: error }), {
      code: "ENOTSUP",
      syscall: "open"
    })
    : error

const shortWrite = (count: number, length: number): Effect.Effect<never, Calls.Errno> =>
  Effect.fail(
    Object.assign(new Error(`EIO: ${count} of ${length} bytes were written`), { code: "EIO", syscall: "write" })
  )
