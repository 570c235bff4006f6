/**
 * The conditions of a read as request headers (RFC 9110, section 13.1).
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import type { ReadConditions } from "../ObjectStoreOptions.ts"

/**
 * Headers of the conditions; names are lower case. Times are IMF-fixdates, cut to the second as the service's own are, so
 * that they compare as they should.
 *
 * A date that RFC 9110 (section 13.2.2) has the service ignore beside an etag is not sent: some decide by it.
 */
export const readConditionHeaders = (conditions: ReadConditions): Record<string, string> => {
  const { ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince } = conditions
  const headers: Record<string, string> = {}
  if (ifMatch !== undefined) headers["if-match"] = ifMatch
  else if (ifUnmodifiedSince !== undefined) headers["if-unmodified-since"] = toImfFixdate(ifUnmodifiedSince)
  if (ifNoneMatch !== undefined) headers["if-none-match"] = ifNoneMatch
  else if (ifModifiedSince !== undefined) headers["if-modified-since"] = toImfFixdate(ifModifiedSince)
  return headers
}

/** A time as HTTP writes it (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. */
export const toImfFixdate = (time: DateTime.DateTime): string => DateTime.toDateUtc(time).toUTCString()
