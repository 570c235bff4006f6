import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import { type ErrorReasonTag, makeError } from "effect-objectstore"
import { type Recorded, scriptedBackend } from "./ScriptedTransport.ts"

const at = { container: "bucket", key: "key" }
const get = { method: "GET", expiresIn: Duration.minutes(1) } as const
const refused = (status: number, code: string, more = "", headers: Record<string, string> = {}): Recorded => ({
  status,
  headers,
  body: `<Error><Code>${code}</Code><Message>no</Message>${more}</Error>`
})

describe("a signed URL on AWS", () => {
  it.effect("is for the region of its bucket, which is asked for once", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([
        { status: 301, headers: { "x-amz-bucket-region": "eu-west-1" } },
        { status: 200 }
      ])
      for (let i = 0; i < 2; i++) {
        const url = Redacted.value(yield* backend.presign(at, get))
        assert.match(url, /^https:\/\/bucket\.s3\.eu-west-1\.amazonaws\.com\/key\?/)
        assert.include(url, "%2Feu-west-1%2Fs3%2F")
      }
      assert.lengthOf(requests, 2)
    }))

  it.effect("is given away where the bucket itself may not be looked at", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([{ status: 403 }, refused(403, "AccessDenied")])
      for (let i = 0; i < 2; i++) {
        assert.include(
          Redacted.value(yield* backend.presign(at, get)),
          "https://bucket.s3.us-east-1.amazonaws.com/key?"
        )
      }
      assert.deepStrictEqual(requests.map(({ method }) => method), ["HEAD", "GET"])
    }))

  const failures: ReadonlyArray<readonly [ReadonlyArray<Recorded | ReturnType<typeof makeError>>, ErrorReasonTag]> = [
    [[makeError("ConnectionFailed", { operation: "request", backend: "s3", phase: "dns" })], "ConnectionFailed"],
    [[{ status: 503 }], "Unavailable"],
    [[{ status: 404 }], "ContainerNotFound"],
    [[{ status: 403 }, refused(403, "SignatureDoesNotMatch")], "Unauthenticated"],
    [[refused(301, "PermanentRedirect"), refused(301, "PermanentRedirect")], "Configuration"]
  ]

  it.effect.each(failures)(
    "is not given away where nobody knows the region: %#",
    ([script, reason]) =>
      Effect.gen(function*() {
        const { backend, requests } = yield* scriptedBackend([...script, ...script])
        const error = yield* Effect.flip(backend.presign(at, get))
        assert.strictEqual(error.reason._tag, reason)
        // What was not learnt is asked again.
        yield* Effect.flip(backend.presign(at, get))
        assert.lengthOf(requests, 2 * script.length)
      })
  )
})
