/**
 * The backend contract over S3.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Backend } from "../../src/Backend.ts"
import { exposed } from "../../src/http/plainHttp.ts"
import { readMessage } from "../../src/http/replyBody.ts"
import { makeServiceClock } from "../../src/http/ServiceClock.ts"
import { makeSigner } from "../../src/http/SigV4.ts"
import type { Transport } from "../../src/http/Transport.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { capabilitiesOf } from "./capabilities.ts"
import { checksums } from "./checksum.ts"
import type { S3Client } from "./client.ts"
import type { Settings } from "./config.ts"
import { createContainer, deleteContainer, listContainers } from "./containers.ts"
import { copy, copyPart } from "./copy.ts"
import { type Credentials, fetched, fromOption } from "./credentials.ts"
import { awsEndpoint, type Endpoint, isVirtual, parseEndpoint, targetOf } from "./endpoint.ts"
import { backendName, misconfigured } from "./errors.ts"
import { listPage, listUploads } from "./list.ts"
import { presign } from "./presign.ts"
import { head, read } from "./read.ts"
import { makeRegions } from "./regions.ts"
import { deleteBatch } from "./remove.ts"
import { askSdk } from "./sdk.ts"
import { abortUpload, completeUpload, openUpload, uploadPart } from "./uploads.ts"
import { profiles, type S3Profile, vendorOfHost, vendorOfServer } from "./vendors.ts"
import { write } from "./write.ts"

const defaultRegion = "us-east-1"

interface Surroundings {
  readonly region: string
  readonly endpoint: Endpoint | undefined
  readonly credentials: Credentials
}

/** What the options do not say is asked of the SDK, and only then. */
const surroundingsOf = Effect.fnUntraced(function*(
  settings: Settings
): Effect.fn.Return<Surroundings, ObjectStoreError, Scope.Scope> {
  const { credentials, endpoint, profile, region } = settings
  if (credentials !== undefined && profile === undefined) {
    return { region: region ?? defaultRegion, endpoint, credentials: yield* fromOption(credentials) }
  }
  const known = yield* askSdk({ profile, region })
  const found = known.endpoint === undefined ? undefined : parseEndpoint(known.endpoint)
  if (found !== undefined && Result.isFailure(found)) return yield* misconfigured(`the AWS SDK's ${found.failure}`)
  return {
    region: known.region ?? defaultRegion,
    endpoint: endpoint ?? found?.success,
    credentials: yield* credentials === undefined ? fetched(known.identity) : fromOption(credentials)
  }
})

/** Asks a service without a signature what it is; whatever it answers, its `Server` header says so. */
const recognise = Effect.fnUntraced(
  function*(transport: Transport, endpoint: Endpoint): Effect.fn.Return<S3Profile, ObjectStoreError, Scope.Scope> {
    const { host, origin, path } = targetOf(endpoint, isVirtual("path", endpoint), "", undefined, "")
    const reply = yield* transport.send({ method: "GET", origin, path, headers: { host }, mutation: false }).pipe(
      Effect.tap(readMessage),
      Effect.mapError((error) =>
        withContext(error, {
          operation: "make",
          description: `${origin} was asked what service it is: ${error.reason.description ?? "it did not answer"}`
        })
      )
    )
    return profiles[vendorOfServer(reply.headers["server"] ?? "")]
  },
  Effect.scoped
)

/** Makes the backend of checked options. */
export const makeS3Backend = Effect.fnUntraced(function*(
  settings: Settings,
  transport: Transport
): Effect.fn.Return<Backend, ObjectStoreError, Scope.Scope> {
  const { credentials, endpoint, region } = yield* surroundingsOf(settings)
  const address = endpoint ?? awsEndpoint(region)
  const wrong = settings.credentials === "anonymous"
    ? undefined
    : exposed(`${address.protocol}//${address.host}`, settings.allowPlainHttp)
  if (wrong !== undefined) return yield* misconfigured(wrong)
  const vendor = endpoint === undefined ? "aws" : vendorOfHost(endpoint.hostname)
  const profile = settings.vendor ??
    (vendor === undefined ? yield* recognise(transport, address) : profiles[vendor])
  const method = settings.checksum ?? profile.checksums[0]
  if (!profile.checksums.includes(method)) {
    return yield* misconfigured(
      `checksum ${method} is none of those of ${profile.name}: ${profile.checksums.join(", ")}`
    )
  }
  const { encryption } = settings
  if (encryption?.type === "customer") {
    if (!profile.customerKeys) return yield* misconfigured(`${profile.name} does not encrypt with a customer's key`)
    if (address.protocol !== "https:") {
      return yield* misconfigured("a customer's key is sent with each request, so the endpoint has to be https")
    }
  }
  return toBackend(
    {
      transport,
      signer: makeSigner("s3"),
      clock: makeServiceClock(),
      credentials,
      regions: makeRegions(region, endpoint),
      addressing: settings.addressing,
      profile,
      checksum: checksums[method],
      encryption,
      requestPayer: settings.requestPayer
    },
    `${address.protocol}//${address.host}${address.path}`,
    settings.credentials !== "anonymous"
  )
})

const toBackend = (client: S3Client, endpoint: string, signs: boolean): Backend => ({
  name: backendName,
  capabilities: capabilitiesOf(client.profile, signs && client.encryption?.type !== "customer"),
  address: { schemes: ["s3"], account: "", root: "" },
  endpoint,
  head: (at, conditions) => head(client, at, conditions),
  read: (at, request) => read(client, at, request),
  write: (at, body, options) => write(client, at, body, options),
  openUpload: (at, options) => openUpload(client, at, options),
  uploadPart: (upload, part) => uploadPart(client, upload, part),
  copyPart: (upload, part) => copyPart(client, upload, part),
  completeUpload: (upload, request) => completeUpload(client, upload, request),
  abortUpload: (upload) => abortUpload(client, upload),
  listUploads: (request) => listUploads(client, request),
  listPage: (request) => listPage(client, request),
  deleteBatch: (container, entries) => deleteBatch(client, container, entries),
  copy: (from, to, options) => copy(client, from, to, options),
  createContainer: (name, options) => createContainer(client, name, options),
  deleteContainer: (name) => deleteContainer(client, name),
  listContainers: listContainers(client),
  presign: (at, options) => presign(client, at, options)
})
