/**
 * How an exchange meets a fault.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { toImfFixdate } from "../../http/conditionHeaders.ts"
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import {
  bytesStep,
  type PrintedReply,
  printReply,
  replySteps,
  type WireReply,
  type WireStep
} from "../protocol/wire.ts"
import type { ReplyChange, WireFault } from "../WireFault.ts"
import type { Protocol } from "./Protocol.ts"

/** Faults that meet a request before its body has come. */
export const isEarly = (fault: WireFault): boolean =>
  (fault._tag === "Refuse" && !fault.answered) || fault._tag === "Early" ||
  ((fault._tag === "Reset" || fault._tag === "Stall") && fault.when === "request")

const reset: WireStep = { _tag: "Reset" }
const end: WireStep = { _tag: "End" }
const stall: WireStep = { _tag: "Stall" }

/** What is done to a request of which only the head has come. */
export const inflictEarly = (fault: WireFault, date: string): WireReply => {
  switch (fault._tag) {
    case "Early":
      return { steps: replySteps(printReply("PUT", { status: fault.status, headers: fault.headers }, date)) }
    case "Stall":
      return { steps: [stall] }
    default:
      return { steps: [reset] }
  }
}

/** What is done to a request that has come whole; `apply` carries it out. */
export const inflict = Effect.fnUntraced(function*(
  protocol: Protocol,
  fault: WireFault,
  request: ServerRequest,
  apply: (request: ServerRequest) => Effect.Effect<ServerReply>,
  now: number
): Effect.fn.Return<ServerReply | WireReply> {
  const date = dateOf(now)
  const printed = (reply: ServerReply): PrintedReply => printReply(request.method, reply, date)
  switch (fault._tag) {
    case "Reset":
      if (fault.when === "after") yield* apply(request)
      return { steps: [reset] }
    case "Hangup":
      if (fault.when === "after") yield* apply(request)
      return { steps: [end] }
    case "Stall": {
      if (fault.when === "before") return { steps: [stall] }
      const reply = yield* apply(request)
      return { steps: fault.when === "after" ? [stall] : [...firstHalf(printed(reply), undefined), stall] }
    }
    case "Refusal":
      if (fault.applied) yield* apply(request)
      return ahead(protocol.refuse(fault.refusal, request), fault.refusal._tag === "SkewedClock" ? now + skew : now)
    case "ErrorInSuccess":
      // Without a body there is only a head to lie with.
      if (request.method === "HEAD" && fault.headers) return yield* apply(request)
      return errorInSuccess(protocol, fault.applied || fault.headers ? yield* apply(request) : undefined, fault.headers)
    case "CutBody": {
      const reply = printed(yield* apply(request))
      return { steps: [...firstHalf(reply, fault.bytes), fault.end === "end" ? end : reset] }
    }
    case "Surplus": {
      const reply = printed(yield* apply(request))
      return { steps: [...replySteps(reply), bytesStep(Buffer.alloc(fault.bytes, "surplus"))] }
    }
    case "Slow": {
      const { body, head } = printed(yield* apply(request))
      return { steps: slowly(Buffer.concat([head, body]), fault.bytes, fault.millis) }
    }
    case "FlipBit": {
      if (fault.of === "request") return yield* apply({ ...request, body: flipped(request.body, fault.offset) })
      const reply = yield* apply(request)
      const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body
      return body === undefined ? reply : { ...reply, body: flipped(body, fault.offset) }
    }
    case "Change":
      return changed(fault.applied ? yield* apply(request) : { status: 200 }, fault.change)
    case "Raw": {
      if (fault.applied) yield* apply(request)
      const bytes = typeof fault.bytes === "string" ? Buffer.from(fault.bytes, "latin1") : fault.bytes
      return { steps: [bytesStep(bytes), end] }
    }
    case "Refuse": {
      const reply = yield* apply(request)
      return { steps: [...replySteps(printed({ ...reply, headers: { ...reply.headers, connection: "close" } })), end] }
    }
    case "Early":
      return inflictEarly(fault, date)
  }
})

const dateOf = (time: number): string => toImfFixdate(DateTime.makeUnsafe(time))

/** Less than what the models take for wrong themselves, and more than clients put up with. */
const skew = 10 * 60_000

const ahead = (reply: ServerReply, time: number): ServerReply => ({
  ...reply,
  headers: { ...reply.headers, date: dateOf(time) }
})

/** What comes of an answer that stops: its head and a part of its body, or a part of its head. */
const firstHalf = ({ body, head }: PrintedReply, bytes: number | undefined): ReadonlyArray<WireStep> =>
  body.length === 0
    ? [bytesStep(head.subarray(0, Math.floor(head.length / 2)))]
    : [bytesStep(head), bytesStep(body.subarray(0, bytes ?? Math.floor(body.length / 2)))]

/** In pieces of one byte at least, or there would be no end of them. */
const slowly = (bytes: Uint8Array, pieceSize: number, millis: number): ReadonlyArray<WireStep> => {
  const size = Math.max(1, pieceSize)
  const steps: Array<WireStep> = []
  for (let at = 0; at < bytes.length; at += size) {
    steps.push({ _tag: "Wait", millis }, bytesStep(bytes.subarray(at, at + size)))
  }
  return steps
}

const flipped = (body: Uint8Array, offset: number = body.length - 1): Uint8Array => {
  const other = new Uint8Array(body)
  if (offset >= 0 && offset < other.length) other[offset]! ^= 1
  return other
}

const errorInSuccess = (protocol: Protocol, reply: ServerReply | undefined, headers: boolean): ServerReply => ({
  status: reply === undefined || reply.status === 204 ? 200 : reply.status,
  headers: {
    ...(headers ? reply?.headers : undefined),
    "content-length": undefined,
    ...lengthOf(protocol.errorDocument),
    "content-type": protocol.errorDocument.startsWith("{") ? "application/json" : "application/xml"
  },
  body: protocol.errorDocument
})

const lengthOf = (body: string): Record<string, string> => ({ "content-length": String(Buffer.byteLength(body)) })

const textOf = (body: ServerReply["body"]): string =>
  body === undefined ? "" : typeof body === "string" ? body : Buffer.from(body).toString()

const changed = (reply: ServerReply, { body, headers, status }: ReplyChange): ServerReply => {
  const other = typeof body === "function" ? body(textOf(reply.body)) : body
  const { "content-length": length, ...rest } = reply.headers ?? {}
  return {
    status: status ?? reply.status,
    headers: {
      ...rest,
      ...(other === undefined && length !== undefined ? { "content-length": length } : {}),
      ...headers
    },
    body: other ?? reply.body
  }
}
