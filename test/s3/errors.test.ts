import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type Backend, type ErrorReasonTag, fromBackend, type ObjectStoreError } from "effect-objectstore"
import { type Recorded, refusal, scriptedBackend, secret } from "./ScriptedTransport.ts"

const at = { container: "bucket", key: "a/b" }
const plain = { mode: "overwrite", attributes: {}, metadata: {} } as const
const upload = { ...at, id: "U", options: plain }

const operations = {
  head: (backend: Backend) => backend.head(at, {}),
  read: (backend: Backend) => Effect.scoped(backend.read(at, { conditions: {} })),
  range: (backend: Backend) => Effect.scoped(backend.read(at, { range: { offset: 9, length: 1 }, conditions: {} })),
  write: (backend: Backend) => backend.write(at, Buffer.from("x"), plain),
  create: (backend: Backend) => backend.write(at, Buffer.from("x"), { ...plain, mode: "create" }),
  update: (backend: Backend) => backend.write(at, Buffer.from("x"), { ...plain, mode: { update: "\"e\"" } }),
  open: (backend: Backend) => backend.openUpload(at, plain),
  part: (backend: Backend) => backend.uploadPart(upload, { number: 1, offset: 0, body: Buffer.from("x"), last: true }),
  complete: (backend: Backend) =>
    backend.completeUpload({ ...upload, options: { ...plain, mode: "create" } }, { parts: [], size: 1 }),
  abort: (backend: Backend) => backend.abortUpload(upload),
  list: (backend: Backend) => backend.listPage({ container: "bucket", prefix: "", limit: 10 }),
  deleteIf: (backend: Backend) =>
    Effect.flatMap(
      backend.deleteBatch("bucket", [{ key: "a", ifMatch: "\"e\"" }]),
      ([error]) => error === undefined ? Effect.void : Effect.fail(error)
    ),
  createBucket: (backend: Backend) => backend.createContainer("bucket", { location: "eu-west-1" }),
  deleteBucket: (backend: Backend) => backend.deleteContainer("bucket")
} satisfies Record<string, (backend: Backend) => Effect.Effect<unknown, ObjectStoreError>>

type Row = readonly [
  operation: keyof typeof operations,
  reply: Recorded,
  reason: string,
  outcome: string | undefined,
  retryAfter?: number
]

const refused = (status: number, code: string, headers?: Record<string, string>, more?: string): Recorded => ({
  status,
  headers: { "content-type": "application/xml", "x-amz-request-id": "R1", ...headers },
  body: refusal(code, `about ${code}`, more)
})

const rows: ReadonlyArray<Row> = [
  ["read", refused(404, "NoSuchKey"), "NotFound", undefined],
  ["read", refused(404, "NoSuchBucket"), "ContainerNotFound", undefined],
  ["read", refused(404, "NoSuchVersion"), "NotFound", undefined],
  ["read", { ...refused(405, "MethodNotAllowed"), headers: { "x-amz-delete-marker": "true" } }, "NotFound", undefined],
  ["read", { status: 304, headers: { etag: "\"e\"" } }, "NotModified", undefined],
  ["read", refused(412, "PreconditionFailed"), "PreconditionFailed", undefined],
  ["range", refused(416, "InvalidRange", { "content-range": "bytes */5" }), "RangeNotSatisfiable", undefined],
  ["read", refused(403, "AccessDenied"), "PermissionDenied", undefined],
  ["read", refused(403, "InvalidObjectState"), "InvalidRequest", undefined],
  ["read", refused(403, "InvalidAccessKeyId"), "Unauthenticated", undefined],
  ["read", refused(403, "SignatureDoesNotMatch"), "Unauthenticated", undefined],
  [
    "read",
    refused(403, "RequestTimeTooSkewed", { date: "Thu, 26 Nov 2026 09:00:00 GMT" }),
    "Unauthenticated",
    undefined
  ],
  ["read", refused(400, "ExpiredToken"), "Unauthenticated", undefined],
  ["read", refused(400, "InvalidToken"), "Unauthenticated", undefined],
  ["read", { status: 401 }, "Unauthenticated", undefined],
  ["read", refused(500, "InternalError"), "Unavailable", undefined],
  ["read", refused(503, "SlowDown", { "retry-after": "2" }), "Throttled", undefined, 2000],
  ["read", { status: 429 }, "Throttled", undefined],
  ["read", { status: 502, body: "<html>bad gateway</html>" }, "Unavailable", undefined],
  ["read", { status: 504 }, "Unavailable", undefined],
  ["read", refused(501, "NotImplemented"), "Unsupported", undefined],
  ["read", refused(301, "PermanentRedirect", {}, "<Endpoint>elsewhere.example</Endpoint>"), "Configuration", undefined],
  ["read", { status: 418 }, "InvalidRequest", undefined],
  ["write", refused(404, "NoSuchBucket"), "ContainerNotFound", "not-applied"],
  ["write", refused(400, "BadDigest"), "IntegrityFailed", "not-applied"],
  ["write", refused(400, "XAmzContentChecksumMismatch"), "IntegrityFailed", "not-applied"],
  ["write", refused(400, "KeyTooLongError"), "InvalidKey", "not-applied"],
  ["write", refused(400, "XMinioInvalidObjectName"), "InvalidKey", "not-applied"],
  ["write", refused(409, "ObjectParentIsFile"), "Conflict", "not-applied"],
  ["write", refused(400, "EntityTooLarge"), "LimitExceeded", "not-applied"],
  ["write", refused(400, "RequestTimeout"), "Timeout", "not-applied"],
  ["write", refused(400, "MetadataTooLarge"), "InvalidRequest", "not-applied"],
  ["write", refused(507, "XMinioStorageFull"), "StorageFull", "not-applied"],
  ["write", refused(500, "InternalError"), "Unavailable", "unknown"],
  ["write", refused(503, "SlowDown"), "Throttled", "not-applied"],
  ["write", refused(503, "XMinioServerNotInitialized", { "retry-after": "60" }), "Unavailable", "not-applied", 60_000],
  ["write", { status: 503 }, "Unavailable", "unknown"],
  ["create", refused(412, "PreconditionFailed"), "AlreadyExists", "not-applied"],
  ["create", refused(409, "ConditionalRequestConflict"), "Unavailable", "not-applied"],
  ["update", refused(412, "PreconditionFailed"), "PreconditionFailed", "not-applied"],
  ["update", refused(404, "NoSuchKey"), "PreconditionFailed", "not-applied"],
  ["update", refused(404, "NoSuchBucket"), "ContainerNotFound", "not-applied"],
  ["open", refused(404, "NoSuchBucket"), "ContainerNotFound", "not-applied"],
  ["part", refused(404, "NoSuchUpload"), "UploadNotFound", "not-applied"],
  ["part", { status: 404 }, "UploadNotFound", "not-applied"],
  ["complete", refused(404, "NoSuchUpload"), "UploadNotFound", "not-applied"],
  ["complete", refused(400, "InvalidPart"), "InvalidRequest", "not-applied"],
  ["complete", refused(400, "EntityTooSmall"), "InvalidRequest", "not-applied"],
  ["complete", refused(412, "PreconditionFailed"), "AlreadyExists", "not-applied"],
  ["complete", refused(409, "ConditionalRequestConflict"), "Conflict", "not-applied"],
  // An error that the service knew too late for its status.
  ["complete", refused(200, "InternalError"), "Unavailable", "unknown"],
  ["complete", { status: 200, body: `     \n${refusal("NoSuchUpload")}` }, "UploadNotFound", "not-applied"],
  ["complete", { status: 200, body: "<Complete" }, "ProtocolViolation", "unknown"],
  ["complete", { status: 200, body: "" }, "ProtocolViolation", "unknown"],
  ["abort", refused(404, "NoSuchUpload"), "UploadNotFound", "not-applied"],
  ["list", refused(404, "NoSuchBucket"), "ContainerNotFound", undefined],
  ["list", { status: 200, body: "not xml at all" }, "ProtocolViolation", undefined],
  ["deleteIf", refused(412, "PreconditionFailed"), "PreconditionFailed", "not-applied"],
  ["deleteIf", refused(404, "NoSuchKey"), "PreconditionFailed", "not-applied"],
  ["createBucket", refused(409, "BucketAlreadyExists"), "AlreadyExists", "not-applied"],
  ["createBucket", refused(409, "BucketAlreadyOwnedByYou"), "AlreadyExists", "not-applied"],
  ["createBucket", refused(409, "OperationAborted"), "Unavailable", "not-applied"],
  ["createBucket", refused(400, "TooManyBuckets"), "LimitExceeded", "not-applied"],
  ["deleteBucket", refused(409, "BucketNotEmpty"), "NotEmpty", "not-applied"],
  ["deleteBucket", refused(404, "NoSuchBucket"), "ContainerNotFound", "not-applied"]
]

const failure = (operation: keyof typeof operations, script: ReadonlyArray<Recorded>) =>
  Effect.gen(function*() {
    const { backend, requests } = yield* scriptedBackend(script)
    const result = yield* Effect.result(operations[operation](backend) as Effect.Effect<unknown, ObjectStoreError>)
    assert(Result.isFailure(result), `${operation} succeeded`)
    return { error: result.failure, requests }
  })

describe("the error table of S3", () => {
  it.effect.each(
    rows.map((row) =>
      [`${row[0]}: ${row[1].status} ${/<Code>(\w+)/.exec(String(row[1].body))?.[1] ?? ""}`, row] as const
    )
  )(
    "%s",
    ([, [operation, reply, reason, outcome, retryAfter]]) =>
      Effect.gen(function*() {
        const { error } = yield* failure(operation, [reply])
        assert.strictEqual(error.reason._tag, reason, error.message)
        assert.strictEqual(error.outcome, outcome)
        if (reason !== "ProtocolViolation") assert.strictEqual(error.status, reply.status)
        assert.strictEqual(error.retryAfter, retryAfter ?? 0)
        const code = /<Code>(\w+)/.exec(String(reply.body))?.[1]
        if (code !== undefined) assert.strictEqual(error.code, code)
        if (code !== undefined) assert.strictEqual(error.requestId, "R1")
        assert.notMatch(error.message, /[\n\r]/)
      })
  )

  it.effect("says the size of an object that a range misses", () =>
    Effect.gen(function*() {
      const { error } = yield* failure("range", [refused(416, "InvalidRange", { "content-range": "bytes */5" })])
      assert.strictEqual("size" in error.reason ? error.reason.size : undefined, 5)
    }))

  it.effect("says what the clock of the service shows", () =>
    Effect.gen(function*() {
      const date = "Thu, 26 Nov 2026 09:00:00 GMT"
      const { error } = yield* failure("read", [refused(403, "RequestTimeTooSkewed", { date })])
      assert.include(error.message, date)
    }))

  it.effect("asks in words where HEAD is refused without any, and believes the status where that does not help", () =>
    Effect.gen(function*() {
      const denied = { status: 403 }
      const said = yield* failure("head", [denied, refused(403, "SignatureDoesNotMatch")])
      assert.strictEqual(said.error.reason._tag, "Unauthenticated")
      assert.deepStrictEqual(said.requests.map(({ headers, method }) => [method, headers["range"]]), [
        ["HEAD", undefined],
        ["GET", "bytes=0-0"]
      ])
      const open = yield* failure("head", [denied, { status: 206, body: "x" }])
      assert.strictEqual(open.error.reason._tag, "PermissionDenied")
      const missing = yield* failure("head", [{ status: 404 }])
      assert.strictEqual(missing.error.reason._tag, "NotFound")
      assert.lengthOf(missing.requests, 1)
    }))

  it.effect("says the status where the service is none that speaks S3", () =>
    Effect.gen(function*() {
      const { backend: failing } = yield* scriptedBackend([{ status: 502, body: "<html>bad gateway</html>" }])
      assert.strictEqual(
        (yield* Effect.flip(operations.list(failing))).message,
        "Unavailable: list: the service answered 502"
      )
      const { backend } = yield* scriptedBackend([{ status: 400, body: "<html>no such page</html>" }])
      const error = yield* Effect.flip(operations.list(backend))
      assert.strictEqual(
        error.message,
        "InvalidRequest: list: the service answered 400 and did not say why; is the endpoint one of S3?"
      )
    }))

  it.effect("repeats no secret that the service repeats", () =>
    Effect.gen(function*() {
      const message =
        `You sent ${secret} and canary-token-0123456789 in https://h/?X-Amz-Signature=canary-signature&amp;a=b`
      const { error } = yield* failure("read", [{ status: 403, body: refusal("SignatureDoesNotMatch2", message) }])
      for (const text of [error.message, JSON.stringify(error), String(error.reason), JSON.stringify(error.reason)]) {
        assert.notInclude(text, "canary")
      }
      assert.include(error.message, "You sent <redacted>")
    }))

  it.effect("is one line of bounded length, whatever the service says", () =>
    Effect.gen(function*() {
      const message = `first\u001b[31m line ${"x".repeat(5000)}\nsecond line`
      const { error } = yield* failure("read", [{
        status: 500,
        body: refusal("InternalError", message.replaceAll("\u001b", "&#27;"))
      }])
      assert.isFalse(error.message.includes("\n") || error.message.includes("\u001b"), error.message)
      assert.isBelow(error.message.length, 1200)
    }))

  it.effect("takes one answer a key of a batch, and names the keys that are left out", () =>
    Effect.gen(function*() {
      const body =
        "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>" +
        "<Error><Key>c</Key><Code>InternalError</Code><Message>no</Message></Error><Error><Key>d</Key><Code>NoSuchKey</Code></Error></DeleteResult>"
      const { backend, requests } = yield* scriptedBackend([{ status: 200, body }])
      const answers = yield* backend.deleteBatch("bucket", ["a", "b", "c", "d", "e"].map((key) => ({ key })))
      assert.deepStrictEqual(answers.map((error) => [error?.reason._tag, error?.outcome]), [
        [undefined, undefined],
        ["PermissionDenied", "not-applied"],
        ["Unavailable", "unknown"],
        [undefined, undefined],
        ["ProtocolViolation", "unknown"]
      ])
      assert.isString(requests[0]!.headers["content-md5"])
    }))

  it.effect("removes keys that XML cannot hold with a request each", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([
        { status: 200, body: "<DeleteResult><Deleted><Key>a&lt;b</Key></Deleted></DeleteResult>" },
        { status: 204 }
      ])
      assert.deepStrictEqual(
        yield* backend.deleteBatch("bucket", [{ key: "a<b" }, { key: "c\u0001d" }]),
        [undefined, undefined]
      )
      assert.deepStrictEqual(requests.map(({ method, path }) => [method, path]), [["POST", "/?delete="], [
        "DELETE",
        "/c%01d"
      ]])
    }))
})

describe("wrong regions", () => {
  it.effect("are corrected once a bucket, wherever the answer says so", () =>
    Effect.gen(function*() {
      const object = { status: 200, body: "x", headers: { etag: "\"e\"" } }
      const hints: ReadonlyArray<Recorded> = [
        { ...refused(301, "PermanentRedirect"), headers: { "x-amz-bucket-region": "eu-west-1" } },
        refused(400, "AuthorizationHeaderMalformed", {}, "<Region>eu-west-1</Region>"),
        refused(307, "TemporaryRedirect", {}, "<Endpoint>bucket.s3-eu-west-1.amazonaws.com</Endpoint>")
      ]
      for (const hint of hints) {
        const { backend, requests } = yield* scriptedBackend([hint, object, object])
        for (let i = 0; i < 2; i++) yield* Effect.scoped(backend.read(at, { conditions: {} }))
        assert.deepStrictEqual(requests.map(({ origin }) => origin), [
          "https://bucket.s3.us-east-1.amazonaws.com",
          "https://bucket.s3.eu-west-1.amazonaws.com",
          "https://bucket.s3.eu-west-1.amazonaws.com"
        ])
        assert.include(requests[1]!.headers["authorization"], "/eu-west-1/s3/aws4_request")
      }
    }))

  it.effect("are corrected for a HEAD, whose refusal has no words", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([
        { status: 400 },
        refused(400, "AuthorizationHeaderMalformed", {}, "<Region>eu-west-1</Region>"),
        { status: 200, headers: { "content-length": "5", etag: "\"e\"" } }
      ])
      assert.strictEqual((yield* backend.head(at, {})).size, 5)
      assert.deepStrictEqual(requests.map(({ method }) => method), ["HEAD", "GET", "HEAD"])
    }))

  it.effect("end after one correction", () =>
    Effect.gen(function*() {
      const { error, requests } = yield* failure("read", [
        refused(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-1" }),
        refused(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-2" })
      ])
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.lengthOf(requests, 2)
    }))
})

describe("expired tokens", () => {
  it.live("are fetched anew, and the request is sent once more", () =>
    Effect.scoped(Effect.gen(function*() {
      let calls = 0
      const credentials = () => {
        calls++
        return Promise.resolve({ accessKeyId: `KEY${calls}`, secretAccessKey: "s", sessionToken: `t${calls}` })
      }
      const { backend, requests } = yield* scriptedBackend([
        refused(400, "ExpiredToken"),
        { status: 200, headers: { etag: "\"e\"" } },
        refused(400, "ExpiredToken"),
        refused(400, "ExpiredToken")
      ], { credentials })
      const store = yield* fromBackend(backend, { base: "s3://bucket/" })
      yield* store.put("key", "x")
      assert.deepStrictEqual(requests.map(({ headers }) => headers["x-amz-security-token"]), ["t1", "t2"])
      const error = yield* Effect.flip(store.put("key", "x"))
      assert.deepStrictEqual([error.reason._tag, error.outcome], ["Unauthenticated", "not-applied"])
      assert.lengthOf(requests, 4)
    })))

  it.effect("that cannot be fetched are Unauthenticated, without what the provider knows", () =>
    Effect.gen(function*() {
      const { backend } = yield* scriptedBackend([], {
        credentials: () => Promise.reject(new Error("no profile\nmore"))
      })
      const error = yield* Effect.flip(backend.head(at, {}))
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      assert.strictEqual(error.message, "Unauthenticated: credentials: no credentials: no profile")
    }))
})

describe("a bucket in us-east-1, where making one's own again succeeds", () => {
  const made = { status: 200 }
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Recorded>, ErrorReasonTag | undefined]> = [
    ["is made if there is none", [{ status: 404 }, made], undefined],
    [
      "is made or refused by the service if it may not be looked at",
      [{ status: 403 }, { status: 403 }, made],
      undefined
    ],
    [
      "AlreadyExists if it is there",
      [{ status: 200, headers: { "x-amz-bucket-region": "us-east-1" } }],
      "AlreadyExists"
    ],
    ["is not made if what answers is no service", [{ status: 200 }], "ProtocolViolation"],
    ["is not made if nobody knows", [{ status: 503 }], "Unavailable"]
  ]
  it.effect.each(cases)("%s", ([_, script, reason]) =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend(script)
      const done = yield* Effect.result(backend.createContainer("bucket", {}))
      const told = Result.isFailure(done) ? [done.failure.reason._tag, done.failure.outcome] : undefined
      assert.deepStrictEqual(told, reason === undefined ? undefined : [reason, "not-applied"])
      assert.lengthOf(requests, script.length)
    }))
})

describe("answers that are none of the service's", () => {
  const page = { status: 200, headers: { "content-type": "text/html" }, body: "<html>log in</html>" }

  it.effect("are neither a write that was done nor an object", () =>
    Effect.gen(function*() {
      const empty = { status: 200, body: "<CompleteMultipartUploadResult/>" }
      for (const [operation, reply] of [["write", page], ["create", page], ["complete", empty]] as const) {
        const { backend } = yield* scriptedBackend([reply])
        const error = yield* Effect.flip(operations[operation](backend))
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["ProtocolViolation", "unknown"])
      }
      for (
        const [operation, reply] of [["read", page], ["head", page], ["read", { status: 204 }], ["head", {
          status: 204
        }]] as const
      ) {
        const { backend } = yield* scriptedBackend([reply])
        assert.strictEqual(
          (yield* Effect.flip(operations[operation](backend) as Effect.Effect<unknown, ObjectStoreError>)).reason._tag,
          "ProtocolViolation"
        )
      }
    }))

  it.effect("about whether a listing goes on leave no key out", () =>
    Effect.gen(function*() {
      const listing = (truncated: string) => ({
        status: 200,
        body:
          `<ListBucketResult><IsTruncated>${truncated}</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>`
      })
      for (
        const [truncated, more] of [["true", true], ["True", true], ["1", true], ["false", false], [
          "0",
          false
        ]] as const
      ) {
        const { backend } = yield* scriptedBackend([listing(truncated)])
        const { next } = yield* backend.listPage({ container: "bucket", prefix: "", limit: 10 })
        assert.strictEqual(next !== undefined, more, truncated)
      }
      const { backend } = yield* scriptedBackend([listing("perhaps")])
      assert.strictEqual((yield* Effect.flip(operations.list(backend))).reason._tag, "ProtocolViolation")
    }))
})
