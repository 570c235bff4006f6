/**
 * The answers of Azure Blob as reasons: one table, from the service's own error code.
 *
 * Codes: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and …/common-rest-api-error-codes.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { readMessage } from "../../src/http/replyBody.ts"
import { timeOf } from "../../src/http/replyStat.ts"
import { type Meaning, meaningOfStatus, serviceError } from "../../src/http/serviceError.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { textWithin } from "../../src/http/Xml.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"

/** The backend's name in errors. */
export const backendName = "azure"

/** The store is set up wrongly. */
export const misconfigured = (description: string): ObjectStoreError =>
  makeError("Configuration", { operation: "make", backend: backendName, description })

/** What an answer means, and what is said instead of the service's own words. */
interface Row {
  readonly meaning: Meaning
  readonly description?: string | undefined
}

const row = (meaning: Meaning, description?: string): Row => ({ meaning, description })

const leased = row("Conflict", "another client holds a lease on it")
const archived = row("Conflict", "the blob is archived and has to be rehydrated first")
const immutable = row("PermissionDenied", "a policy or legal hold keeps it from being changed")
const tooManyBlocks = row({ reason: "LimitExceeded", limit: "maxParts" })
const unauthenticated = row("Unauthenticated")
const denied = row("PermissionDenied")

/** By `x-ms-error-code`. */
export const codes: ReadonlyMap<string, Row> = new Map(Object.entries({
  BlobNotFound: row("NotFound"),
  ResourceNotFound: row("NotFound"),
  ContainerNotFound: row("ContainerNotFound"),
  ContainerBeingDeleted: row("Conflict", "the container is being removed; its name is free again in a while"),
  ContainerDisabled: denied,
  ContainerAlreadyExists: row("AlreadyExists"),
  BlobAlreadyExists: row("AlreadyExists"),
  ResourceAlreadyExists: row("AlreadyExists"),
  ConditionNotMet: row("PreconditionFailed"),
  TargetConditionNotMet: row("PreconditionFailed"),
  SourceConditionNotMet: row("PreconditionFailed", "the source has another etag"),
  InvalidRange: row("RangeNotSatisfiable"),
  InvalidUri: row("InvalidKey"),
  InvalidResourceName: row("InvalidKey"),
  OutOfRangeInput: row("InvalidKey"),
  Md5Mismatch: row("IntegrityFailed"),
  Crc64Mismatch: row("IntegrityFailed"),
  InvalidBlockList: row("UploadNotFound", "blocks of the upload are not there any more"),
  InvalidBlobOrBlock: row(
    "InvalidRequest",
    "the blob has blocks of another client with ids of another length; they have to be committed, or expire in a week"
  ),
  InvalidBlobType: row("InvalidRequest", "the blob is no block blob"),
  RequestBodyTooLarge: row({ reason: "LimitExceeded", limit: "maxWriteSize" }),
  BlockCountExceedsLimit: tooManyBlocks,
  BlockListTooLong: tooManyBlocks,
  RequestEntityTooLargeBlockCountExceedsLimit: tooManyBlocks,
  NoAuthenticationInformation: unauthenticated,
  InvalidAuthenticationInfo: unauthenticated,
  AuthenticationFailed: unauthenticated,
  AuthorizationFailure: denied,
  AuthorizationPermissionMismatch: denied,
  AuthorizationProtocolMismatch: denied,
  AuthorizationResourceTypeMismatch: denied,
  AuthorizationServiceMismatch: denied,
  AuthorizationSourceIPMismatch: denied,
  InsufficientAccountPermissions: denied,
  PublicAccessNotPermitted: denied,
  UnauthorizedBlobOverwrite: denied,
  AccountIsDisabled: denied,
  AccountBeingCreated: row("Conflict"),
  KeyBasedAuthenticationNotPermitted: row("PermissionDenied", "the account does not take its keys any more"),
  CannotVerifyCopySource: row("NotFound", "the source of the copy is not there"),
  PendingCopyOperation: row("Conflict", "another copy to this blob is under way"),
  BlobArchived: archived,
  BlobBeingRehydrated: archived,
  LeaseIdMissing: leased,
  LeaseIdMismatchWithBlobOperation: leased,
  LeaseIdMismatchWithContainerOperation: leased,
  LeaseLost: leased,
  LeaseAlreadyPresent: leased,
  SnapshotsPresent: row("Conflict", "the blob has snapshots"),
  BlobImmutableDueToPolicy: immutable,
  BlobImmutableDueToLegalHold: immutable,
  ServerBusy: row("Throttled"),
  TooManyRequests: row("Throttled"),
  OperationTimedOut: row("Unavailable"),
  InternalError: row("Unavailable")
}))

/** What was asked, as far as it changes what an answer means. */
export interface Asked {
  readonly operation: string
  /** Whether it changes the store. */
  readonly mutation: boolean
  /** The condition was that there is no blob. */
  readonly create?: boolean | undefined
  /** It is about a container, whose name is no key. */
  readonly ofContainer?: boolean | undefined
}

/** What is known of an answer that says no. */
export interface Refusal {
  readonly reply: Pick<TransportReply, "status" | "headers">
  /** The body, which is XML, or nothing. */
  readonly body: string
  /** The time here, milliseconds since 1970. */
  readonly now: number
  /** When the store's shared access signature ends. */
  readonly sasExpiresAt?: number | undefined
}

/** The error of a reply that says no. */
export const errorOf = (asked: Asked, refusal: Refusal): ObjectStoreError => {
  const { body, reply } = refusal
  const code = reply.headers["x-ms-error-code"] ?? textWithin(body, "Code")
  const { description, meaning } = meaningOf(asked, refusal, code)
  return serviceError(
    { codes: new Map(), statuses: new Map([[reply.status, meaning]]) },
    { backend: backendName, operation: asked.operation, mutation: asked.mutation },
    {
      reply,
      code: code?.slice(0, 128),
      message: description ?? messageOf(body) ?? `the service answered ${reply.status}`
    }
  )
}

/** Reads what a reply says, and makes its error. */
export const failureOf = Effect.fnUntraced(function*(
  asked: Asked,
  reply: TransportReply,
  sasExpiresAt: number | undefined
) {
  const body = yield* readMessage(reply)
  const now = yield* Clock.currentTimeMillis
  return errorOf(asked, { reply, body, now, sasExpiresAt })
})

const meaningOf = (asked: Asked, refusal: Refusal, code: string | undefined): Row => {
  const { status } = refusal.reply
  // Whichever way a condition fails, the code is the same.
  if (status < 400) return row(meaningOfStatus(status))
  const known = code === undefined ? undefined : codes.get(code)
  if (status === 401 || status === 403) return refused(refusal, code, known ?? row(meaningOfStatus(status)))
  if (code === "CannotVerifyCopySource" && status !== 404) return row(meaningOfStatus(status))
  if (asked.create === true && status === 412 && code !== "SourceConditionNotMet") {
    if (known === undefined || known.meaning === "PreconditionFailed") return row("AlreadyExists")
  }
  const found = known ?? row(meaningOfStatus(status))
  if (asked.ofContainer === true) {
    if (found.meaning === "InvalidKey") return row("InvalidRequest")
    if (found.meaning === "NotFound") return row("ContainerNotFound")
  }
  return found
}

/** Clocks may differ by 15 minutes before the service refuses what is dated. */
const maxSkew = 15 * 60_000

/** Why a request was refused, told by what is known here where the service says little. */
const refused = ({ body, now, reply, sasExpiresAt }: Refusal, code: string | undefined, known: Row): Row => {
  if (code === "CannotVerifyCopySource") return row("PermissionDenied", "the source of the copy may not be read")
  if (sasExpiresAt !== undefined && sasExpiresAt <= now) return row("Unauthenticated", "the SAS token has expired")
  // Azurite says that a request is not authorized where it could not tell whose it is.
  const unknown = known.meaning === "Unauthenticated" || reply.status === 401 ||
    body.includes("Server failed to authenticate the request")
  if (!unknown) return known
  const there = timeOf(reply.headers["date"])?.epochMilliseconds ?? now
  return Math.abs(there - now) > maxSkew || body.includes("Request date header too old")
    ? row("Unauthenticated", "this machine's clock and the service's differ by more than 15 minutes")
    : row("Unauthenticated", known.description)
}

/** The service's own words, without a signature or token that they quote. */
const messageOf = (body: string): string | undefined =>
  textWithin(body, "Message")
    ?.replace(/\b(sig|se|st|sp|sv|skoid)=[^&\s'"]*/gi, "$1=…")
    .replace(/\b(SharedKey|Bearer) [^\s'"]+/gi, "$1 …")
    .replace(/'[A-Za-z0-9+/]{40,}={0,2}'/g, "'…'")
