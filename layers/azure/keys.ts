/**
 * Keys that the service cannot hold as they are.
 *
 * The vendor's naming rules (learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata) say "avoid"
 * where the service does not refuse but rewrites: a path whose segments are `.` or `..` is shortened, a dot at the end of a segment
 * is dropped, a backslash becomes a slash. Two keys would be one object, so such a key is refused before anything is sent.
 *
 * @internal
 */

/** 1,024 characters, which are UTF-16 units. */
const maxKeyLength = 1024

const maxSegments = 254

// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/

/** What is wrong with a key, in one line. */
export const wrongKey = (key: string): string | undefined => {
  if (key.length > maxKeyLength) return `the key has ${key.length} characters, the most are ${maxKeyLength}`
  if (key.split("/").length > maxSegments) return `the key has more than ${maxSegments} segments`
  if (control.test(key)) return "the key holds control characters, which Azure refuses"
  if (key.includes("\\")) return "the key holds a backslash, which Azure makes a slash"
  if (/\.(?:\/|$)/.test(key)) return "a segment of the key ends in a dot, which Azure drops"
  return undefined
}
