/**
 * What an S3 store is built with, and what is made of it.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { connectionOptionNames, type ConnectionOptions } from "../../src/http/Transport.ts"
import type { StoreOptions } from "../../src/ObjectStoreOptions.ts"
import { type OptionNames, storeOptionNames, wrongOptions } from "../../src/optionNames.ts"
import type { S3Checksum } from "./checksum.ts"
import type { S3CredentialsOption } from "./credentials.ts"
import type { Encryption, S3Encryption } from "./encryption.ts"
import { toEncryption } from "./encryption.ts"
import type { Endpoint } from "./endpoint.ts"
import { parseEndpoint } from "./endpoint.ts"
import { profiles, type S3Profile, type S3Vendor, vendorOfHost } from "./vendors.ts"

/**
 * What an S3 store is built with. Nothing is read from the environment; `S3Live` does that.
 *
 * Without `credentials`, or with `profile`, `@aws-sdk/client-s3` is imported and asked as the AWS tools would be: environment,
 * shared files, SSO, web identity, containers, instance metadata; then it also tells region and endpoint that are
 * not given here.
 *
 * @category models
 * @since 0.1.0
 */
export interface S3Options extends StoreOptions, ConnectionOptions {
  /** The region that requests are signed for; `us-east-1` if nobody knows better. Another region's bucket is found. */
  readonly region?: string | undefined
  /** Where the service is: `"http://127.0.0.1:9000"`; AWS in the region without it. */
  readonly endpoint?: string | undefined
  /**
   * A key pair, with a session token where it is temporary; `"anonymous"` for requests without a signature; or a provider of
   * the AWS SDK's kind, which is asked before each request and keeps what it knows.
   */
  readonly credentials?: S3CredentialsOption | undefined
  /** A profile of the shared AWS files. */
  readonly profile?: string | undefined
  /** Where the bucket stands: in the path, or before the host. `"auto"` without it: before AWS's own hosts, else in the path. */
  readonly addressing?: "path" | "virtual" | "auto" | undefined
  /**
   * What the service is. `"auto"` without it: told by the host, or else by the `Server` header of one request without
   * a signature when the store is built, which then fails if nobody answers. An unknown service is `"generic"`.
   */
  readonly vendor?: S3Vendor | "auto" | S3Profile | undefined
  /** The checksum that goes with uploads; the vendor's first one without it. */
  readonly checksum?: S3Checksum | undefined
  /** How new objects are encrypted on the server; the bucket's own default without it. */
  readonly encryption?: S3Encryption | undefined
  /** Pays for requests in buckets whose owner does not. */
  readonly requestPayer?: boolean | undefined
}

const optionNames: OptionNames<S3Options> = {
  ...storeOptionNames,
  ...connectionOptionNames,
  addressing: true,
  checksum: true,
  credentials: true,
  encryption: true,
  endpoint: true,
  profile: true,
  region: true,
  requestPayer: "flag",
  vendor: true
}

/** Options that were checked; what is `undefined` is asked of others. */
export interface Settings {
  readonly region: string | undefined
  readonly endpoint: Endpoint | undefined
  readonly credentials: S3CredentialsOption | undefined
  readonly profile: string | undefined
  readonly addressing: "path" | "virtual" | "auto"
  readonly vendor: S3Profile | undefined
  readonly checksum: S3Checksum | undefined
  readonly encryption: Encryption | undefined
  readonly requestPayer: boolean
  readonly allowPlainHttp: boolean | undefined
}

const regionPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

// A credential goes into a header: no spaces, no control characters, and in the id nothing that parts its fields.
const keyIdPattern = /^[\w+.=@:-]{1,256}$/
const tokenPattern = /^[\u0021-\u007e]+$/

/** Checks options; the failure says in one line what is wrong, and repeats no secret. */
export const toSettings = (options: S3Options): Result.Result<Settings, string> => {
  const unknown = wrongOptions(optionNames, options)
  if (unknown !== undefined) return Result.fail(unknown)
  const { addressing = "auto", credentials, profile, region, vendor } = options
  if (region !== undefined && !regionPattern.test(region)) return Result.fail("region is not the name of one")
  if (addressing !== "auto" && addressing !== "path" && addressing !== "virtual") {
    return Result.fail("addressing is not \"path\", \"virtual\" or \"auto\"")
  }
  const wrong = checkCredentials(credentials)
  if (wrong !== undefined) return Result.fail(wrong)
  if (profile !== undefined && (typeof profile !== "string" || profile === "")) return Result.fail("profile is no name")
  const endpoint = options.endpoint === undefined ? undefined : parseEndpoint(options.endpoint)
  if (endpoint !== undefined && Result.isFailure(endpoint)) return Result.fail(endpoint.failure)
  if (typeof vendor === "string" && vendor !== "auto" && !Object.hasOwn(profiles, vendor)) {
    return Result.fail(`vendor is not one of ${Object.keys(profiles).join(", ")} or auto`)
  }
  const incomplete = typeof vendor === "object" ? checkProfile(vendor) : undefined
  if (incomplete !== undefined) return Result.fail(incomplete)
  const place = endpoint?.success
  const encryption = options.encryption === undefined ? undefined : toEncryption(options.encryption)
  if (encryption !== undefined && Result.isFailure(encryption)) return Result.fail(encryption.failure)
  return Result.succeed({
    region,
    endpoint: place,
    credentials,
    profile,
    addressing,
    vendor: vendorOf(vendor, place),
    checksum: options.checksum,
    encryption: encryption?.success,
    requestPayer: options.requestPayer ?? false,
    allowPlainHttp: options.allowPlainHttp
  })
}

/** A profile that lacks something would promise it, or not, by chance. */
const checkProfile = (vendor: S3Profile): string | undefined => {
  const wrong = wrongOptions(profiles.generic, vendor, "vendor")
  if (wrong !== undefined) return wrong
  const missing = Object.keys(profiles.generic).find((name) => !Object.hasOwn(vendor, name))
  return missing === undefined ? undefined : `vendor lacks ${missing}; begin with { ...profiles.generic }`
}

/** What is known of the service without asking it. */
const vendorOf = (vendor: S3Options["vendor"], endpoint: Endpoint | undefined): S3Profile | undefined => {
  if (typeof vendor === "object") return vendor
  if (vendor !== undefined && vendor !== "auto") return profiles[vendor]
  const name = endpoint === undefined ? undefined : vendorOfHost(endpoint.hostname)
  return name === undefined ? undefined : profiles[name]
}

const checkCredentials = (credentials: S3CredentialsOption | undefined): string | undefined => {
  if (credentials === undefined || credentials === "anonymous" || typeof credentials === "function") return undefined
  if (typeof credentials !== "object" || credentials === null) return "credentials are no key pair"
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  if (typeof accessKeyId !== "string" || !keyIdPattern.test(accessKeyId)) return "accessKeyId is not the id of a key"
  const secret = textOf(secretAccessKey)
  if (typeof secret !== "string" || secret === "") return "secretAccessKey is empty"
  const token = sessionToken === undefined ? undefined : textOf(sessionToken)
  return token === undefined || (typeof token === "string" && tokenPattern.test(token))
    ? undefined
    : "sessionToken is empty or holds spaces"
}

const textOf = (value: string | Redacted.Redacted<string>): string =>
  Redacted.isRedacted(value) ? Redacted.value(value) : value
