import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, type Scope } from "effect"
import {
  type Backend,
  type ObjectOptions,
  type ObjectStoreError,
  type PartReceipt,
  type Upload
} from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { type GcsIntercept, gcsModel, type GcsReply, type GcsRequest } from "effect-objectstore/testing"
import { gcpStorageEmulator } from "../servers/gcpStorageEmulator.ts"
import { onServer } from "../servers/onServer.ts"
import { makeBucket, uniqueBucket } from "./GcsTest.ts"

const chunk = 256 * 1024
const plain: ObjectOptions = { mode: "overwrite", attributes: {}, metadata: {} }
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 13)
const at = { container: "sessions", key: "dir/x" }

/** What a test does to the requests of a session; `undefined` lets one through. */
type Meddle = (request: SessionRequest, answer: Effect.Effect<GcsReply>) => Effect.Effect<GcsReply> | undefined

interface SessionRequest extends GcsRequest {
  /** How many requests of sessions came before. */
  readonly count: number
  readonly range: string | undefined
}

/** A backend on a model of its own, and the requests of sessions that were made. */
const onModel = Effect.fnUntraced(function*(meddle: Meddle = () => undefined, options: Gcs.GcsOptions = {}) {
  const requests: Array<string> = []
  const intercept: GcsIntercept = (request, answer) => {
    if (!request.query.has("upload_id")) return answer
    const range = request.headers["content-range"]
    requests.push(`${request.method} ${range ?? ""}`.trim())
    return meddle({ ...request, range, count: requests.length - 1 }, answer) ?? answer
  }
  const { origin } = yield* gcsModel({ buckets: [at.container], intercept })
  const backend = yield* Gcs.makeBackend({ endpoint: origin, ...options })
  return { backend, requests, origin }
})

const upload = (backend: Backend, one: Upload, number: number, body: Uint8Array, offset: number, last = false) =>
  backend.uploadPart(one, { number, offset, body, last })

const read = (backend: Backend) =>
  Effect.scoped(Effect.gen(function*() {
    const reply = yield* backend.read(at, { conditions: {} })
    const target = new Uint8Array(reply.length)
    let done = 0
    while (done < target.length) done += yield* reply.into(target.subarray(done))
    return target
  }))

const exists = (backend: Backend) => Effect.map(Effect.result(backend.head(at, {})), Result.isSuccess)

/** Repeats what failed without being applied, as the engine does, at most five times. */
const repeated = <A>(effect: Effect.Effect<A, ObjectStoreError>): Effect.Effect<A, ObjectStoreError> =>
  Effect.retry(effect, { times: 5, while: (error) => error.isRetryable })

const reply = (status: number, headers: Record<string, string> = {}): Effect.Effect<GcsReply> =>
  Effect.succeed({ status, headers })

const test = (name: string, body: () => Generator<never, void> | Effect.fn.Return<void, unknown, Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.gen(body as () => Effect.fn.Return<void, unknown, Scope.Scope>)))

describe("sessions of uploads on the model", () => {
  test("take parts in order and publish with the last bytes", function*() {
    const { backend, requests } = yield* onModel()
    const body = bytes(2 * chunk + 777)
    const one = yield* backend.openUpload(at, plain)
    const parts = [
      yield* upload(backend, one, 1, body.subarray(0, chunk), 0),
      yield* upload(backend, one, 2, body.subarray(chunk), chunk, true)
    ]
    assert.isFalse(yield* exists(backend))
    const written = yield* backend.completeUpload(one, { parts, size: body.length })
    assert.deepStrictEqual([written.size, written.verified], [body.length, "checksum"])
    assert.deepStrictEqual(requests, [
      `PUT bytes 0-${chunk - 1}/*`,
      `PUT bytes ${chunk}-${2 * chunk - 1}/*`,
      `PUT bytes ${2 * chunk}-${2 * chunk + 776}/${2 * chunk + 777}`
    ])
    assert.isTrue(Buffer.from(body).equals(yield* read(backend)))
  })

  test("that end with a whole chunk are closed with the size alone", function*() {
    const { backend, requests } = yield* onModel()
    const one = yield* backend.openUpload(at, plain)
    const parts = [yield* upload(backend, one, 1, bytes(chunk), 0, true)]
    yield* backend.completeUpload(one, { parts, size: chunk })
    assert.strictEqual(requests.at(-1), `PUT bytes */${chunk}`)
  })

  test("send the rest where the service kept less: 308 with a shorter Range", function*() {
    const body = bytes(3 * chunk)
    let cut = false
    const { backend, requests } = yield* onModel((request, answer) => {
      if (cut || request.range !== `bytes 0-${3 * chunk - 1}/*`) return undefined
      cut = true
      // The model keeps everything and says less; what comes again it knows already.
      return Effect.andThen(answer, reply(308, { range: `bytes=0-${chunk - 1}` }))
    })
    const one = yield* backend.openUpload(at, plain)
    const parts = [yield* upload(backend, one, 1, body, 0)]
    assert.deepStrictEqual(requests, [`PUT bytes 0-${3 * chunk - 1}/*`, `PUT bytes ${chunk}-${3 * chunk - 1}/*`])
    yield* backend.completeUpload(one, { parts, size: body.length })
    assert.isTrue(Buffer.from(body).equals(yield* read(backend)))
  })

  test("rewind to the beginning where the service kept nothing: 308 without Range", function*() {
    const body = bytes(2 * chunk)
    const { backend, requests } = yield* onModel((request) => request.count === 0 ? reply(308) : undefined)
    const one = yield* backend.openUpload(at, plain)
    const lost = yield* Effect.flip(upload(backend, one, 1, body, 0))
    assert.deepStrictEqual([lost.reason._tag, lost.outcome], ["Unavailable", "not-applied"])
    const parts = [yield* upload(backend, one, 1, body, 0)]
    assert.deepStrictEqual(requests, [`PUT bytes 0-${2 * chunk - 1}/*`, `PUT bytes 0-${2 * chunk - 1}/*`])
    yield* backend.completeUpload(one, { parts, size: body.length })
    assert.isTrue(Buffer.from(body).equals(yield* read(backend)))
  })

  for (
    const [what, range] of [
      ["longer than was sent", `bytes=0-${2 * chunk}`],
      ["shorter than it was", `bytes=0-${chunk / 2}`],
      ["missing, although there was something", undefined],
      ["of another form", "bytes=5-99"],
      ["no range", "all of it"]
    ] as const
  ) {
    test(`refuse a Range that is ${what}`, function*() {
      const body = bytes(2 * chunk)
      const { backend } = yield* onModel((request) =>
        request.range?.startsWith(`bytes ${chunk}-`) === true
          ? reply(308, range === undefined ? {} : { range })
          : undefined
      )
      const one = yield* backend.openUpload(at, plain)
      yield* upload(backend, one, 1, body.subarray(0, chunk), 0)
      const error = yield* Effect.flip(upload(backend, one, 2, body.subarray(chunk), chunk))
      assert.deepStrictEqual([error.reason._tag, error.outcome], ["ProtocolViolation", "not-applied"])
      assert.isFalse(yield* exists(backend))
    })
  }

  test("ask how much there is after a part whose answer was lost, and go on from there", function*() {
    const body = bytes(3 * chunk)
    const { backend, requests } = yield* onModel(
      (request, answer) => request.count === 0 ? Effect.andThen(answer, Effect.never) : undefined,
      { headersTimeout: 200 }
    )
    const one = yield* backend.openUpload(at, plain)
    const lost = yield* Effect.flip(upload(backend, one, 1, body, 0))
    assert.strictEqual(lost.reason._tag, "Timeout")
    const parts = [yield* upload(backend, one, 1, body, 0)]
    // Everything had arrived, so nothing is sent again.
    assert.deepStrictEqual(requests, [`PUT bytes 0-${3 * chunk - 1}/*`, "PUT bytes */*"])
    yield* backend.completeUpload(one, { parts, size: body.length })
    assert.isTrue(Buffer.from(body).equals(yield* read(backend)))
  })

  test("go on after a part that was refused for a while", function*() {
    const body = bytes(2 * chunk)
    const { backend, requests } = yield* onModel((request) =>
      request.count === 1 ? Effect.succeed({ status: 503, headers: { "retry-after": "7" } }) : undefined
    )
    const one = yield* backend.openUpload(at, plain)
    const first = yield* upload(backend, one, 1, body.subarray(0, chunk), 0)
    const error = yield* Effect.flip(upload(backend, one, 2, body.subarray(chunk), chunk))
    assert.deepStrictEqual([error.reason._tag, error.retryAfter], ["Unavailable", 7000])
    const second = yield* upload(backend, one, 2, body.subarray(chunk), chunk)
    yield* backend.completeUpload(one, { parts: [first, second], size: body.length })
    assert.strictEqual(requests[2], "PUT bytes */*")
    assert.isTrue(Buffer.from(body).equals(yield* read(backend)))
  })

  test("find the object whose last answer was lost: 200 to a status query", function*() {
    const body = bytes(chunk + 10)
    const { backend, requests } = yield* onModel(
      (request, answer) =>
        request.range?.endsWith(`/${body.length}`) === true ? Effect.andThen(answer, Effect.never) : undefined,
      {
        headersTimeout: 200
      }
    )
    const one = yield* backend.openUpload(at, { ...plain, mode: "create" })
    const parts = [yield* upload(backend, one, 1, body, 0, true)]
    const written = yield* backend.completeUpload(one, { parts, size: body.length })
    assert.strictEqual(written.etag, (yield* backend.head(at, {})).etag)
    assert.strictEqual(requests.at(-1), "PUT bytes */*")
  })

  test("say that nothing was published where the last request was lost, and publish with the next", function*() {
    const body = bytes(chunk + 10)
    let lost = 0
    const { backend } = yield* onModel(
      (request) => request.range?.endsWith(`/${body.length}`) === true && lost++ === 0 ? Effect.never : undefined,
      {
        headersTimeout: 200
      }
    )
    const one = yield* backend.openUpload(at, plain)
    const parts = [yield* upload(backend, one, 1, body, 0, true)]
    const error = yield* Effect.flip(backend.completeUpload(one, { parts, size: body.length }))
    assert.deepStrictEqual([error.reason._tag, error.outcome], ["Timeout", "not-applied"])
    yield* repeated(backend.completeUpload(one, { parts, size: body.length }))
    assert.isTrue(Buffer.from(body).equals(yield* read(backend)))
  })

  test("do not guess where nobody can tell: the outcome is unknown", function*() {
    const body = bytes(10)
    const { backend } = yield* onModel((request) => request.count >= 0 ? Effect.never : undefined, {
      headersTimeout: 100
    })
    const one = yield* backend.openUpload(at, plain)
    const parts = [yield* upload(backend, one, 1, body, 0, true)]
    const error = yield* Effect.flip(backend.completeUpload(one, { parts, size: body.length }))
    assert.deepStrictEqual([error.reason._tag, error.outcome], ["Timeout", "unknown"])
  })

  test("decide their condition when they end, and end with it", function*() {
    const { backend } = yield* onModel()
    const one = yield* backend.openUpload(at, { ...plain, mode: "create" })
    const parts = [yield* upload(backend, one, 1, bytes(5), 0, true)]
    const { etag } = yield* backend.write(at, bytes(3), plain)
    const error = yield* Effect.flip(backend.completeUpload(one, { parts, size: 5 }))
    assert.deepStrictEqual([error.reason._tag, error.outcome], ["AlreadyExists", "not-applied"])
    assert.strictEqual((yield* backend.head(at, {})).etag, etag)
    const again = yield* Effect.flip(backend.abortUpload(one))
    assert.strictEqual(again.reason._tag, "UploadNotFound")
  })

  test("that are gone are UploadNotFound, and no other request is made", function*() {
    for (const status of [404, 410]) {
      const { backend, requests } = yield* onModel(() => reply(status))
      const one = yield* backend.openUpload(at, plain)
      for (let i = 0; i < 2; i++) {
        const error = yield* Effect.flip(upload(backend, one, 1, bytes(chunk), 0))
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["UploadNotFound", "not-applied"])
      }
      assert.strictEqual(requests.length, 1)
    }
  })

  test("that refuse a part are dropped all the same: who refused may not have been the service", function*() {
    for (const status of [400, 401, 403, 409]) {
      const { backend, requests } = yield* onModel(({ method }) => method === "PUT" ? reply(status) : undefined)
      const one = yield* backend.openUpload(at, plain)
      const first = yield* Effect.flip(upload(backend, one, 1, bytes(chunk), 0))
      assert.strictEqual(first.status, status)
      // A part that is sent again is told why the session has ended, not that there is none.
      assert.strictEqual(yield* Effect.flip(upload(backend, one, 1, bytes(chunk), 0)), first)
      yield* backend.abortUpload(one)
      assert.deepStrictEqual(requests.map((request) => request.split(" ")[0]), ["PUT", "DELETE"])
      assert.strictEqual((yield* Effect.flip(backend.abortUpload(one))).reason._tag, "UploadNotFound")
    }
  })

  test("are dropped by 499, once", function*() {
    const { backend, requests } = yield* onModel()
    const one = yield* backend.openUpload(at, plain)
    yield* upload(backend, one, 1, bytes(chunk), 0)
    yield* backend.abortUpload({ container: one.container, key: one.key, id: one.id })
    assert.strictEqual(requests.at(-1), "DELETE")
    const again = yield* Effect.flip(backend.abortUpload(one))
    assert.deepStrictEqual([again.reason._tag, again.outcome], ["UploadNotFound", "not-applied"])
    const late = yield* Effect.flip(upload(backend, one, 2, bytes(chunk), chunk))
    assert.strictEqual(late.reason._tag, "UploadNotFound")
    assert.isFalse(yield* exists(backend))
  })

  test("that publish an object of other bytes fail, and say that it is there", function*() {
    const { backend } = yield* onModel((request, answer) =>
      request.range?.endsWith("/10") === true
        ? Effect.map(answer, (reply) => ({
          ...reply,
          body: String(reply.body).replace(/"crc32c":"[^"]*"/, "\"crc32c\":\"AAAAAA==\"")
        }))
        : undefined
    )
    const one = yield* backend.openUpload(at, plain)
    const parts = [yield* upload(backend, one, 1, bytes(10), 0, true)]
    const error = yield* Effect.flip(backend.completeUpload(one, { parts, size: 10 }))
    assert.deepStrictEqual([error.reason._tag, error.outcome], ["IntegrityFailed", "applied"])
  })

  test("tell their checksum with their last bytes", function*() {
    const hashes: Array<string | undefined> = []
    const { backend } = yield* onModel((request) => {
      hashes.push(request.headers["x-goog-hash"])
      return undefined
    })
    const one = yield* backend.openUpload(at, plain)
    const body = bytes(chunk + 1)
    const parts = [yield* upload(backend, one, 1, body, 0, true)]
    yield* backend.completeUpload(one, { parts, size: body.length })
    assert.deepStrictEqual(hashes, [undefined, `crc32c=${(yield* backend.head(at, {})).checksums?.crc32c}`])
  })

  test("keep their address to themselves", function*() {
    let secret = ""
    const { backend } = yield* onModel((request) => {
      secret = request.query.get("upload_id")!
      return reply(500)
    })
    const one = yield* backend.openUpload(at, plain)
    const error = yield* Effect.flip(upload(backend, one, 1, bytes(chunk), 0))
    assert.notStrictEqual(secret, "")
    for (const shown of [JSON.stringify(one), String(one.state), JSON.stringify(error), String(error), error.message]) {
      assert.notInclude(shown, secret)
    }
  })

  test("are not published by a part that is interrupted", function*() {
    const { backend } = yield* onModel((request) => request.count === 0 ? Effect.never : undefined)
    const one = yield* backend.openUpload(at, plain)
    const body = bytes(2 * chunk)
    const fiber = yield* Effect.forkChild(upload(backend, one, 1, body, 0))
    yield* Effect.sleep(50)
    yield* Fiber.interrupt(fiber)
    assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
    const parts = [yield* upload(backend, one, 1, body, 0)]
    yield* backend.completeUpload(one, { parts, size: body.length })
    assert.isTrue(Buffer.from(body).equals(yield* read(backend)))
  })
})

onServer(gcpStorageEmulator, (server) => {
  describe("sessions of uploads on gcp-storage-emulator", () => {
    const opened = Effect.gen(function*() {
      const { endpoint, projectId } = yield* server
      const container = uniqueBucket("sessions")
      yield* makeBucket(endpoint, container)
      return {
        backend: yield* Gcs.makeBackend({ endpoint, projectId, connections: 4 }),
        place: { container, key: "x" }
      }
    })

    test("take parts in order and publish with the last bytes", function*() {
      const { backend, place } = yield* opened
      const body = bytes(3 * chunk + 5)
      const one = yield* backend.openUpload(place, plain)
      const parts: Array<PartReceipt> = []
      for (let offset = 0, number = 1; offset < body.length; offset += chunk, number++) {
        parts.push(yield* upload(backend, one, number, body.subarray(offset, offset + chunk), offset))
      }
      const written = yield* backend.completeUpload(one, { parts, size: body.length })
      assert.deepStrictEqual([written.size, written.verified], [body.length, "checksum"])
    })

    test("go on after a part that was cut, by what a status query tells", function*() {
      const { backend, place } = yield* opened
      const body = bytes(8 * chunk)
      const one = yield* backend.openUpload(place, plain)
      const first = yield* upload(backend, one, 1, body.subarray(0, chunk), 0)
      const fiber = yield* Effect.forkChild(upload(backend, one, 2, body.subarray(chunk), chunk), {
        startImmediately: true
      })
      yield* Effect.sleep(1)
      yield* Fiber.interrupt(fiber)
      const second = yield* repeated(upload(backend, one, 2, body.subarray(chunk), chunk))
      const written = yield* backend.completeUpload(one, { parts: [first, second], size: body.length })
      assert.deepStrictEqual([written.size, written.verified], [body.length, "checksum"])
    })
  })
})
