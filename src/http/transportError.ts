/**
 * What a failed exchange means: nothing was sent, sent without an answer, or an answer that broke off.
 *
 * @internal
 */
import type { Outcome } from "../ErrorReason.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { ConnectPhase } from "./Connection.ts"

/** How far an exchange came. */
export interface Progress {
  readonly backend: string
  readonly mutation: boolean
  /** How far the connection came, while it is made. */
  readonly connecting: ConnectPhase | undefined
  /** A byte of the request was handed to the system. */
  readonly sent: boolean
  /** Not all bytes of the request were. */
  readonly uploading: boolean
  /** A write that failed before. */
  readonly writeError: Error | undefined
  /** The connection was kept from an earlier exchange, and broke before a byte of the answer came. */
  readonly reused: boolean
  /** The status of the reply, whose body then broke off. */
  readonly status: number | undefined
}

/** What is known of the change that a request was to make. */
export const outcomeOf = (progress: Progress): Outcome | undefined =>
  progress.mutation ? progress.sent ? "unknown" : "not-applied" : undefined

/** Makes the error of an exchange that failed with `cause`, after `received` bytes of its body were delivered. */
export const toTransportError = (progress: Progress, cause: Error, received: number): ObjectStoreError => {
  const code = codeOf(progress.writeError) ?? codeOf(cause)
  const fields = {
    operation: "request",
    backend: progress.backend,
    status: progress.status,
    outcome: outcomeOf(progress),
    description: descriptionOf(cause),
    code: code?.startsWith("UND_ERR") === true ? undefined : code
  }
  if (code === "UND_ERR_INVALID_ARG") return makeError("InvalidRequest", fields)
  const reused = progress.reused ? true : undefined
  if (!progress.sent) {
    return makeError("ConnectionFailed", {
      ...fields,
      phase: isLookup(cause) ? "dns" : progress.connecting ?? "request",
      reused,
      cause: withoutCertificate(cause)
    })
  }
  if (isNoHttp(cause) || (progress.status === undefined && code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH")) {
    return makeError("ProtocolViolation", fields)
  }
  if (progress.status !== undefined) return makeError("BodyInterrupted", { ...fields, received })
  return makeError("ConnectionFailed", { ...fields, phase: progress.uploading ? "request" : "headers", reused, cause })
}

/** A certificate's chain ends in itself, so that nothing which holds one can be written down. */
const withoutCertificate = (cause: Error): Error =>
  "cert" in cause ? Object.assign(new Error(cause.message), { code: codeOf(cause) }) : cause

const codeOf = (error: Error | undefined): string | undefined => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === "string" ? code : undefined
}

const isLookup = (error: Error): boolean => (error as NodeJS.ErrnoException).syscall?.startsWith("getaddrinfo") === true

/** An answer that does not follow HTTP, other than by its early end. */
const isNoHttp = (error: Error): boolean => {
  const code = codeOf(error)
  return code === "UND_ERR_HEADERS_OVERFLOW" ||
    (error.name === "HTTPParserError" && !error.message.includes("EOF")) ||
    (code === "UND_ERR_SOCKET" && error.message.startsWith("bad "))
}

/** What OpenSSL calls the reason; the rest of its message are numbers and places in its sources. */
const tlsReasonOf = (error: Error): string | undefined => {
  const { code, reason } = error as NodeJS.ErrnoException & { readonly reason?: unknown }
  if (typeof reason !== "string" || code?.startsWith("ERR_SSL_") !== true) return undefined
  return code === "ERR_SSL_WRONG_VERSION_NUMBER"
    ? "what answers speaks no TLS: is it http, not https?"
    : `TLS: ${reason}`
}

/** The message of a system's or of undici's error, which hold addresses and names of headers, never their values. */
const descriptionOf = (error: Error): string =>
  tlsReasonOf(error) ?? (error instanceof AggregateError && error.message === ""
    ? error.errors.map((one) => (one instanceof Error ? one.message : "")).join("; ")
    : error.message)
