/**
 * Azure Storage's Shared Key: a request signed with the account's key.
 *
 * The rules are the vendor's "Authorize with Shared Key" (learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key), version
 * 2016-05-31 and later; the order of headers, which that page calls lexicographical, is the one that the service and its own
 * SDKs really use. The signed path is the path that is sent, byte for byte.
 *
 * @internal
 */
import * as Redacted from "effect/Redacted"
import * as NodeCrypto from "node:crypto"

/** An account and its key, ready to sign. */
export interface SharedKey {
  readonly account: string
  readonly key: NodeCrypto.KeyObject
}

/** What of a request is signed. */
export interface SignedRequest {
  readonly method: string
  /** Path and query as they are sent. */
  readonly path: string
  /** Names are lower case. `x-ms-date` is among them. */
  readonly headers: Readonly<Record<string, string>>
  /** Bytes in the body. */
  readonly length: number
}

/** Reads an account's key; `undefined` if it is no base64. */
export const makeSharedKey = (account: string, key: Redacted.Redacted<string>): SharedKey | undefined => {
  const text = Redacted.value(key)
  // Buffer would skip what is no base64, and sign with another key.
  if (text.length === 0 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  return { account, key: NodeCrypto.createSecretKey(Buffer.from(text, "base64")) }
}

/** HMAC-SHA256 of text, base64: the signature of requests and of SAS tokens. */
export const signText = (key: NodeCrypto.KeyObject, text: string): string =>
  NodeCrypto.createHmac("sha256", key).update(text, "utf8").digest("base64")

/** The value of the `authorization` header. */
export const sharedKeyAuthorization = (sharedKey: SharedKey, request: SignedRequest): string =>
  `SharedKey ${sharedKey.account}:${signText(sharedKey.key, stringToSign(sharedKey.account, request))}`

// The standard headers that are signed between the method and the headers of the service, in this order.
const standardHeaders = [
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range"
]

/** What is signed; the server prints it when the signature differs, and so may a test. */
export const stringToSign = (account: string, { headers, length, method, path }: SignedRequest): string => {
  const standard = standardHeaders.map((name) => headers[name] ?? "")
  return [
    method,
    headers["content-encoding"] ?? "",
    headers["content-language"] ?? "",
    length === 0 ? "" : String(length),
    ...standard,
    canonicalizedHeaders(headers) + canonicalizedResource(account, path)
  ].join("\n")
}

const canonicalizedHeaders = (headers: Readonly<Record<string, string>>): string => {
  let text = ""
  for (const name of Object.keys(headers).filter((name) => name.startsWith("x-ms-")).sort(compareHeaders)) {
    text += `${name}:${headers[name]!.trim()}\n`
  }
  return text
}

const canonicalizedResource = (account: string, path: string): string => {
  const mark = path.indexOf("?")
  if (mark === -1) return `/${account}${path}`
  const parameters = path.slice(mark + 1).split("&").map((pair): readonly [string, string] => {
    const sign = pair.indexOf("=")
    return sign === -1
      ? [pair.toLowerCase(), ""]
      : [pair.slice(0, sign).toLowerCase(), decodeURIComponent(pair.slice(sign + 1))]
  })
  parameters.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
  return `/${account}${path.slice(0, mark)}${parameters.map(([name, value]) => `\n${name}:${value}`).join("")}`
}

const underscore = 0x5f

/**
 * The service sorts as .NET does for English: hyphens count only between names that are equal without them (the later one
 * comes first), and `_` comes before digits and letters. Names are of lower-case letters, digits, `-` and `_`.
 */
export const compareHeaders = (a: string, b: string): number => {
  const [x, y] = [a.replaceAll("-", ""), b.replaceAll("-", "")]
  const most = Math.min(x.length, y.length)
  for (let i = 0; i < most; i++) {
    const [p, q] = [x.charCodeAt(i), y.charCodeAt(i)]
    if (p !== q) return p === underscore ? -1 : q === underscore ? 1 : p - q
  }
  if (x.length !== y.length) return x.length - y.length
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return a[i] === "-" ? 1 : -1
  }
  return a.length - b.length
}
