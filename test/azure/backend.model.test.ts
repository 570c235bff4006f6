import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Duration, Effect, Fiber, Option, Redacted, Stream } from "effect"
import { defaultRetryPolicy, fromBackend, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import { type AzureIntercept, type AzureModel, azureModel, type AzureModelOptions } from "effect-objectstore/testing"
import type { Backend } from "../../src/Backend.ts"
import { makeUndiciTransport } from "../../src/http/UndiciTransport.ts"
import { withClockAhead } from "../support/skewedClock.ts"
import { makeCredential } from "./credential.ts"

const plain = { mode: "overwrite", attributes: {}, metadata: {} } as const
const at = (key: string) => ({ container: "data", key })
const bytes = (text: string) => new TextEncoder().encode(text)

/** Runs on the backend of a model that has the container `data`. */
const onModel = <A, E>(
  options: AzureModelOptions,
  run: (backend: Backend, model: AzureModel) => Effect.Effect<A, E>,
  more: Partial<Azure.AzureOptions> = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const model = yield* azureModel(options)
    const owner = yield* Azure.makeBackend({ connectionString: model.connectionString })
    yield* owner.createContainer("data", {})
    const credential = more.credential === undefined ? { accountKey: model.accountKey } : {}
    const backend = yield* Azure.makeBackend({ endpoint: model.endpoint, ...credential, ...more })
    return yield* run(backend, model)
  }))

const listed = (backend: Backend) =>
  Effect.gen(function*() {
    const keys: Array<string> = []
    let cursor: unknown
    let pages = 0
    do {
      const page = yield* backend.listPage({ container: "data", prefix: "", limit: 2, cursor })
      keys.push(...page.objects.map((one) => one.key))
      cursor = page.next
      pages++
    } while (cursor !== undefined)
    return { keys, pages }
  })

const textOf = (backend: Backend, key: string) =>
  Effect.scoped(Effect.gen(function*() {
    const reply = yield* backend.read(at(key), { conditions: {} })
    const target = new Uint8Array(reply.length)
    yield* reply.into(target)
    return Buffer.from(target).toString()
  }))

/** Fetches a signed URL. */
const follow = (method: "GET" | "HEAD" | "PUT" | "DELETE", url: Redacted.Redacted<string>, body?: string) =>
  Effect.scoped(Effect.gen(function*() {
    const transport = yield* makeUndiciTransport({ backend: "test" })
    const { origin } = new URL(Redacted.value(url))
    const reply = yield* transport.send({
      method,
      origin,
      path: Redacted.value(url).slice(origin.length),
      headers: method === "PUT" ? { "x-ms-blob-type": "BlockBlob" } : {},
      mutation: method === "PUT" || method === "DELETE",
      ...(body === undefined ? undefined : { body: bytes(body) })
    })
    return reply.status
  }))

describe("Azure on the model", () => {
  it.live("goes on after empty pages, and reads names that XML cannot hold", () =>
    onModel({ emptyPages: true }, (backend) =>
      Effect.gen(function*() {
        for (const key of ["a", "b\uffff", "c\ufffe/d"]) yield* backend.write(at(key), bytes("x"), plain)
        const { keys, pages } = yield* listed(backend)
        assert.deepStrictEqual(keys, ["a", "b\uffff", "c\ufffe/d"])
        assert.strictEqual(pages, 3)
        const folded = yield* backend.listPage({ container: "data", prefix: "c", delimiter: "/", limit: 2 })
        const next = yield* backend.listPage({
          container: "data",
          prefix: "c",
          delimiter: "/",
          limit: 2,
          cursor: folded.next
        })
        assert.deepStrictEqual([folded.prefixes, next.prefixes], [[], ["c\ufffe/"]])
      })))

  it.live("writes carry a checksum that is stored, and compared with what is answered", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        const reply = yield* backend.write(at("a"), bytes("hello"), plain)
        assert.strictEqual(reply.verified, "checksum")
        assert.deepStrictEqual((yield* backend.head(at("a"), {})).checksums, { md5: "XUFAKrxLKna5cZ2REBfFkg==" })
      })))

  it.live("without checksum, writes say that their size alone is known", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* backend.write(at("a"), bytes("hello"), plain)).verified, "size")
        const upload = yield* backend.openUpload(at("b"), plain)
        const part = yield* backend.uploadPart(upload, { number: 1, offset: 0, body: bytes("hello"), last: true })
        assert.strictEqual((yield* backend.completeUpload(upload, { parts: [part], size: 5 })).verified, "size")
      }), { checksum: "none" }))

  it.live("copies that are pending are waited for", () =>
    onModel({ pendingCopies: 3 }, (backend) =>
      Effect.gen(function*() {
        yield* backend.write(at("from"), bytes("content"), plain)
        const reply = yield* backend.copy(at("from"), at("to"), { mode: "overwrite" })
        assert.strictEqual(yield* textOf(backend, "to"), "content")
        assert.deepStrictEqual([reply.size, reply.etag], [7, (yield* backend.head(at("to"), {})).etag])
      })))

  it.live("a copy that stays pending has stalled, and is withdrawn", () =>
    onModel(
      { pendingCopies: 1_000_000 },
      (backend) =>
        Effect.gen(function*() {
          yield* backend.write(at("from"), bytes("content"), plain)
          const error = yield* Effect.flip(backend.copy(at("from"), at("to"), { mode: "overwrite" }))
          assert.deepStrictEqual([error.reason._tag, error.outcome], ["Timeout", "unknown"])
          assert.include(error.message, "for 250 ms")
          assert.deepStrictEqual((yield* listed(backend)).keys, ["from"])
        }),
      { stallTimeout: 250 }
    ))

  it.live("a copy that comes further may take longer than that", () => {
    let moved = 0
    const intercept: AzureIntercept = ({ method }, answer) =>
      Effect.map(answer, (reply) =>
        method === "HEAD" && reply.headers?.["x-ms-copy-status"] === "pending"
          ? { ...reply, headers: { ...reply.headers, "x-ms-copy-progress": `${++moved}/7` } }
          : reply)
    return onModel(
      { pendingCopies: 5, intercept },
      (backend) =>
        Effect.gen(function*() {
          yield* backend.write(at("from"), bytes("content"), plain)
          yield* backend.copy(at("from"), at("to"), { mode: "overwrite" })
          assert.strictEqual(yield* textOf(backend, "to"), "content")
          assert.isAtLeast(moved, 4)
        }),
      { stallTimeout: 2000 }
    )
  })

  it.live("an interruption ends a copy that is pending, and leaves nothing at its target", () =>
    onModel({ pendingCopies: 1_000_000 }, (backend) =>
      Effect.gen(function*() {
        yield* backend.write(at("from"), bytes("content"), plain)
        const fiber = yield* Effect.forkChild(backend.copy(at("from"), at("to"), { mode: "overwrite" }))
        while (!(yield* listed(backend)).keys.includes("to")) yield* Effect.sleep(5)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual((yield* listed(backend)).keys, ["from"])
      })))

  it.live("parts are copied of one version of the source", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        const { etag } = yield* backend.write(at("from"), bytes("0123456789"), plain)
        const upload = yield* backend.openUpload(at("to"), plain)
        const part = (number: number, offset: number, length: number, ifMatch?: string) =>
          backend.copyPart!(upload, { number, offset, length, from: at("from"), ifMatch })
        const parts = [yield* part(1, 0, 4, etag), yield* part(2, 4, 6, etag)]
        const stale = yield* Effect.flip(part(3, 0, 1, "\"other\""))
        assert.deepStrictEqual([stale.reason._tag, stale.outcome], ["PreconditionFailed", "not-applied"])
        // The service copied them, and nobody compared.
        assert.strictEqual((yield* backend.completeUpload(upload, { parts, size: 10 })).verified, "size")
        assert.strictEqual(yield* textOf(backend, "to"), "0123456789")
        const gone = yield* Effect.flip(backend.copyPart!(upload, {
          number: 1,
          offset: 0,
          length: 1,
          from: at("missing")
        }))
        assert.strictEqual(gone.reason._tag, "NotFound")
      })))

  it.live("blocks have ids of one length, a commit names its own, and a repeated commit is found to be done", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        const upload = yield* backend.openUpload(at("a"), plain)
        const other = yield* backend.openUpload(at("a"), plain)
        const store = (of: typeof upload, number: number, text: string) =>
          backend.uploadPart(of, { number, offset: 0, body: bytes(text), last: false })
        const parts = [yield* store(upload, 1, "one"), yield* store(upload, 50_000, "two")]
        yield* store(other, 1, "other")
        const open = yield* backend.listUploads({ container: "data", prefix: "" })
        assert.deepStrictEqual(open.uploads.map((one) => one.id).toSorted(), [upload.id, other.id].toSorted())
        assert.strictEqual((yield* Effect.flip(store(upload, 50_001, "x"))).reason._tag, "LimitExceeded")
        const first = yield* backend.completeUpload(upload, { parts, size: 6 })
        assert.strictEqual(first.verified, "checksum")
        assert.strictEqual(yield* textOf(backend, "a"), "onetwo")
        const again = yield* backend.completeUpload(upload, { parts, size: 6 })
        assert.strictEqual(again.etag, first.etag)
        const lost = yield* Effect.flip(backend.completeUpload(other, { parts: [parts[0]!], size: 5 }))
        assert.deepStrictEqual([lost.reason._tag, lost.outcome], ["UploadNotFound", "not-applied"])
      })))

  it.live("blocks of another client are listed as nobody's, and stand in the way if their ids are longer", () =>
    onModel({}, (backend, model) =>
      Effect.gen(function*() {
        const { StorageSharedKeyCredential, BlockBlobClient } = yield* Effect.promise(() =>
          import("@azure/storage-blob")
        )
        const credential = new StorageSharedKeyCredential(model.account, model.accountKey)
        const client = new BlockBlobClient(`${model.endpoint}/data/a`, credential)
        yield* Effect.promise(() => client.stageBlock(Buffer.from("another's block").toString("base64"), "x", 1))
        const { uploads } = yield* backend.listUploads({ container: "data", prefix: "" })
        assert.deepStrictEqual(uploads.map(({ id, key }) => [id, key]), [["foreign", "a"]])
        const upload = yield* backend.openUpload(at("a"), plain)
        const error = yield* Effect.flip(
          backend.uploadPart(upload, { number: 1, offset: 0, body: bytes("x"), last: true })
        )
        assert.deepStrictEqual([error.reason._tag, error.code], ["InvalidRequest", "InvalidBlobOrBlock"])
        yield* backend.write(at("a"), bytes("whole"), plain)
        assert.deepStrictEqual((yield* backend.listUploads({ container: "data", prefix: "" })).uploads, [])
      })))

  it.live("a batch answers each key, and fails as a whole where the container is missing", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        const { etag } = yield* backend.write(at("a"), bytes("a"), plain)
        yield* backend.write(at("b %2F é"), bytes("b"), plain)
        const entries = [
          { key: "missing" },
          { key: "a", ifMatch: "\"x\"" },
          { key: "b %2F é" },
          { key: "dots/../x" },
          { key: "missing", ifMatch: etag },
          { key: "a", ifMatch: etag }
        ]
        const answers = yield* backend.deleteBatch("data", entries)
        assert.deepStrictEqual(answers.map((error) => error?.reason._tag), [
          undefined,
          "PreconditionFailed",
          undefined,
          "InvalidKey",
          "PreconditionFailed",
          undefined
        ])
        assert.deepStrictEqual((yield* listed(backend)).keys, [])
        for (const keys of [["a"], ["a", "b"]]) {
          const error = yield* Effect.flip(backend.deleteBatch("nowhere", keys.map((key) => ({ key }))))
          assert.deepStrictEqual([error.reason._tag, error.outcome], ["ContainerNotFound", "not-applied"])
        }
      })))

  it.live("URLs that are signed with the account's key do what they allow, and nothing else", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        const key = "dir/a b%2F+é?#"
        const sign = (method: "GET" | "HEAD" | "PUT" | "DELETE") =>
          backend.presign(at(key), {
            method,
            expiresIn: DateTime.distance(DateTime.makeUnsafe(0), DateTime.makeUnsafe(60_000))
          })
        assert.strictEqual(yield* follow("PUT", yield* sign("PUT"), "hello"), 201)
        assert.strictEqual(yield* follow("GET", yield* sign("GET")), 200)
        assert.strictEqual(yield* follow("HEAD", yield* sign("HEAD")), 200)
        assert.strictEqual(yield* follow("DELETE", yield* sign("GET")), 403)
        assert.strictEqual(yield* follow("DELETE", yield* sign("DELETE")), 202)
        assert.notInclude(String(yield* sign("GET")), "sig=")
      })))

  it.live("with tokens, URLs are signed with a key that is lent once", () => {
    const credential = makeCredential()
    const token = "a.token.of-the-model"
    const own = {
      ...credential,
      getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 })
    }
    return onModel({ token }, (backend) =>
      Effect.gen(function*() {
        yield* backend.write(at("a"), bytes("x"), plain)
        const minute = DateTime.distance(DateTime.makeUnsafe(0), DateTime.makeUnsafe(60_000))
        const urls = yield* Effect.forEach(["a", "a", "a"], (key) =>
          backend.presign(at(key), { method: "GET", expiresIn: minute }), { concurrency: 3 })
        for (const url of urls) {
          assert.strictEqual(yield* follow("GET", url), 200)
        }
        assert.strictEqual(
          new Set(urls.map((url) =>
            new URL(Redacted.value(url)).searchParams.get("skt")
          )).size,
          1
        )
        const week = DateTime.distance(DateTime.makeUnsafe(0), DateTime.makeUnsafe(8 * 24 * 3_600_000))
        const error = yield* Effect.flip(backend.presign(at("a"), { method: "GET", expiresIn: week }))
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        yield* backend.copy(at("a"), at("b"), { mode: "create" })
        assert.strictEqual(yield* textOf(backend, "b"), "x")
      }), { credential: own })
  })

  it.live("a token that is refused is forgotten, and the request is made again with a new one", () => {
    let handed = 0
    const credential: Azure.TokenCredential = {
      getToken: () =>
        Promise.resolve({
          token: ++handed === 1 ? "revoked" : "good",
          expiresOnTimestamp: Date.now() + 3_600_000
        })
    }
    return onModel({ token: "good" }, (backend) =>
      Effect.gen(function*() {
        const store = yield* fromBackend(backend, { base: "az://devstoreaccount1/data/" })
        yield* store.put("a", "x")
        assert.strictEqual(handed, 2)
      }), { credential })
  })

  it.live("a clock that is wrong is set by the service's, and only the first request pays for it", () =>
    onModel({}, (backend, model) =>
      Effect.gen(function*() {
        const clock = yield* Clock.Clock
        const behind: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
          currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - 3_600_000)
        })
        const wrong = yield* Effect.scoped(Effect.gen(function*() {
          const late = yield* Azure.makeBackend({ connectionString: model.connectionString })
          const first = yield* Effect.flip(Effect.provideService(late.head(at("a"), {}), Clock.Clock, behind))
          const second = yield* Effect.flip(Effect.provideService(late.head(at("a"), {}), Clock.Clock, behind))
          return [first, second] as const
        }))
        assert.strictEqual(wrong[0].reason._tag, "Unauthenticated")
        assert.match(wrong[0].message, /clock/)
        assert.strictEqual(wrong[1].reason._tag, "NotFound")
        assert.strictEqual(backend.name, "azure")
      })))

  it.live("a clock that is wrong stops none of many requests, each of which is repeated once at most", () => {
    let asked = 0
    const intercept: AzureIntercept = (_, answer) => {
      asked++
      return answer
    }
    return Effect.forEach(
      [3_600_000, -3_600_000],
      (ahead) =>
        onModel({ intercept }, (_, model) =>
          Effect.scoped(
            withClockAhead(() => ahead)(Effect.gen(function*() {
              const { connectionString } = model
              const store = yield* Azure.make({ connectionString, base: "az://devstoreaccount1/data/" })
              const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
              asked = 0
              yield* Effect.forEach(keys, (key) => store.put(key, "x"), { concurrency: 20 })
              assert.isAtMost(asked, 40)
              yield* Effect.forEach(keys, (key) => store.get(key), { concurrency: 20 })
              assert.isAtMost(asked, 60)
            }))
          ))
    )
  })

  it.live("a missing blob is NotFound whatever the conditions, and a range at the end is RangeNotSatisfiable", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        yield* backend.write(at("a"), bytes("abc"), plain)
        const read = (offset: number) =>
          Effect.flip(Effect.scoped(backend.read(at("a"), { range: { offset, length: 1 }, conditions: {} })))
        for (const offset of [3, 4]) {
          const { reason } = yield* read(offset)
          assert.deepStrictEqual([reason._tag, "size" in reason ? reason.size : undefined], ["RangeNotSatisfiable", 3])
        }
        const missing = yield* Effect.flip(backend.head(at("b"), { ifMatch: "\"x\"" }))
        assert.strictEqual(missing.reason._tag, "NotFound")
      })))

  it.live("metadata and attributes that are not ASCII are refused before anything is sent", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        for (
          const options of [{ ...plain, metadata: { a: "grüße" } }, { ...plain, attributes: { contentType: "ü" } }]
        ) {
          for (const write of [backend.write(at("a"), bytes("x"), options), backend.openUpload(at("a"), options)]) {
            const error = yield* Effect.flip<unknown, ObjectStoreError, never>(write)
            assert.deepStrictEqual([error.reason._tag, error.outcome], ["InvalidRequest", "not-applied"])
          }
        }
      })))

  it.live("tags and tier go with writes of either kind", () =>
    onModel({}, (backend, model) =>
      Effect.gen(function*() {
        const options = { ...plain, storageClass: "Cool", tags: { "a b": "c/d", e: "" } }
        yield* backend.write(at("one"), bytes("x"), options)
        const upload = yield* backend.openUpload(at("parts"), options)
        const part = yield* backend.uploadPart(upload, { number: 1, offset: 0, body: bytes("x"), last: true })
        yield* backend.completeUpload(upload, { parts: [part], size: 1 })
        const { StorageSharedKeyCredential, BlobClient } = yield* Effect.promise(() => import("@azure/storage-blob"))
        const credential = new StorageSharedKeyCredential(model.account, model.accountKey)
        for (const key of ["one", "parts"]) {
          assert.strictEqual((yield* backend.head(at(key), {})).storageClass, "Cool")
          const { tags } = yield* Effect.promise(() =>
            new BlobClient(`${model.endpoint}/data/${key}`, credential).getTags()
          )
          assert.deepStrictEqual(tags, { "a b": "c/d", e: "" })
        }
        assert.strictEqual(
          (yield* backend.listPage({ container: "data", prefix: "one", limit: 1 })).objects[0]?.storageClass,
          "Cool"
        )
      })))

  it.live("writes and commits whose answers were lost are found to be done", () => {
    const lost: Array<string> = []
    /** Applies the first change of each kind, and answers that something went wrong. */
    const intercept: AzureIntercept = ({ headers, method, query }, answer) => {
      const kind = query.get("comp") ?? (headers["x-ms-copy-source"] === undefined ? "blob" : "copy")
      if (method !== "PUT" || query.has("restype") || lost.includes(kind)) return answer
      lost.push(kind)
      return Effect.as(answer, { status: 500, headers: { "x-ms-error-code": "OperationTimedOut" } })
    }
    return onModel({ intercept }, (backend) =>
      Effect.gen(function*() {
        const store = yield* fromBackend(backend, { base: "az://devstoreaccount1/data/" })
        yield* store.put("a", "created once", { mode: "create" })
        yield* store.putMultipart("b", new Uint8Array(3000), { partSize: 1000, mode: "create", metadata: { a: "1" } })
        yield* store.copy("a", "c", { mode: "create" })
        assert.deepStrictEqual(lost.toSorted(), ["blob", "block", "blocklist", "copy"])
        assert.strictEqual(Buffer.from(yield* store.get("c")).toString(), "created once")
        assert.deepStrictEqual({ ...(yield* store.stat("b")).metadata }, { a: "1" })
      }))
  })

  it.live("a service that is busy is asked again when it says so", () => {
    let refused = 0
    const intercept: AzureIntercept = ({ method, query }, answer) =>
      method === "PUT" && !query.has("restype") && refused++ < 2
        ? Effect.succeed({ status: 503, headers: { "x-ms-error-code": "ServerBusy", "retry-after": "1" } })
        : answer
    return onModel({ intercept }, (backend) =>
      Effect.gen(function*() {
        const store = yield* fromBackend(backend, { base: "az://devstoreaccount1/data/" })
        const start = yield* Clock.currentTimeMillis
        yield* store.put("a", "x", { mode: "create" })
        assert.isAtLeast((yield* Clock.currentTimeMillis) - start, 2000)
      }))
  }, 20_000)

  it.live("many objects go through a store with few requests at a time", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        const store = yield* fromBackend(backend, { base: "az://devstoreaccount1/data/", requests: 2 })
        const keys = Array.from({ length: 600 }, (_, i) => `many/${String(i).padStart(4, "0")}`)
        yield* Effect.forEach(keys, (key) => store.put(key, key), { concurrency: 16, discard: true })
        const deleted = yield* Stream.runCollect(store.deleteMany(keys))
        assert.strictEqual(deleted.filter(({ error }) => error === undefined).length, 600)
        assert.deepStrictEqual((yield* listed(backend)).keys, [])
      }).pipe(Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 1 }))))
})

describe("answers that are none of Azure's, on the model", () => {
  it.live("are no blobs, and do not make a listing of containers go on for ever", () => {
    let meddling = false
    const body = "<EnumerationResults><Containers/><NextMarker>same</NextMarker></EnumerationResults>"
    const intercept: AzureIntercept = (_, answer) => meddling ? Effect.succeed({ status: 200, body }) : answer
    return onModel({ intercept }, (backend) =>
      Effect.gen(function*() {
        meddling = true
        for (const effect of [backend.listContainers, backend.head(at("a"), {}), textOf(backend, "a")]) {
          assert.strictEqual(
            (yield* Effect.flip<unknown, ObjectStoreError, never>(effect)).reason._tag,
            "ProtocolViolation"
          )
        }
      }))
  })

  it.live("leave open what became of a copy that was pending", () => {
    let begun = false
    const intercept: AzureIntercept = ({ headers, method }, answer) => {
      if (begun && method === "HEAD") return Effect.succeed({ status: 403 })
      begun ||= headers["x-ms-copy-source"] !== undefined
      return answer
    }
    return onModel({ intercept, pendingCopies: 1_000_000 }, (backend) =>
      Effect.gen(function*() {
        yield* backend.write(at("from"), bytes("content"), plain)
        const error = yield* Effect.flip(backend.copy(at("from"), at("to"), { mode: "overwrite" }))
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["PermissionDenied", "unknown"])
      }))
  })

  it.live("URLs are not signed for longer than time can be written", () =>
    onModel({}, (backend) =>
      Effect.gen(function*() {
        for (const expiresIn of ["4000000 days", "1000000000 days"] as const) {
          const input = Option.getOrThrow(Duration.fromInput(expiresIn))
          const error = yield* Effect.flip(backend.presign(at("a"), { method: "GET", expiresIn: input }))
          assert.strictEqual(error.reason._tag, "InvalidRequest")
        }
      })))
})
