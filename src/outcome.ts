/**
 * What a failure says of the change that failed.
 *
 * @internal
 */
import type { ErrorReasonTag, Outcome } from "./ErrorReason.ts"
import type { ObjectStoreError } from "./ObjectStoreError.ts"

/** Failures after which a request may have been applied although its answer says or was nothing of the sort. */
const uncertain: ReadonlySet<ErrorReasonTag> = new Set<ErrorReasonTag>([
  "Timeout",
  "Unavailable",
  "BodyInterrupted",
  "ProtocolViolation",
  "OutcomeUnknown"
])

/** The outcome that an error tells, or else what its reason leaves open. */
export const outcomeOf = ({ outcome, reason }: ObjectStoreError): Outcome => {
  if (outcome !== undefined) return outcome
  return uncertain.has(reason._tag) ||
      (reason._tag === "ConnectionFailed" && (reason.phase === "request" || reason.phase === "headers"))
    ? "unknown"
    : "not-applied"
}
