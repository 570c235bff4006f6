/**
 * The common shape of a backend's error table: from the service's own code, or else the status, to a reason.
 *
 * @internal
 */
import type { ErrorReasonTag, Outcome } from "../ErrorReason.ts"
import { makeError, type ObjectStoreError, printable, type ReasonFields } from "../ObjectStoreError.ts"
import { sizeOfUnsatisfied } from "./contentRange.ts"
import { requestIdOf, timeOf } from "./replyStat.ts"
import type { TransportReply } from "./Transport.ts"

/** Reasons that need to say more than the service does. */
type Detailed = "Unsupported" | "LimitExceeded" | "ConnectionFailed" | "PartialFailure"

/** What an answer means: a reason, and what it needs beside. */
export type Meaning =
  | Exclude<ErrorReasonTag, Detailed>
  | { readonly reason: "Unsupported"; readonly capability: string }
  | { readonly reason: "LimitExceeded"; readonly limit: string }

/** A backend's table. A code counts before the status. */
export interface ErrorTable {
  readonly codes: ReadonlyMap<string, Meaning>
  /** Where this service means something else by a status than `meaningOfStatus` tells. */
  readonly statuses?: ReadonlyMap<number, Meaning> | undefined
}

/** Who asked for what. */
export interface Call {
  readonly backend: string
  readonly operation: string
  /** Whether the request changes the store: then the error says what became of it. */
  readonly mutation: boolean
}

/** What the service said. */
export interface Refusal {
  readonly reply: Pick<TransportReply, "status" | "headers">
  readonly code?: string | undefined
  /** The service's message; its first line is shown. */
  readonly message?: string | undefined
  /** Where the document tells it and the headers do not. */
  readonly requestId?: string | undefined
}

/** What a status means where the service says no more. */
export const meaningOfStatus = (status: number): Meaning => {
  const known = statuses.get(status)
  if (known !== undefined) return known
  if (status >= 500) return "Unavailable"
  return status >= 400 ? "InvalidRequest" : "ProtocolViolation"
}

const statuses: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [304, "NotModified"],
  [401, "Unauthenticated"],
  [403, "PermissionDenied"],
  [404, "NotFound"],
  [408, "Timeout"],
  [409, "Conflict"],
  [412, "PreconditionFailed"],
  [413, { reason: "LimitExceeded", limit: "requestSize" }],
  [416, "RangeNotSatisfiable"],
  [429, "Throttled"],
  [501, { reason: "Unsupported", capability: "operation" }],
  [507, "StorageFull"]
])

/** Reasons for which a service may have made the change all the same; after any other it has refused to. */
const open: ReadonlySet<ErrorReasonTag> = new Set<ErrorReasonTag>(["Unavailable", "Timeout", "ProtocolViolation"])

/**
 * Makes the error of an answer that says no.
 *
 * A refused mutation was not applied; where the service failed or ran out of time, nobody knows. `outcome` says better
 * where the caller does.
 */
export const serviceError = (
  table: ErrorTable,
  call: Call,
  refusal: Refusal,
  outcome?: Outcome
): ObjectStoreError => {
  const { code, message, reply } = refusal
  const meaning = (code === undefined ? undefined : table.codes.get(code)) ?? table.statuses?.get(reply.status) ??
    meaningOfStatus(reply.status)
  const tag = tagOf(meaning)
  const fields: Record<string, unknown> = {
    operation: call.operation,
    backend: call.backend,
    status: reply.status,
    code,
    requestId: requestIdOf(reply.headers) ?? refusal.requestId,
    description: firstLine(message),
    outcome: call.mutation ? outcome ?? (open.has(tag) ? "unknown" : "not-applied") : undefined,
    retryAfter: tag === "Throttled" || tag === "Unavailable" ? retryAfterOf(reply.headers) : undefined,
    phase: tag === "Timeout" ? "request" : undefined,
    size: tag === "RangeNotSatisfiable" ? sizeOfUnsatisfied(reply.headers) : undefined,
    ...(typeof meaning === "string" ? undefined : meaning)
  }
  delete fields["reason"]
  return makeError(tag, fields as ReasonFields<ErrorReasonTag>)
}

const tagOf = (meaning: Meaning): ErrorReasonTag => typeof meaning === "string" ? meaning : meaning.reason

const firstLine = (message: string | undefined): string | undefined => {
  const line = message?.trim().split(/[\r\n]/, 1)[0]?.trim()
  return line === undefined || line === "" ? undefined : printable(line.slice(0, 512))
}

/**
 * Milliseconds that a service asks to wait: `retry-after` in seconds, or as a time, which counts from the reply's own
 * `date`; Azure's `x-ms-retry-after-ms` before it.
 */
export const retryAfterOf = (headers: TransportReply["headers"]): number | undefined => {
  const exact = headers["x-ms-retry-after-ms"] ?? headers["retry-after-ms"]
  if (exact !== undefined && /^\d{1,9}$/.test(exact)) return Number(exact)
  const told = headers["retry-after"]
  if (told === undefined) return undefined
  if (/^\d{1,9}$/.test(told)) return Number(told) * 1000
  const [until, now] = [timeOf(told), timeOf(headers["date"])]
  return until === undefined || now === undefined
    ? undefined
    : Math.max(0, until.epochMilliseconds - now.epochMilliseconds)
}

/** Reasons that need no more than every reason has. */
export type Plain = Exclude<
  ErrorReasonTag,
  "Timeout" | "ConnectionFailed" | "PartialFailure" | "LimitExceeded" | "Unsupported"
>

/** The same error with another reason: what an operation knows better than the table. */
export const retag = (error: ObjectStoreError, tag: Plain): ObjectStoreError => {
  const { _tag, ...fields } = error.reason
  return makeError(tag, { ...fields, cause: error.reason.cause } as ReasonFields<Plain>)
}

/** A refusal after which the backend has replaced what it signed with: the engine repeats the request once. */
export const renewed = (error: ObjectStoreError): ObjectStoreError =>
  error.reason._tag === "Unauthenticated"
    ? makeError("Unauthenticated", { ...error.reason, cause: error.reason.cause, renewed: true })
    : error
