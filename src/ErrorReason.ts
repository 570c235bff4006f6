/**
 * The reasons an object-storage operation can fail: one tagged class a reason, all with the same context fields.
 *
 * A reason says *why* an operation failed; its fields say where and how: operation, backend, location, the service's own
 * status, code and request id, and for a mutation whether it was applied. The mapping from each service's answers to
 * these reasons is one table a backend, in its `errors.ts`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Schema for what a failed mutation did: `"applied"` (the store holds the change), `"not-applied"` (it does not) or
 * `"unknown"` (the answer was lost and could not be verified).
 *
 * @category schemas
 * @since 0.1.0
 */
export const Outcome = Schema.Literals(["applied", "not-applied", "unknown"])

/**
 * What a failed mutation did to the store.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

const Context = {
  /** The operation that failed, such as `"get"` or `"put"`. */
  operation: Schema.String,
  /** The backend's name, such as `"file"`. */
  backend: Schema.String,
  /** The location, without secrets. */
  uri: Schema.optional(Schema.String),
  /** What is wrong, in one line. */
  description: Schema.optional(Schema.String),
  /** The HTTP status, where the service speaks HTTP. */
  status: Schema.optional(Schema.Finite),
  /** The service's own error code: `"NoSuchKey"`, `"ENOENT"`. */
  code: Schema.optional(Schema.String),
  /** The service's request id. */
  requestId: Schema.optional(Schema.String),
  /** How many requests were made. */
  attempts: Schema.optional(Schema.Finite),
  /** Milliseconds from the start of the operation to this failure. */
  elapsed: Schema.optional(Schema.Finite),
  /** For mutations: whether the change was applied. */
  outcome: Schema.optional(Outcome),
  /** The underlying failure. */
  cause: Schema.optional(Schema.Defect())
}

const id = (tag: string): string => `effect-objectstore/ObjectStoreError/${tag}`

/** The object does not exist. @category errors @since 0.1.0 */
export class NotFound extends Schema.TaggedError<NotFound>(id("NotFound"))("NotFound", Context) {}

/** The bucket, container or root directory does not exist. @category errors @since 0.1.0 */
export class ContainerNotFound
  extends Schema.TaggedError<ContainerNotFound>(id("ContainerNotFound"))("ContainerNotFound", Context)
{}

/** The open upload does not exist: completed, aborted or expired. @category errors @since 0.1.0 */
export class UploadNotFound
  extends Schema.TaggedError<UploadNotFound>(id("UploadNotFound"))("UploadNotFound", Context)
{}

/** A create-only write found an object, or a container exists already. @category errors @since 0.1.0 */
export class AlreadyExists extends Schema.TaggedError<AlreadyExists>(id("AlreadyExists"))("AlreadyExists", Context) {}

/** The object is not in the state that the caller required. @category errors @since 0.1.0 */
export class PreconditionFailed
  extends Schema.TaggedError<PreconditionFailed>(id("PreconditionFailed"))("PreconditionFailed", Context)
{}

/** The object is still what the caller has (`ifNoneMatch`, `ifModifiedSince`). @category errors @since 0.1.0 */
export class NotModified extends Schema.TaggedError<NotModified>(id("NotModified"))("NotModified", Context) {}

/**
 * The operation collides with another one or with the shape of the store, such as a key `a` beside `a/b` on files.
 *
 * @category errors
 * @since 0.1.0
 */
export class Conflict extends Schema.TaggedError<Conflict>(id("Conflict"))("Conflict", Context) {}

/** The container still holds objects. @category errors @since 0.1.0 */
export class NotEmpty extends Schema.TaggedError<NotEmpty>(id("NotEmpty"))("NotEmpty", Context) {}

/** The location cannot be parsed, or names another store than this one. @category errors @since 0.1.0 */
export class InvalidUri extends Schema.TaggedError<InvalidUri>(id("InvalidUri"))("InvalidUri", Context) {}

/** The backend cannot hold this key. @category errors @since 0.1.0 */
export class InvalidKey extends Schema.TaggedError<InvalidKey>(id("InvalidKey"))("InvalidKey", Context) {}

/** The range starts at or past the end of the object. @category errors @since 0.1.0 */
export class RangeNotSatisfiable
  extends Schema.TaggedError<RangeNotSatisfiable>(id("RangeNotSatisfiable"))("RangeNotSatisfiable", {
    ...Context,
    /** The object's size in bytes, where it is known. */
    size: Schema.optional(Schema.Finite)
  })
{}

/** An option is wrong, or the service refused the request as malformed. @category errors @since 0.1.0 */
export class InvalidRequest
  extends Schema.TaggedError<InvalidRequest>(id("InvalidRequest"))("InvalidRequest", Context)
{}

/** The credentials are known, but not allowed to do this. @category errors @since 0.1.0 */
export class PermissionDenied
  extends Schema.TaggedError<PermissionDenied>(id("PermissionDenied"))("PermissionDenied", Context)
{}

/** There are no credentials, or they are wrong or expired. @category errors @since 0.1.0 */
export class Unauthenticated extends Schema.TaggedError<Unauthenticated>(id("Unauthenticated"))("Unauthenticated", {
  ...Context,
  /** The backend has dropped what it signed with (a token, its clock), so another request is signed anew. */
  renewed: Schema.optional(Schema.Boolean)
}) {}

/** The service asks for fewer requests. @category errors @since 0.1.0 */
export class Throttled extends Schema.TaggedError<Throttled>(id("Throttled"))("Throttled", {
  ...Context,
  /** Milliseconds the service asked to wait. */
  retryAfter: Schema.optional(Schema.Finite)
}) {}

/** The service failed for a reason of its own (HTTP 500, EIO). @category errors @since 0.1.0 */
export class Unavailable extends Schema.TaggedError<Unavailable>(id("Unavailable"))("Unavailable", {
  ...Context,
  /** Milliseconds the service asked to wait. */
  retryAfter: Schema.optional(Schema.Finite)
}) {}

/** Something took longer than allowed; `phase` says what. @category errors @since 0.1.0 */
export class Timeout extends Schema.TaggedError<Timeout>(id("Timeout"))("Timeout", {
  ...Context,
  phase: Schema.Literals(["request", "headers", "stall", "deadline"]),
  /** Bytes of the reply's body that were delivered before it stalled. */
  received: Schema.optional(Schema.Finite)
}) {}

/** No connection was made; `phase` says how far it came. @category errors @since 0.1.0 */
export class ConnectionFailed extends Schema.TaggedError<ConnectionFailed>(id("ConnectionFailed"))("ConnectionFailed", {
  ...Context,
  phase: Schema.Literals(["dns", "connect", "tls", "request", "headers"]),
  /** The connection was kept from an earlier request, and broke before a byte of the answer came: it may have been dead before. */
  reused: Schema.optional(Schema.Boolean)
}) {}

/** A reply's body ended early. @category errors @since 0.1.0 */
export class BodyInterrupted extends Schema.TaggedError<BodyInterrupted>(id("BodyInterrupted"))("BodyInterrupted", {
  ...Context,
  /** Bytes delivered before the end. */
  received: Schema.optional(Schema.Finite)
}) {}

/** The object changed while it was read; nothing mixed was delivered. @category errors @since 0.1.0 */
export class ObjectChanged extends Schema.TaggedError<ObjectChanged>(id("ObjectChanged"))("ObjectChanged", Context) {}

/** A checksum or size does not agree with the data. @category errors @since 0.1.0 */
export class IntegrityFailed
  extends Schema.TaggedError<IntegrityFailed>(id("IntegrityFailed"))("IntegrityFailed", Context)
{}

/** The body given to a write failed, ended early or ran over; nothing was published. @category errors @since 0.1.0 */
export class SourceFailed extends Schema.TaggedError<SourceFailed>(id("SourceFailed"))("SourceFailed", Context) {}

/** The service's answer does not fit what was asked. @category errors @since 0.1.0 */
export class ProtocolViolation
  extends Schema.TaggedError<ProtocolViolation>(id("ProtocolViolation"))("ProtocolViolation", Context)
{}

/** The answer to a mutation was lost and could not be verified. @category errors @since 0.1.0 */
export class OutcomeUnknown
  extends Schema.TaggedError<OutcomeUnknown>(id("OutcomeUnknown"))("OutcomeUnknown", Context)
{}

/** Some of many were not done; `failures` names them. @category errors @since 0.1.0 */
export class PartialFailure extends Schema.TaggedError<PartialFailure>(id("PartialFailure"))("PartialFailure", {
  ...Context,
  /** How many were done. */
  succeeded: Schema.Finite,
  /** How many were not done. */
  failed: Schema.Finite,
  /** The first of what failed (at most 1,000), each with its location and reason. */
  failures: Schema.Array(Schema.Struct({ uri: Schema.String, reason: Schema.String, message: Schema.String }))
}) {}

/** A limit of the backend or of this program is reached; `limit` names it. @category errors @since 0.1.0 */
export class LimitExceeded extends Schema.TaggedError<LimitExceeded>(id("LimitExceeded"))("LimitExceeded", {
  ...Context,
  /** The limit, such as `"maxObjectSize"` or `"descriptors"`. */
  limit: Schema.String
}) {}

/** The disk or quota is full. @category errors @since 0.1.0 */
export class StorageFull extends Schema.TaggedError<StorageFull>(id("StorageFull"))("StorageFull", Context) {}

/** The backend cannot do this; nothing was sent or touched. @category errors @since 0.1.0 */
export class Unsupported extends Schema.TaggedError<Unsupported>(id("Unsupported"))("Unsupported", {
  ...Context,
  /** The missing capability, named as in `Capabilities`. */
  capability: Schema.String
}) {}

/** The store is set up wrongly. @category errors @since 0.1.0 */
export class Configuration extends Schema.TaggedError<Configuration>(id("Configuration"))("Configuration", Context) {}

/**
 * All reason classes by their tag.
 *
 * @category errors
 * @since 0.1.0
 */
export const ErrorReasons = {
  NotFound,
  ContainerNotFound,
  UploadNotFound,
  AlreadyExists,
  PreconditionFailed,
  NotModified,
  Conflict,
  NotEmpty,
  InvalidUri,
  InvalidKey,
  RangeNotSatisfiable,
  InvalidRequest,
  PermissionDenied,
  Unauthenticated,
  Throttled,
  Unavailable,
  Timeout,
  ConnectionFailed,
  BodyInterrupted,
  ObjectChanged,
  IntegrityFailed,
  SourceFailed,
  ProtocolViolation,
  OutcomeUnknown,
  PartialFailure,
  LimitExceeded,
  StorageFull,
  Unsupported,
  Configuration
} as const

/**
 * The tag of a reason.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorReasonTag = keyof typeof ErrorReasons

/**
 * Schema for any reason.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ErrorReason = Schema.Union(Object.values(ErrorReasons))

/**
 * Any reason.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorReason = typeof ErrorReason.Type
