/**
 * Who may ask the model of GCS: bearer tokens, tokens that a service account signs for itself, and signed URLs.
 *
 * @internal
 */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto"
import type { ServerRequest } from "../protocol/Server.ts"
import { type Refusal, refusals } from "./replies.ts"

/** A service account that the model knows: its name, and its public (or private) key, PEM. */
export interface KnownAccount {
  readonly email: string
  readonly publicKey: string
}

/** Whom a model knows. */
export interface Access {
  /** Bearer tokens that are taken. */
  readonly tokens: ReadonlySet<string>
  readonly account: { readonly email: string; readonly key: KeyObject } | undefined
  /** Buckets that nobody may use, although they are there. */
  readonly forbidden: ReadonlySet<string>
  /** Whether a request without credentials is taken. */
  readonly anonymous: boolean
}

/** Reads the key of an account. */
export const knownAccount = ({ email, publicKey }: KnownAccount): Access["account"] => ({
  email,
  key: createPublicKey(publicKey)
})

const signedBy = (key: KeyObject, text: string, signature: Buffer): boolean =>
  verify("sha256", Buffer.from(text), key, signature)

/** How far clocks may differ, in seconds. */
const skew = 300

/** Checks a JWT: signature, issuer, scope and time. */
const isToken = (account: NonNullable<Access["account"]>, token: string, now: number): boolean => {
  const [head, claims, signature, ...rest] = token.split(".")
  if (head === undefined || claims === undefined || signature === undefined || rest.length > 0) return false
  if (!signedBy(account.key, `${head}.${claims}`, Buffer.from(signature, "base64url"))) return false
  const { exp, iat, iss, scope, sub } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<
    string,
    unknown
  >
  const seconds = now / 1000
  return iss === account.email && sub === account.email && typeof scope === "string" && scope.includes("devstorage") &&
    typeof iat === "number" && typeof exp === "number" && exp - iat <= 3600 &&
    iat <= seconds + skew && exp > seconds
}

/** `20260131T235959Z` as milliseconds. */
const timeOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))

/** Checks the signature of a signed URL (cloud.google.com/storage/docs/authentication/canonical-requests). */
const checkSigned = (access: Access, request: ServerRequest, now: number): Refusal | undefined => {
  const { headers, method, query, rawPath, rawQuery } = request
  const date = query.get("X-Goog-Date") ?? ""
  const expires = Number(query.get("X-Goog-Expires"))
  const scope = `${date.slice(0, 8)}/auto/storage/goog4_request`
  if (access.account === undefined || query.get("X-Goog-Credential") !== `${access.account.email}/${scope}`) {
    return refusals.signature
  }
  const names = (query.get("X-Goog-SignedHeaders") ?? "").split(";")
  const canonical = (host: string | undefined) =>
    [
      method,
      rawPath,
      rawQuery.split("&").filter((pair) => !pair.startsWith("X-Goog-Signature=")).sort().join("&"),
      ...names.map((name) => `${name}:${(name === "host" ? host : headers[name]) ?? ""}`),
      "",
      names.join(";"),
      headers["x-goog-content-sha256"] ?? "UNSIGNED-PAYLOAD"
    ].join("\n")
  const { key } = access.account
  const signature = Buffer.from(query.get("X-Goog-Signature") ?? "", "hex")
  // The service has no port in its name; Google's own client signs without one.
  const signed = [headers["host"], headers["host"]?.replace(/:\d+$/, "")].some((host) => {
    const digest = createHash("sha256").update(canonical(host)).digest("hex")
    return signedBy(key, ["GOOG4-RSA-SHA256", date, scope, digest].join("\n"), signature)
  })
  if (!signed) return refusals.signature
  const begun = timeOf(date)
  if (!(expires >= 1 && expires <= 604_800) || begun > now + skew * 1000) return refusals.invalid("Invalid expiration.")
  return begun + expires * 1000 < now ? refusals.expired : undefined
}

/** Whether a request is refused for who asks it. A session's address is a credential of its own. */
export const checkAccess = (access: Access, request: ServerRequest, now: number): Refusal | undefined => {
  if (request.query.has("X-Goog-Signature")) return checkSigned(access, request, now)
  if (request.query.has("upload_id")) return undefined
  const bucket = /^\/(?:(?:upload\/|download\/)?storage\/v1\/b\/)?([^/]+)/.exec(request.rawPath)?.[1] ?? ""
  const given = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "")?.[1]
  if (given === undefined) {
    if (!access.anonymous) return refusals.login
  } else if (!access.tokens.has(given)) {
    const known = access.account !== undefined && isToken(access.account, given, now)
    // Emulators take any token; a model that knows somebody takes nobody else.
    if (!known && (access.tokens.size > 0 || access.account !== undefined)) return refusals.credentials
  }
  return access.forbidden.has(bucket) ? refusals.forbidden("storage.objects") : undefined
}
