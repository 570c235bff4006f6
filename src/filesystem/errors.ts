/**
 * What the operating system's errors mean here: one table.
 *
 * @internal
 */
import { type ErrorReasonTag, type Outcome } from "../ErrorReason.ts"
import { isObjectStoreError, makeError, ObjectStoreError, type ReasonFields, withContext } from "../ObjectStoreError.ts"
import type { Errno } from "./calls.ts"

/** What the inside of the backend fails with: an error that is explained already, or one of a system call. */
export type Failure = ObjectStoreError | Errno

interface Row {
  /** The reason, where the object is only looked at. */
  readonly look: ErrorReasonTag
  /** The reason where it is changed, if that is another one. */
  readonly change?: ErrorReasonTag | undefined
  readonly description?: string | undefined
  readonly fields?: Record<string, string> | undefined
}

/** The reason of each error number; a number that is not here is `Unavailable`. */
export const table: Readonly<Record<string, Row>> = {
  ENOENT: { look: "NotFound" },
  ENOTDIR: { look: "NotFound", change: "Conflict", description: "a part of the path is an object, not a directory" },
  EISDIR: { look: "NotFound", change: "Conflict", description: "there are objects below this key" },
  ENOTEMPTY: { look: "Conflict", description: "there are objects below this key" },
  EEXIST: { look: "AlreadyExists" },
  ELOOP: { look: "InvalidKey", description: "a part of the path is a symbolic link" },
  ENXIO: { look: "InvalidKey", description: "it is no regular file" },
  ENAMETOOLONG: { look: "InvalidKey", description: "the name is too long for the file system" },
  EILSEQ: { look: "InvalidKey", description: "the file system does not take this name" },
  EINVAL: { look: "InvalidRequest", description: "the file system refuses this call or name" },
  EACCES: { look: "PermissionDenied" },
  EPERM: { look: "PermissionDenied" },
  ERR_ACCESS_DENIED: { look: "PermissionDenied", description: "Node's permission model does not allow it" },
  EROFS: { look: "PermissionDenied", description: "the file system is read-only" },
  EBUSY: { look: "Conflict", description: "it is in use" },
  ETXTBSY: { look: "Conflict", description: "it is in use" },
  ENOSPC: { look: "StorageFull" },
  EDQUOT: { look: "StorageFull", description: "the quota is used up" },
  EFBIG: { look: "StorageFull", description: "the file would be too large" },
  EMFILE: {
    look: "LimitExceeded",
    description: "this process has too many open files",
    fields: { limit: "descriptors" }
  },
  ENFILE: {
    look: "LimitExceeded",
    description: "the system has too many open files",
    fields: { limit: "descriptors" }
  },
  EAGAIN: { look: "Unavailable" },
  EINTR: { look: "Unavailable" },
  EIO: { look: "Unavailable" },
  ENODEV: { look: "Unavailable" },
  ENOLCK: { look: "Unavailable" },
  ENOMEM: { look: "Unavailable" },
  ESTALE: { look: "Unavailable", description: "the file handle is stale" },
  ETIMEDOUT: { look: "Timeout", fields: { phase: "request" } },
  EMLINK: { look: "LimitExceeded", fields: { limit: "links" } },
  EXDEV: { look: "Unsupported", description: "it would cross file systems", fields: { capability: "atomicRename" } },
  ENOSYS: { look: "Unsupported", fields: { capability: "io" } },
  ENOTSUP: { look: "Unsupported", fields: { capability: "io" } },
  EOPNOTSUPP: { look: "Unsupported", fields: { capability: "io" } }
}

/** Whether a failure is of a system call, with one of these error numbers. */
export const isErrno = (failure: Failure, ...codes: ReadonlyArray<string>): failure is Errno =>
  !isObjectStoreError(failure) && codes.includes(failure.code ?? "")

/** An error of the backend's own; `explain` says later where it happened. */
export const refuse = <Tag extends ErrorReasonTag>(
  tag: Tag,
  description: string,
  fields?: Omit<ReasonFields<Tag>, "operation" | "backend" | "description">
): ObjectStoreError =>
  makeError(tag, { operation: "", backend: "", description, ...fields } as unknown as ReasonFields<Tag>)

/** Where a failure happened. */
export interface Where {
  readonly operation: string
  readonly backend: string
  /** For mutations: what holds unless the failure itself knows better. */
  readonly outcome?: Outcome | undefined
}

/** Explains a failure: by the table if it is one of a system call. */
export const explain = (where: Where) => (failure: Failure): ObjectStoreError => {
  if (failure instanceof ObjectStoreError) {
    return withContext(failure, {
      operation: where.operation,
      backend: where.backend,
      outcome: failure.outcome ?? where.outcome
    })
  }
  const row = table[failure.code ?? ""]
  const tag = row === undefined ? "Unavailable" : where.outcome === undefined ? row.look : row.change ?? row.look
  const call = failure.syscall === undefined ? "" : ` from ${failure.syscall}`
  const fields = {
    operation: where.operation,
    backend: where.backend,
    description: `${row?.description ?? "the file system answered"} (${failure.code ?? failure.message}${call})`,
    code: failure.code,
    outcome: where.outcome,
    cause: failure,
    ...row?.fields
  }
  return makeError(tag, fields as unknown as ReasonFields<typeof tag>)
}

/**
 * What a call fails with that gives or takes a name: where the device failed, or did not answer, the name may be another
 * one all the same.
 */
export const inDoubt = (error: Errno): Failure =>
  isErrno(error, "EIO", "ETIMEDOUT") ? explain({ operation: "", backend: "", outcome: "unknown" })(error) : error
