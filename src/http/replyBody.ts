/**
 * Small bodies of replies: documents and messages, read whole into memory up to a limit.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import { requestIdOf } from "./requestId.ts"
import type { TransportReply } from "./Transport.ts"
import { type Asked, violation } from "./violation.ts"

const firstSize = 16 * 1024

/** Reads at most `limit` bytes. `whole` tells whether the body ended there. */
const readUpTo = Effect.fnUntraced(function*<E>(
  reply: Pick<TransportReply, "length"> & { readonly into: (target: Uint8Array) => Effect.Effect<number, E> },
  limit: number
): Effect.fn.Return<{ readonly bytes: Uint8Array; readonly whole: boolean }, E> {
  let bytes = new Uint8Array(Math.min(limit, reply.length ?? firstSize))
  let size = 0
  while (true) {
    if (size === bytes.length) {
      if (size === reply.length || size === limit) break
      const larger = new Uint8Array(Math.min(limit, Math.max(firstSize, size * 2)))
      larger.set(bytes)
      bytes = larger
    }
    const count = yield* reply.into(bytes.subarray(size))
    if (count === 0) return { bytes: bytes.subarray(0, size), whole: true }
    size += count
  }
  if (size === reply.length) return { bytes, whole: true }
  return { bytes, whole: (yield* reply.into(new Uint8Array(1))) === 0 }
})

/** The whole body; one of more than `limit` bytes is `LimitExceeded` (`replySize`). */
export const readBytes = Effect.fnUntraced(function*(
  asked: Asked,
  reply: TransportReply,
  limit: number
): Effect.fn.Return<Uint8Array, ObjectStoreError> {
  if ((reply.length ?? 0) <= limit) {
    const { bytes, whole } = yield* readUpTo(reply, limit)
    if (whole) return bytes
  }
  return yield* makeError("LimitExceeded", {
    operation: asked.operation,
    backend: asked.backend,
    status: reply.status,
    requestId: requestIdOf(reply.headers),
    outcome: asked.outcome,
    description: `the answer is longer than ${limit} bytes`,
    limit: "replySize"
  })
})

/** The whole body as text, which must be UTF-8 (a byte order mark is left out); else `ProtocolViolation`. */
export const readText = (
  asked: Asked,
  reply: TransportReply,
  limit: number
): Effect.Effect<string, ObjectStoreError> =>
  Effect.flatMap(readBytes(asked, reply, limit), (bytes) =>
    Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      catch: () => violation(asked, "the answer is no UTF-8", reply)
    }))

const maxMessage = 64 * 1024

/** What comes of a body, at most 64 KiB, until it ends or breaks off. */
const readBeginning = (
  reply: TransportReply
): Effect.Effect<{ readonly text: string; readonly broken: boolean }> =>
  Effect.suspend(() => {
    let received = 0
    let broken = false
    const into = (target: Uint8Array): Effect.Effect<number> =>
      Effect.map(
        Effect.catch(reply.into(target), ({ reason }) =>
          Effect.sync(() => {
            broken = true
            return "received" in reason && reason.received !== undefined ? Math.max(0, reason.received - received) : 0
          })),
        (count) => {
          received += count
          return count
        }
      )
    return Effect.map(
      readUpTo({ ...reply, into }, maxMessage),
      ({ bytes }) => ({ text: new TextDecoder().decode(bytes), broken })
    )
  })

/**
 * The beginning of the body of a reply that says no: at most 64 KiB, whatever came if it breaks off. It never fails,
 * because the status alone says what became of the request, and the message only why.
 */
export const readMessage = (reply: TransportReply): Effect.Effect<string> =>
  Effect.map(readBeginning(reply), ({ text }) => text)

/**
 * What a reply that says yes holds where it should hold nothing: the document of an error, which is then true and not the
 * status, or of something between. Spaces are nothing. A body that was announced and breaks off is one, even if nothing of it
 * has come; one whose length nobody told may have been none.
 */
export const readStray = (reply: TransportReply): Effect.Effect<string | undefined> =>
  Effect.map(
    readBeginning(reply),
    ({ broken, text }) => text.trim() === "" && !(broken && (reply.length ?? 0) > 0) ? undefined : text.trim()
  )

/**
 * Reads away what is left of a small body, so that the connection can serve another request; a longer one is left, and
 * the end of its scope closes the connection.
 */
export const drain = (reply: TransportReply, limit: number = maxMessage): Effect.Effect<void, ObjectStoreError> =>
  (reply.length ?? 0) > limit ? Effect.void : Effect.asVoid(readUpTo(reply, limit))
