import { assert, it } from "@effect/vitest"
import { Cause, Clock, Context, Effect, Exit, Layer, Redacted, Stream } from "effect"
import { defaultRetryPolicy, ObjectStore, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as S3 from "effect-objectstore/layers/S3"
import { createHash } from "node:crypto"
import { inspect } from "node:util"
import { makeSigner } from "../../src/http/SigV4.ts"
import type { S3Address } from "../servers/address.ts"
import { minio, minioTls } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { listening } from "../support/listening.ts"
import { withClockAhead } from "../support/skewedClock.ts"
import { freshName, optionsOf, type Running } from "./S3Test.ts"

const canary = "canarySecretNobodyMayPrint0123456789"

/** What every operation answers in one situation, and all that it logged and traced. */
const observe = (options: S3.S3Options, bucket: string, around: Layer.Layer<never> = Layer.empty) =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const failures = Effect.scoped(Effect.gen(function*() {
      const context = yield* Effect.result(Layer.build(S3.layer({ ...options, base: `s3://${bucket}/` })))
      // Where nobody answers, the vendor cannot be found out, and the layer says so.
      if (context._tag === "Failure") return [context.failure]
      const store = Context.get(context.success, ObjectStore)
      const operations: ReadonlyArray<Effect.Effect<unknown, ObjectStoreError>> = [
        store.get("missing"),
        store.stat("missing"),
        store.put("new", "x"),
        Stream.runDrain(store.list("")),
        store.delete("new"),
        store.putMultipart("parts", "x")
      ]
      return yield* Effect.forEach(
        operations,
        (operation) =>
          Effect.matchEffect(operation, { onSuccess: () => Effect.succeed(undefined), onFailure: Effect.succeed })
      )
    }))
    const errors = yield* listening(failures, seen).pipe(
      Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 2, baseDelay: 1 }),
      Effect.provide(around)
    )
    if (errors.length > 1) assert.isAbove(seen.length, errors.length)
    for (const error of errors) {
      if (error === undefined) continue
      assert.notMatch(error.message, /[\r\n]/)
      const shown = [error.message, String(error), JSON.stringify(error), inspect(error, { depth: 9 })]
      shown.push(Cause.pretty(Cause.fail(error)), JSON.stringify(Exit.fail(error)))
      for (const text of [...shown, ...seen]) {
        assert.notInclude(text, canary)
        assert.notMatch(text, /Signature=[0-9a-f]/)
      }
    }
    return errors
  })

const tags = (errors: ReadonlyArray<ObjectStoreError | undefined>) =>
  errors.map((error) => error === undefined ? "succeeded" : error.reason._tag)

const all = (tag: string) => [tag, tag, tag, tag, tag, tag]

const bucketOf = (server: Running) =>
  Effect.gen(function*() {
    const address = yield* server
    const bucket = yield* freshName
    const backend = yield* S3.makeBackend(optionsOf(address))
    yield* backend.createContainer(bucket, {})
    return { address, bucket, options: optionsOf(address) }
  })

for (const definition of [minio, versitygw]) {
  onServer(definition, (server) => {
    const accessKeyId = "testkey"

    it.live("a wrong secret is Unauthenticated", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        const errors = yield* observe({ ...options, credentials: { accessKeyId, secretAccessKey: canary } }, bucket)
        assert.deepStrictEqual(tags(errors), all("Unauthenticated"))
        assert.include(errors[1]!.message, "secret access key is not the one of this access key id")
        assert.deepStrictEqual(errors.map((error) => error?.outcome), [
          undefined,
          undefined,
          "not-applied",
          undefined,
          "not-applied",
          "not-applied"
        ])
      }))

    it.live("an unknown key id is Unauthenticated", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        const credentials = { accessKeyId: "NOBODY", secretAccessKey: Redacted.make(canary) }
        assert.deepStrictEqual(tags(yield* observe({ ...options, credentials }, bucket)), all("Unauthenticated"))
      }))

    it.live("a token that is none is Unauthenticated", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        const credentials = { accessKeyId: "NOBODY", secretAccessKey: canary, sessionToken: `${canary}-token` }
        assert.deepStrictEqual(tags(yield* observe({ ...options, credentials }, bucket)), all("Unauthenticated"))
      }))

    it.live("nobody at all is PermissionDenied", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        assert.deepStrictEqual(
          tags(yield* observe({ ...options, credentials: "anonymous" }, bucket)),
          all("PermissionDenied")
        )
      }))

    it.live("a missing bucket is ContainerNotFound, but for HEAD, which has no words", () =>
      Effect.gen(function*() {
        const { options } = yield* bucketOf(server)
        const errors = yield* observe(options, "no-such-bucket-of-anybody")
        assert.deepStrictEqual(tags(errors), [
          "ContainerNotFound",
          "NotFound",
          "ContainerNotFound",
          "ContainerNotFound",
          "ContainerNotFound",
          "ContainerNotFound"
        ])
      }))

    it.live("a missing object is NotFound", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        assert.deepStrictEqual(tags(yield* observe(options, bucket)).slice(0, 2), ["NotFound", "NotFound"])
      }))

    it.live("a wrong region is corrected", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        const errors = yield* observe({ ...options, region: "eu-west-9" }, bucket)
        assert.deepStrictEqual(tags(errors), [
          "NotFound",
          "NotFound",
          "succeeded",
          "succeeded",
          "succeeded",
          "succeeded"
        ])
      }))

    it.live("a wrong clock is set by the service's", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        for (const ahead of [20 * 60_000, -20 * 60_000]) {
          const errors = yield* withClockAhead(() => ahead)(observe(options, bucket))
          assert.deepStrictEqual(tags(errors), [
            "NotFound",
            "NotFound",
            "succeeded",
            "succeeded",
            "succeeded",
            "succeeded"
          ])
        }
      }))

    it.live("a clock that is wrong by days is Unauthenticated, and the error says what the service's shows", () =>
      Effect.gen(function*() {
        const { bucket, options } = yield* bucketOf(server)
        const errors = yield* withClockAhead(() => 48 * 3_600_000)(observe(options, bucket))
        assert.deepStrictEqual(tags(errors), all("Unauthenticated"))
        assert.match(errors[0]!.message, /the clock of this machine is wrong: the service says that it is \w{3}, \d\d/)
      }))
  })
}

/** A temporary key pair that may read one prefix; `seconds` it lives. */
const assumeRole = ({ endpoint, region }: S3Address, bucket: string) =>
  Effect.gen(function*() {
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: [`arn:aws:s3:::${bucket}/allowed/*`] }]
    }
    const body = new URLSearchParams({
      Action: "AssumeRole",
      Version: "2011-06-15",
      DurationSeconds: "3600",
      Policy: JSON.stringify(policy)
    }).toString()
    const headers = makeSigner("sts").sign(
      {
        method: "POST",
        path: "/",
        headers: { host: new URL(endpoint).host, "content-type": "application/x-www-form-urlencoded" },
        payload: createHash("sha256").update(body).digest("hex")
      },
      { accessKeyId: "testkey", secretAccessKey: Redacted.make("testsecret123") },
      region,
      yield* Clock.currentTimeMillis
    )
    const text = yield* Effect.promise(() =>
      fetch(endpoint, { method: "POST", headers, body }).then((reply) => reply.text())
    )
    const field = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)![1]!
    return {
      accessKeyId: field("AccessKeyId"),
      secretAccessKey: field("SecretAccessKey"),
      sessionToken: field("SessionToken")
    }
  })

onServer(minio, (server) => {
  it.live("who may not do something is PermissionDenied, and may do the rest", () =>
    Effect.gen(function*() {
      const { address, bucket, options } = yield* bucketOf(server)
      const root = yield* Effect.flatMap(S3.make({ ...options, base: `s3://${bucket}/` }), Effect.succeed)
      yield* root.put("allowed/x", "yes")
      yield* root.put("secret/x", "no")
      const credentials = yield* assumeRole(address, bucket)
      const store = yield* S3.make({ ...options, credentials, base: `s3://${bucket}/` })
      assert.strictEqual(Buffer.from(yield* store.get("allowed/x")).toString(), "yes")
      const denied: ReadonlyArray<Effect.Effect<unknown, ObjectStoreError>> = [
        store.get("secret/x"),
        store.stat("secret/x"),
        store.exists("secret/x"),
        store.put("allowed/y", "x"),
        Stream.runDrain(store.list("")),
        store.delete("allowed/x"),
        store.putMultipart("allowed/y", "x"),
        store.copy("allowed/x", "allowed/y"),
        Stream.runDrain(store.listContainers()).pipe(Effect.andThen(store.deleteContainer(bucket)))
      ]
      for (const operation of denied) {
        const error = yield* Effect.flip(operation)
        assert.strictEqual(error.reason._tag, "PermissionDenied", error.message)
        assert.notInclude(inspect(error, { depth: 9 }), credentials.sessionToken)
      }
      const results = yield* Stream.runCollect(store.deleteMany(["allowed/x", "secret/x"]))
      assert.deepStrictEqual(results.map(({ error }) => error?.reason._tag), ["PermissionDenied", "PermissionDenied"])
      assert.strictEqual(Buffer.from(yield* root.get("allowed/x")).toString(), "yes")
    }))

  // One that has expired is among the recorded replies: here the shortest takes a quarter of an hour.
  it.live("a session token that is not its key's is Unauthenticated", () =>
    Effect.gen(function*() {
      const { address, bucket, options } = yield* bucketOf(server)
      const credentials = yield* assumeRole(address, bucket)
      const stale = { ...credentials, sessionToken: `${credentials.sessionToken.slice(0, -4)}AAAA` }
      const errors = yield* observe({ ...options, credentials: stale }, bucket)
      assert.deepStrictEqual(tags(errors), all("Unauthenticated"))
    }))
})

it.live(
  "a host that does not answer is ConnectionFailed, when the vendor is asked for and when it is given",
  () =>
    Effect.gen(function*() {
      const credentials = { accessKeyId: "AKID", secretAccessKey: canary }
      const refused: S3.S3Options = { endpoint: "http://127.0.0.1:1", credentials, connectTimeout: 2000 }
      assert.deepStrictEqual(tags(yield* observe(refused, "bucket")), ["ConnectionFailed"])
      const named = yield* observe({ ...refused, vendor: "minio" }, "bucket")
      assert.deepStrictEqual(tags(named), all("ConnectionFailed"))
      assert.deepStrictEqual(named.map((error) => error?.outcome), [
        undefined,
        undefined,
        "not-applied",
        undefined,
        "not-applied",
        "not-applied"
      ])
      const unknown = yield* observe(
        { ...refused, endpoint: "https://no-such-host.invalid", vendor: "minio" },
        "bucket"
      )
      assert.deepStrictEqual(tags(unknown), all("ConnectionFailed"))
      assert.strictEqual("phase" in unknown[0]!.reason ? unknown[0]!.reason.phase : "", "dns")
    }),
  60_000
)

onServer(minioTls, (server) => {
  it.live("a certificate that nobody vouches for is ConnectionFailed in its phase", () =>
    Effect.gen(function*() {
      const address = yield* server
      const errors = yield* observe({ ...optionsOf(address), ca: undefined, vendor: "minio" }, "bucket")
      assert.deepStrictEqual(tags(errors), all("ConnectionFailed"))
      assert.strictEqual("phase" in errors[0]!.reason ? errors[0]!.reason.phase : "", "tls")
    }))
})
