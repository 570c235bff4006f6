import { assert, describe, it } from "@effect/vitest"
import { type Asked, codes, errorOf } from "../../layers/azure/errors.ts"

const now = Date.parse("Thu, 26 Nov 2026 09:14:09 GMT")
const read: Asked = { operation: "read", mutation: false }
const write: Asked = { operation: "write", mutation: true }
const create: Asked = { operation: "write", mutation: true, create: true }
const container: Asked = { operation: "createContainer", mutation: true, ofContainer: true }

/** An error's document as the service and Azurite write it. */
const xml = (code: string, message: string, more = ""): string =>
  `\ufeff<?xml version="1.0" encoding="utf-8"?>\n<Error><Code>${code}</Code><Message>${message}\nRequestId:9a0ef3fe-c29a-48e9-acd4-40af1c5f18d7\nTime:2026-11-26T09:14:09.1Z</Message>${more}</Error>`

const answer = (
  asked: Asked,
  status: number,
  code: string | undefined,
  options: {
    readonly body?: string
    readonly headers?: Record<string, string>
    readonly now?: number
    readonly sasExpiresAt?: number
  } = {}
) =>
  errorOf(asked, {
    reply: {
      status,
      headers: {
        "date": "Thu, 26 Nov 2026 09:14:09 GMT",
        "x-ms-request-id": "9a0ef3fe-c29a-48e9-acd4-40af1c5f18d7",
        "x-ms-error-code": code,
        ...options.headers
      }
    },
    body: options.body ?? (code === undefined ? "" : xml(code, "A message of the service.")),
    now: options.now ?? now,
    sasExpiresAt: options.sasExpiresAt
  })

describe("answers of Azure Blob", () => {
  it.each(
    [
      [read, 404, "BlobNotFound", "NotFound", undefined],
      [read, 404, undefined, "NotFound", undefined],
      [read, 404, "ContainerNotFound", "ContainerNotFound", undefined],
      [write, 404, "ContainerNotFound", "ContainerNotFound", "not-applied"],
      [container, 404, "ResourceNotFound", "ContainerNotFound", "not-applied"],
      [container, 409, "ContainerAlreadyExists", "AlreadyExists", "not-applied"],
      [container, 409, "ContainerBeingDeleted", "Conflict", "not-applied"],
      [container, 400, "InvalidResourceName", "InvalidRequest", "not-applied"],
      [write, 400, "InvalidResourceName", "InvalidKey", "not-applied"],
      [write, 400, "OutOfRangeInput", "InvalidKey", "not-applied"],
      [create, 409, "BlobAlreadyExists", "AlreadyExists", "not-applied"],
      [create, 412, "ConditionNotMet", "AlreadyExists", "not-applied"],
      [create, 412, "TargetConditionNotMet", "AlreadyExists", "not-applied"],
      [create, 412, "SourceConditionNotMet", "PreconditionFailed", "not-applied"],
      [create, 412, "LeaseIdMissing", "Conflict", "not-applied"],
      [write, 412, "ConditionNotMet", "PreconditionFailed", "not-applied"],
      [read, 412, "ConditionNotMet", "PreconditionFailed", undefined],
      [read, 304, "ConditionNotMet", "NotModified", undefined],
      [read, 416, "InvalidRange", "RangeNotSatisfiable", undefined],
      [write, 400, "Md5Mismatch", "IntegrityFailed", "not-applied"],
      [write, 400, "Crc64Mismatch", "IntegrityFailed", "not-applied"],
      [write, 400, "InvalidBlockList", "UploadNotFound", "not-applied"],
      [write, 400, "InvalidBlobOrBlock", "InvalidRequest", "not-applied"],
      [write, 400, "InvalidHeaderValue", "InvalidRequest", "not-applied"],
      [write, 413, "RequestBodyTooLarge", "LimitExceeded", "not-applied"],
      [write, 409, "BlockCountExceedsLimit", "LimitExceeded", "not-applied"],
      [write, 409, "InvalidBlobType", "InvalidRequest", "not-applied"],
      [write, 409, "BlobImmutableDueToPolicy", "PermissionDenied", "not-applied"],
      [read, 409, "BlobArchived", "Conflict", undefined],
      [read, 401, "NoAuthenticationInformation", "Unauthenticated", undefined],
      [read, 401, "InvalidAuthenticationInfo", "Unauthenticated", undefined],
      [read, 401, undefined, "Unauthenticated", undefined],
      [write, 403, "AuthenticationFailed", "Unauthenticated", "not-applied"],
      [write, 403, "AuthorizationPermissionMismatch", "PermissionDenied", "not-applied"],
      [write, 403, "AuthorizationFailure", "PermissionDenied", "not-applied"],
      [read, 403, undefined, "PermissionDenied", undefined],
      [write, 404, "CannotVerifyCopySource", "NotFound", "not-applied"],
      [write, 403, "CannotVerifyCopySource", "PermissionDenied", "not-applied"],
      [write, 500, "CannotVerifyCopySource", "Unavailable", "unknown"],
      [write, 503, "ServerBusy", "Throttled", "not-applied"],
      [write, 429, undefined, "Throttled", "not-applied"],
      [write, 500, "OperationTimedOut", "Unavailable", "unknown"],
      [write, 500, "InternalError", "Unavailable", "unknown"],
      [write, 502, undefined, "Unavailable", "unknown"],
      [write, 418, undefined, "InvalidRequest", "not-applied"],
      [write, 302, undefined, "ProtocolViolation", "unknown"],
      [write, 200, undefined, "ProtocolViolation", "unknown"]
    ] as const
  )("%o %d %s is %s, %s", (asked, status, code, reason, outcome) => {
    const error = answer(asked, status, code)
    assert.deepStrictEqual([error.reason._tag, error.outcome], [reason, outcome])
    assert.deepStrictEqual([error.status, error.code, error.requestId], [
      status,
      code,
      "9a0ef3fe-c29a-48e9-acd4-40af1c5f18d7"
    ])
  })

  it("knows every code by a reason that exists, and shows one line", () => {
    for (const code of codes.keys()) {
      const { message } = answer(write, 409, code)
      assert.isFalse(message.includes("\n"), code)
    }
  })

  it("takes the code out of the document where no header has it", () => {
    const body = xml("ContainerNotFound", "The specified container does not exist.")
    const error = answer(read, 404, undefined, { body })
    assert.strictEqual(error.message, "ContainerNotFound: read: The specified container does not exist.")
  })

  it("tells the object's size and the time to wait", () => {
    const past = answer(read, 416, "InvalidRange", { headers: { "content-range": "bytes */3" } })
    assert.strictEqual("size" in past.reason ? past.reason.size : undefined, 3)
    assert.strictEqual(answer(read, 503, "ServerBusy", { headers: { "retry-after": "7" } }).retryAfter, 7000)
    assert.strictEqual(answer(read, 503, "ServerBusy", { headers: { "x-ms-retry-after-ms": "40" } }).retryAfter, 40)
  })

  it("says that the clocks differ, that a SAS token has expired, and what Azurite means", () => {
    const failed = xml(
      "AuthenticationFailed",
      "Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly.",
      "<AuthenticationErrorDetail>Request date header too old: 'Thu, 26 Nov 2026 08:00:00 GMT'</AuthenticationErrorDetail>"
    )
    const old = answer(read, 403, "AuthenticationFailed", { body: failed })
    assert.match(old.message, /^Unauthenticated: read: this machine's clock and the service's differ/)
    const skewed = answer(read, 403, "AuthenticationFailed", { now: now + 20 * 60_000 })
    assert.match(skewed.message, /clock/)
    const expired = answer(write, 403, "AuthorizationFailure", { sasExpiresAt: now - 1 })
    assert.strictEqual(expired.message, "Unauthenticated: write: the SAS token has expired")
    const azurite = xml("AuthorizationFailure", "Server failed to authenticate the request. Make sure the value …")
    assert.strictEqual(answer(read, 403, "AuthorizationFailure", { body: azurite }).reason._tag, "Unauthenticated")
  })

  it("repeats no signature and no token", () => {
    const canary = "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E="
    for (
      const message of [
        `The MAC signature found in the HTTP request '${canary}' is not the same as any computed signature.`,
        `https://a.blob.core.windows.net/c/k?sv=1&amp;se=2&amp;sig=${canary} cannot be read`,
        `Bearer ${canary} is no token`,
        `SharedKey a:${canary} is wrong`
      ]
    ) {
      const error = answer(read, 403, "AuthenticationFailed", { body: xml("AuthenticationFailed", message) })
      assert.isFalse(JSON.stringify({ ...error.reason, text: error.message }).includes("Y2FuYXJ5"), error.message)
    }
  })
})
