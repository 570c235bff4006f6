/**
 * The conditions of reads and writes. The etag of this backend is the object's generation, as text: GCS has conditions on
 * generations for every operation, and on etags for few.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type { ObjectStat } from "../../src/Backend.ts"
import type { ReadConditions, WriteMode } from "../../src/ObjectStoreOptions.ts"

/** A generation is a positive 64-bit number; no object has an etag that is none. */
export const isGeneration = (etag: string): boolean => /^[1-9]\d{0,18}$/.test(etag)

/** HTTP dates have no fractions of a second, so conditions compare whole seconds. */
const seconds = (time: DateTime.DateTime): number => Math.floor(DateTime.toEpochMillis(time) / 1000)

/** Decides the conditions of a read in the order of RFC 9110, section 13.2.2. */
export const decide = (
  stat: ObjectStat,
  conditions: ReadConditions
): "PreconditionFailed" | "NotModified" | undefined => {
  const { ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince } = conditions
  const { etag, lastModified } = stat
  if (ifMatch !== undefined) {
    if (ifMatch !== etag) return "PreconditionFailed"
  } else if (
    ifUnmodifiedSince !== undefined && lastModified !== undefined && seconds(lastModified) > seconds(ifUnmodifiedSince)
  ) {
    return "PreconditionFailed"
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch === etag) return "NotModified"
  } else if (
    ifModifiedSince !== undefined && lastModified !== undefined && seconds(lastModified) <= seconds(ifModifiedSince)
  ) {
    return "NotModified"
  }
  return undefined
}

/** The value of `ifGenerationMatch` for a write; `"never"` where no object can have the etag. */
export const generationFor = (mode: WriteMode): string | undefined =>
  mode === "overwrite" ? undefined : mode === "create" ? "0" : isGeneration(mode.update) ? mode.update : "never"
