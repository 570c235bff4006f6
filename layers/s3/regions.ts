/**
 * Which region a bucket is in, and where that region is. What a refusal tells is kept, so each bucket is asked once.
 *
 * @since 0.1.0
 */
import type { TransportReply } from "../../src/http/Transport.ts"
import { awsEndpoint, type Endpoint } from "./endpoint.ts"
import type { Refused } from "./errors.ts"

/** Regions of buckets. */
export interface Regions {
  /** The region that requests on a bucket are signed for; `""` for requests on the service. */
  readonly of: (container: string) => string
  readonly knows: (container: string) => boolean
  readonly learn: (container: string, region: string) => void
  readonly forget: (container: string) => void
  /** Where a region is. */
  readonly endpoint: (region: string) => Endpoint
}

const maxKnown = 10_000

/** Makes regions over a first guess. Without an endpoint the service is AWS, and each region has its own address. */
export const makeRegions = (first: string, endpoint: Endpoint | undefined): Regions => {
  const known = new Map<string, string>()
  const endpoints = new Map<string, Endpoint>()
  const find = (region: string): Endpoint => {
    if (endpoint === undefined) return awsEndpoint(region)
    // A dual-stack or FIPS address of AWS names its region too.
    const moves = region !== first && /\.amazonaws\.[a-z.]+$/.test(endpoint.hostname)
    const host = moves ? endpoint.host.replace(`.${first}.`, `.${region}.`) : endpoint.host
    return {
      ...endpoint,
      host,
      hostname: moves ? endpoint.hostname.replace(`.${first}.`, `.${region}.`) : endpoint.hostname
    }
  }
  return {
    of: (container) => known.get(container) ?? first,
    knows: (container) => known.has(container),
    learn: (container, region) => {
      if (known.size >= maxKnown) known.clear()
      known.set(container, region)
    },
    forget: (container) => {
      known.delete(container)
    },
    endpoint: (region) => {
      const found = endpoints.get(region) ?? find(region)
      endpoints.set(region, found)
      return found
    }
  }
}

/** Whether a status says that the answer is elsewhere. */
export const isRedirect = (status: number): boolean => status === 301 || status === 307 || status === 308

const elsewhere: ReadonlySet<string> = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "Redirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException"
])

const region = /^[a-z0-9][a-z0-9-]{0,63}$/

/** The region that a refusal names, where it is refused for the region's sake. */
export const regionOf = (
  { headers, status }: Pick<TransportReply, "status" | "headers">,
  { code, endpoint, region: named }: Refused
): string | undefined => {
  const concerned = isRedirect(status) || (code === undefined ? status === 400 : elsewhere.has(code))
  if (!concerned) return undefined
  const told = headers["x-amz-bucket-region"] ?? named ??
    /\bs3[.-]([a-z0-9-]+)\.amazonaws\.com/.exec(endpoint ?? headers["location"] ?? "")?.[1]
  return told !== undefined && region.test(told) ? told : undefined
}
