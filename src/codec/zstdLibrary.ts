/**
 * The two libraries that compress, behind one interface. They run on the thread that calls them, so only the pool's threads
 * do.
 *
 * @internal
 */
import { createRequire } from "node:module"
import * as NodeZlib from "node:zlib"
import type * as Napi from "zstd-napi/binding.js"
import type { FailureKind, ZstdLibraryName } from "./zstdProtocol.ts"

type Bytes = Uint8Array<ArrayBuffer>

/** What went wrong in a library, in one line. Thrown: the library's thread knows no Effect. */
export type LibraryError = Error & { readonly kind: FailureKind }

export const libraryError = (kind: FailureKind, message: string): LibraryError =>
  Object.assign(new Error(message), { kind })

export const isLibraryError = (u: unknown): u is LibraryError => u instanceof Error && "kind" in u

/** Decodes one frame, blocks by blocks. `done` is called once for each call. */
export interface Decoder {
  readonly decode: (
    blocks: Bytes,
    most: number,
    last: boolean,
    done: (result: Bytes | LibraryError) => void
  ) => void
  readonly close: () => void
}

export interface ZstdLibrary {
  readonly name: ZstdLibraryName
  readonly version: string
  /** One frame, with the size and the checksum of its content. `abandoned` is asked now and then. */
  readonly compress: (input: Bytes, level: number, abandoned: () => boolean) => Bytes
  /** The content of a whole frame, `size` bytes. */
  readonly decompress: (frame: Bytes, size: number, windowLog: number) => Bytes
  readonly decoder: (windowLog: number) => Decoder
}

const wrongSize = (size: number): LibraryError =>
  libraryError("corrupt", `the frame's content has not the ${size} bytes that its header tells`)

const tooMuch = (): LibraryError => libraryError("corrupt", "blocks gave more than blocks may hold")

/** An error of either library, by its text: the addon gives zstd's text alone, Node puts its own code beside it. */
const explain = (error: unknown): LibraryError => {
  if (isLibraryError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  if (/allocation|memory_allocation|ERR_MEMORY/i.test(`${message} ${code}`)) return libraryError("memory", message)
  if (/too much memory|windowTooLarge/i.test(`${message} ${code}`)) return libraryError("window", message)
  return libraryError("corrupt", message)
}

const attempt = <A>(run: () => A): A => {
  try {
    return run()
  } catch (error) {
    throw explain(error)
  }
}

/** Fresh memory; it is overwritten completely, so it is not cleared first. */
const allocate = (length: number): Bytes => {
  const buffer = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, length)
}

/** Up to here a frame of the default size is done in milliseconds, and takes its whole input at once. */
const maxQuickLevel = 12
const slice = 128 * 1024

/** The addon; throws if it cannot be loaded. */
export const loadNapi = (): ZstdLibrary => {
  const zstd = createRequire(import.meta.url)("zstd-napi/binding.js") as typeof Napi
  const context = new zstd.CCtx()
  const whole = new zstd.DCtx()
  let scratch: Bytes = new Uint8Array(0)
  const atLeast = (length: number): Bytes => {
    if (scratch.length < length) scratch = new Uint8Array(length)
    return scratch
  }
  const compress: ZstdLibrary["compress"] = (input, level, abandoned) => {
    context.reset(zstd.ResetDirective.sessionAndParameters)
    context.setParameter(zstd.CParameter.compressionLevel, level)
    context.setParameter(zstd.CParameter.checksumFlag, 1)
    context.setPledgedSrcSize(input.length)
    const target = atLeast(zstd.compressBound(input.length))
    const step = level <= maxQuickLevel ? input.length : slice
    let [read, written] = [0, 0]
    for (;;) {
      const end = Math.min(read + step, input.length)
      const directive = end === input.length ? zstd.EndDirective.end : zstd.EndDirective.continue
      const [left, produced, consumed] = context.compressStream2(
        target.subarray(written),
        input.subarray(read, end),
        directive
      )
      read += consumed
      written += produced
      if (directive === zstd.EndDirective.end && left === 0) return target.slice(0, written)
      if (abandoned()) throw libraryError("abandoned", "nobody waits for the frame")
    }
  }
  const decompress: ZstdLibrary["decompress"] = (frame, size) => {
    const target = allocate(size)
    if (whole.decompress(target, frame) !== size) throw wrongSize(size)
    return target
  }
  const decodeWith = (decoder: Napi.DCtx, blocks: Bytes, most: number, last: boolean): Bytes => {
    // One byte more than there can be, so that too much is seen.
    const target = atLeast(most + 1)
    let [read, written, left] = [0, 0, 1]
    for (;;) {
      const [more, produced, consumed] = decoder.decompressStream(
        target.subarray(written, most + 1),
        blocks.subarray(read)
      )
      left = more
      read += consumed
      written += produced
      if (written > most) throw tooMuch()
      // Output that it holds back comes without further input.
      if (left === 0 || (produced === 0 && consumed === 0)) break
    }
    if ((left === 0) !== last || read !== blocks.length) {
      throw libraryError("corrupt", "the frame does not end where its blocks say")
    }
    return target.slice(0, written)
  }
  return {
    name: "zstd-napi",
    version: zstd.versionString(),
    compress: (...args) => attempt(() => compress(...args)),
    decompress: (...args) => attempt(() => decompress(...args)),
    decoder: (windowLog) => {
      const decoder = new zstd.DCtx()
      decoder.setParameter(zstd.DParameter.windowLogMax, windowLog)
      return {
        decode: (blocks, most, last, done) => {
          let result: Bytes | LibraryError
          try {
            result = decodeWith(decoder, blocks, most, last)
          } catch (error) {
            result = explain(error)
          }
          done(result)
        },
        close: () => undefined
      }
    }
  }
}

const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel, ZSTD_d_windowLogMax } = NodeZlib.constants

const owned = (buffer: Buffer): Bytes =>
  buffer.length === buffer.buffer.byteLength
    ? new Uint8Array(buffer.buffer as ArrayBuffer)
    : Uint8Array.prototype.slice.call(buffer) as Bytes

/** Node would ask for its output in pieces of 16 KiB, at two to three times the cost. */
const chunkSize = 1024 * 1024

/** What Node has of its own; throws where it has no zstd. */
export const loadZlib = (): ZstdLibrary => {
  const version = process.versions["zstd"]
  if (version === undefined) throw libraryError("library", `Node ${process.versions.node} has no zstd of its own`)
  return {
    name: "node:zlib",
    version,
    compress: (input, level) =>
      attempt(() =>
        owned(NodeZlib.zstdCompressSync(input, {
          chunkSize,
          params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 }
        }))
      ),
    decompress: (frame, size, windowLog) =>
      attempt(() => {
        const content = owned(NodeZlib.zstdDecompressSync(frame, {
          chunkSize: Math.max(size, 64),
          maxOutputLength: Math.max(size, 1),
          params: { [ZSTD_d_windowLogMax]: windowLog }
        }))
        if (content.length !== size) throw wrongSize(size)
        return content
      }),
    decoder: (windowLog) => {
      const stream = NodeZlib.createZstdDecompress({ chunkSize, params: { [ZSTD_d_windowLogMax]: windowLog } })
      let chunks: Array<Buffer> = []
      let length = 0
      let finish: ((result: Bytes | LibraryError) => void) | undefined
      const settle = (result: Bytes | LibraryError): void => {
        const done = finish
        finish = undefined
        done?.(result)
      }
      const collected = (): Bytes => {
        const bytes = allocate(length)
        let at = 0
        for (const chunk of chunks) {
          bytes.set(chunk, at)
          at += chunk.length
        }
        chunks = []
        length = 0
        return bytes
      }
      // Over all pieces: what a piece gives may come with the next one.
      let [produced, limit] = [0, 0]
      stream.on("data", (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        produced += chunk.length
        if (produced > limit) stream.destroy(tooMuch())
      })
      let failed: LibraryError | undefined
      stream.on("error", (error) => {
        failed = explain(error)
        settle(failed)
      })
      stream.on("end", () => settle(collected()))
      return {
        decode: (blocks, most, last, done) => {
          if (failed !== undefined) return done(failed)
          limit += most
          finish = done
          // A failure comes as the event; the callback then says it again.
          if (last) stream.end(blocks)
          else stream.write(blocks, (error) => error ? settle(explain(error)) : settle(collected()))
        },
        close: () => {
          stream.destroy()
        }
      }
    }
  }
}
