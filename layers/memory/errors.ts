/**
 * The failures of a memory store.
 *
 * @since 0.1.0
 */
import type { ErrorReasonTag } from "../../src/ErrorReason.ts"
import { makeError, type ObjectStoreError, type ReasonFields } from "../../src/ObjectStoreError.ts"

/** The backend's name in errors. */
export const backendName = "memory"

type Plain = Exclude<
  ErrorReasonTag,
  "Timeout" | "ConnectionFailed" | "PartialFailure" | "LimitExceeded" | "Unsupported" | "RangeNotSatisfiable"
>

/** A refused read. */
export const refuseRead = (tag: Plain, description?: string): ObjectStoreError =>
  makeError(tag, { operation: "read", backend: backendName, description } as ReasonFields<Plain>)

/** A refused change: nothing here fails after it has begun to change the store. */
export const refuse = (tag: Plain, description?: string): ObjectStoreError =>
  makeError(
    tag,
    { operation: "write", backend: backendName, description, outcome: "not-applied" } as ReasonFields<Plain>
  )

/** A range that begins at or past the end. */
export const pastTheEnd = (size: number): ObjectStoreError =>
  makeError("RangeNotSatisfiable", {
    operation: "read",
    backend: backendName,
    size,
    description: `the object has ${size} bytes`
  })

/** Something that `capabilities` says cannot be done. */
export const unsupported = (capability: string): ObjectStoreError =>
  makeError("Unsupported", { operation: "request", backend: backendName, capability, outcome: "not-applied" })

/** A limit of `capabilities`. */
export const exceeded = (limit: string, most: number, given: number): ObjectStoreError =>
  makeError("LimitExceeded", {
    operation: "write",
    backend: backendName,
    limit,
    description: `${given} is more than ${limit}, ${most}`,
    outcome: "not-applied"
  })
