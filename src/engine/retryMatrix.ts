/**
 * Which failure of which operation is worth another request: the matrix, as data.
 *
 * @since 0.1.0
 */
import type { ErrorReason, ErrorReasonTag } from "../ErrorReason.ts"

/**
 * Kinds of requests that differ in what a repetition means: `read` (head, list, the beginning of a read), `body` (the
 * bytes of a body), `put` (overwrite), `conditional` (a conditional write or delete, or a container made or removed: done
 * twice, it fails), `part`, `complete`, `initiate`, `abort`, `delete`, `copy` (also a rename).
 *
 * @category models
 * @since 0.1.0
 */
export type RequestClass =
  | "read"
  | "body"
  | "put"
  | "conditional"
  | "part"
  | "complete"
  | "initiate"
  | "abort"
  | "delete"
  | "copy"

/**
 * All kinds of requests, in the order of the matrix.
 *
 * @category models
 * @since 0.1.0
 */
export const requestClasses = [
  "read",
  "body",
  "put",
  "conditional",
  "part",
  "complete",
  "initiate",
  "abort",
  "delete",
  "copy"
] as const satisfies ReadonlyArray<RequestClass>

/**
 * What to do with a failure:
 *
 * - `retry`: the same request again, as often as the policy allows; `once` and `twice`: no more than that;
 * - `resume`: the same for a body, which goes on at the byte that was delivered last;
 * - `verify`: the change may have been applied, and its repetition would not be harmless. What certainly was not applied is
 *   repeated; else the store is asked, and the request is repeated only if it was not applied;
 * - `recheck`: a failure like any other, unless the answer to an earlier request for the same thing was lost: then it may be
 *   the echo of our own success, and the store is asked;
 * - `done`: the failure means that it is done;
 * - `fail`: it is over.
 *
 * @category models
 * @since 0.1.0
 */
export type Verdict = "retry" | "once" | "twice" | "resume" | "verify" | "recheck" | "done" | "fail"

type Harmless = "retry" | "once" | "twice" | "fail"
type Ambiguous = Harmless | "verify" | "recheck"

/**
 * One verdict for each kind of request; each kind has its own choice of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryVerdicts {
  readonly read: Harmless
  readonly body: Exclude<Harmless, "retry"> | "resume"
  readonly put: Harmless
  readonly conditional: Ambiguous
  readonly part: Harmless
  readonly complete: Ambiguous
  readonly initiate: Harmless
  readonly abort: Harmless | "done"
  readonly delete: Harmless
  readonly copy: Ambiguous
}

/**
 * The verdicts that each kind of request can have.
 *
 * @category models
 * @since 0.1.0
 */
export const verdictsOf: { readonly [Kind in RequestClass]: ReadonlyArray<RetryVerdicts[Kind]> } = {
  read: ["retry", "once", "twice", "fail"],
  body: ["resume", "once", "twice", "fail"],
  put: ["retry", "once", "twice", "fail"],
  conditional: ["retry", "once", "twice", "verify", "recheck", "fail"],
  part: ["retry", "once", "twice", "fail"],
  complete: ["retry", "once", "twice", "verify", "recheck", "fail"],
  initiate: ["retry", "once", "twice", "fail"],
  abort: ["retry", "once", "twice", "done", "fail"],
  delete: ["retry", "once", "twice", "fail"],
  copy: ["retry", "once", "twice", "verify", "recheck", "fail"]
}

/**
 * Failures as the matrix tells them apart: a reason's tag, and what else decides. `ConnectionFailed.host` is a host without
 * an address (`ENOTFOUND`), `ConnectionFailed.certificate` one that cannot prove who it is, `Unavailable.device` a device
 * that failed (`EIO`), `Unavailable.stale` a file that has to be opened anew (`ESTALE`), `LimitExceeded.descriptors` a process or
 * system that has too many open files for the moment (`EMFILE`, `ENFILE`), `Unauthenticated.renewed` a request that will
 * be signed anew.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryFailure =
  | Exclude<ErrorReasonTag, "Timeout" | "ConnectionFailed">
  | `Timeout.${"request" | "headers" | "stall" | "deadline"}`
  | `ConnectionFailed.${"dns" | "host" | "connect" | "tls" | "certificate" | "request" | "headers"}`
  | "Unavailable.device"
  | "Unavailable.stale"
  | "LimitExceeded.descriptors"
  | "Unauthenticated.renewed"

/**
 * The retry matrix: a row a failure; a failure without a row is never repeated.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryMatrix = Readonly<Partial<Record<RetryFailure, RetryVerdicts>>>

const all = <One extends "once" | "twice" | "fail">(verdict: One) => ({
  read: verdict,
  body: verdict,
  put: verdict,
  conditional: verdict,
  part: verdict,
  complete: verdict,
  initiate: verdict,
  abort: verdict,
  delete: verdict,
  copy: verdict
})

const never: RetryVerdicts = all("fail")

const again: RetryVerdicts = {
  read: "retry",
  body: "resume",
  put: "retry",
  conditional: "retry",
  part: "retry",
  complete: "retry",
  initiate: "retry",
  abort: "retry",
  delete: "retry",
  copy: "retry"
}

// The request may have been applied although no answer came.
const lost: RetryVerdicts = { ...again, conditional: "verify", complete: "verify", copy: "verify" }

// Our own success, where it came before, looks like this from outside.
const echo: RetryVerdicts = { ...never, conditional: "recheck", complete: "recheck", copy: "recheck" }

/**
 * The default matrix, complete. Its rows are those of RFC 9110 section 9.2.2 (idempotent methods) and of the vendors' own
 * retry rules, read for what a repetition of each operation would do.
 *
 * @category models
 * @since 0.1.0
 */
export const defaultMatrix: Readonly<Record<RetryFailure, RetryVerdicts>> = {
  "ConnectionFailed.dns": again,
  "ConnectionFailed.host": all("twice"),
  "ConnectionFailed.connect": again,
  "ConnectionFailed.tls": again,
  "ConnectionFailed.certificate": never,
  "ConnectionFailed.request": lost,
  "ConnectionFailed.headers": lost,
  "Timeout.request": lost,
  "Timeout.headers": lost,
  "Timeout.stall": lost,
  "Timeout.deadline": never,
  BodyInterrupted: lost,
  Throttled: again,
  // A commit or copy that is done twice makes two versions (Azure/azure-sdk-for-go#23794), so the store is asked.
  Unavailable: { ...again, complete: "verify", copy: "verify" },
  "Unavailable.device": never,
  "Unavailable.stale": all("once"),
  "LimitExceeded.descriptors": again,
  Unauthenticated: never,
  "Unauthenticated.renewed": all("once"),
  ProtocolViolation: { ...all("once"), conditional: "verify", complete: "verify", copy: "verify" },
  IntegrityFailed: { ...never, read: "once", put: "once", conditional: "once", part: "once" },
  AlreadyExists: echo,
  PreconditionFailed: echo,
  Conflict: echo,
  NotFound: echo,
  ContainerNotFound: { ...never, conditional: "recheck" },
  UploadNotFound: { ...never, complete: "recheck", abort: "done" },
  NotModified: never,
  NotEmpty: never,
  InvalidUri: never,
  InvalidKey: never,
  InvalidRequest: never,
  RangeNotSatisfiable: never,
  PermissionDenied: never,
  ObjectChanged: never,
  SourceFailed: never,
  OutcomeUnknown: never,
  PartialFailure: never,
  LimitExceeded: never,
  StorageFull: never,
  Unsupported: never,
  Configuration: never
}

// What OpenSSL and Node say of a peer whose certificate does not hold (nodejs.org/api/tls.html#x509-certificate-error-codes).
const certificateCode =
  /^(CERT_|CRL_|ERROR_IN_CERT_|ERR_TLS_CERT_|ERR_SSL_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH)/

/**
 * The row of the matrix that a reason belongs to.
 *
 * @category combinators
 * @since 0.1.0
 */
export const failureOf = (reason: ErrorReason): RetryFailure => {
  const { code } = reason
  switch (reason._tag) {
    case "Timeout":
      return `Timeout.${reason.phase}`
    case "ConnectionFailed":
      if (reason.phase === "dns" && code === "ENOTFOUND") return "ConnectionFailed.host"
      return reason.phase === "tls" && code !== undefined && certificateCode.test(code)
        ? "ConnectionFailed.certificate"
        : `ConnectionFailed.${reason.phase}`
    case "Unavailable":
      return code === "EIO" ? "Unavailable.device" : code === "ESTALE" ? "Unavailable.stale" : "Unavailable"
    case "LimitExceeded":
      return reason.limit === "descriptors" ? "LimitExceeded.descriptors" : "LimitExceeded"
    case "Unauthenticated":
      return reason.renewed === true ? "Unauthenticated.renewed" : "Unauthenticated"
    default:
      return reason._tag
  }
}
