import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, type Scope } from "effect"
import { defaultRetryPolicy, ObjectStore, RetryPolicy } from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { type GcsIntercept, gcsModel } from "effect-objectstore/testing"

/**
 * A store on a model that loses answers: the change is made, and nothing is heard of it. `loses` says of which requests, each
 * once.
 */
const onModel = Effect.fnUntraced(function*(loses: (request: string) => boolean) {
  const requests: Array<string> = []
  const lost = new Set<string>()
  const intercept: GcsIntercept = ({ headers, method, rawPath, rawQuery }, answer) => {
    const kind = /upload_id/.test(rawQuery) ? `SESSION ${headers["content-range"] ?? method}` : `${method} ${rawPath}`
    requests.push(kind)
    if (!loses(kind) || lost.has(kind)) return answer
    lost.add(kind)
    return Effect.andThen(answer, Effect.never)
  }
  const { origin } = yield* gcsModel({ buckets: ["bucket"], intercept })
  const layer = Gcs.layer({ endpoint: origin, base: "gs://bucket/", projectId: "test", headersTimeout: 150 })
  const store = Context.get(yield* Layer.build(layer), ObjectStore)
  return { store, requests, count: (kind: string) => requests.filter((request) => request.startsWith(kind)).length }
})

const test = (name: string, body: () => Effect.fn.Return<void, unknown, Scope.Scope>) =>
  it.live(name, () =>
    Effect.scoped(Effect.gen(body)).pipe(
      Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, baseDelay: 1, throttleDelay: 1 })
    ))

const isWrite = (request: string): boolean => request === "POST /upload/storage/v1/b/bucket/o"

describe("changes whose answers were lost, on the model of GCS", () => {
  test("a create is found to be done, and is made once", function*() {
    const { count, store } = yield* onModel(isWrite)
    const put = yield* store.put("a", "hello", { mode: "create" })
    assert.strictEqual(put.etag, (yield* store.stat("a")).etag)
    assert.strictEqual(count("POST /upload"), 1)
  })

  test("an update is found to be done, and is made once", function*() {
    let losing = false
    const { count, store } = yield* onModel((request) => losing && isWrite(request))
    const { etag } = yield* store.put("a", "1")
    losing = true
    const put = yield* store.put("a", "2", { mode: { update: etag! } })
    assert.strictEqual(put.etag, (yield* store.stat("a")).etag)
    assert.strictEqual(count("POST /upload"), 2)
  })

  test("an overwrite is repeated, since that is harmless", function*() {
    const { count, store } = yield* onModel(isWrite)
    yield* store.put("a", "hello")
    assert.strictEqual(Buffer.from(yield* store.get("a")).toString(), "hello")
    assert.strictEqual(count("POST /upload"), 2)
  })

  test("a session goes on: its part and its end are found to be there", function*() {
    const body = new Uint8Array(600_000).map((_, i) => i * 7)
    const { requests, store } = yield* onModel((request) =>
      request.startsWith("SESSION bytes 0-") || request.endsWith("/600000")
    )
    const put = yield* store.putMultipart("a", body, { partSize: 256 * 1024, mode: "create" })
    assert.strictEqual(put.etag, (yield* store.stat("a")).etag)
    assert.isTrue(Buffer.from(body).equals(yield* store.get("a")))
    assert.deepStrictEqual(requests.filter((request) => request.startsWith("SESSION")), [
      "SESSION bytes 0-262143/*",
      "SESSION bytes */*",
      "SESSION bytes 262144-524287/*",
      "SESSION bytes 524288-599999/600000",
      "SESSION bytes */*"
    ])
  })

  test("the end of a session is found by the object where the session does not answer either", function*() {
    const body = new Uint8Array(300_000).map((_, i) => i * 7)
    const { requests, store } = yield* onModel((request) =>
      request.endsWith("/300000") || request === "SESSION bytes */*"
    )
    const put = yield* store.putMultipart("a", body, { mode: "create" })
    assert.strictEqual(put.etag, (yield* store.stat("a")).etag)
    const sent = requests.findIndex((request) => request.endsWith("/300000"))
    // One look, without pause; then the engine asks for the object, which is this very write.
    assert.deepStrictEqual(requests.slice(sent + 1, sent + 3), ["SESSION bytes */*", "GET /storage/v1/b/bucket/o/a"])
    assert.strictEqual(requests.filter((request) => request.endsWith("/300000")).length, 1)
  })

  test("a removal of one version is not made twice", function*() {
    const { count, store } = yield* onModel((request) => request.startsWith("DELETE"))
    const { etag } = yield* store.put("a", "1")
    yield* store.delete("a", { ifMatch: etag })
    assert.isFalse(yield* store.exists("a"))
    assert.strictEqual(count("DELETE"), 1)
  })

  test("a copy that may not replace is found to be done", function*() {
    const { count, store } = yield* onModel((request) => request.includes("/rewriteTo/"))
    yield* store.put("a", "1")
    const copied = yield* store.copy("a", "b", { mode: "create" })
    assert.strictEqual(copied.etag, (yield* store.stat("b")).etag)
    assert.strictEqual(count("POST /storage/v1/b/bucket/o/a/rewriteTo"), 1)
  })

  test("a bucket that was made is not said to have been there", function*() {
    const { store } = yield* onModel((request) => request === "POST /storage/v1/b")
    const error = yield* Effect.flip(store.createContainer("made-by-us"))
    assert.deepStrictEqual([error.reason._tag, error.outcome], ["OutcomeUnknown", "unknown"])
  })
})
