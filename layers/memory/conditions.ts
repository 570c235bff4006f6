/**
 * The conditions of reads and writes.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type { Capabilities } from "../../src/Capabilities.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { ReadConditions, WriteMode } from "../../src/ObjectStoreOptions.ts"
import type { StoredObject } from "./client.ts"
import { refuse, refuseRead, unsupported } from "./errors.ts"

/** HTTP dates have no fractions of a second, so conditions compare whole seconds. */
const seconds = (time: DateTime.DateTime): number => Math.floor(DateTime.toEpochMillis(time) / 1000)

/**
 * Decides the conditions of a read in the order of RFC 9110 section 13.2.2: first what must match (`ifMatch`, or
 * `ifUnmodifiedSince` without it), then what must not (`ifNoneMatch`, or `ifModifiedSince` without it).
 */
export const checkRead = (
  capabilities: Capabilities,
  { etag, lastModified }: StoredObject,
  conditions: ReadConditions
): ObjectStoreError | undefined => {
  const { ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince, version } = conditions
  if (version !== undefined) return unsupported("versions")
  const given = ifMatch ?? ifNoneMatch ?? ifModifiedSince ?? ifUnmodifiedSince
  if (given !== undefined && !capabilities.conditionalRead) return unsupported("conditionalRead")
  if (ifMatch !== undefined) {
    if (ifMatch !== etag) return refuseRead("PreconditionFailed", "the object has another etag")
  } else if (ifUnmodifiedSince !== undefined && seconds(lastModified) > seconds(ifUnmodifiedSince)) {
    return refuseRead("PreconditionFailed", "the object was modified since")
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch === etag) return refuseRead("NotModified", "the object still has this etag")
  } else if (ifModifiedSince !== undefined && seconds(lastModified) <= seconds(ifModifiedSince)) {
    return refuseRead("NotModified", "the object was not modified since")
  }
  return undefined
}

/** Whether a mode may be asked for; `flag` names one capability that stands for both modes. */
export const supportsMode = (
  capabilities: Capabilities,
  mode: WriteMode,
  flag?: "conditionalCopy"
): ObjectStoreError | undefined => {
  if (mode === "overwrite") return undefined
  const needed = flag ?? (mode === "create" ? "conditionalCreate" : "conditionalUpdate")
  return capabilities[needed] ? undefined : unsupported(needed)
}

/** Whether a write may replace what is there. */
export const checkMode = (mode: WriteMode, existing: StoredObject | undefined): ObjectStoreError | undefined => {
  if (mode === "overwrite") return undefined
  if (mode === "create") return existing === undefined ? undefined : refuse("AlreadyExists", "there is an object")
  return checkMatch(mode.update, existing)
}

/** Whether there is an object, and it has this etag. */
export const checkMatch = (
  ifMatch: string | undefined,
  existing: StoredObject | undefined
): ObjectStoreError | undefined => {
  if (ifMatch === undefined || existing?.etag === ifMatch) return undefined
  return refuse("PreconditionFailed", existing === undefined ? "there is no object" : "the object has another etag")
}
