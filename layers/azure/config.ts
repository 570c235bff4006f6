/**
 * What an Azure store is built with, and what is made of it.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Capabilities } from "../../src/Capabilities.ts"
import { exposed } from "../../src/http/plainHttp.ts"
import { makeSharedKey, type SharedKey } from "../../src/http/SharedKey.ts"
import { connectionOptionNames, type ConnectionOptions } from "../../src/http/Transport.ts"
import type { StoreOptions } from "../../src/ObjectStoreOptions.ts"
import * as ObjectUri from "../../src/ObjectUri.ts"
import { type OptionNames, storeOptionNames, wrongOptions } from "../../src/optionNames.ts"
import { emulatorAccount, emulatorKey, type Endpoint, parseConnectionString, parseEndpoint } from "./endpoint.ts"

/**
 * What hands out tokens: any credential of `@azure/identity`, or an object of your own.
 *
 * @category models
 * @since 0.1.0
 */
export interface TokenCredential {
  /** Answers a token for a scope and when it ends, in milliseconds since 1970. */
  readonly getToken: (
    scope: string,
    options?: { readonly abortSignal?: AbortSignal }
  ) => Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>
}

/**
 * A checksum of uploads: the CRC-64/NVME of `x-ms-content-crc64`, the MD5 of `Content-MD5`, or none.
 *
 * @category models
 * @since 0.1.0
 */
export type AzureChecksum = "crc64" | "md5" | "none"

/**
 * What an Azure store is built with. Nothing is read from the environment; `AzureLive` does that.
 *
 * One store is one account, with all its containers. At most one of `accountKey`, `sasToken` and `credential` is given, here or in the
 * connection string. Without any, requests to Azurite's account are signed with Azurite's published key, and those to other
 * accounts with `"default"`.
 *
 * @category models
 * @since 0.1.0
 */
export interface AzureOptions extends StoreOptions, ConnectionOptions {
  /** The account's name; told by the endpoint, the connection string or `base` where it is not given. */
  readonly account?: string | undefined
  /** Where the account is: `"https://ACCOUNT.blob.core.windows.net"` without it, `"http://127.0.0.1:10000/devstoreaccount1"` for Azurite. */
  readonly endpoint?: string | undefined
  /** A connection string as the portal shows it, or `UseDevelopmentStorage=true`. */
  readonly connectionString?: string | Redacted.Redacted<string> | undefined
  /** A key of the account, base64. */
  readonly accountKey?: string | Redacted.Redacted<string> | undefined
  /** A shared access signature: a query, with or without its `?`. */
  readonly sasToken?: string | Redacted.Redacted<string> | undefined
  /** A source of tokens; `"default"` for `DefaultAzureCredential` of `@azure/identity`; `"anonymous"` for public containers. */
  readonly credential?: TokenCredential | "default" | "anonymous" | undefined
  /**
   * The checksum that goes with every upload, and that the service compares before it stores anything: `"crc64"` without it, which
   * takes about two thirds of the time of `"md5"`. With `"none"`, uploads cost less of the processor, and results say `verified: "size"`.
   */
  readonly checksum?: AzureChecksum | undefined
  /** Bytes of a block of large uploads; 8 MiB without it. */
  readonly blockSize?: number | undefined
  /** Blocks in flight of one upload; 8 without it. */
  readonly blockConcurrency?: number | undefined
}

const optionNames: OptionNames<AzureOptions> = {
  ...storeOptionNames,
  ...connectionOptionNames,
  account: true,
  accountKey: true,
  blockConcurrency: true,
  blockSize: true,
  checksum: true,
  connectionString: true,
  credential: true,
  endpoint: true,
  sasToken: true
}

/** How requests are authorized. */
export type Authorization =
  | { readonly _tag: "SharedKey"; readonly sharedKey: SharedKey }
  | { readonly _tag: "Sas"; readonly token: Redacted.Redacted<string>; readonly expiresAt: number | undefined }
  | { readonly _tag: "Token"; readonly credential: TokenCredential | "default" }
  | { readonly _tag: "Anonymous" }

/** Options that were checked. */
export interface Settings {
  readonly account: string
  readonly endpoint: Endpoint
  readonly authorization: Authorization
  readonly checksum: AzureChecksum
  readonly capabilities: Capabilities
  /** How long a copy may be pending without coming further. */
  readonly stallTimeout: number
}

const MiB = 1024 * 1024

const checksums: ReadonlyArray<AzureChecksum> = ["crc64", "md5", "none"]

// learn.microsoft.com/rest/api/storageservices/understanding-block-blobs--append-blobs--and-page-blobs, version 2019-12-12 and later.
/** Most blocks of a blob. */
export const maxBlocks = 50_000
const maxBlockSize = 4000 * MiB
const maxPutBlob = 5000 * MiB
/** Copy Blob From URL. */
const maxCopySize = 256 * MiB

const capabilitiesOf = (
  authorization: Authorization,
  blockSize: number,
  blockConcurrency: number
): Capabilities => ({
  io: "http",
  conditionalRead: true,
  conditionalCreate: true,
  conditionalUpdate: true,
  conditionalDelete: true,
  conditionalCopy: true,
  conditionalCopySource: true,
  suffixRange: false,
  versions: true,
  attributes: true,
  metadata: true,
  metadataNames: "identifier",
  metadataValues: "ascii",
  storageClass: true,
  tags: true,
  // The vendor promises an alphabetical order, not which one: Azurite's is that of UTF-16, and a hierarchical namespace has one of its own.
  sortedList: false,
  listStartAfter: false,
  maxPageSize: 5000,
  maxDeleteBatch: 256,
  serverCopy: true,
  maxCopySize,
  atomicRename: false,
  hierarchical: false,
  containers: "explicit",
  containerLocation: false,
  presign: authorization._tag === "SharedKey" || authorization._tag === "Token",
  maxMetadataBytes: 8192,
  // 1,024 characters of at most 3 bytes; the characters are counted where keys are checked.
  maxKeyBytes: 3072,
  maxObjectSize: maxBlocks * maxBlockSize,
  maxWriteSize: maxPutBlob,
  multipart: {
    minPartSize: 1,
    maxPartSize: maxBlockSize,
    maxParts: maxBlocks,
    partMultiple: 1,
    ordered: false,
    conditionalComplete: true,
    listed: true,
    abort: "expires",
    isolated: false
  },
  tuning: {
    readPartSize: 8 * MiB,
    readConcurrency: 8,
    streamPartSize: 4 * MiB,
    streamConcurrency: 6,
    writePartSize: blockSize,
    writeConcurrency: blockConcurrency,
    multipartThreshold: blockSize,
    // As the vendor's client: one request is quicker than blocks, is atomic, and leaves no blocks that nothing can remove.
    bytesThreshold: 256 * MiB,
    alignedBuffers: false
  }
})

const redacted = (value: string | Redacted.Redacted<string>): Redacted.Redacted<string> =>
  Redacted.isRedacted(value) ? value : Redacted.make(value)

/** The account that a base names. */
const accountOfBase = (base: StoreOptions["base"]): string | undefined => {
  if (base === undefined) return undefined
  const parsed = ObjectUri.parseResult(String(base))
  return Result.isSuccess(parsed) && parsed.success.account !== "" ? parsed.success.account : undefined
}

/** Checks options; a failure is what is wrong, in one line and without secrets. */
export const resolveOptions = (options: AzureOptions): Result.Result<Settings, string> =>
  Result.gen(function*() {
    const wrong = wrongOptions(optionNames, options)
    if (wrong !== undefined) return yield* Result.fail(wrong)
    const connection = options.connectionString === undefined
      ? undefined
      : yield* parseConnectionString(Redacted.value(redacted(options.connectionString)))
    const named = options.account ?? connection?.account
    if (connection?.account !== undefined && connection.account !== named) {
      return yield* Result.fail(`the connection string is of account ${connection.account}, not of ${named}`)
    }
    const address = options.endpoint ?? connection?.endpoint
    const { account, endpoint } = address === undefined
      ? { account: named ?? accountOfBase(options.base), endpoint: undefined }
      : yield* parseEndpoint(address, named)
    if (account === undefined) {
      return yield* Result.fail("account: neither it nor an endpoint nor a base says which it is")
    }
    const place = ObjectUri.parseResult(`az://${account}`)
    if (Result.isFailure(place)) return yield* Result.fail(place.failure)
    const where = endpoint ?? { origin: `https://${account}.blob.core.windows.net`, basePath: "" }
    const authorization = yield* toAuthorization(options, account, {
      accountKey: options.accountKey ?? connection?.accountKey,
      sasToken: options.sasToken ?? connection?.sasToken
    })
    // The emulator's key is no secret.
    const isOpen = authorization._tag === "Anonymous" ||
      (authorization._tag === "SharedKey" && account === emulatorAccount)
    const risk = isOpen ? undefined : exposed(where.origin, options.allowPlainHttp)
    if (risk !== undefined) return yield* Result.fail(risk)
    const { blockConcurrency = 8, blockSize = 8 * MiB, checksum = "crc64" } = options
    if (!(Number.isSafeInteger(blockSize) && blockSize > 0 && blockSize <= maxBlockSize)) {
      return yield* Result.fail(`blockSize: ${blockSize} is no integer from 1 to ${maxBlockSize}`)
    }
    if (!(Number.isSafeInteger(blockConcurrency) && blockConcurrency > 0)) {
      return yield* Result.fail(`blockConcurrency: ${blockConcurrency} is no positive integer`)
    }
    if (!checksums.includes(checksum)) {
      return yield* Result.fail(`checksum: ${JSON.stringify(checksum)} is none of ${checksums.join(", ")}`)
    }
    return {
      account,
      endpoint: where,
      authorization,
      checksum,
      capabilities: capabilitiesOf(authorization, blockSize, blockConcurrency),
      stallTimeout: options.stallTimeout ?? 30_000
    }
  })

const toAuthorization = (
  { credential }: AzureOptions,
  account: string,
  secrets: {
    readonly accountKey: string | Redacted.Redacted<string> | undefined
    readonly sasToken: string | Redacted.Redacted<string> | undefined
  }
): Result.Result<Authorization, string> => {
  const { accountKey, sasToken } = secrets
  if ([accountKey, sasToken, credential].filter((given) => given !== undefined).length > 1) {
    return Result.fail("accountKey, sasToken and credential: more than one is given")
  }
  if (sasToken !== undefined) return toSas(redacted(sasToken))
  if (credential === "anonymous") return Result.succeed({ _tag: "Anonymous" })
  if (credential !== undefined) {
    return credential === "default" || typeof credential.getToken === "function"
      ? Result.succeed({ _tag: "Token", credential })
      : Result.fail("credential: it is neither \"default\" nor \"anonymous\", and has no getToken")
  }
  const key = accountKey ?? (account === emulatorAccount ? emulatorKey : undefined)
  if (key === undefined) return Result.succeed({ _tag: "Token", credential: "default" })
  const sharedKey = makeSharedKey(account, redacted(key))
  return sharedKey === undefined
    ? Result.fail("accountKey: it is no base64")
    : Result.succeed({ _tag: "SharedKey", sharedKey })
}

const toSas = (given: Redacted.Redacted<string>): Result.Result<Authorization, string> => {
  const text = Redacted.value(given).trim().replace(/^\?/, "")
  if (!/^[A-Za-z0-9%&=_.~:+/,;-]+$/.test(text) || !/(?:^|&)sig=[^&]/.test(text)) {
    return Result.fail("sasToken: it is no query with a signature")
  }
  const expiry = Date.parse(new URLSearchParams(text).get("se") ?? "")
  return Result.succeed({
    _tag: "Sas",
    token: Redacted.make(text),
    expiresAt: Number.isNaN(expiry) ? undefined : expiry
  })
}
