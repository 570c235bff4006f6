/**
 * Copies of one object, compared with their sources.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeZlib from "node:zlib"
import { printCrc32c } from "../codec/Crc32c.ts"
import { agree, compared } from "../codec/Sum.ts"
import { carriedTo } from "../labels.ts"
import type { Checksums, PutResult } from "../ObjectInfo.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { TransferOptions } from "../ObjectStoreOptions.ts"
import { at, type Ref } from "./stores.ts"

/** How copies are made. */
export interface CopySettings extends TransferOptions {
  readonly verify: "checksum" | "size"
}

/** How a copy was compared: by the store's own checksum, by reading it back, or by size alone. */
export type Compared = "checksum" | "crc32" | "size"

/** A copy that was made. */
export interface Copied {
  readonly size: number
  readonly compared: Compared
  readonly etag?: string | undefined
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
    const reader = yield* from.tree.store.open(at(from))
    const { info } = reader
    const sent: Tally = { crc32: 0, bytes: 0 }
    const body = compared(
      tallied(reader.stream(undefined, transfer(settings)), sent),
      info.checksums,
      (description) => differs(from, description, "not-applied")
    )
    const written = yield* to.tree.store.put(at(to), body, {
      ...transfer(settings),
      // A local file takes bytes alone.
      ...(to.tree.local ? {} : yield* carriedTo(to.tree.store.capabilities, info)),
      size: info.size
    }).pipe(
      // The source's own failure says more than that there was one.
      Effect.mapError((error) =>
        error.reason._tag === "SourceFailed" && isObjectStoreError(error.reason.cause) ? error.reason.cause : error
      )
    )
    return yield* compare(
      to,
      { bytes: info.size, known: { ...info.checksums, ...known(sent) }, sum: Effect.succeed(sent) },
      written,
      settings
    )
  },
  Effect.scoped
)

/** Copies an object of one version, and compares the copy with it. */
export const copyObject = (from: Ref, to: Ref, settings: CopySettings): Effect.Effect<Copied, ObjectStoreError> =>
  from.tree.store === to.tree.store && from.tree.store.capabilities.serverCopy
    ? copyInside(from, to, settings)
    : copyBetween(from, to, settings)

/** Writes an object from a stream of unknown length, and compares it with what ran through. */
export const putStream = Effect.fnUntraced(function*<E>(
  source: Stream.Stream<Uint8Array, E>,
  to: Ref,
  settings: CopySettings
): Effect.fn.Return<Copied, ObjectStoreError> {
  const sent: Tally = { crc32: 0, bytes: 0 }
  const written = yield* to.tree.store.put(at(to), tallied(source, sent), transfer(settings))
  return yield* compare(
    to,
    { bytes: sent.bytes, known: known(sent), sum: Effect.succeed(sent) },
    written,
    settings
  )
})
