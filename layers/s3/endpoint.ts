/**
 * Where requests go: the service's address, and whether the bucket stands in the path or before the host.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { encodeKey } from "../../src/http/percentEncoding.ts"

/** The address of a service. */
export interface Endpoint {
  readonly protocol: "http:" | "https:"
  /** Without the port. */
  readonly hostname: string
  /** With the port, unless it is the protocol's own: what the `host` header says. */
  readonly host: string
  /** What every path begins with; `""` or `/a/b`. */
  readonly path: string
}

/** Where one request goes. */
export interface Target {
  readonly origin: string
  readonly host: string
  /** Percent-encoded, sent and signed as it is. */
  readonly path: string
}

/** Takes an endpoint apart; the failure says what is wrong, and does not repeat it, since it may hold a password. */
export const parseEndpoint = (text: string): Result.Result<Endpoint, string> => {
  if (!URL.canParse(text)) return Result.fail("endpoint is no URL, such as https://s3.example.com")
  const { hash, host, hostname, password, pathname, protocol, search, username } = new URL(text)
  if (protocol !== "http:" && protocol !== "https:") return Result.fail("endpoint is not http:// or https://")
  if (username !== "" || password !== "") return Result.fail("endpoint holds a user; give credentials as such")
  if (search !== "" || hash !== "") return Result.fail("endpoint has a query or a fragment")
  return Result.succeed({ protocol, hostname, host, path: pathname.replace(/\/+$/, "") })
}

// docs.aws.amazon.com/general/latest/gr/s3.html and the partitions of AWS's own endpoint rules.
const partitions: ReadonlyArray<readonly [prefix: string, suffix: string]> = [
  ["cn-", "amazonaws.com.cn"],
  ["us-isob-", "sc2s.sgov.gov"],
  ["us-isof-", "csp.hci.ic.gov"],
  ["us-iso-", "c2s.ic.gov"],
  ["eu-isoe-", "cloud.adc-e.uk"],
  ["eusc-", "amazonaws.eu"]
]

/** AWS's own address in a region. */
export const awsEndpoint = (region: string): Endpoint => {
  const suffix = partitions.find(([prefix]) => region.startsWith(prefix))?.[1] ?? "amazonaws.com"
  const host = `s3.${region}.${suffix}`
  return { protocol: "https:", hostname: host, host, path: "" }
}

const isAddress = (hostname: string): boolean => /^[\d.]+$/.test(hostname) || hostname.startsWith("[")

/** Whether buckets stand before the host, for a service at `endpoint`. */
export const isVirtual = (addressing: "path" | "virtual" | "auto", endpoint: Endpoint): boolean =>
  addressing === "virtual" || (addressing === "auto" && /\.amazonaws\.(com|com\.cn|eu)$/.test(endpoint.hostname) &&
    !isAddress(endpoint.hostname))

/**
 * Where a request on a bucket or an object goes. A bucket with a dot stays in the path over https, since its name would
 * not fit the service's certificate.
 */
export const targetOf = (
  endpoint: Endpoint,
  virtual: boolean,
  container: string,
  key: string | undefined,
  query: string
): Target => {
  const before = virtual && container !== "" && !(endpoint.protocol === "https:" && container.includes("."))
  const host = before ? `${container}.${endpoint.host}` : endpoint.host
  const bucket = before || container === "" ? "" : `/${container}`
  const object = key === undefined ? (before || container === "" ? "/" : "") : `/${encodeKey(key)}`
  return {
    origin: `${endpoint.protocol}//${host}`,
    host,
    path: `${endpoint.path}${bucket}${object}${query === "" ? "" : `?${query}`}`
  }
}
