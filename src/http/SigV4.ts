/**
 * AWS Signature Version 4, as S3 wants it: the path is signed byte for byte as it is sent, neither encoded again nor
 * normalised. Pure: time comes in as a number.
 *
 * The key of a day, region and service is derived once and kept as a `KeyObject`, the text of a date once a second; both
 * belong to one signer, which serves one set of credentials at a time (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Redacted from "effect/Redacted"
import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto"
import { encodeQuery } from "./percentEncoding.ts"

/** What requests are signed with. */
export interface SigningCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted<string>
  readonly sessionToken?: Redacted.Redacted<string> | undefined
}

/** The hash of a body that is not signed; its integrity is a checksum's affair. */
export const unsignedPayload = "UNSIGNED-PAYLOAD"

/** What is signed of a request. */
export interface SignableRequest {
  readonly method: string
  /** Path and query as they are sent. */
  readonly path: string
  /** All headers that are to be signed, `host` among them; names are lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hex, or `UNSIGNED-PAYLOAD` without it. */
  readonly payload?: string | undefined
}

/** Signs requests of one service. */
export interface Signer {
  /** The headers that a signed request is sent with: those given, and the signature's own. */
  readonly sign: (
    request: SignableRequest,
    credentials: SigningCredentials,
    region: string,
    now: number
  ) => Record<string, string>
  /** The path and query of a URL that carries its signature and works for `expires` seconds. It is a secret. */
  readonly presign: (
    request: SignableRequest,
    credentials: SigningCredentials,
    region: string,
    now: number,
    expires: number
  ) => Redacted.Redacted<string>
}

const algorithm = "AWS4-HMAC-SHA256"

/** Makes a signer for a service: `"s3"`, `"sts"`. */
export const makeSigner = (service: string): Signer => {
  let second = Number.NaN
  let time = ""
  // One entry a region: a store talks to few of them, and all keys end with the day.
  let keys = new Map<string, KeyObject>()
  let keysFor = ""

  const timeOf = (now: number): string => {
    const current = Math.floor(now / 1000)
    if (current !== second) {
      time = DateTime.formatIso(DateTime.makeUnsafe(current * 1000)).replace(/[-:]|\.000/g, "")
      second = current
    }
    return time
  }

  const keyOf = (credentials: SigningCredentials, day: string, region: string): KeyObject => {
    const secret = Redacted.value(credentials.secretAccessKey)
    const owner = `${day}\n${credentials.accessKeyId}\n${secret}`
    if (owner !== keysFor) {
      keys = new Map()
      keysFor = owner
    }
    const known = keys.get(region)
    if (known !== undefined) return known
    let key: Buffer = Buffer.from(`AWS4${secret}`)
    for (const step of [day, region, service, "aws4_request"]) key = createHmac("sha256", key).update(step).digest()
    const made = createSecretKey(key)
    keys.set(region, made)
    return made
  }

  const signatureOf = (
    canonical: string,
    credentials: SigningCredentials,
    region: string,
    time: string
  ): string => {
    const day = time.slice(0, 8)
    return createHmac("sha256", keyOf(credentials, day, region))
      .update(`${algorithm}\n${time}\n${day}/${region}/${service}/aws4_request\n${hash("sha256", canonical)}`)
      .digest("hex")
  }

  return {
    sign: ({ headers: given, method, path, payload = unsignedPayload }, credentials, region, now) => {
      const time = timeOf(now)
      const headers: Record<string, string> = { ...given, "x-amz-content-sha256": payload, "x-amz-date": time }
      if (credentials.sessionToken !== undefined) {
        headers["x-amz-security-token"] = Redacted.value(credentials.sessionToken)
      }
      const { canonical, names } = canonicalHeaders(headers)
      const signature = signatureOf(
        `${method}\n${canonicalTarget(path)}\n${canonical}\n${names}\n${payload}`,
        credentials,
        region,
        time
      )
      headers["authorization"] = `${algorithm} Credential=${credentials.accessKeyId}/${
        time.slice(0, 8)
      }/${region}/${service}/aws4_request, SignedHeaders=${names}, Signature=${signature}`
      return headers
    },
    presign: ({ headers, method, path, payload = unsignedPayload }, credentials, region, now, expires) => {
      const time = timeOf(now)
      const { canonical, names } = canonicalHeaders(headers)
      const scope = `${credentials.accessKeyId}/${time.slice(0, 8)}/${region}/${service}/aws4_request`
      const query = [
        `X-Amz-Algorithm=${algorithm}`,
        `X-Amz-Credential=${encodeQuery(scope)}`,
        `X-Amz-Date=${time}`,
        `X-Amz-Expires=${expires}`,
        ...(credentials.sessionToken === undefined
          ? []
          : [`X-Amz-Security-Token=${encodeQuery(Redacted.value(credentials.sessionToken))}`]),
        `X-Amz-SignedHeaders=${encodeQuery(names)}`
      ].join("&")
      const unsigned = `${path}${path.includes("?") ? "&" : "?"}${query}`
      const signature = signatureOf(
        `${method}\n${canonicalTarget(unsigned)}\n${canonical}\n${names}\n${payload}`,
        credentials,
        region,
        time
      )
      return Redacted.make(`${unsigned}&X-Amz-Signature=${signature}`, { label: "signed URL" })
    }
  }
}

/** Names in order, values without spaces at their ends and with single ones inside. */
const canonicalHeaders = (headers: Readonly<Record<string, string>>) => {
  const names = Object.keys(headers).sort()
  let canonical = ""
  for (const name of names) {
    let value = headers[name]!
    if (value.includes("  ") || value.startsWith(" ") || value.endsWith(" ")) value = value.trim().replace(/ +/g, " ")
    canonical += `${name}:${value}\n`
  }
  return { canonical, names: names.join(";") }
}

/** The path as it is, and the parameters in order of their names, each with a `=`. */
const canonicalTarget = (target: string): string => {
  const mark = target.indexOf("?")
  if (mark === -1) return `${target}\n`
  const query = target.slice(mark + 1)
  const path = target.slice(0, mark)
  if (!query.includes("&")) return `${path}\n${query === "" || query.includes("=") ? query : `${query}=`}`
  const parameters = query.split("&").map((parameter) => {
    const equals = parameter.indexOf("=")
    return equals === -1 ? [parameter, ""] as const : [parameter.slice(0, equals), parameter.slice(equals + 1)] as const
  })
  parameters.sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
  return `${path}\n${parameters.map(([name, value]) => `${name}=${value}`).join("&")}`
}
