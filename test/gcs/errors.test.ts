import { assert, describe, it } from "@effect/vitest"
import type { ErrorReasonTag, Outcome } from "effect-objectstore"
import { refused } from "../../layers/gcs/errors.ts"

const json = (code: number, reason: string, message: string): string =>
  JSON.stringify({ error: { code, message, errors: [{ message, domain: "global", reason }] } })

const xml = (code: string, message: string, more = ""): string =>
  `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`

type Row = readonly [
  status: number,
  body: string,
  tag: ErrorReasonTag,
  code: string | undefined,
  outcome: Outcome
]

/** Replies as the service, its references and its emulators send them. */
const recorded: ReadonlyArray<Row> = [
  [404, json(404, "notFound", "No such object: bucket/key"), "NotFound", "notFound", "not-applied"],
  [404, json(404, "notFound", "The specified bucket does not exist."), "ContainerNotFound", "notFound", "not-applied"],
  [404, json(404, "notFound", "Not Found"), "NotFound", "notFound", "not-applied"],
  [404, xml("NoSuchKey", "The specified key does not exist."), "NotFound", "NoSuchKey", "not-applied"],
  [
    404,
    xml("NoSuchBucket", "The specified bucket does not exist."),
    "ContainerNotFound",
    "NoSuchBucket",
    "not-applied"
  ],
  [404, "Not Found\n", "NotFound", undefined, "not-applied"],
  [
    412,
    json(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."),
    "PreconditionFailed",
    "conditionNotMet",
    "not-applied"
  ],
  [
    412,
    xml("PreconditionFailed", "At least one of the pre-conditions you specified did not hold."),
    "PreconditionFailed",
    "PreconditionFailed",
    "not-applied"
  ],
  [
    412,
    json(412, "orgPolicyConstraintFailed", "Constraint violated"),
    "PermissionDenied",
    "orgPolicyConstraintFailed",
    "not-applied"
  ],
  [304, "", "NotModified", undefined, "not-applied"],
  [
    416,
    xml("InvalidRange", "The requested range cannot be satisfied.", "<Details>bytes=10-14</Details>"),
    "RangeNotSatisfiable",
    "InvalidRange",
    "not-applied"
  ],
  [401, json(401, "authError", "Invalid Credentials"), "Unauthenticated", "authError", "not-applied"],
  [
    401,
    json(
      401,
      "required",
      "Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object."
    ),
    "Unauthenticated",
    "AuthenticationRequired",
    "not-applied"
  ],
  [
    401,
    xml("AuthenticationRequired", "Authentication required."),
    "Unauthenticated",
    "AuthenticationRequired",
    "not-applied"
  ],
  [401, "", "Unauthenticated", undefined, "not-applied"],
  [400, xml("ExpiredToken", "The provided token has expired."), "Unauthenticated", "ExpiredToken", "not-applied"],
  [
    403,
    xml("SignatureDoesNotMatch", "The request signature we calculated does not match."),
    "Unauthenticated",
    "SignatureDoesNotMatch",
    "not-applied"
  ],
  [
    403,
    xml("RequestTimeTooSkewed", "The difference between the request time and the server's time is too large."),
    "Unauthenticated",
    "RequestTimeTooSkewed",
    "not-applied"
  ],
  [
    403,
    json(403, "forbidden", "sa@x does not have storage.objects.create access"),
    "PermissionDenied",
    "forbidden",
    "not-applied"
  ],
  [
    403,
    json(403, "insufficientPermissions", "Insufficient Permission"),
    "PermissionDenied",
    "insufficientPermissions",
    "not-applied"
  ],
  [
    403,
    json(403, "retentionPolicyNotMet", "Object is subject to bucket's retention policy"),
    "PermissionDenied",
    "retentionPolicyNotMet",
    "not-applied"
  ],
  [403, xml("AccessDenied", "Access denied."), "PermissionDenied", "AccessDenied", "not-applied"],
  [403, json(403, "rateLimitExceeded", "Rate Limit Exceeded"), "Throttled", "rateLimitExceeded", "not-applied"],
  [
    403,
    json(403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
    "Throttled",
    "userRateLimitExceeded",
    "not-applied"
  ],
  [403, json(403, "quotaExceeded", "Quota exceeded"), "LimitExceeded", "quotaExceeded", "not-applied"],
  [
    429,
    json(429, "rateLimitExceeded", "The object exceeded the rate limit for object mutation operations."),
    "Throttled",
    "rateLimitExceeded",
    "not-applied"
  ],
  [429, "", "Throttled", undefined, "not-applied"],
  [
    409,
    json(409, "conflict", "Your previous request to create the named bucket succeeded"),
    "Conflict",
    "conflict",
    "not-applied"
  ],
  [
    409,
    xml("BucketNotEmpty", "The bucket you tried to delete is not empty."),
    "NotEmpty",
    "BucketNotEmpty",
    "not-applied"
  ],
  [410, json(410, "gone", "Gone"), "UploadNotFound", "gone", "not-applied"],
  [499, "", "UploadNotFound", undefined, "not-applied"],
  [413, json(413, "uploadTooLarge", "Too large"), "LimitExceeded", "uploadTooLarge", "not-applied"],
  [400, json(400, "invalid", "Invalid bucket name: 'NO'"), "InvalidRequest", "invalid", "not-applied"],
  [400, json(400, "required", "Required parameter: project"), "InvalidRequest", "required", "not-applied"],
  [
    400,
    json(400, "invalid", "Provided CRC32C \"AAAAAA==\" doesn't match calculated CRC32C \"mnG7TA==\"."),
    "IntegrityFailed",
    "invalid",
    "not-applied"
  ],
  [
    400,
    json(400, "invalid", "Provided MD5 hash \"x\" doesn't match calculated MD5 hash \"y\"."),
    "IntegrityFailed",
    "invalid",
    "not-applied"
  ],
  [400, xml("BadDigest", "The provided digest does not match."), "IntegrityFailed", "BadDigest", "not-applied"],
  [400, xml("InvalidObjectName", "Invalid object name."), "InvalidKey", "InvalidObjectName", "not-applied"],
  [405, json(405, "methodNotAllowed", "Method Not Allowed"), "Unsupported", "methodNotAllowed", "not-applied"],
  [411, "<html>Length Required</html>", "InvalidRequest", undefined, "not-applied"],
  [408, json(408, "uploadBrokenConnection", "Request timed out"), "Timeout", "uploadBrokenConnection", "unknown"],
  [500, json(500, "internalError", "Internal Error"), "Unavailable", "internalError", "unknown"],
  [502, "<html>Bad Gateway</html>", "Unavailable", undefined, "unknown"],
  [503, json(503, "backendError", "Backend Error"), "Unavailable", "backendError", "unknown"],
  [503, xml("SlowDown", "Please reduce your request rate."), "Throttled", "SlowDown", "not-applied"],
  [504, "", "Unavailable", undefined, "unknown"],
  [302, "", "ProtocolViolation", undefined, "unknown"],
  // Documents that are none.
  [403, "{\"error\":", "PermissionDenied", undefined, "not-applied"],
  [403, "{\"error\":null}", "PermissionDenied", undefined, "not-applied"],
  [403, "{\"error\":{\"errors\":\"forbidden\"}}", "PermissionDenied", undefined, "not-applied"],
  [403, "<Error><Code>", "PermissionDenied", undefined, "not-applied"]
]

describe("errors of GCS", () => {
  it("become the right reason, and say what became of a change", () => {
    for (const [status, body, tag, code, outcome] of recorded) {
      const reply = { status, headers: { "x-guploader-uploadid": "id-1" } }
      const error = refused("write", reply, body, { mutation: true })
      const what = `${status} ${body}`
      assert.strictEqual(error.reason._tag, tag, what)
      assert.deepStrictEqual([error.code, error.outcome, error.status, error.requestId], [
        code,
        outcome,
        status,
        "id-1"
      ], what)
      assert.notInclude(error.message, "\n", what)
      assert.isUndefined(refused("read", reply, body, { mutation: false }).outcome, what)
    }
  })

  it("say how long to wait, and how large an object is", () => {
    const throttled = refused("read", { status: 429, headers: { "retry-after": "3" } }, "", { mutation: false })
    assert.strictEqual(throttled.retryAfter, 3000)
    const range = refused("read", { status: 416, headers: { "content-range": "bytes */12" } }, "", { mutation: false })
    assert.strictEqual("size" in range.reason ? range.reason.size : undefined, 12)
  })

  it("show no more of a reply than its sentence", () => {
    const body = xml("SignatureDoesNotMatch", "No.", "<StringToSign>canary</StringToSign>")
    assert.notInclude(
      JSON.stringify(refused("read", { status: 403, headers: {} }, body, { mutation: false })),
      "canary"
    )
    const page = "<html>canary</html>"
    assert.notInclude(
      JSON.stringify(refused("read", { status: 403, headers: {} }, page, { mutation: false })),
      "canary"
    )
  })
})
