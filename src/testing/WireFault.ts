/**
 * What can go wrong with one exchange over HTTP, as plain data: for the script of a `FaultServer`.
 *
 * Each says whether the service carries the request out. Where its name does not, the service does, and only its answer
 * suffers.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * One fault.
 *
 * @category models
 * @since 0.1.0
 */
export type WireFault =
  /**
   * The connection is reset as soon as the head of the request has come, or ends after its answer, and nobody can connect as
   * usual for a while.
   */
  | { readonly _tag: "Refuse"; readonly millis: number; readonly manner: ConnectManner; readonly answered: boolean }
  /** The connection is reset: while the body of the request comes, before it is carried out, or after that. */
  | { readonly _tag: "Reset"; readonly when: "request" | "before" | "after" }
  /** The connection ends in order, without an answer. */
  | { readonly _tag: "Hangup"; readonly when: "before" | "after" }
  /** Nothing comes any more: of the request's body, of the answer, or of its body. */
  | { readonly _tag: "Stall"; readonly when: "request" | "before" | "after" | "body" }
  /** The service says no, in its own words. */
  | { readonly _tag: "Refusal"; readonly refusal: WireRefusal; readonly applied: boolean }
  /** An error's document under the status of a success. */
  | { readonly _tag: "ErrorInSuccess"; readonly applied: boolean; readonly headers: boolean }
  /** The body of the answer ends too early: after so many bytes, or after half of them. */
  | { readonly _tag: "CutBody"; readonly bytes: number | undefined; readonly end: "reset" | "end" }
  /** More bytes come than the answer says. */
  | { readonly _tag: "Surplus"; readonly bytes: number }
  /** The answer takes its time: so many bytes, then a pause. */
  | { readonly _tag: "Slow"; readonly bytes: number; readonly millis: number }
  /** A bit of the body flips: of the request's before it is carried out, or of the answer's. */
  | { readonly _tag: "FlipBit"; readonly of: "request" | "reply"; readonly offset: number | undefined }
  /** The answer with other headers, another status, another body. */
  | { readonly _tag: "Change"; readonly change: ReplyChange; readonly applied: boolean }
  /** The answer to a success, before the body of the request has been read; nothing is carried out. */
  | { readonly _tag: "Early"; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  /** Any bytes for an answer, and then the end of the connection. */
  | { readonly _tag: "Raw"; readonly bytes: string | Uint8Array; readonly applied: boolean }

/**
 * What becomes of connections for a while: they are reset as soon as they are made, or when their first bytes come, nobody speaks,
 * or the server shows a certificate that nobody vouches for.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectManner = "refused" | "reset" | "silent" | "impostor"

/**
 * How connecting begins to fail.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectOptions {
  /** The request is carried out and answered, and its connection ends in order after that, instead of being reset before. */
  readonly answered?: boolean | undefined
}

/**
 * How a service says no.
 *
 * @category models
 * @since 0.1.0
 */
export type WireRefusal =
  | { readonly _tag: "Status"; readonly status: number; readonly code: string | undefined }
  | { readonly _tag: "Throttle"; readonly retryAfter: number | undefined }
  | { readonly _tag: "ExpiredCredentials" }
  | { readonly _tag: "SkewedClock" }

/**
 * What an answer has instead of what the service says; a header that is `undefined` is left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplyChange {
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  readonly body?: string | Uint8Array | ((body: string) => string) | undefined
}

const millisOf = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))

const connecting = (manner: ConnectManner, duration: Duration.Input, options: ConnectOptions = {}): WireFault => ({
  _tag: "Refuse",
  millis: millisOf(duration),
  manner,
  answered: options.answered ?? false
})

/**
 * The connection is reset at once, and so is every one in the time after as soon as it is made: nobody is there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (duration: Duration.Input = 0, options?: ConnectOptions): WireFault =>
  connecting("refused", duration, options)

/**
 * The connection is reset at once, and so is every one that is made in the time after when its first bytes come: over https
 * in the middle of the handshake.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetConnections = (duration: Duration.Input, options?: ConnectOptions): WireFault =>
  connecting("reset", duration, options)

/**
 * The connection is reset at once, and those that are made in the time after are taken, but nobody speaks: over https the
 * handshake does not end.
 *
 * @category constructors
 * @since 0.1.0
 */
export const silentConnections = (duration: Duration.Input, options?: ConnectOptions): WireFault =>
  connecting("silent", duration, options)

/**
 * The connection is reset at once, and who connects in the time after is shown a certificate of another authority than the
 * server's; without https nothing else happens.
 *
 * @category constructors
 * @since 0.1.0
 */
export const impostor = (duration: Duration.Input, options?: ConnectOptions): WireFault =>
  connecting("impostor", duration, options)

/**
 * The connection is reset while the body of the request is on its way: nothing is carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetInRequest: WireFault = { _tag: "Reset", when: "request" }

/**
 * The connection is reset when the request has come whole: nothing is carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetBeforeApply: WireFault = { _tag: "Reset", when: "before" }

/**
 * The connection is reset when the request has been carried out: its answer is lost.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetAfterApply: WireFault = { _tag: "Reset", when: "after" }

/**
 * The connection ends in order without an answer; nothing is carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hangupBeforeApply: WireFault = { _tag: "Hangup", when: "before" }

/**
 * The connection ends in order without an answer, when the request has been carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hangupAfterApply: WireFault = { _tag: "Hangup", when: "after" }

/**
 * The body of the request is not read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stallInRequest: WireFault = { _tag: "Stall", when: "request" }

/**
 * No answer comes, and nothing is carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stallBeforeApply: WireFault = { _tag: "Stall", when: "before" }

/**
 * No answer comes, although the request is carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stallAfterApply: WireFault = { _tag: "Stall", when: "after" }

/**
 * The answer stops in the middle of its body, or of its head where it has none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stallInBody: WireFault = { _tag: "Stall", when: "body" }

/**
 * The service says no with a status, and with the code that it has for it unless another is given. Nothing is carried out
 * unless `applied` says so: a service that fails does not always know.
 *
 * @category constructors
 * @since 0.1.0
 */
export const status = (
  status: number,
  options: { readonly code?: string | undefined; readonly applied?: boolean | undefined } = {}
): WireFault => ({
  _tag: "Refusal",
  refusal: { _tag: "Status", status, code: options.code },
  applied: options.applied ?? false
})

/**
 * The service has too much to do, and may say how long to wait, in whole seconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const throttle = (retryAfter?: number): WireFault => ({
  _tag: "Refusal",
  refusal: { _tag: "Throttle", retryAfter },
  applied: false
})

/**
 * The service says that the token of the request has run out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const expiredCredentials: WireFault = {
  _tag: "Refusal",
  refusal: { _tag: "ExpiredCredentials" },
  applied: false
}

/**
 * The service says that the client's clock is wrong; its own shows ten minutes more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const skewedClock: WireFault = { _tag: "Refusal", refusal: { _tag: "SkewedClock" }, applied: false }

/**
 * The status of a success, and the document of an error. Without `applied` nothing is carried out; with `headers` those
 * of the success come with it, an etag among them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const errorInSuccess = (
  options: { readonly applied?: boolean | undefined; readonly headers?: boolean | undefined } = {}
): WireFault => ({ _tag: "ErrorInSuccess", applied: options.applied ?? false, headers: options.headers ?? false })

/**
 * The body of the answer ends after so many bytes, or after half of them; an answer without a body in the middle of its
 * head.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cutBody = (bytes?: number, end: "reset" | "end" = "end"): WireFault => ({ _tag: "CutBody", bytes, end })

/**
 * More bytes come than the answer says that it has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const surplus = (bytes: number): WireFault => ({ _tag: "Surplus", bytes })

/**
 * The answer comes in pieces of so many bytes, each after a pause.
 *
 * @category constructors
 * @since 0.1.0
 */
export const slow = (bytes: number, pause: Duration.Input): WireFault => ({
  _tag: "Slow",
  bytes,
  millis: millisOf(pause)
})

/**
 * A bit of the request's body flips on its way: of the byte at `offset`, or of the last one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flipRequestBit = (offset?: number): WireFault => ({ _tag: "FlipBit", of: "request", offset })

/**
 * A bit of the answer's body flips on its way: of the byte at `offset`, or of the last one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flipReplyBit = (offset?: number): WireFault => ({ _tag: "FlipBit", of: "reply", offset })

/**
 * The answer is changed. With `applied: false` it is invented instead: nothing is carried out, and the answer has what the
 * change says alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const change = (change: ReplyChange, options: { readonly applied?: boolean | undefined } = {}): WireFault => ({
  _tag: "Change",
  change,
  applied: options.applied ?? true
})

/**
 * The answer has another `Content-Range`, or none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const contentRange = (value: string | undefined): WireFault => change({ headers: { "content-range": value } })

/**
 * The answer tells another etag, and another generation where there are some.
 *
 * @category constructors
 * @since 0.1.0
 */
export const changedEtag: WireFault = change({
  headers: { "etag": "\"0123456789abcdef0123456789abcdef\"", "x-goog-generation": "1234567890" }
})

/**
 * The service says that the answer is elsewhere; nothing is carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const redirect = (location: string, status: 301 | 302 | 303 | 307 | 308 = 307): WireFault =>
  change({ status, headers: { location } }, { applied: false })

/**
 * A success is answered before the body of the request has been read; nothing is carried out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const early = (status: number = 200, headers: Readonly<Record<string, string>> = {}): WireFault => ({
  _tag: "Early",
  status,
  headers: { "etag": "\"0123456789abcdef0123456789abcdef\"", ...headers }
})

/**
 * These bytes are the answer, malformed or not, and then the connection ends. Nothing is carried out unless `applied`
 * says so.
 *
 * @category constructors
 * @since 0.1.0
 */
export const raw = (
  bytes: string | Uint8Array,
  options: { readonly applied?: boolean | undefined } = {}
): WireFault => ({ _tag: "Raw", bytes, applied: options.applied ?? false })
