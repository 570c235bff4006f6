const conditions = "fake-gcs-server obeys conditions on uploads alone: it removes and copies whatever they say"
const emptySuffix = "fake-gcs-server answers a suffix of an empty object with 206 and bytes 0--1/0"
const folded =
  "fake-gcs-server gives all prefixes with every page of a listing with a delimiter, whatever maxResults says"

/** Cases of the suite that fake-gcs-server 1.56.1 fails, and why: each is asked again, and fails the suite when it passes. */
export const fakeGcsDefects: Readonly<Record<string, string>> = {
  "delete: with a matching etag removes, with a stale one is PreconditionFailed": conditions,
  "copy: with create refuses to replace, and keeps both": conditions,
  "copy: with update replaces the etag it names and no other": conditions,
  "copy: with ifMatch takes that version of the source alone": conditions,
  "rename: with create refuses to replace, and keeps both": conditions,
  "rename: with update replaces the etag it names and no other": conditions,
  "getRange: every range at the edges of an object gives exactly its bytes or RangeNotSatisfiable": emptySuffix,
  "getRange: of an empty object only empty ranges and suffixes can be read": emptySuffix,
  "Backend.read: gives the whole object for a suffix of an empty one": emptySuffix,
  "directories only through listDirectory: gives the objects of one level, and each prefix of deeper ones once": folded,
  "directories only through listDirectory: objects come in order, and prefixes come in order": folded,
  "Backend.listPage: pages hold at most `limit` entries, and a cursor gives its page again": folded
}
