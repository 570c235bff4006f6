/**
 * What a GCS store is told: its options, its endpoint, and what it can do.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Capabilities } from "../../src/Capabilities.ts"
import { connectionOptionNames, type ConnectionOptions } from "../../src/http/Transport.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { StoreOptions } from "../../src/ObjectStoreOptions.ts"
import { type OptionNames, storeOptionNames, wrongOptions } from "../../src/optionNames.ts"

/** The backend's name in errors. */
export const backendName = "gcs"

/**
 * The parts of a service account's key that are used, as the console writes them into a JSON file.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceAccountKey {
  readonly client_email: string
  /** PEM. */
  readonly private_key: string | Redacted.Redacted<string>
  readonly private_key_id?: string | undefined
  readonly project_id?: string | undefined
  readonly [field: string]: unknown
}

/**
 * An OAuth 2.0 access token of your own, and when it ends (milliseconds since 1970).
 *
 * @category models
 * @since 0.1.0
 */
export interface GcsToken {
  readonly value: string | Redacted.Redacted<string>
  readonly expiresAt?: number | undefined
}

/**
 * Who asks:
 *
 * - `"default"`: Application Default Credentials, found by `@google-cloud/storage` (`GOOGLE_APPLICATION_CREDENTIALS`, gcloud's
 *   own login, the metadata server, workload identity federation);
 * - `"anonymous"`: nobody, for public buckets and emulators;
 * - `{ key }`: a key as an object or as the JSON text of its file. A service account's key needs no other package; keys of
 *   other kinds go to `@google-cloud/storage`;
 * - `{ keyFile }`: the same in a file;
 * - `{ token }`: an effect that answers an access token. It runs when one is needed, and again before it ends.
 *
 * @category models
 * @since 0.1.0
 */
export type GcsCredentials =
  | "default"
  | "anonymous"
  | { readonly key: ServiceAccountKey | string | Redacted.Redacted<string> }
  | { readonly keyFile: string }
  | { readonly token: Effect.Effect<GcsToken, unknown> }

/**
 * What a GCS store is built with.
 *
 * @category models
 * @since 0.1.0
 */
export interface GcsOptions extends StoreOptions, ConnectionOptions {
  /**
   * Where the service is: `"https://storage.googleapis.com"` without it. A scheme may be left out (`http` then, as
   * emulators have it), and `/storage/v1` may stand at the end.
   */
  readonly endpoint?: string | undefined
  /** `"default"` without it for an endpoint of `https`, `"anonymous"` for one of `http`. */
  readonly credentials?: GcsCredentials | undefined
  /** The project that containers are made in and listed of; else the credentials' own. */
  readonly projectId?: string | undefined
  /** The project that pays for requests (buckets with "requester pays"). */
  readonly userProject?: string | undefined
  /** Whether the service takes many removals with one request; `true` without it. Some emulators do not. */
  readonly batchDelete?: boolean | undefined
}

const optionNames: OptionNames<GcsOptions> = {
  ...storeOptionNames,
  ...connectionOptionNames,
  batchDelete: "flag",
  credentials: true,
  endpoint: true,
  projectId: true,
  userProject: true
}

/** What is wrong with options as a whole, in one line. */
export const checkOptions = (options: GcsOptions): string | undefined => wrongOptions(optionNames, options)

/** Where the service is. */
export interface Endpoint {
  readonly origin: string
  /** What stands before every path; `""` but behind some proxies. */
  readonly prefix: string
  readonly secure: boolean
}

/** Makes a `Configuration` error. */
export const misconfigured = (description: string): ObjectStoreError =>
  makeError("Configuration", { operation: "make", backend: backendName, description })

/** Reads an endpoint; the failure says what is wrong with it. */
export const parseEndpoint = (text: string): Result.Result<Endpoint, string> => {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(whole)) return Result.fail("endpoint: it is no URL")
  const url = new URL(whole)
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return Result.fail("endpoint: only http and https are spoken")
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return Result.fail("endpoint: it holds more than scheme, host, port and path")
  }
  return Result.succeed({
    origin: url.origin,
    prefix: url.pathname.replace(/\/+$/, "").replace(/\/storage\/v1$/, "").replace(/\/+$/, ""),
    secure: url.protocol === "https:"
  })
}

const KiB = 1024
const MiB = 1024 * KiB
const TiB = 1024 * 1024 * MiB

/** Sessions take chunks in multiples of this (cloud.google.com/storage/docs/performing-resumable-uploads). */
export const chunkMultiple = 256 * KiB

/** What GCS can do. Limits: cloud.google.com/storage/quotas. */
export const toCapabilities = (options: {
  readonly batchDelete: boolean
  readonly presign: boolean
}): Capabilities => ({
  io: "http",
  conditionalRead: true,
  conditionalCreate: true,
  conditionalUpdate: true,
  conditionalDelete: true,
  conditionalCopy: true,
  conditionalCopySource: true,
  suffixRange: true,
  versions: true,
  attributes: true,
  metadata: true,
  metadataNames: "token",
  metadataValues: "text",
  storageClass: true,
  tags: false,
  sortedList: true,
  listStartAfter: true,
  maxPageSize: 1000,
  maxDeleteBatch: options.batchDelete ? 100 : 1,
  serverCopy: true,
  maxCopySize: 5 * TiB,
  atomicRename: false,
  hierarchical: false,
  containers: "explicit",
  containerLocation: true,
  presign: options.presign,
  maxMetadataBytes: 8 * KiB,
  maxKeyBytes: 1024,
  maxObjectSize: 5 * TiB,
  maxWriteSize: 5 * TiB,
  multipart: {
    minPartSize: chunkMultiple,
    maxPartSize: 5 * TiB,
    maxParts: (5 * TiB) / chunkMultiple,
    partMultiple: chunkMultiple,
    ordered: true,
    conditionalComplete: true,
    listed: false,
    abort: "removes",
    isolated: true
  },
  tuning: {
    readPartSize: 8 * MiB,
    readConcurrency: 8,
    streamPartSize: 4 * MiB,
    streamConcurrency: 6,
    writePartSize: 16 * MiB,
    writeConcurrency: 1,
    multipartThreshold: 16 * MiB,
    // One request has no pauses between its chunks; a session can be resumed. Above this a lost request costs too much.
    bytesThreshold: 128 * MiB,
    alignedBuffers: false
  }
})
