import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ObjectOptions } from "effect-objectstore"
import { type Recorded, scriptedBackend } from "./ScriptedTransport.ts"

const at = { container: "bucket", key: "key" }
const options: ObjectOptions = { mode: "overwrite", attributes: {}, metadata: {} }

const opened: Recorded = {
  status: 200,
  body: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"
}
const completed: Recorded = {
  status: 200,
  body: "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>"
}

const part = { number: 1, offset: 0, body: new Uint8Array(5), last: true }

describe("an upload to S3", () => {
  it.effect("tells the size of the object when it completes, so that a service can refuse another one", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([
        opened,
        { status: 200, headers: { etag: "\"e\"" } },
        completed
      ])
      const upload = yield* backend.openUpload(at, options)
      const receipt = yield* backend.uploadPart(upload, part)
      yield* backend.completeUpload(upload, { parts: [receipt], size: 5 })
      assert.strictEqual(requests[2]!.headers["x-amz-mp-object-size"], "5")
    }))

  it.effect("fails a part of which the service tells another checksum, and is sure of one that it repeats", () =>
    Effect.gen(function*() {
      const sent = yield* scriptedBackend([opened, { status: 200, headers: { etag: "\"e\"" } }])
      yield* sent.backend.uploadPart(yield* sent.backend.openUpload(at, options), part)
      const [name, sum] = Object.entries(sent.requests[1]!.headers).find(([name]) =>
        name.startsWith("x-amz-checksum-")
      )!
      for (const [told, ends] of [[sum, undefined], ["AAAAAAAAAAA=", "IntegrityFailed"]] as const) {
        const { backend } = yield* scriptedBackend([opened, { status: 200, headers: { etag: "\"e\"", [name]: told! } }])
        const upload = yield* backend.openUpload(at, options)
        const answer = yield* Effect.match(backend.uploadPart(upload, part), {
          onSuccess: () => undefined,
          onFailure: ({ outcome, reason }) => `${reason._tag} ${outcome}`
        })
        assert.strictEqual(answer, ends === undefined ? undefined : `${ends} not-applied`)
      }
    }))
})
