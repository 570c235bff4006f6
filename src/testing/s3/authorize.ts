/**
 * Who asks the model of S3: AWS Signature Version 4, in headers or in a URL
 * (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html), written anew so that it says what the
 * reference says, and not what the layer does.
 *
 * @internal
 */
import { createHash, createHmac } from "node:crypto"
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import { refuse } from "./replies.ts"
import type { State } from "./state.ts"

const maxSkew = 15 * 60_000

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

const canonicalQuery = (rawQuery: string): string =>
  rawQuery.split("&").filter((pair) => pair !== "" && !pair.startsWith("X-Amz-Signature=")).map((pair) => {
    const sign = pair.indexOf("=")
    return sign === -1 ? [pair, ""] as const : [pair.slice(0, sign), pair.slice(sign + 1)] as const
  }).sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
    .map(([name, value]) => `${name}=${value}`).join("&")

/** `20130524T000000Z` in milliseconds since 1970. */
const timeOf = (text: string): number => {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  return second === undefined ? Number.NaN : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

interface Signature {
  readonly credential: string
  readonly names: string
  readonly signature: string
  readonly time: string
  readonly payload: string
  readonly token: string | undefined
  /** Seconds that a URL works; `undefined` for headers. */
  readonly expires: number | undefined
}

const ofHeaders = ({ headers }: ServerRequest): Signature | undefined => {
  const authorization = headers["authorization"] ?? ""
  const [, credential, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization
    ) ?? []
  const time = headers["x-amz-date"]
  const payload = headers["x-amz-content-sha256"]
  return credential === undefined || names === undefined || signature === undefined || time === undefined ||
      payload === undefined
    ? undefined
    : { credential, names, signature, time, payload, token: headers["x-amz-security-token"], expires: undefined }
}

const ofQuery = ({ headers, query }: ServerRequest): Signature | undefined => {
  const [credential, names, signature, time, expires] = ["Credential", "SignedHeaders", "Signature", "Date", "Expires"]
    .map((name) => query.get(`X-Amz-${name}`))
  return credential === undefined || names === undefined || signature === undefined || time === undefined
    ? undefined
    : {
      credential,
      names,
      signature,
      time,
      payload: headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
      token: query.get("X-Amz-Security-Token"),
      expires: Number(expires)
    }
}

const signatureOf = (
  { method, rawPath, rawQuery, headers }: ServerRequest,
  { names, payload, time }: Signature,
  secret: string,
  scope: string
): string => {
  const lines = names.split(";").map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}\n`)
  const canonical = `${method}\n${rawPath}\n${canonicalQuery(rawQuery)}\n${lines.join("")}\n${names}\n${payload}`
  let key: Buffer = Buffer.from(`AWS4${secret}`)
  for (const step of scope.split("/")) key = createHmac("sha256", key).update(step).digest()
  return createHmac("sha256", key).update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).digest("hex")
}

/** The refusal of a request that its sender may not make. */
export const authorize = (state: State, request: ServerRequest, now: number): ServerReply | undefined => {
  const isUrl = request.query.has("X-Amz-Signature")
  if (!isUrl && request.headers["authorization"] === undefined) {
    return state.anonymous ? undefined : refuse(403, "AccessDenied")
  }
  const signed = isUrl ? ofQuery(request) : ofHeaders(request)
  if (signed === undefined) return refuse(400, "AuthorizationHeaderMalformed")
  const [id, ...scope] = signed.credential.split("/")
  const { accessKeyId, secretAccessKey, sessionToken } = state.pair
  if (id !== accessKeyId) return refuse(403, "InvalidAccessKeyId")
  if (signed.token !== sessionToken) return refuse(400, "InvalidToken")
  const [day, region, service, end] = scope
  if (service !== "s3" || end !== "aws4_request" || !signed.time.startsWith(`${day}T`)) {
    return refuse(400, "AuthorizationHeaderMalformed")
  }
  if (region !== state.region) {
    return refuse(400, "AuthorizationHeaderMalformed", {
      elements: [`<Region>${state.region}</Region>`],
      headers: { "x-amz-bucket-region": state.region }
    })
  }
  if (signatureOf(request, signed, secretAccessKey, scope.join("/")) !== signed.signature) {
    return refuse(403, "SignatureDoesNotMatch")
  }
  const age = now - timeOf(signed.time)
  if (signed.expires !== undefined) {
    return age < -maxSkew || !(age <= signed.expires * 1000) ? refuse(403, "AccessDenied") : undefined
  }
  return Math.abs(age) <= maxSkew ? undefined : refuse(403, "RequestTimeTooSkewed")
}
