import { assert, describe, it } from "@effect/vitest"
import {
  ConfigProvider,
  Context,
  Effect,
  Layer,
  Logger,
  Redacted,
  References,
  Result,
  type Scope,
  Stream,
  Tracer
} from "effect"
import { defaultRetryPolicy, ObjectStore, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { type GcsIntercept, gcsModel, type GcsModelOptions } from "effect-objectstore/testing"
import { generateKeyPairSync, type KeyObject } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { serve } from "../../src/testing/protocol/Server.ts"
import { makeCertificate } from "../servers/tls.ts"
import { withClockAhead } from "../support/skewedClock.ts"

const email = "robot@test.iam.gserviceaccount.com"
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 })
const pem = (key: KeyObject, type: "pkcs8" | "spki"): string => key.export({ type, format: "pem" } as never).toString()
const account = { email, publicKey: pem(pair.publicKey, "spki") }
const key = {
  type: "service_account",
  client_email: email,
  private_key: pem(pair.privateKey, "pkcs8"),
  private_key_id: "key-1",
  project_id: "their-project"
}

const makeStore = (options: Gcs.GcsOptions) =>
  Effect.map(Layer.build(Gcs.layer({ base: "gs://bucket/", ...options })), Context.get(ObjectStore))

/** A model that knows the account and nobody else. */
const guarded = (options: GcsModelOptions = {}) =>
  gcsModel({ buckets: ["bucket"], account, anonymous: false, ...options })

const reasonOf = <A>(effect: Effect.Effect<A, ObjectStoreError>) =>
  Effect.map(Effect.result(effect), (result) => Result.isFailure(result) ? result.failure.reason._tag : "succeeded")

/** Runs an operation twice at most, and keeps all that it logs and all spans that it makes. */
const watched = <A>(seen: Array<unknown>, operation: Effect.Effect<A, ObjectStoreError>) => {
  const logger = Logger.make(({ cause, message }) => {
    seen.push(message, cause)
  })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      seen.push(span)
      return span
    }
  })
  return operation.pipe(
    Effect.withTracer(tracer),
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, "All"),
    Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 2 })
  )
}

const test = (name: string, body: () => Effect.fn.Return<void, unknown, Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.gen(body)))

describe("credentials of GCS, on the model", () => {
  test("a service account's key signs its own tokens, in whatever form it is given", function*() {
    const directory = mkdtempSync(join(tmpdir(), "objectstore-gcs-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true })))
    const keyFile = join(directory, "key.json")
    writeFileSync(keyFile, JSON.stringify(key))
    const { origin: endpoint } = yield* guarded()
    const forms: ReadonlyArray<Gcs.GcsCredentials> = [
      { key },
      { key: { client_email: email, private_key: Redacted.make(key.private_key) } },
      { key: JSON.stringify(key) },
      { key: Redacted.make(JSON.stringify(key)) },
      { keyFile }
    ]
    for (const [index, credentials] of forms.entries()) {
      const store = yield* makeStore({ endpoint, credentials })
      yield* store.put(`k${index}`, "x")
      assert.strictEqual((yield* store.get(`k${index}`)).length, 1)
    }
    const live = yield* Layer.build(Gcs.GcsLive.pipe(Layer.provide(ConfigProvider.layer(
      ConfigProvider.fromEnvRecord({ GOOGLE_APPLICATION_CREDENTIALS: keyFile })
    ))))
    assert.isTrue(Context.get(live, ObjectStore).capabilities.presign)
  })

  test("the project of a key is the one of containers, unless another is given", function*() {
    const { origin: endpoint } = yield* guarded({ projectId: "their-project" })
    const store = yield* makeStore({ endpoint, credentials: { key } })
    yield* store.createContainer("made-here")
    const other = yield* makeStore({ endpoint, credentials: { key }, projectId: "other" })
    yield* other.createContainer("made-there", { location: "eu" })
    const names = (one: ObjectStore["Service"]) =>
      Effect.map(Stream.runCollect(one.listContainers()), (all) => all.map((info) => info.name))
    assert.deepStrictEqual(yield* names(store), ["bucket", "made-here"])
    assert.deepStrictEqual(yield* names(other), ["made-there"])
    const { origin } = yield* gcsModel({ buckets: ["bucket"] })
    const nobody = yield* makeStore({ endpoint: origin })
    assert.strictEqual(yield* reasonOf(nobody.createContainer("made-by-nobody")), "Configuration")
  })

  test("a token that was refused is asked for anew, once for all requests", function*() {
    let calls = 0
    const token = Effect.sync(() => ({ value: `token-${++calls}` }))
    const { origin: endpoint } = yield* gcsModel({ buckets: ["bucket"], tokens: ["token-2"], anonymous: false })
    const store = yield* makeStore({ endpoint, credentials: { token } })
    yield* Effect.forEach(Array.from({ length: 20 }, (_, i) => i), (i) => store.put(`k${i}`, "x"), { concurrency: 20 })
    assert.strictEqual(calls, 2)
    const wrong = yield* makeStore({ endpoint, credentials: { token: Effect.succeed({ value: "old" }) } })
    const error = yield* Effect.flip(wrong.put("x", "x"))
    assert.deepStrictEqual([error.reason._tag, error.outcome, error.status], ["Unauthenticated", "not-applied", 401])
    const failing = yield* makeStore({ endpoint, credentials: { token: Effect.fail("no luck") } })
    const lost = yield* Effect.flip(failing.put("x", "x"))
    assert.deepStrictEqual([lost.reason._tag, lost.outcome], ["Unauthenticated", "not-applied"])
  })

  test("a clock that is wrong is set by the service's: tokens and URLs are dated by it", function*() {
    const { origin: endpoint } = yield* guarded()
    for (const ahead of [2 * 3_600_000, -2 * 3_600_000]) {
      yield* withClockAhead(() => ahead)(Effect.gen(function*() {
        const store = yield* makeStore({ endpoint, credentials: { key } })
        const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
        yield* Effect.forEach(keys, (name) => store.put(name, "x"), { concurrency: 20 })
        yield* Effect.forEach(keys, (name) => store.get(name), { concurrency: 20 })
        const url = Redacted.value(yield* store.presign("k0", { method: "GET", expiresIn: "1 minute" }))
        assert.strictEqual(yield* Effect.promise(() => fetch(url).then((reply) => reply.text())), "x")
      }))
    }
    const late = yield* withClockAhead(() => 48 * 3_600_000)(Effect.gen(function*() {
      const store = yield* makeStore({ endpoint, credentials: { key } })
      return yield* Effect.flip(store.put("x", "x"))
    }))
    assert.deepStrictEqual([late.reason._tag, late.outcome], ["Unauthenticated", "not-applied"])
  })

  test("keys of other kinds, and the environment's own, go to Google's library", function*() {
    const directory = mkdtempSync(join(tmpdir(), "objectstore-gcs-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true })))
    // Workload identity federation: a token of somebody else's is exchanged for one of Google's.
    let exchanged = 0
    const tokenService = yield* serve(({ body }) =>
      Effect.sync(() => {
        assert.include(Buffer.from(body).toString(), "subject_token=theirs")
        const answer = {
          access_token: `federated-${++exchanged}`,
          issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
          token_type: "Bearer",
          expires_in: 3600
        }
        return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(answer) }
      })
    )
    const subject = join(directory, "subject")
    writeFileSync(subject, "theirs")
    const federated = {
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${tokenService.origin}/v1/token`,
      credential_source: { file: subject }
    }
    const keyFile = join(directory, "federated.json")
    writeFileSync(keyFile, JSON.stringify(federated))
    const { origin: endpoint } = yield* gcsModel({ buckets: ["bucket"], tokens: ["federated-1"], anonymous: false })
    for (const credentials of [{ keyFile }, { key: JSON.stringify(federated) }]) {
      exchanged = 0
      const store = yield* makeStore({ endpoint, credentials })
      yield* store.put("a", "x")
      yield* store.get("a")
      assert.strictEqual(exchanged, 1)
    }
    // A token that is refused is exchanged again, although the library still has it.
    exchanged = 0
    const { origin } = yield* gcsModel({ buckets: ["bucket"], tokens: ["federated-2"], anonymous: false })
    const store = yield* makeStore({ endpoint: origin, credentials: { keyFile } })
    yield* store.put("a", "x")
    assert.strictEqual(exchanged, 2)
    const unknown = yield* makeStore({ endpoint, credentials: { key: "{\"type\":\"no_such_kind\"}" } })
    const error = yield* Effect.flip(unknown.put("x", "x"))
    assert.deepStrictEqual([error.reason._tag, error.outcome], ["Unauthenticated", "not-applied"])
  })

  test("what cannot be is a Configuration that shows nothing of the key", function*() {
    const canary = "canary-7f3a"
    const wrong: ReadonlyArray<Gcs.GcsOptions> = [
      { credentials: { keyFile: "/no/such/file" } },
      { credentials: { key: `{"private_key":"${canary}` } },
      { credentials: { key: `["${canary}"` } },
      { credentials: { key: { client_email: email, private_key: canary } } },
      { credentials: { key: { client_email: "", private_key: canary } } },
      { credentials: { key: pem(generateKeyPairSync("ed25519").privateKey, "pkcs8") } },
      { credentials: { key: {} as never } },
      { credentials: canary as never },
      { credentials: { privateKey: canary } as never },
      { credentials: null as never },
      { endpoint: "http://example.com", credentials: { key } },
      { endpoint: `https://user:${canary}@example.com` },
      { endpoint: "ftp://example.com" },
      { endpoint: "https://example.com?a=b" },
      { endpoint: "http://127.0.0.1:1", connections: 0 }
    ]
    for (const options of wrong) {
      const error = yield* Effect.flip(Gcs.makeBackend(options))
      assert.strictEqual(error.reason._tag, "Configuration", JSON.stringify(options))
      assert.notInclude(`${error.message}${JSON.stringify(error)}${String(error.stack)}`, canary)
    }
  })

  test("an endpoint may have no scheme, a slash, or /storage/v1 at its end; so may STORAGE_EMULATOR_HOST", function*() {
    const { origin, port } = yield* gcsModel({ buckets: ["bucket"] })
    for (
      const endpoint of [origin, `${origin}/`, `127.0.0.1:${port}`, `${origin}/storage/v1`, `${origin}/storage/v1/`]
    ) {
      const store = yield* makeStore({ endpoint })
      yield* store.put("a", endpoint)
      const environment = ConfigProvider.fromEnvRecord({
        STORAGE_EMULATOR_HOST: endpoint,
        GOOGLE_APPLICATION_CREDENTIALS: "/no/such/file",
        OBJECTSTORE_GCS_BASE: "gs://bucket/"
      })
      const live = yield* Layer.build(Layer.fresh(Gcs.GcsLive).pipe(Layer.provide(ConfigProvider.layer(environment))))
      assert.strictEqual(Buffer.from(yield* Context.get(live, ObjectStore).get("a")).toString(), endpoint)
    }
  })

  test("a project that pays is named in every request", function*() {
    const named: Array<string | undefined> = []
    const intercept: GcsIntercept = (request, answer) => {
      named.push(request.headers["x-goog-user-project"])
      return answer
    }
    const { origin: endpoint } = yield* gcsModel({ buckets: ["bucket"], intercept })
    const store = yield* makeStore({ endpoint, userProject: "payer" })
    yield* store.put("a", "b")
    yield* store.get("a")
    yield* store.delete("a")
    assert.deepStrictEqual([...new Set(named)], ["payer"])
  })
})

describe("signed URLs of GCS, on the model", () => {
  test("work for what they were signed for, and for nothing else", function*() {
    const { origin: endpoint } = yield* guarded()
    const store = yield* makeStore({ endpoint, credentials: { key } })
    for (const name of ["a", "dir/ä b%2F?#+", "x//y", "'()*!~"]) {
      yield* store.put(name, name, { attributes: { contentType: "text/plain" } })
      const url = Redacted.value(yield* store.presign(name, { method: "GET", expiresIn: "1 minute" }))
      yield* Effect.promise(async () => {
        assert.strictEqual(await (await fetch(url)).text(), name)
        assert.strictEqual((await fetch(url, { method: "DELETE" })).status, 403)
        assert.strictEqual((await fetch(url.replace("X-Goog-Expires=60", "X-Goog-Expires=61"))).status, 403)
      })
      const put = Redacted.value(yield* store.presign(name, { method: "PUT", expiresIn: "1 minute" }))
      yield* Effect.promise(async () => {
        assert.strictEqual((await fetch(put, { method: "PUT", body: "new" })).status, 200)
      })
      assert.strictEqual(Buffer.from(yield* store.get(name)).toString(), "new")
      const remove = Redacted.value(yield* store.presign(name, { method: "DELETE", expiresIn: "1 minute" }))
      yield* Effect.promise(async () => {
        assert.strictEqual((await fetch(remove, { method: "DELETE" })).status, 204)
      })
      assert.isFalse(yield* store.exists(name))
    }
    assert.strictEqual(yield* reasonOf(store.presign("a", { method: "GET", expiresIn: "8 days" })), "InvalidRequest")
  })
})

describe("failures of GCS, on the model", () => {
  test("have the right reason, one line, and no secret in them", function*() {
    const canary = "canary-91bd"
    const seen: Array<unknown> = []
    const directory = mkdtempSync(join(tmpdir(), "objectstore-gcs-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true })))
    const { ca, certificateFile, keyFile } = yield* makeCertificate(directory)
    const tls = { cert: readFileSync(certificateFile, "utf8"), key: readFileSync(keyFile, "utf8") }
    const { origin: secure } = yield* gcsModel({ buckets: ["bucket"], tls })
    const trusting = yield* makeStore({ endpoint: secure, credentials: "anonymous", ca })
    yield* trusting.put("a", "over TLS")
    assert.strictEqual((yield* trusting.get("a")).length, 8)
    const { origin: endpoint } = yield* gcsModel({
      buckets: ["bucket", "secret-bucket"],
      tokens: ["good"],
      anonymous: false,
      forbidden: ["secret-bucket"]
    })
    const token = (value: string): Gcs.GcsCredentials => ({ token: Effect.succeed({ value: Redacted.make(value) }) })
    const good = { endpoint, credentials: token("good") }
    const rows: ReadonlyArray<readonly [string, Gcs.GcsOptions, string, string]> = [
      ["a bad token", { endpoint, credentials: token(canary) }, "x", "Unauthenticated"],
      ["nobody", { endpoint, credentials: "anonymous" }, "x", "Unauthenticated"],
      ["a missing bucket", good, "gs://no-such-bucket/x", "ContainerNotFound"],
      ["a missing object", good, "x", "NotFound"],
      ["no permission", good, "gs://secret-bucket/x", "PermissionDenied"],
      ["an unreachable host", { endpoint: "http://127.0.0.1:9", credentials: token(canary) }, "x", "ConnectionFailed"],
      [
        "an unknown host",
        { endpoint: "https://no-such-host.invalid", credentials: token(canary) },
        "x",
        "ConnectionFailed"
      ],
      ["an unknown authority", { endpoint: secure, credentials: token(canary) }, "x", "ConnectionFailed"]
    ]
    for (const [what, options, at, expected] of rows) {
      const store = yield* makeStore({ connectTimeout: 2000, ...options })
      for (const operation of [store.get(at), store.stat(at), store.delete(at, { ifMatch: "1" }), store.put(at, "x")]) {
        const result = yield* Effect.result(watched(seen, operation))
        // A missing object can be written, and is not the one to be removed.
        if (Result.isSuccess(result) && expected === "NotFound") continue
        if (Result.isSuccess(result)) return assert.fail(`${what}: it succeeded`)
        const error = result.failure
        const expects = expected === "NotFound" && error.operation === "delete" ? "PreconditionFailed" : expected
        assert.strictEqual(error.reason._tag, expects, `${what}: ${error.message}`)
        assert.notInclude(error.message, "\n")
        for (const text of [error.message, JSON.stringify(error), String(error.stack), inspect(error, { depth: 9 })]) {
          assert.notInclude(text, canary, what)
        }
      }
    }
    assert.isNotEmpty(seen)
    assert.notInclude(inspect(seen, { depth: 9, maxArrayLength: null, maxStringLength: null }), canary)
  })
})
