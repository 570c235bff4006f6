/**
 * Copies of one object, compared with their sources.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeZlib from "node:zlib"
import { withoutMark } from "../codec/compressionMark.ts"
import { printCrc32c } from "../codec/Crc32c.ts"
import { agree, compared } from "../codec/Sum.ts"
import type * as Zstd from "../codec/Zstd.ts"
import { carriedTo } from "../labels.ts"
import type { Checksums, PutResult } from "../ObjectInfo.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { TransferOptions, WriteOptions } from "../ObjectStoreOptions.ts"
import { type CompressionFlags, levelOf, readingOf, type Sizes } from "./compression.ts"
import { at, type Ref } from "./stores.ts"

/** How copies are made. */
export interface CopySettings extends TransferOptions, CompressionFlags {
  readonly verify: "checksum" | "size"
}

/** How a copy was compared: by the store's own checksum, by reading it back (decompressed: `crc32c`), or by size alone. */
export type Compared = "checksum" | "crc32" | "crc32c" | "size"

/** A copy that was made. */
export interface Copied {
  readonly size: number
  readonly compared: Compared
  readonly etag?: string | undefined
  /** Of what was compressed or decompressed. */
  readonly sizes?: Sizes | undefined
}

/** The sum of what has run through a stream. */
interface Tally {
  crc32: number
  bytes: number
}

const tallied = <E>(stream: Stream.Stream<Uint8Array, E>, tally: Tally): Stream.Stream<Uint8Array, E> =>
  Stream.map(stream, (chunk) => {
    tally.crc32 = NodeZlib.crc32(chunk, tally.crc32)
    tally.bytes += chunk.length
    return chunk
  })

const sumOf = Effect.fnUntraced(function*(ref: Ref, etag: string | undefined, settings: CopySettings) {
  const tally: Tally = { crc32: 0, bytes: 0 }
  const body = ref.tree.store.stream(at(ref), { ...transfer(settings), ...pinned(ref, etag) })
  yield* Stream.runDrain(tallied(body, tally))
  return tally
})

const transfer = ({ concurrency, partSize }: CopySettings): TransferOptions => ({ concurrency, partSize })

const differs = (ref: Ref, description: string, outcome: "applied" | "not-applied"): ObjectStoreError =>
  makeError("IntegrityFailed", { operation: "verify", backend: "cli", uri: at(ref), description, outcome })

const pinned = (ref: Ref, etag: string | undefined) =>
  ref.tree.store.capabilities.conditionalRead && etag !== undefined ? { ifMatch: etag } : {}

/** Whether what the store keeps of a copy agrees with what is known of the source; `undefined` if it tells nothing. */
const agrees = (to: Ref, known: Checksums, etag: string | undefined) =>
  Effect.map(to.tree.store.stat(at(to), pinned(to, etag)), ({ checksums }) => agree(known, checksums))

const compare = Effect.fnUntraced(function*(
  to: Ref,
  sent: { readonly bytes: number; readonly known: Checksums; readonly sum: Effect.Effect<Tally, ObjectStoreError> },
  written: PutResult,
  settings: CopySettings
) {
  if (written.size !== sent.bytes) {
    return yield* differs(to, `the copy has ${written.size} bytes, the source ${sent.bytes}`, "applied")
  }
  const done = { size: sent.bytes, etag: written.etag }
  if (written.verified === "checksum") return { ...done, compared: "checksum" } satisfies Copied
  if (settings.verify === "size") return { ...done, compared: "size" } satisfies Copied
  switch (yield* agrees(to, sent.known, written.etag)) {
    case true:
      return { ...done, compared: "checksum" } satisfies Copied
    case false:
      return yield* differs(to, "the store has another checksum of the copy than of the source", "applied")
    case undefined: {
      const [source, stored] = [yield* sent.sum, yield* sumOf(to, written.etag, settings)]
      if (stored.bytes !== source.bytes || stored.crc32 !== source.crc32) {
        return yield* differs(to, "the copy differs from what was read of the source", "applied")
      }
      return { ...done, compared: "crc32" } satisfies Copied
    }
  }
})

/** What a tally says of bytes, as services write it. */
const known = ({ crc32 }: Tally): Checksums => ({ crc32: printCrc32c(crc32) })

/** Copies an object inside its store. */
const copyInside = Effect.fnUntraced(function*(from: Ref, to: Ref, settings: CopySettings) {
  const { store } = from.tree
  const info = yield* store.stat(at(from))
  const written = yield* store.copy(
    at(from),
    at(to),
    store.capabilities.conditionalCopySource && info.etag !== undefined ? { ifMatch: info.etag } : {}
  )
  const sum = sumOf(from, info.etag, settings)
  return yield* compare(to, { bytes: info.size, known: info.checksums, sum }, written, settings)
})

/** Copies an object from one store to another. */
const copyBetween = Effect.fnUntraced(
  function*(from: Ref, to: Ref, settings: CopySettings) {
    const reading = readingOf(from.key, settings)
    const reader = yield* from.tree.store.open(at(from), reading)
    const { info } = reader
    const sent: Tally = { crc32: 0, bytes: 0 }
    const body = tallied(reader.stream(undefined, transfer(settings)), sent)
    const isOriginal = reading.decompress !== undefined
    const source = isOriginal
      ? body
      : compared(body, info.checksums, (description) => differs(from, description, "not-applied"))
    const level = levelOf(from.key, settings)
    const carried = isOriginal || level !== undefined
      ? { ...info, metadata: withoutMark(info.metadata) }
      : info
    const written = yield* to.tree.store.put(at(to), source, {
      ...transfer(settings),
      // A local file takes bytes alone.
      ...(to.tree.local ? {} : yield* carriedTo(to.tree.store.capabilities, carried)),
      ...compressing(to, level),
      ...(!isOriginal && { size: info.size })
    }).pipe(
      // The source's own failure says more than that there was one.
      Effect.mapError((error) =>
        error.reason._tag === "SourceFailed" && isObjectStoreError(error.reason.cause) ? error.reason.cause : error
      )
    )
    if (written.compression !== undefined) {
      return yield* compareCompressed(to, sent, written, written.compression, settings)
    }
    const copied = yield* compare(
      to,
      {
        bytes: isOriginal ? sent.bytes : info.size,
        known: { ...(!isOriginal && info.checksums), ...known(sent) },
        sum: Effect.succeed(sent)
      },
      written,
      settings
    )
    // What was not compressed came as it is stored.
    return isOriginal && sent.bytes !== info.size
      ? { ...copied, sizes: { original: sent.bytes, stored: info.size } } satisfies Copied
      : copied
  },
  Effect.scoped
)

/** How a copy is compressed; a local file takes bytes alone, so no mark. */
const compressing = (to: Ref, level: number | undefined): Pick<WriteOptions, "compression"> =>
  level === undefined ? {} : { compression: { level, mark: !to.tree.local } }

/** Compares what was compressed: by the store's checksum of what is stored, or by decompressing it again. */
const compareCompressed = Effect.fnUntraced(function*(
  to: Ref,
  sent: Tally,
  written: PutResult,
  compression: Zstd.CompressSummary,
  settings: CopySettings
) {
  const { crc32c, size, storedCrc32c, storedSize } = compression
  if (size !== sent.bytes || storedSize !== written.size) {
    return yield* differs(
      to,
      `${size} of ${sent.bytes} bytes were compressed to ${storedSize}, and ${written.size} stored`,
      "applied"
    )
  }
  const done = { size, etag: written.etag, sizes: { original: size, stored: storedSize } }
  if (written.verified === "checksum") return { ...done, compared: "checksum" } satisfies Copied
  if (settings.verify === "size") return { ...done, compared: "size" } satisfies Copied
  switch (yield* agrees(to, { crc32c: storedCrc32c }, written.etag)) {
    case true:
      return { ...done, compared: "checksum" } satisfies Copied
    case false:
      return yield* differs(to, "the store has another checksum of the copy than of what was sent", "applied")
    case undefined: {
      yield* Stream.runDrain(
        to.tree.store.stream(at(to), {
          ...transfer(settings),
          ...pinned(to, written.etag),
          decompress: true,
          expected: { crc32c }
        })
      )
      return { ...done, compared: "crc32c" } satisfies Copied
    }
  }
})

/** Copies an object of one version, and compares the copy with it. */
export const copyObject = (from: Ref, to: Ref, settings: CopySettings): Effect.Effect<Copied, ObjectStoreError> =>
  from.tree.store === to.tree.store && from.tree.store.capabilities.serverCopy &&
    settings.compress === undefined && settings.decompress !== true
    ? copyInside(from, to, settings)
    : copyBetween(from, to, settings)

/** Writes an object from a stream of unknown length, and compares it with what ran through. */
export const putStream = Effect.fnUntraced(function*<E>(
  source: Stream.Stream<Uint8Array, E>,
  to: Ref,
  settings: CopySettings
): Effect.fn.Return<Copied, ObjectStoreError> {
  const sent: Tally = { crc32: 0, bytes: 0 }
  const written = yield* to.tree.store.put(at(to), tallied(source, sent), {
    ...transfer(settings),
    ...compressing(to, settings.compress)
  })
  if (written.compression !== undefined) {
    return yield* compareCompressed(to, sent, written, written.compression, settings)
  }
  return yield* compare(
    to,
    { bytes: sent.bytes, known: known(sent), sum: Effect.succeed(sent) },
    written,
    settings
  )
})
