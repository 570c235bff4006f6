/**
 * What the answers of S3 mean: one table, from the service's codes to reasons
 * (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what compatible services were seen to say).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Outcome } from "../../src/ErrorReason.ts"
import { type ErrorTable, type Meaning, type Plain, retag, serviceError } from "../../src/http/serviceError.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import { parseXml, rootOfXml } from "../../src/http/Xml.ts"
import { makeError, type ObjectStoreError, type ReasonFields, withContext } from "../../src/ObjectStoreError.ts"
import type { WriteMode } from "../../src/ObjectStoreOptions.ts"

/** The backend's name in errors. */
export const backendName = "s3"

/** What a request was for, as far as the meaning of a refusal depends on it. */
export interface Intent {
  readonly operation: string
  readonly mutation: boolean
  /** What a 404 without a code says is missing. */
  readonly about: "object" | "container" | "upload" | "service"
  /** The condition of a write, an upload's completion or a copy. */
  readonly mode?: WriteMode | undefined
  /** Whether the write is one that the engine cannot send again by itself (the completion of an upload). */
  readonly final?: boolean | undefined
}

const codes: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["NoSuchKey", "NotFound"],
  ["NoSuchVersion", "NotFound"],
  ["NoSuchBucket", "ContainerNotFound"],
  ["NoSuchUpload", "UploadNotFound"],
  ["BucketAlreadyExists", "AlreadyExists"],
  ["BucketAlreadyOwnedByYou", "AlreadyExists"],
  ["PreconditionFailed", "PreconditionFailed"],
  ["BucketNotEmpty", "NotEmpty"],
  ["InvalidRange", "RangeNotSatisfiable"],
  ["InvalidBucketName", "InvalidRequest"],
  ["KeyTooLongError", "InvalidKey"],
  ["KeyTooLong", "InvalidKey"],
  ["InvalidURI", "InvalidKey"],
  ["XMinioInvalidObjectName", "InvalidKey"],
  ["XMinioInvalidResourceName", "InvalidKey"],
  ["DirectoryObjectContainsData", "InvalidKey"],
  ["ObjectParentIsFile", "Conflict"],
  ["ExistingObjectIsDirectory", "Conflict"],
  ["XMinioParentIsObject", "Conflict"],
  ["XMinioObjectExistsAsDirectory", "Conflict"],
  ["OperationAborted", "Unavailable"],
  ["ConditionalRequestConflict", "Unavailable"],
  ["EntityTooLarge", { reason: "LimitExceeded", limit: "maxWriteSize" }],
  ["TooManyBuckets", { reason: "LimitExceeded", limit: "buckets" }],
  ["EntityTooSmall", "InvalidRequest"],
  ["InvalidPart", "InvalidRequest"],
  ["InvalidPartOrder", "InvalidRequest"],
  ["InvalidObjectState", "InvalidRequest"],
  ["IllegalLocationConstraintException", "InvalidRequest"],
  ["InvalidLocationConstraint", "InvalidRequest"],
  ["AccessDenied", "PermissionDenied"],
  ["AccessForbidden", "PermissionDenied"],
  ["AllAccessDisabled", "PermissionDenied"],
  ["AccountProblem", "PermissionDenied"],
  ["NotSignedUp", "PermissionDenied"],
  ["KMS.AccessDeniedException", "PermissionDenied"],
  ["InvalidAccessKeyId", "Unauthenticated"],
  ["XAdminUserNotFound", "Unauthenticated"],
  ["SignatureDoesNotMatch", "Unauthenticated"],
  ["ExpiredToken", "Unauthenticated"],
  ["ExpiredTokenException", "Unauthenticated"],
  ["InvalidToken", "Unauthenticated"],
  ["InvalidTokenId", "Unauthenticated"],
  ["TokenRefreshRequired", "Unauthenticated"],
  ["RequestTimeTooSkewed", "Unauthenticated"],
  ["RequestExpired", "Unauthenticated"],
  ["InvalidSecurity", "Unauthenticated"],
  ["MissingSecurityHeader", "Unauthenticated"],
  ["AuthorizationHeaderMalformed", "Unauthenticated"],
  ["PermanentRedirect", "Configuration"],
  ["TemporaryRedirect", "Configuration"],
  ["Redirect", "Configuration"],
  ["SlowDown", "Throttled"],
  ["SlowDownRead", "Throttled"],
  ["SlowDownWrite", "Throttled"],
  ["Throttling", "Throttled"],
  ["ThrottlingException", "Throttled"],
  ["TooManyRequests", "Throttled"],
  ["RequestLimitExceeded", "Throttled"],
  ["BandwidthLimitExceeded", "Throttled"],
  ["ReducedRedundancyLostObject", "Unavailable"],
  ["InternalError", "Unavailable"],
  ["ServiceUnavailable", "Unavailable"],
  ["XMinioServerNotInitialized", "Unavailable"],
  ["RequestTimeout", "Timeout"],
  ["BadDigest", "IntegrityFailed"],
  ["InvalidDigest", "IntegrityFailed"],
  ["IncompleteBody", "IntegrityFailed"],
  ["XAmzContentChecksumMismatch", "IntegrityFailed"],
  ["XAmzContentSHA256Mismatch", "IntegrityFailed"],
  ["XMinioStorageFull", "StorageFull"],
  ["XMinioAdminBucketQuotaExceeded", "StorageFull"],
  ["QuotaExceeded", "StorageFull"],
  ["InsufficientCapacity", "StorageFull"],
  ["NotImplemented", { reason: "Unsupported", capability: "operation" }],
  ["MethodNotAllowed", { reason: "Unsupported", capability: "operation" }]
])

const table: ErrorTable = {
  codes,
  statuses: new Map<number, Meaning>([
    [301, "Configuration"],
    [307, "Configuration"],
    [405, { reason: "Unsupported", capability: "operation" }]
  ])
}

/** Codes by which the service says that it has not begun: the change was certainly not made. */
const notBegun: ReadonlySet<string> = new Set([
  "ConditionalRequestConflict",
  "OperationAborted",
  "XMinioServerNotInitialized",
  // The service waited for a body that did not come whole.
  "RequestTimeout"
])

/** What is said where the service's own words do not help. */
const advice: ReadonlyMap<string, string> = new Map([
  ["InvalidObjectState", "the object is archived and has to be restored first"],
  ["ExpiredToken", "the session token has expired"],
  ["SignatureDoesNotMatch", "the signature does not match: the secret access key is not the one of this access key id"]
])

/** The `<Error>` of a reply. */
export interface Refused {
  readonly code?: string | undefined
  readonly message?: string | undefined
  readonly requestId?: string | undefined
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
}

/** Reads the document of a refusal; one that is none says nothing. */
export const readRefusal = (text: string): Effect.Effect<Refused> =>
  rootOfXml(text) !== "Error"
    ? Effect.succeed({})
    : parseXml({ backend: backendName, operation: "error" }, text, "Error", (xml) => {
      const found = new Map<string, string>()
      for (let name = xml.child(); name !== undefined; name = xml.child()) {
        if (name === "Code" || name === "Message" || name === "RequestId" || name === "Region" || name === "Endpoint") {
          found.set(name, xml.text())
        } else xml.skip()
      }
      return {
        code: found.get("Code")?.slice(0, 128),
        message: found.get("Message"),
        requestId: found.get("RequestId"),
        region: found.get("Region"),
        endpoint: found.get("Endpoint")
      }
    }).pipe(Effect.orElseSucceed(() => ({})))

/** Makes the error of a reply that says no. */
export const toError = (
  intent: Intent,
  reply: Pick<TransportReply, "status" | "headers">,
  refused: Refused
): ObjectStoreError => {
  const { code } = refused
  const error = serviceError(
    table,
    { backend: backendName, operation: intent.operation, mutation: intent.mutation },
    { reply, code, message: refused.message, requestId: refused.requestId },
    code !== undefined && notBegun.has(code) ? "not-applied" : undefined
  )
  const described = describe(error, reply, refused)
  const tag = reasonOf(intent, error, reply, code)
  return tag === undefined ? described : retag(described, tag)
}

/** Where the reason depends on what was asked. */
const reasonOf = (
  { about, final, mode }: Intent,
  error: ObjectStoreError,
  { headers, status }: Pick<TransportReply, "status" | "headers">,
  code: string | undefined
): Plain | undefined => {
  const tag = error.reason._tag
  // A read of a version that is only the mark of a removal.
  if (status === 405 && headers["x-amz-delete-marker"] === "true") return "NotFound"
  if (tag === "NotFound" && code === undefined) {
    return about === "container" || about === "service"
      ? "ContainerNotFound"
      : about === "upload"
      ? "UploadNotFound"
      : undefined
  }
  if (tag === "PreconditionFailed" && mode === "create") return "AlreadyExists"
  // An update of what does not exist: the state is not what was required.
  if (tag === "NotFound" && typeof mode === "object") return "PreconditionFailed"
  // The engine may no longer have the bytes, so the program decides.
  if (code === "ConditionalRequestConflict" && final === true) return "Conflict"
  return undefined
}

const describe = (
  error: ObjectStoreError,
  { headers, status }: Pick<TransportReply, "status" | "headers">,
  { code, endpoint, message, region }: Refused
): ObjectStoreError => {
  const date = headers["date"]
  const description = code === "RequestTimeTooSkewed" && date !== undefined
    ? `the clock of this machine is wrong: the service says that it is ${date}`
    : error.reason._tag === "Configuration" || code === "AuthorizationHeaderMalformed"
    ? `the bucket is in another region${region === undefined ? "" : `, ${region}`}${
      endpoint === undefined ? "" : `, at ${endpoint}`
    }`
    : code !== undefined
    ? advice.get(code)
    // A 400 with nothing of S3 in it: a wrong endpoint more often than a wrong request.
    : error.reason._tag === "InvalidRequest" && message === undefined
    ? `the service answered ${status} and did not say why; is the endpoint one of S3?`
    : error.reason._tag === "Unavailable" && message === undefined
    ? `the service answered ${status}`
    : undefined
  return withContext(error, { description: description?.slice(0, 512) })
}

/** A request that is refused before it is sent. */
export const refuse = (
  tag: Plain,
  operation: string,
  description: string,
  mutation: boolean
): ObjectStoreError =>
  makeError(tag, {
    operation,
    backend: backendName,
    description,
    outcome: mutation ? "not-applied" : undefined
  } as ReasonFields<Plain>)

/** Something that `capabilities` says cannot be done. */
export const unsupported = (capability: string, description?: string): ObjectStoreError =>
  makeError("Unsupported", {
    operation: "request",
    backend: backendName,
    capability,
    description,
    outcome: "not-applied"
  })

/** Options or surroundings that are wrong. */
export const misconfigured = (description: string, cause?: unknown): ObjectStoreError =>
  makeError("Configuration", { operation: "make", backend: backendName, description, cause, outcome: "not-applied" })

/** Credentials that could not be had. */
export const unauthenticated = (cause: unknown): ObjectStoreError =>
  makeError("Unauthenticated", {
    operation: "credentials",
    backend: backendName,
    description: `no credentials: ${cause instanceof Error ? cause.message.split("\n", 1)[0] : "the provider failed"}`,
    outcome: "not-applied",
    cause
  })

/** An answer whose checksum is not that of what was sent or received. */
export const corrupted = (operation: string, description: string, outcome: Outcome | undefined): ObjectStoreError =>
  makeError("IntegrityFailed", { operation, backend: backendName, description, outcome })
