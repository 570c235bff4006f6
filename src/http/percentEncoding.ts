/**
 * Percent-encoding as signatures and paths need it: UTF-8, everything but the unreserved characters of RFC 3986 as `%XX`
 * with upper-case digits.
 *
 * @internal
 */

const plainKey = /^[A-Za-z0-9\-._~/]*$/
const plainValue = /^[A-Za-z0-9\-._~]*$/

/** What `encodeURIComponent` leaves although RFC 3986 reserves it. */
const reserved = /[!'()*]/g

const toHex = (c: string): string => `%${c.charCodeAt(0).toString(16).toUpperCase()}`

/** Encodes one value of a query, or one segment of a path: `/` too. The text is well-formed UTF-16. */
export const encodeQuery = (value: string): string =>
  plainValue.test(value) ? value : encodeURIComponent(value).replace(reserved, toHex)

/** Encodes a key as the path of a URL: every `/` stays where it is, and `.` and `..` stay what they are. */
export const encodeKey = (key: string): string =>
  plainKey.test(key) ? key : encodeURIComponent(key).replaceAll("%2F", "/").replace(reserved, toHex)

/** Encodes names and values as a query, in the order that they have; those that are `undefined` are left out. */
export const encodeParameters = (parameters: Readonly<Record<string, string | number | undefined>>): string => {
  let text = ""
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) text += `${text === "" ? "" : "&"}${encodeQuery(name)}=${encodeQuery(String(value))}`
  }
  return text
}
