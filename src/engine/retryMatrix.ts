/**
 * Which failure of which operation is worth another request: the matrix, as data.
 *
 * @since 0.1.0
 */
import type { ErrorReason, ErrorReasonTag } from "../ErrorReason.ts"

/**
 * Kinds of requests that differ in what a repetition means: `read` (head, list, the beginning of a read), `body` (the
 * bytes of a body), `put` (overwrite), `conditional` (a conditional write or delete, or a container made or removed: done
 * twice, it fails), `part`, `complete`, `initiate`, `abort`, `delete`, `copy`.
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
 * What to do: `retry` the same request; `resume` a body at the delivered byte; `verify` (the change may have been applied
 * and its repetition would not be harmless: it is repeated only if it certainly was not applied, else it fails with
 * `OutcomeUnknown`); `once` more and then fail; `done` (the failure means that it is done); `fail`.
 *
 * @category models
 * @since 0.1.0
 */
export type Verdict = "retry" | "resume" | "verify" | "once" | "done" | "fail"

/**
 * Failures as the matrix tells them apart: a reason's tag, or tag and phase.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryFailure =
  | Exclude<ErrorReasonTag, "Timeout" | "ConnectionFailed">
  | `Timeout.${"request" | "headers" | "stall" | "deadline"}`
  | `ConnectionFailed.${"dns" | "connect" | "tls" | "request" | "headers"}`

/**
 * One verdict for each kind of request.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryVerdicts = Readonly<Record<RequestClass, Verdict>>

/**
 * The retry matrix: a row a failure; a failure without a row is never repeated.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryMatrix = Readonly<Partial<Record<RetryFailure, RetryVerdicts>>>

const all = (verdict: Verdict): RetryVerdicts => ({
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

// The request may have been applied although no answer came.
const ambiguous: RetryVerdicts = {
  ...all("retry"),
  body: "resume",
  conditional: "verify",
  complete: "verify",
  copy: "verify"
}

/**
 * The default matrix. Its rows are those of RFC 9110 section 9.2.2 (idempotent methods) and of the vendors' own retry
 * rules, read for what a repetition of each operation would do.
 *
 * @category models
 * @since 0.1.0
 */
export const defaultMatrix: RetryMatrix = {
  "ConnectionFailed.dns": all("retry"),
  "ConnectionFailed.connect": all("retry"),
  "ConnectionFailed.tls": all("retry"),
  "ConnectionFailed.request": ambiguous,
  "ConnectionFailed.headers": ambiguous,
  "Timeout.request": ambiguous,
  "Timeout.headers": ambiguous,
  "Timeout.stall": ambiguous,
  BodyInterrupted: ambiguous,
  Throttled: { ...all("retry"), body: "resume" },
  Unavailable: { ...all("retry"), body: "resume", conditional: "verify", complete: "verify", copy: "verify" },
  ProtocolViolation: {
    ...all("fail"),
    read: "once",
    body: "once",
    part: "once",
    initiate: "once",
    complete: "verify",
    copy: "verify"
  },
  IntegrityFailed: { ...all("fail"), read: "once", put: "once", conditional: "once", part: "once" },
  UploadNotFound: { ...all("fail"), abort: "done" }
}

/**
 * The row of the matrix that a reason belongs to.
 *
 * @category combinators
 * @since 0.1.0
 */
export const failureOf = (reason: ErrorReason): RetryFailure => {
  switch (reason._tag) {
    case "Timeout":
      return `Timeout.${reason.phase}`
    case "ConnectionFailed":
      return `ConnectionFailed.${reason.phase}`
    default:
      return reason._tag
  }
}
