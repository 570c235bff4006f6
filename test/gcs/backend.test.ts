import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, type Scope } from "effect"
import type { Backend, ErrorReasonTag, ObjectOptions, ObjectStoreError, Outcome, ReadRequest } from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { type GcsIntercept, gcsModel, type GcsModelOptions, type GcsReply } from "effect-objectstore/testing"
import { gunzipSync, gzipSync } from "node:zlib"
import { withRecordedPauses } from "../support/recordedPauses.ts"

const plain: ObjectOptions = { mode: "overwrite", attributes: {}, metadata: {} }
const at = (key: string) => ({ container: "bucket", key })
const text = (value: string) => new TextEncoder().encode(value)
const put = (backend: Backend, key: string, body = key, options: Partial<ObjectOptions> = {}) =>
  backend.write(at(key), text(body), { ...plain, ...options })

/** A backend on a model of its own; `meddle` may answer instead, or change an answer. */
const onModel = Effect.fnUntraced(function*(
  options: GcsModelOptions & {
    readonly meddle?: ((path: string, method: string) => ((reply: GcsReply) => GcsReply) | undefined) | undefined
    readonly gcs?: Gcs.GcsOptions | undefined
  } = {}
) {
  const requests: Array<string> = []
  const intercept: GcsIntercept = ({ method, rawPath, rawQuery }, answer) => {
    const path = `${rawPath}${rawQuery === "" ? "" : `?${rawQuery}`}`
    requests.push(`${method} ${path}`)
    const change = options.meddle?.(path, method)
    return change === undefined ? answer : Effect.map(answer, change)
  }
  const { origin } = yield* gcsModel({ buckets: ["bucket"], ...options, intercept })
  const backend = yield* Gcs.makeBackend({ endpoint: origin, ...options.gcs })
  return { backend, requests, origin }
})

const read = (backend: Backend, key: string, request: Partial<ReadRequest> = {}) =>
  Effect.scoped(Effect.gen(function*() {
    const reply = yield* backend.read(at(key), { conditions: {}, ...request })
    const target = new Uint8Array(reply.length)
    let done = 0
    while (done < target.length) done += yield* reply.into(target.subarray(done))
    return Buffer.from(target).toString()
  }))

const said = <A>(effect: Effect.Effect<A, ObjectStoreError>) =>
  Effect.map(
    Effect.result(effect),
    (result) => Result.isFailure(result) ? [result.failure.reason._tag, result.failure.outcome] : "succeeded"
  )

const test = (name: string, body: () => Effect.fn.Return<void, unknown, Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.gen(body)))

const isMedia = (path: string): boolean => path.startsWith("/bucket/")

describe("reads of GCS, on the model", () => {
  test("ask for the generation that they are pinned to, and send the whole key as one segment", function*() {
    const { backend, requests } = yield* onModel()
    const { etag } = yield* put(backend, "a/../b c%2F")
    yield* read(backend, "a/../b c%2F", { conditions: { ifMatch: etag, version: etag } })
    assert.strictEqual(requests.at(-1), `GET /bucket/a%2F..%2Fb%20c%252F?generation=${etag}`)
  })

  test("fail with IntegrityFailed where the bytes are not those that are stored, with the last of them", function*() {
    const { backend } = yield* onModel({
      meddle: (path) => isMedia(path) ? (reply) => ({ ...reply, body: "x".repeat(reply.body!.length) }) : undefined
    })
    yield* put(backend, "a", "hello")
    assert.deepStrictEqual(yield* said(read(backend, "a")), ["IntegrityFailed", undefined])
    assert.deepStrictEqual(yield* said(read(backend, "a", { range: { offset: 0, length: 5 } })), [
      "IntegrityFailed",
      undefined
    ])
    // A part has no sum of its own.
    assert.strictEqual(yield* read(backend, "a", { range: { offset: 1, length: 3 } }), "xxx")
  })

  test("fail with ProtocolViolation where another thing was sent than was asked for", function*() {
    const wrong: ReadonlyArray<(reply: GcsReply) => GcsReply> = [
      (reply) => ({ ...reply, status: 200, headers: { ...reply.headers, "content-range": undefined }, body: "hello" }),
      (reply) => ({ ...reply, headers: { ...reply.headers, "content-range": "bytes 0-1/5" } }),
      (reply) => ({ ...reply, headers: { ...reply.headers, "content-range": undefined } }),
      (reply) => ({ ...reply, headers: { ...reply.headers, "x-goog-generation": undefined } }),
      (reply) => ({ ...reply, headers: { ...reply.headers, "x-goog-generation": "1" } }),
      (reply) => ({ ...reply, headers: { ...reply.headers, "x-goog-stored-content-length": "6" } }),
      (reply) => ({ ...reply, headers: { ...reply.headers, "x-goog-stored-content-encoding": "gzip" } }),
      (reply) => ({ ...reply, status: 302, headers: { location: "http://127.0.0.1:9/" } })
    ]
    for (const [index, change] of wrong.entries()) {
      const { backend } = yield* onModel({ meddle: (path) => isMedia(path) ? change : undefined })
      const { etag } = yield* put(backend, "a", "hello")
      const request = { range: { offset: 1, length: 2 }, conditions: { version: etag } }
      assert.deepStrictEqual(yield* said(read(backend, "a", request)), ["ProtocolViolation", undefined], String(index))
    }
  })

  test("give gzip as it is stored, and never what was unpacked on the way", function*() {
    const packed = gzipSync(Buffer.from("hello ".repeat(100)))
    const { backend } = yield* onModel()
    yield* backend.write(at("a"), packed, { ...plain, attributes: { contentEncoding: "gzip" } })
    const reply = yield* backend.read(at("a"), { conditions: {} })
    const target = new Uint8Array(reply.length)
    yield* reply.into(target)
    assert.isTrue(packed.equals(target))
    const unpacking = yield* onModel({
      meddle: (path) =>
        isMedia(path)
          ? (reply) => ({
            ...reply,
            body: gunzipSync(reply.body as Uint8Array),
            headers: { ...reply.headers, "content-encoding": undefined, "x-goog-stored-content-length": undefined }
          })
          : undefined
    })
    yield* unpacking.backend.write(at("a"), packed, { ...plain, attributes: { contentEncoding: "gzip" } })
    assert.deepStrictEqual(yield* said(read(unpacking.backend, "a")), ["ProtocolViolation", undefined])
  })
})

describe("writes of GCS, on the model", () => {
  test("carry conditions on generations, whatever they do", function*() {
    const { backend, requests } = yield* onModel()
    const { etag = "" } = yield* put(backend, "a", "1", { mode: "create" })
    yield* put(backend, "b", "1", { mode: { update: "7" } }).pipe(Effect.flip)
    yield* backend.copy(at("a"), at("c"), { mode: "create", ifMatch: etag })
    yield* backend.deleteBatch("bucket", [{ key: "a", ifMatch: etag }])
    assert.deepStrictEqual(requests, [
      "POST /upload/storage/v1/b/bucket/o?uploadType=multipart&ifGenerationMatch=0",
      "POST /upload/storage/v1/b/bucket/o?uploadType=multipart&ifGenerationMatch=7",
      `POST /storage/v1/b/bucket/o/a/rewriteTo/b/bucket/o/c?ifGenerationMatch=0&ifSourceGenerationMatch=${etag}`,
      `DELETE /storage/v1/b/bucket/o/a?ifGenerationMatch=${etag}`
    ])
  })

  test("are refused without a request where no object can have the etag", function*() {
    const { backend, requests } = yield* onModel()
    for (const etag of ["\"x\"", "0", "-1", "99999999999999999999"]) {
      assert.deepStrictEqual(yield* said(put(backend, "a", "1", { mode: { update: etag } })), [
        "PreconditionFailed",
        "not-applied"
      ])
    }
    assert.deepStrictEqual(requests, [])
  })

  test("say what became of them where the answer is wrong", function*() {
    const rows: ReadonlyArray<readonly [(reply: GcsReply) => GcsReply, ErrorReasonTag, Outcome]> = [
      [(reply) => ({ ...reply, body: "{" }), "ProtocolViolation", "unknown"],
      [(reply) => ({ ...reply, body: "[]" }), "ProtocolViolation", "unknown"],
      [(reply) => ({ ...reply, body: "{}" }), "ProtocolViolation", "unknown"],
      [
        (reply) => ({ ...reply, body: String(reply.body).replace(/"crc32c":"[^"]*"/, "\"crc32c\":\"AAAAAA==\"") }),
        "IntegrityFailed",
        "applied"
      ],
      [() => ({ status: 503 }), "Unavailable", "unknown"],
      [() => ({ status: 302, headers: { location: "http://127.0.0.1:9/" } }), "ProtocolViolation", "unknown"]
    ]
    for (const [index, [change, tag, outcome]] of rows.entries()) {
      const { backend } = yield* onModel({ meddle: (path) => path.startsWith("/upload") ? change : undefined })
      assert.deepStrictEqual(yield* said(put(backend, "a")), [tag, outcome], String(index))
    }
  })

  test("are refused alike in one request and in parts where the type is one that no header can say", function*() {
    const { backend, requests } = yield* onModel()
    const options = { ...plain, attributes: { contentType: "text/plain; name=ü" } }
    assert.deepStrictEqual(yield* said(put(backend, "a", "x", options)), ["InvalidRequest", "not-applied"])
    assert.deepStrictEqual(yield* said(backend.openUpload(at("a"), options)), ["InvalidRequest", "not-applied"])
    assert.deepStrictEqual(requests, [])
    // Other attributes are in the document alone.
    const attributes = { contentDisposition: "attachment; filename=ü" }
    yield* put(backend, "a", "x", { attributes })
    assert.strictEqual((yield* backend.head(at("a"), {})).attributes?.contentDisposition, attributes.contentDisposition)
  })

  test("whose bytes are changed on the way are refused: IntegrityFailed", function*() {
    const { origin } = yield* onModel()
    const body = (crc32c: string) =>
      `--b\r\ncontent-type: application/json\r\n\r\n{"name":"x","crc32c":"${crc32c}"}\r\n` +
      "--b\r\ncontent-type: text/plain\r\n\r\nhello\r\n--b--\r\n"
    const status = (crc32c: string) =>
      Effect.promise(async () =>
        (await fetch(`${origin}/upload/storage/v1/b/bucket/o?uploadType=multipart`, {
          method: "POST",
          headers: { "content-type": "multipart/related; boundary=b" },
          body: body(crc32c)
        })).status
      )
    assert.deepStrictEqual([yield* status("AAAAAA=="), yield* status("mnG7TA==")], [400, 200])
  })
})

describe("copies of GCS, on the model", () => {
  test("go on by tokens until they are done", function*() {
    const { backend, requests } = yield* onModel({ rewriteBytesPerCall: 1000 })
    yield* put(backend, "a", "x".repeat(2500), { metadata: { n: "1" } })
    const copied = yield* backend.copy(at("a"), at("b"), { mode: "overwrite" })
    assert.strictEqual(copied.size, 2500)
    assert.strictEqual(requests.filter((request) => request.includes("rewriteTo")).length, 3)
    assert.strictEqual(requests.filter((request) => request.includes("rewriteToken=")).length, 2)
    assert.deepStrictEqual({ ...(yield* backend.head(at("b"), {})).metadata }, { n: "1" })
  })

  test("that come no further have stalled: Timeout, after 8 answers that come ever more slowly", function*() {
    let frozen = false
    const meddle = (path: string) =>
      path.includes("rewriteTo") && frozen
        ? (reply: GcsReply) => ({
          ...reply,
          body: String(reply.body).replace(/"totalBytesRewritten":"\d+"/, "\"totalBytesRewritten\":\"1000\"")
        })
        : undefined
    const { backend, requests } = yield* onModel({ rewriteBytesPerCall: 1, meddle })
    yield* put(backend, "a", "x".repeat(2500))
    frozen = true
    const pauses: Array<number> = []
    const error = yield* Effect.flip(backend.copy(at("a"), at("b"), { mode: "overwrite" })).pipe(
      withRecordedPauses((millis) => pauses.push(millis))
    )
    assert.deepStrictEqual([error.reason._tag, error.outcome], ["Timeout", "not-applied"])
    assert.include(error.message, "stays at 1000 bytes")
    // The first answer was progress.
    assert.strictEqual(requests.filter((request) => request.includes("rewriteTo")).length, 9)
    assert.deepStrictEqual(pauses, [100, 200, 400, 800, 1600, 3200, 5000])
    assert.strictEqual((yield* said(backend.head(at("b"), {})))[0], "NotFound")
  })

  test("tell a stale source from a target that is there", function*() {
    const { backend } = yield* onModel()
    const { etag } = yield* put(backend, "a")
    yield* put(backend, "b")
    const copy = (from: string, to: string, ifMatch: string | undefined) =>
      said(backend.copy(at(from), at(to), { mode: "create", ifMatch }))
    assert.deepStrictEqual(yield* copy("a", "b", etag), ["AlreadyExists", "not-applied"])
    assert.deepStrictEqual(yield* copy("a", "b", undefined), ["AlreadyExists", "not-applied"])
    assert.deepStrictEqual(yield* copy("a", "b", "1"), ["PreconditionFailed", "not-applied"])
    assert.deepStrictEqual(yield* copy("a", "c", "1"), ["PreconditionFailed", "not-applied"])
    assert.deepStrictEqual(yield* copy("a", "c", "no etag"), ["PreconditionFailed", "not-applied"])
    assert.deepStrictEqual(yield* copy("missing", "c", "no etag"), ["NotFound", "not-applied"])
    assert.deepStrictEqual(yield* said(backend.copy({ container: "no-such", key: "a" }, at("c"), { mode: "create" })), [
      "ContainerNotFound",
      "not-applied"
    ])
    assert.strictEqual(yield* copy("a", "c", etag), "succeeded")
  })
})

describe("removals of GCS, on the model", () => {
  const entries = (count: number) => Array.from({ length: count }, (_, i) => ({ key: `k/${i} ä` }))

  test("send many keys in one batch, and one key alone", function*() {
    const { backend, requests } = yield* onModel()
    yield* Effect.forEach(entries(20), ({ key }) => put(backend, key), { discard: true })
    requests.length = 0
    assert.deepStrictEqual(yield* backend.deleteBatch("bucket", entries(21)), Array(21).fill(undefined))
    assert.deepStrictEqual(requests, ["POST /batch/storage/v1"])
    assert.deepStrictEqual(yield* backend.deleteBatch("bucket", [{ key: "x" }]), [undefined])
    assert.strictEqual(requests[1], "DELETE /storage/v1/b/bucket/o/x")
    const page = yield* backend.listPage({ container: "bucket", prefix: "", limit: 100 })
    assert.deepStrictEqual(page.objects, [])
    const single = yield* onModel({ gcs: { batchDelete: false } })
    assert.strictEqual(single.backend.capabilities.maxDeleteBatch, 1)
  })

  test("answer each key by itself: conditions, keys that cannot be, and what the batch left out", function*() {
    const { backend } = yield* onModel({
      meddle: (path) =>
        path.startsWith("/batch")
          ? (reply) => ({
            ...reply,
            body: String(reply.body).replace(/--batch[^\r]*\r\n[^\r]*\r\nContent-ID: <response-2>[^]*?(?=--batch)/, "")
          })
          : undefined
    })
    const { etag } = yield* put(backend, "a")
    yield* put(backend, "b")
    const answers = yield* backend.deleteBatch("bucket", [
      { key: "a", ifMatch: etag },
      { key: "b", ifMatch: "1" },
      { key: "left out" },
      { key: "line\nfeed" },
      { key: "missing", ifMatch: "1" },
      { key: "missing" },
      { key: "b", ifMatch: "no etag" }
    ])
    assert.deepStrictEqual(
      answers.map((error) => error === undefined ? undefined : [error.reason._tag, error.outcome]),
      [
        undefined,
        ["PreconditionFailed", "not-applied"],
        ["ProtocolViolation", "unknown"],
        ["InvalidKey", "not-applied"],
        ["PreconditionFailed", "not-applied"],
        undefined,
        ["PreconditionFailed", "not-applied"]
      ]
    )
    const missing = yield* backend.deleteBatch("no-such", [{ key: "a" }, { key: "b" }])
    assert.deepStrictEqual(missing.map((error) => error?.reason._tag), ["ContainerNotFound", "ContainerNotFound"])
  })
})

describe("listings of GCS, on the model", () => {
  test("begin after a key, and fold a prefix only if a key below it comes after", function*() {
    const { backend } = yield* onModel()
    for (const key of ["a/1", "a/2", "b", "c/1"]) yield* put(backend, key)
    const list = (startAfter: string, delimiter?: "/") =>
      Effect.map(
        backend.listPage({ container: "bucket", prefix: "", startAfter, delimiter, limit: 10 }),
        ({ objects, prefixes }) => [...objects.map(({ key }) => key), ...prefixes]
      )
    assert.deepStrictEqual(yield* list("a/1"), ["a/2", "b", "c/1"])
    assert.deepStrictEqual(yield* list("a/1", "/"), ["b", "a/", "c/"])
    assert.deepStrictEqual(yield* list("a/2", "/"), ["b", "c/"])
    assert.deepStrictEqual(yield* list("b", "/"), ["c/"])
    assert.deepStrictEqual(yield* list("c/0", "/"), ["c/"])
  })

  test("that are none are ProtocolViolation", function*() {
    for (
      const body of [
        "{\"items\":1}",
        "{\"items\":[{}]}",
        "{\"prefixes\":[1]}",
        "[]",
        "<x/>",
        "{\"items\":[{\"name\":\"a\",\"size\":\"9007199254740993\",\"generation\":\"1\"}]}"
      ]
    ) {
      const { backend } = yield* onModel({ meddle: () => (reply) => ({ ...reply, body }) })
      const page = backend.listPage({ container: "bucket", prefix: "", limit: 10 })
      assert.deepStrictEqual(yield* said(page), ["ProtocolViolation", undefined], body)
    }
  })

  test("tell of each object what stat does", function*() {
    const { backend } = yield* onModel()
    yield* put(backend, "a", "hello", {
      metadata: { n: "1" },
      attributes: { contentType: "a/b" },
      storageClass: "NEARLINE"
    })
    const { objects } = yield* backend.listPage({ container: "bucket", prefix: "", limit: 10 })
    assert.deepStrictEqual(objects[0], { key: "a", ...(yield* backend.head(at("a"), {})) })
    assert.strictEqual(objects[0]?.storageClass, "NEARLINE")
  })
})

describe("answers that are none of GCS's, on the model", () => {
  test("do not say that a write was applied", function*() {
    for (const answer of [{ status: 204 }, { status: 200, headers: { "content-type": "text/html" }, body: "<html>" }]) {
      const { backend } = yield* onModel({ meddle: (path) => path.startsWith("/upload") ? () => answer : undefined })
      assert.deepStrictEqual(yield* said(put(backend, "a")), ["ProtocolViolation", "unknown"])
    }
  })

  test("do not make a listing go on for ever", function*() {
    const { backend } = yield* onModel({
      gcs: { projectId: "test" },
      meddle: () => () => ({ status: 200, body: JSON.stringify({ nextPageToken: "same" }) })
    })
    const request = { container: "bucket", prefix: "", limit: 10 }
    const { next } = yield* backend.listPage(request)
    assert.deepStrictEqual(yield* said(backend.listPage({ ...request, cursor: next })), [
      "ProtocolViolation",
      undefined
    ])
    assert.deepStrictEqual(yield* said(backend.listContainers), ["ProtocolViolation", undefined])
  })
})
