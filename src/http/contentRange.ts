/**
 * Whether the reply to a read is what was asked for, to the byte (RFC 9110, section 14.4).
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { BackendRange } from "../Backend.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import { parseSize, requestIdOf } from "./replyStat.ts"
import type { TransportReply } from "./Transport.ts"
import { type Asked, violation } from "./violation.ts"

/** The bytes that the body of a reply holds, and the whole object's size. */
export interface RepliedRange {
  readonly offset: number
  readonly length: number
  readonly size: number
}

/** A range as the value of the header `range`. */
export const rangeHeader = (range: BackendRange): string =>
  "suffix" in range ? `bytes=-${range.suffix}` : `bytes=${range.offset}-${range.offset + range.length - 1}`

/**
 * Checks a reply that says yes. Only 200 and 206 hold an object.
 *
 * A 206 must tell the range that was asked for, cut to the object's size, and no other. A 200 to a request with a range is
 * the whole object, and is taken only where the whole object was asked for. The length of the body must agree, where it
 * is told. Anything else is `ProtocolViolation`; a range of an empty object is `RangeNotSatisfiable`.
 */
export const checkReply = (
  asked: Asked,
  range: BackendRange | undefined,
  reply: Pick<TransportReply, "status" | "headers" | "length">
): Effect.Effect<RepliedRange, ObjectStoreError> =>
  reply.status === 206
    ? checkPart(asked, range, reply)
    : reply.status === 200
    ? checkWhole(asked, range, reply)
    : Effect.fail(violation(asked, `the answer has status ${reply.status}, which holds no object`, reply))

const checkWhole = (
  asked: Asked,
  range: BackendRange | undefined,
  reply: Pick<TransportReply, "status" | "headers" | "length">
): Effect.Effect<RepliedRange, ObjectStoreError> => {
  const { length: size } = reply
  if (size === undefined) return Effect.fail(violation(asked, "the answer does not tell how long it is", reply))
  if (range !== undefined) {
    if (size === 0 && !("suffix" in range)) {
      return Effect.fail(makeError("RangeNotSatisfiable", {
        operation: asked.operation,
        backend: asked.backend,
        status: reply.status,
        requestId: requestIdOf(reply.headers),
        description: "the object is empty",
        size: 0
      }))
    }
    const whole = "suffix" in range ? range.suffix >= size : range.offset === 0 && range.length >= size
    if (!whole) return Effect.fail(violation(asked, `${rangeHeader(range)} was asked for, the whole was sent`, reply))
  }
  return Effect.succeed({ offset: 0, length: size, size })
}

const contentRange = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/i

const checkPart = (
  asked: Asked,
  range: BackendRange | undefined,
  reply: Pick<TransportReply, "status" | "headers" | "length">
): Effect.Effect<RepliedRange, ObjectStoreError> => {
  const told = reply.headers["content-range"]
  if (range === undefined) return Effect.fail(violation(asked, "a part was sent, the whole was asked for", reply))
  const matched = told === undefined ? null : contentRange.exec(told)
  const [first, last, size] = matched === null ? [] : matched.slice(1).map(Number)
  if (
    first === undefined || last === undefined || size === undefined ||
    !(first <= last && last < size && Number.isSafeInteger(size))
  ) {
    return Effect.fail(violation(asked, "the answer does not tell which bytes it holds", reply))
  }
  const offset = "suffix" in range ? Math.max(0, size - range.suffix) : range.offset
  const end = "suffix" in range ? size : Math.min(size, range.offset + range.length)
  if (first !== offset || last !== end - 1) {
    return Effect.fail(
      violation(asked, `${rangeHeader(range)} was asked for, bytes ${first}-${last} of ${size} were sent`, reply)
    )
  }
  const length = end - offset
  return reply.length === undefined || reply.length === length
    ? Effect.succeed({ offset, length, size })
    : Effect.fail(violation(asked, `the range has ${length} bytes, the body ${reply.length}`, reply))
}

/**
 * The bytes of an answer that does not say how long its body is: what comes after the `length` bytes of its range belongs
 * to nothing that was asked.
 */
export const exactly = (
  asked: Asked,
  reply: Pick<TransportReply, "status" | "headers" | "length" | "into">,
  length: number
): TransportReply["into"] => {
  if (reply.length !== undefined) return reply.into
  let left = length
  return (target) =>
    Effect.flatMap(reply.into(target), (count) => {
      left -= count
      if (left > 0 || count === 0) return Effect.succeed(count)
      return Effect.flatMap(
        left < 0 ? Effect.succeed(1) : reply.into(new Uint8Array(1)),
        (more) =>
          more === 0 ? Effect.succeed(count) : Effect.fail(violation(asked, `more than ${length} bytes came`, reply))
      )
    })
}

/** The size of the object, where a reply of status 416 tells it: `bytes *` and the size. */
export const sizeOfUnsatisfied = (headers: TransportReply["headers"]): number | undefined =>
  parseSize(/^bytes \*\/(\d+)$/i.exec(headers["content-range"] ?? "")?.[1])
