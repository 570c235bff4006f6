/**
 * The failures of GCS: one table from the service's codes (JSON API: `error.errors[0].reason`; XML API: `Code`) and
 * statuses to reasons.
 *
 * Sources: cloud.google.com/storage/docs/json_api/v1/status-codes and cloud.google.com/storage/docs/xml-api/reference-status.
 *
 * @since 0.1.0
 */
import type { Outcome } from "../../src/ErrorReason.ts"
import {
  type Call,
  type ErrorTable,
  type Meaning,
  type Plain,
  retag,
  serviceError
} from "../../src/http/serviceError.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { textWithin } from "../../src/http/Xml.ts"
import { makeError, type ObjectStoreError, type ReasonFields } from "../../src/ObjectStoreError.ts"
import { backendName } from "./config.ts"

const codes: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  // Both APIs say what is missing in words of their own; `bucketIsMissing` reads the JSON API's.
  ["notFound", "NotFound"],
  ["NoSuchKey", "NotFound"],
  ["NoSuchVersion", "NotFound"],
  ["NoSuchBucket", "ContainerNotFound"],
  ["NoSuchUpload", "UploadNotFound"],
  ["gone", "UploadNotFound"],
  ["conditionNotMet", "PreconditionFailed"],
  ["PreconditionFailed", "PreconditionFailed"],
  ["notModified", "NotModified"],
  ["requestedRangeNotSatisfiable", "RangeNotSatisfiable"],
  ["InvalidRange", "RangeNotSatisfiable"],
  ["InvalidObjectName", "InvalidKey"],
  ["KeyTooLong", "InvalidKey"],
  ["KeyTooLongError", "InvalidKey"],
  ["conflict", "Conflict"],
  ["BucketNotEmpty", "NotEmpty"],
  ["BucketAlreadyExists", "AlreadyExists"],
  ["BucketAlreadyOwnedByYou", "AlreadyExists"],
  ["BucketNameUnavailable", "AlreadyExists"],
  ["authError", "Unauthenticated"],
  ["AuthenticationRequired", "Unauthenticated"],
  ["ExpiredToken", "Unauthenticated"],
  ["InvalidToken", "Unauthenticated"],
  ["InvalidSecurity", "Unauthenticated"],
  ["MissingSecurityHeader", "Unauthenticated"],
  ["RequestTimeTooSkewed", "Unauthenticated"],
  ["SignatureDoesNotMatch", "Unauthenticated"],
  ["lockedDomainExpired", "Unauthenticated"],
  ["AccessDenied", "PermissionDenied"],
  ["AccountProblem", "PermissionDenied"],
  ["UserProjectAccountProblem", "PermissionDenied"],
  ["forbidden", "PermissionDenied"],
  ["insufficientPermissions", "PermissionDenied"],
  ["accountDisabled", "PermissionDenied"],
  ["accessNotConfigured", "PermissionDenied"],
  ["countryBlocked", "PermissionDenied"],
  ["sslRequired", "PermissionDenied"],
  ["objectUnderActiveHold", "PermissionDenied"],
  ["retentionPolicyNotMet", "PermissionDenied"],
  ["ObjectUnderActiveHold", "PermissionDenied"],
  ["RetentionPolicyNotMet", "PermissionDenied"],
  ["orgPolicyConstraintFailed", "PermissionDenied"],
  ["UserProjectAccessDenied", "PermissionDenied"],
  ["userProjectMissing", "InvalidRequest"],
  ["UserProjectMissing", "InvalidRequest"],
  ["rateLimitExceeded", "Throttled"],
  ["userRateLimitExceeded", "Throttled"],
  ["usageLimits", "Throttled"],
  ["SlowDown", "Throttled"],
  ["TooManyRequests", "Throttled"],
  ["quotaExceeded", { reason: "LimitExceeded", limit: "quota" }],
  ["dailyLimitExceeded", { reason: "LimitExceeded", limit: "quota" }],
  ["uploadTooLarge", { reason: "LimitExceeded", limit: "maxObjectSize" }],
  ["EntityTooLarge", { reason: "LimitExceeded", limit: "maxObjectSize" }],
  ["TooManyBuckets", { reason: "LimitExceeded", limit: "buckets" }],
  ["BadDigest", "IntegrityFailed"],
  ["invalid", "InvalidRequest"],
  ["required", "InvalidRequest"],
  ["badRequest", "InvalidRequest"],
  ["invalidArgument", "InvalidRequest"],
  ["InvalidArgument", "InvalidRequest"],
  ["InvalidBucketName", "InvalidRequest"],
  ["MetadataTooLarge", "InvalidRequest"],
  ["MissingContentLength", "InvalidRequest"],
  ["uploadBrokenConnection", "Timeout"],
  ["RequestTimeout", "Timeout"],
  ["backendError", "Unavailable"],
  ["internalError", "Unavailable"],
  ["InternalError", "Unavailable"],
  ["ServiceUnavailable", "Unavailable"],
  ["NotImplemented", { reason: "Unsupported", capability: "operation" }]
])

const statuses: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [405, { reason: "Unsupported", capability: "operation" }],
  [410, "UploadNotFound"],
  [499, "UploadNotFound"]
])

/** The table of GCS. */
export const table: ErrorTable = { codes, statuses }

/** What an error document says. */
export interface Said {
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/** Reads the error document of either API; text of any other kind says nothing. */
export const readError = (text: string): Said => {
  const start = text.trimStart()
  return start.startsWith("{") ? readJsonError(start) : start.startsWith("<") ? readXmlError(start) : {}
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

const textOf = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

const readJsonError = (text: string): Said => {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return {}
  }
  const error = isRecord(document) ? document["error"] : undefined
  if (!isRecord(error)) return {}
  const first: unknown = Array.isArray(error["errors"]) ? error["errors"][0] : undefined
  const detail = isRecord(first) ? first : {}
  return { code: textOf(detail["reason"]), message: textOf(error["message"]) ?? textOf(detail["message"]) }
}

const readXmlError = (text: string): Said =>
  /^(?:<\?xml[^>]*\?>)?\s*<Error>/.test(text)
    ? { code: textOf(textWithin(text, "Code")), message: textOf(textWithin(text, "Message")) }
    : {}

/** The service's own sentence for a bucket that is not there; its reason is that of a missing object. */
const bucketIsMissing = (message: string | undefined): boolean =>
  message !== undefined && /^the specified bucket does not exist\.?$/i.test(message)

/** A checksum that does not fit has no reason of its own in the JSON API. */
const checksumIsWrong = (message: string | undefined): boolean =>
  message !== undefined && /^provided (?:crc32c|md5 hash) .* (?:doesn't|does not) match calculated/i.test(message)

/** Makes the error of an answer that says no. */
export const refused = (
  operation: string,
  reply: Pick<TransportReply, "status" | "headers">,
  text: string,
  options: { readonly mutation: boolean; readonly outcome?: Outcome | undefined }
): ObjectStoreError => {
  const said = readError(text)
  const call: Call = { backend: backendName, operation, mutation: options.mutation }
  // `required` is a missing parameter with 400 and a missing login with 401; a status says more than such a code.
  const code = reply.status === 401 && said.code === "required" ? "AuthenticationRequired" : said.code
  const error = serviceError(table, call, { reply, code, message: said.message }, options.outcome)
  if (error.reason._tag === "NotFound" && bucketIsMissing(said.message)) return retag(error, "ContainerNotFound")
  if (error.reason._tag === "InvalidRequest" && checksumIsWrong(said.message)) return retag(error, "IntegrityFailed")
  return error
}

/** An error of our own. */
export const fail = (
  operation: string,
  tag: Plain,
  description: string,
  outcome?: Outcome
): ObjectStoreError => makeError(tag, { operation, backend: backendName, description, outcome } as ReasonFields<Plain>)
