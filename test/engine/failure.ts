import { type ErrorReasonTag, makeError, type ObjectStoreError } from "effect-objectstore"

/** A failure of a backend, for one reason. */
export const failure = (tag: ErrorReasonTag, fields: Record<string, unknown> = {}): ObjectStoreError =>
  makeError(tag, { operation: "test", backend: "memory", ...fields } as never)
