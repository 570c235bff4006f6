import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import {
  ErrorReasons,
  type ErrorReasonTag,
  isObjectStoreError,
  makeError,
  ObjectStoreError,
  withContext
} from "effect-objectstore"

const extra: Partial<Record<ErrorReasonTag, Record<string, unknown>>> = {
  Timeout: { phase: "headers" },
  ConnectionFailed: { phase: "dns" },
  PartialFailure: { succeeded: 1, failed: 1, failures: [] },
  LimitExceeded: { limit: "maxObjectSize" },
  Unsupported: { capability: "presign" }
}

const sample = (tag: ErrorReasonTag) =>
  makeError(
    tag,
    { operation: "put", backend: "memory", uri: "mem://memory/a", description: "because", ...extra[tag] } as never
  )

describe("ObjectStoreError", () => {
  it.effect.each(Object.keys(ErrorReasons) as Array<ErrorReasonTag>)(
    "%s is caught by its tag and survives JSON",
    (tag) =>
      Effect.gen(function*() {
        const error = sample(tag)
        const caught = yield* Effect.fail(error).pipe(
          Effect.catchReason("ObjectStoreError", tag, (reason) => Effect.succeed(reason.operation))
        )
        assert.strictEqual(caught, "put")
        const codec = Schema.toCodecJson(ObjectStoreError)
        const back = yield* Schema.decodeEffect(codec)(yield* Schema.encodeEffect(codec)(error))
        assert.isTrue(isObjectStoreError(back))
        assert.strictEqual(back.reason._tag, tag)
        assert.strictEqual(back.message, error.message)
      })
  )

  it("says reason, operation, location and description in one line", () => {
    const error = makeError("NotFound", {
      operation: "get",
      backend: "memory",
      uri: "mem://memory/a\nb\u001b[31m",
      description: "it is not there"
    })
    assert.strictEqual(error.message, "NotFound: get mem://memory/a\\u000ab\\u001b[31m: it is not there")
  })

  it("can be written as JSON, whatever its cause holds, which shows no more than names, messages and codes", () => {
    const around: { self?: unknown; readonly authorization: string } = { authorization: "canary-of-the-cause" }
    around.self = around
    const inner = Object.assign(new Error("inner"), { code: "E_INNER", request: around })
    const cause = Object.assign(new TypeError("outer", { cause: inner }), { config: around })
    const json = JSON.stringify(makeError("Unavailable", { operation: "put", backend: "s3", cause }))
    assert.deepStrictEqual(JSON.parse(json), {
      _tag: "ObjectStoreError",
      message: "Unavailable: put",
      reason: {
        _tag: "Unavailable",
        operation: "put",
        backend: "s3",
        cause: { name: "TypeError", message: "outer", cause: { name: "Error", message: "inner", code: "E_INNER" } }
      }
    })
    for (const other of [around, 7, null]) {
      assert.notInclude(
        JSON.stringify(makeError("Unavailable", { operation: "x", backend: "y", cause: other })),
        "canary"
      )
    }
    const nested = makeError("NotFound", {
      operation: "x",
      backend: "y",
      cause: makeError("Timeout", { operation: "z", backend: "y", phase: "stall", cause: inner })
    })
    assert.include(JSON.stringify(nested), "\"inner\"")
    assert.notInclude(JSON.stringify(nested), "canary")
  })

  it("keeps the reason's own fields when context is added", () => {
    const error = withContext(
      makeError("Throttled", { operation: "head", backend: "s3", retryAfter: 1500, status: 503 }),
      { operation: "get", uri: "s3://bucket/a", attempts: 3, outcome: undefined }
    )
    assert.strictEqual(error.retryAfter, 1500)
    assert.strictEqual(error.reason.status, 503)
    assert.strictEqual(error.operation, "get")
    assert.strictEqual(error.attempts, 3)
    assert.isTrue(error.isRetryable)
  })
})
