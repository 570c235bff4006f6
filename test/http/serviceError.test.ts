import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ErrorTable, type Meaning, retryAfterOf, serviceError } from "../../src/http/serviceError.ts"

const table: ErrorTable = {
  codes: new Map<string, Meaning>([
    ["NoSuchKey", "NotFound"],
    ["SlowDown", "Throttled"],
    ["EntityTooLarge", { reason: "LimitExceeded", limit: "maxObjectSize" }],
    ["NotImplemented", { reason: "Unsupported", capability: "tags" }]
  ]),
  statuses: new Map<number, Meaning>([[409, "AlreadyExists"]])
}

const call = { backend: "test", operation: "put", mutation: true }

const errorOf = (status: number, code?: string, headers: Record<string, string> = {}, message?: string) =>
  serviceError(table, call, { reply: { status, headers }, code, message })

describe("serviceError", () => {
  it.effect("goes by the code, then the table's status, then the status", () =>
    Effect.sync(() => {
      assert.strictEqual(errorOf(404, "NoSuchKey").reason._tag, "NotFound")
      assert.strictEqual(errorOf(400, "NoSuchKey").reason._tag, "NotFound")
      assert.strictEqual(errorOf(409, "Unheard").reason._tag, "AlreadyExists")
      assert.strictEqual(errorOf(409).reason._tag, "AlreadyExists")
      const tags = [
        200,
        301,
        304,
        400,
        401,
        403,
        404,
        405,
        408,
        411,
        412,
        413,
        416,
        418,
        429,
        500,
        501,
        502,
        503,
        504,
        507
      ]
        .map((status) => `${status} ${errorOf(status).reason._tag}`)
      assert.deepStrictEqual(tags, [
        "200 ProtocolViolation",
        "301 ProtocolViolation",
        "304 NotModified",
        "400 InvalidRequest",
        "401 Unauthenticated",
        "403 PermissionDenied",
        "404 NotFound",
        "405 InvalidRequest",
        "408 Timeout",
        "411 InvalidRequest",
        "412 PreconditionFailed",
        "413 LimitExceeded",
        "416 RangeNotSatisfiable",
        "418 InvalidRequest",
        "429 Throttled",
        "500 Unavailable",
        "501 Unsupported",
        "502 Unavailable",
        "503 Unavailable",
        "504 Unavailable",
        "507 StorageFull"
      ])
    }))

  it.effect("says what became of a mutation, and nothing of a read", () =>
    Effect.sync(() => {
      for (const status of [400, 403, 404, 409, 412, 413, 429, 501, 507]) {
        assert.strictEqual(errorOf(status).outcome, "not-applied", `${status}`)
      }
      for (const status of [200, 301, 408, 500, 502, 503, 504]) assert.strictEqual(errorOf(status).outcome, "unknown")
      assert.strictEqual(errorOf(503, "SlowDown").outcome, "not-applied")
      const read = serviceError(table, { ...call, mutation: false }, { reply: { status: 500, headers: {} } }, "applied")
      assert.strictEqual(read.outcome, undefined)
      assert.strictEqual(
        serviceError(table, call, { reply: { status: 500, headers: {} } }, "applied").outcome,
        "applied"
      )
    }))

  it.effect("keeps what the service said: status, code, id, message, and what the reason needs", () =>
    Effect.sync(() => {
      const error = errorOf(
        503,
        "SlowDown",
        { "retry-after": "2", "x-amz-request-id": "r1" },
        "\n Please reduce \u001b[31m\r\nTime: now"
      )
      assert.deepStrictEqual(
        [error.status, error.code, error.requestId, error.retryAfter, error.reason.description, error.backend],
        [503, "SlowDown", "r1", 2000, "Please reduce \\u001b[31m", "test"]
      )
      assert.strictEqual(
        serviceError(table, call, { reply: { status: 404, headers: {} }, requestId: "r2" }).requestId,
        "r2"
      )
      const large = errorOf(400, "EntityTooLarge").reason
      assert.strictEqual(large._tag === "LimitExceeded" ? large.limit : "", "maxObjectSize")
      const tags = errorOf(501, "NotImplemented").reason
      assert.strictEqual(tags._tag === "Unsupported" ? tags.capability : "", "tags")
      const range = errorOf(416, undefined, { "content-range": "bytes */7" }).reason
      assert.strictEqual(range._tag === "RangeNotSatisfiable" ? range.size : 0, 7)
      const timeout = errorOf(408).reason
      assert.strictEqual(timeout._tag === "Timeout" ? timeout.phase : "", "request")
      assert.isBelow(errorOf(400, "x", {}, "m".repeat(10_000)).message.length, 700)
    }))

  it.effect("reads how long to wait", () =>
    Effect.sync(() => {
      assert.strictEqual(retryAfterOf({ "retry-after": "0" }), 0)
      assert.strictEqual(retryAfterOf({ "retry-after": "120" }), 120_000)
      assert.strictEqual(retryAfterOf({ "retry-after": "1", "x-ms-retry-after-ms": "250" }), 250)
      const date = "Sun, 06 Nov 1994 08:49:37 GMT"
      assert.strictEqual(retryAfterOf({ "retry-after": "Sun, 06 Nov 1994 08:50:07 GMT", date }), 30_000)
      assert.strictEqual(retryAfterOf({ "retry-after": "Sun, 06 Nov 1994 08:49:07 GMT", date }), 0)
      for (const told of ["soon", "-1", "1e9", ""]) {
        assert.strictEqual(retryAfterOf({ "retry-after": told, date }), undefined)
      }
      assert.strictEqual(retryAfterOf({}), undefined)
    }))
})
