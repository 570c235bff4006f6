import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { type Backend, makeError, type ObjectOptions, type Upload } from "effect-objectstore"
import type * as S3 from "effect-objectstore/layers/S3"
import { makeS3Backend } from "../../layers/s3/backend.ts"
import { toSettings } from "../../layers/s3/config.ts"
import { withRecordedPauses } from "../support/recordedPauses.ts"
import { answering, type Recorded } from "./ScriptedTransport.ts"

const at = { container: "bucket", key: "key" }
const options: ObjectOptions = { mode: "overwrite", attributes: {}, metadata: {} }
const gone: Recorded = { status: 404, body: "<Error><Code>NoSuchUpload</Code><Message>no</Message></Error>" }
const copied = "<CopyPartResult><ETag>\"e\"</ETag></CopyPartResult>"

/** A backend of a service whose parts fare so, and whose aborts are answered so, one after the other. */
const backendOf = Effect.fnUntraced(function*(
  vendor: S3.S3Vendor,
  part: Effect.Effect<Recorded, ReturnType<typeof makeError>>,
  aborts: ReadonlyArray<Recorded> = []
) {
  let aborted = 0
  const { requests, transport } = answering((request) =>
    request.method === "DELETE"
      ? Effect.succeed(aborts[aborted++] ?? { status: 204 })
      : request.method === "POST"
      ? Effect.succeed({
        status: 200,
        body: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"
      })
      : part
  )
  const settings = toSettings({ region: "us-east-1", endpoint: "http://127.0.0.1:1", vendor, credentials: "anonymous" })
  assert(settings._tag === "Success")
  const backend = yield* makeS3Backend(settings.success, transport)
  const upload = yield* backend.openUpload(at, options)
  return { backend, upload, aborts: () => requests.filter(({ method }) => method === "DELETE").length }
})

const send = (backend: Backend, upload: Upload) =>
  backend.uploadPart(upload, { number: 1, offset: 0, body: new Uint8Array(5), last: true })

const abort = Effect.fnUntraced(function*(backend: Backend, upload: Upload) {
  const pauses: Array<number> = []
  yield* backend.abortUpload(upload).pipe(withRecordedPauses((pause) => pauses.push(pause)))
  return pauses
})

const lost = makeError("ConnectionFailed", {
  operation: "request",
  backend: "s3",
  phase: "headers",
  outcome: "unknown"
})

describe("the abort of an upload", () => {
  for (const [vendor, pauses] of [["aws", [100]], ["versitygw", [20, 100, 400]], ["minio", []]] as const) {
    it.effect(`is said again where a part was cut off, as often as the service needs it: ${vendor}`, () =>
      Effect.gen(function*() {
        const failed = yield* backendOf(vendor, Effect.fail(lost))
        yield* Effect.flip(send(failed.backend, failed.upload))
        assert.deepStrictEqual(yield* abort(failed.backend, failed.upload), [...pauses])
        assert.strictEqual(failed.aborts(), 1 + pauses.length)

        const interrupted = yield* backendOf(vendor, Effect.never, [{ status: 204 }, gone])
        const fiber = yield* Effect.forkChild(send(interrupted.backend, interrupted.upload), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* abort(interrupted.backend, interrupted.upload), [...pauses])
        assert.strictEqual(interrupted.aborts(), 1 + pauses.length)
      }))
  }

  it.effect("is said once where every part was answered, and of an upload of somebody else", () =>
    Effect.gen(function*() {
      for (
        const part of [
          Effect.succeed<Recorded>({ status: 200, headers: { etag: "\"e\"" } }),
          Effect.succeed<Recorded>({ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" })
        ]
      ) {
        const { aborts, backend, upload } = yield* backendOf("versitygw", part)
        yield* Effect.exit(send(backend, upload))
        assert.deepStrictEqual(yield* abort(backend, upload), [])
        assert.strictEqual(aborts(), 1)
      }
      const { aborts, backend } = yield* backendOf("versitygw", Effect.fail(lost))
      yield* backend.abortUpload({ ...at, id: "another" })
      assert.strictEqual(aborts(), 1)
    }))

  it.effect("counts copied parts too", () =>
    Effect.gen(function*() {
      const { aborts, backend, upload } = yield* backendOf("versitygw", Effect.fail(lost))
      const part = { number: 1, offset: 0, length: 5, from: { container: "bucket", key: "from" } }
      yield* Effect.flip(backend.copyPart!(upload, part))
      yield* abort(backend, upload)
      assert.strictEqual(aborts(), 4)
      const whole = yield* backendOf("versitygw", Effect.succeed({ status: 200, body: copied }))
      yield* whole.backend.copyPart!(whole.upload, part)
      yield* abort(whole.backend, whole.upload)
      assert.strictEqual(whole.aborts(), 1)
    }))

  it.effect("fails where a later one does, and is UploadNotFound where the first one is", () =>
    Effect.gen(function*() {
      for (
        const [answers, tag] of [[[gone], "UploadNotFound"], [
          [{ status: 204 }, { status: 503 }],
          "Unavailable"
        ]] as const
      ) {
        const { backend, upload } = yield* backendOf("versitygw", Effect.fail(lost), answers)
        yield* Effect.flip(send(backend, upload))
        assert.strictEqual((yield* Effect.flip(abort(backend, upload))).reason._tag, tag)
      }
    }))
})
