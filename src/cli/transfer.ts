/**
 * Copies of one object, compared with their sources.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeZlib from "node:zlib"
import type { ObjectInfo, PutResult } from "../ObjectInfo.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
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
  const ifMatch = ref.tree.store.capabilities.conditionalRead ? etag : undefined
  yield* Stream.runDrain(tallied(ref.tree.store.stream(at(ref), { ...transfer(settings), ifMatch }), tally))
  return tally
})

const transfer = ({ concurrency, partSize }: CopySettings): TransferOptions => ({ concurrency, partSize })

const differs = (to: Ref, description: string): ObjectStoreError =>
  makeError("IntegrityFailed", {
    operation: "verify",
    backend: "cli",
    uri: at(to),
    description,
    outcome: "applied"
  })

const compare = Effect.fnUntraced(function*(to: Ref, sent: Tally, written: PutResult, settings: CopySettings) {
  if (written.size !== sent.bytes) {
    return yield* differs(to, `the copy has ${written.size} bytes, the source ${sent.bytes}`)
  }
  const done = { size: sent.bytes, etag: written.etag }
  if (written.verified === "checksum") return { ...done, compared: "checksum" } satisfies Copied
  if (settings.verify === "size") return { ...done, compared: "size" } satisfies Copied
  const stored = yield* sumOf(to, written.etag, settings)
  if (stored.bytes !== sent.bytes || stored.crc32 !== sent.crc32) {
    return yield* differs(to, "the copy differs from what was read of the source")
  }
  return { ...done, compared: "crc32" } satisfies Copied
})

/** What goes along with the bytes: a local file takes bytes alone. */
const labels = (info: ObjectInfo, to: Ref): Partial<Pick<ObjectInfo, "attributes" | "metadata">> => {
  if (to.tree.local) return {}
  return {
    ...(Object.values(info.attributes).some((value) => value !== undefined) && { attributes: info.attributes }),
    ...(Object.keys(info.metadata).length > 0 && { metadata: info.metadata })
  }
}

/** Copies an object of one version, and compares the copy with it. */
export const copyObject = Effect.fnUntraced(function*(
  from: Ref,
  to: Ref,
  settings: CopySettings
): Effect.fn.Return<Copied, ObjectStoreError> {
  if (from.tree.store === to.tree.store && from.tree.store.capabilities.serverCopy) {
    const { store } = from.tree
    const info = yield* store.stat(at(from))
    const written = yield* store.copy(
      at(from),
      at(to),
      store.capabilities.conditionalCopySource ? { ifMatch: info.etag } : {}
    )
    const sent = settings.verify === "size" || written.verified === "checksum"
      ? { bytes: info.size, crc32: 0 }
      : yield* sumOf(from, info.etag, settings)
    return yield* compare(to, sent, written, settings)
  }
  return yield* Effect.scoped(Effect.gen(function*() {
    const reader = yield* from.tree.store.open(at(from))
    const sent: Tally = { crc32: 0, bytes: 0 }
    const body = tallied(reader.stream(undefined, transfer(settings)), sent)
    const written = yield* to.tree.store.put(at(to), body, {
      ...transfer(settings),
      ...labels(reader.info, to),
      size: reader.info.size
    })
    return yield* compare(to, sent, written, settings)
  }))
})

/** Writes an object from a stream of unknown length, and compares it with what ran through. */
export const putStream = Effect.fnUntraced(function*<E>(
  source: Stream.Stream<Uint8Array, E>,
  to: Ref,
  settings: CopySettings
): Effect.fn.Return<Copied, ObjectStoreError> {
  const sent: Tally = { crc32: 0, bytes: 0 }
  const written = yield* to.tree.store.put(at(to), tallied(source, sent), transfer(settings))
  return yield* compare(to, sent, written, settings)
})
