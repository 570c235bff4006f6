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
