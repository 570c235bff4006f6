import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, Result } from "effect"
import { ObjectStore, type ObjectStoreError } from "effect-objectstore"
import * as S3 from "effect-objectstore/layers/S3"
import { randomBytes, randomInt } from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { env } from "node:process"
import { environment } from "../../layers/s3/environment.ts"
import { endpointOf, endpointOfProfile } from "../../layers/s3/sharedConfig.ts"
import { makeSigner } from "../../src/http/SigV4.ts"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { freshName, optionsOf } from "./S3Test.ts"
import { scriptedBackend, secret } from "./ScriptedTransport.ts"

const wrongOptions: ReadonlyArray<readonly [string, S3.S3Options]> = [
  ["region", { region: "eu west" }],
  ["endpoint", { endpoint: "127.0.0.1:9000" }],
  ["endpoint", { endpoint: "ftp://host" }],
  ["endpoint", { endpoint: `http://user:${secret}@host` }],
  ["endpoint", { endpoint: `http://host/?token=${secret}` }],
  ["accessKeyId", { credentials: { accessKeyId: "a\nb", secretAccessKey: secret } }],
  ["secretAccessKey", { credentials: { accessKeyId: "A", secretAccessKey: "" } }],
  ["sessionToken", { credentials: { accessKeyId: "A", secretAccessKey: secret, sessionToken: `${secret} x` } }],
  ["vendor", { credentials: "anonymous", vendor: "minioo" as "minio" }],
  ["addressing", { credentials: "anonymous", addressing: "host" as "path" }],
  ["checksum", { credentials: "anonymous", vendor: "gcs-xml", checksum: "crc32" }],
  ["encryption", { credentials: "anonymous", encryption: { type: "AES128" as "AES256" } }],
  ["32 bytes", { credentials: "anonymous", encryption: { type: "customer", key: Redacted.make(`short${secret}`) } }],
  [
    "https",
    {
      credentials: "anonymous",
      endpoint: "http://host",
      vendor: "minio",
      encryption: { type: "customer", key: Redacted.make(randomBytes(32)) }
    }
  ]
]

describe("options", () => {
  it.effect.each(wrongOptions)(
    "that are wrong are Configuration and name what is: %s",
    ([name, options]) =>
      Effect.gen(function*() {
        const error: ObjectStoreError = yield* Effect.flip(S3.makeBackend(options))
        assert.strictEqual(error.reason._tag, "Configuration", error.message)
        assert.include(error.message, name)
        assert.notInclude(JSON.stringify(error), secret)
      })
  )

  it.effect("come out of the variables that the AWS tools read", () =>
    Effect.gen(function*() {
      const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-s3-"))
      const bundle = NodePath.join(directory, "ca.pem")
      NodeFs.writeFileSync(bundle, "PEM")
      yield* Effect.addFinalizer(() => Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
      const read = (variables: Record<string, string>) =>
        environment.pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(variables))))
      const all = yield* read({
        AWS_ACCESS_KEY_ID: "AKID",
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_SESSION_TOKEN: "token",
        AWS_DEFAULT_REGION: "eu-west-1",
        AWS_REGION: "eu-west-2",
        AWS_ENDPOINT_URL: "http://one",
        AWS_ENDPOINT_URL_S3: "http://two",
        AWS_CA_BUNDLE: bundle,
        OBJECTSTORE_ALLOW_HTTP: "true",
        OBJECTSTORE_S3_BASE: "s3://bucket/base/"
      })
      assert.notInclude(JSON.stringify(all), secret)
      const { credentials, ...rest } = all
      assert.deepStrictEqual(rest, {
        base: "s3://bucket/base/",
        region: "eu-west-2",
        endpoint: "http://two",
        profile: undefined,
        allowPlainHttp: true,
        ca: "PEM"
      })
      assert(typeof credentials === "object" && Redacted.isRedacted(credentials.secretAccessKey))
      assert.strictEqual(Redacted.value(credentials.secretAccessKey), secret)
      // A profile comes before a key pair, and half a key pair is none.
      const named = yield* read({ AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "s", AWS_PROFILE: "p" })
      assert.deepStrictEqual([named.credentials, named.profile], [undefined, "p"])
      assert.isUndefined((yield* read({ AWS_ACCESS_KEY_ID: "A", AWS_DEFAULT_REGION: "r" })).credentials)
      assert.strictEqual(
        (yield* Effect.flip(read({ AWS_CA_BUNDLE: "/no/such/file" }))).message.split(":")[0],
        "Configuration"
      )
    }))
})

describe("the endpoint of a profile", () => {
  const file = `
# endpoint_url = http://comment
[default]
endpoint_url = http://default ; a comment
[profile plain]
region = eu-west-1
endpoint_url=http://plain/#kept
s3 =
  addressing_style = path
  endpoint_url = http://no-services
[ profile "with space" ]
endpoint_url = http://space
[profile services]
services = local
endpoint_url = http://below
[services local]
dynamodb =
    endpoint_url = http://dynamodb
s3 =
\tmax_concurrent_requests = 2
\tendpoint_url = http://services
[profile other]
services = none-for-s3
endpoint_url = http://own
[services none-for-s3]
ec2 =
  endpoint_url = http://ec2
[profile broken]
services = nowhere
[profile ignoring]
ignore_configured_endpoint_urls = true
endpoint_url = http://ignored
[profile none]
region = eu-west-1
`
  const cases = [
    ["default", "http://default"],
    ["plain", "http://plain/#kept"],
    ["with space", "http://space"],
    ["services", "http://services"],
    ["other", "http://own"],
    ["ignoring", undefined],
    ["none", undefined],
    ["missing", undefined]
  ] as const

  for (const [profile, endpoint] of cases) {
    it(`is read as the AWS tools read it: ${profile}`, () => {
      assert.deepStrictEqual(endpointOf(file, profile), Result.succeed(endpoint))
    })
  }

  it("is not guessed where the section that it names is not there", () => {
    assert.isTrue(Result.isFailure(endpointOf(file, "broken")))
  })

  const ofProfile = (variables: Record<string, string>) =>
    endpointOfProfile("services").pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(variables))))

  it.live("comes after the variables of the environment, and only out of a file that can be read", () =>
    Effect.gen(function*() {
      const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-s3-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
      const AWS_CONFIG_FILE = NodePath.join(directory, "config")
      NodeFs.writeFileSync(AWS_CONFIG_FILE, file)
      const endpoint = "http://services"
      assert.deepStrictEqual(yield* ofProfile({ AWS_CONFIG_FILE }), { environment: false, endpoint })
      for (const name of ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]) {
        assert.deepStrictEqual(yield* ofProfile({ AWS_CONFIG_FILE, [name]: "http://env" }), {
          environment: true,
          endpoint: undefined
        })
      }
      const ignored = { AWS_CONFIG_FILE, AWS_ENDPOINT_URL: "http://env", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }
      const nothing = { environment: false, endpoint: undefined }
      assert.deepStrictEqual(yield* ofProfile(ignored), nothing)
      assert.deepStrictEqual(yield* ofProfile({ AWS_CONFIG_FILE: `${directory}/none` }), nothing)
      const error = yield* Effect.flip(ofProfile({ AWS_CONFIG_FILE: directory }))
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.include(error.message, directory)
    }))
})

describe("requests", () => {
  const alphabet = [
    "a",
    "Z",
    "/",
    "//",
    "..",
    ".",
    "%2F",
    "%",
    "+",
    " ",
    "ü",
    "\u{1f600}",
    "'",
    "!",
    "*",
    "~",
    "&",
    "=",
    "?",
    "#",
    "\u0001",
    ";"
  ]

  it.effect(
    "are signed for the path that is sent, byte for byte, which is the key's and no other",
    () =>
      Effect.gen(function*() {
        for (const addressing of ["path", "virtual"] as const) {
          const count = 5000
          const { backend, requests } = yield* scriptedBackend(
            Array.from({ length: count }, () => ({ status: 200, headers: { etag: "\"e\"" } })),
            { addressing }
          )
          const signer = makeSigner("s3")
          for (let i = 0; i < count; i++) {
            const key = Array.from({ length: randomInt(1, 12) }, () => alphabet[randomInt(alphabet.length)]!).join("")
            yield* backend.write({ container: "bucket", key }, new Uint8Array(0), {
              mode: "overwrite",
              attributes: {},
              metadata: {}
            })
            const { headers, method, origin, path } = requests[i]!
            const encoded = addressing === "path" ? path.slice("/bucket/".length) : path.slice(1)
            assert.strictEqual(decodeURIComponent(encoded), key)
            assert.match(encoded, /^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/)
            assert.strictEqual(new URL(origin).host, headers["host"])
            const {
              authorization,
              "user-agent": _,
              "x-amz-content-sha256": __,
              "x-amz-date": ___,
              "x-amz-security-token": ____,
              ...signed
            } = headers
            const again = signer.sign(
              { method, path, headers: signed },
              {
                accessKeyId: "AKIDCANARY",
                secretAccessKey: Redacted.make(secret),
                sessionToken: Redacted.make("canary-token-0123456789")
              },
              "us-east-1",
              0
            )
            assert.strictEqual(again["authorization"], authorization)
          }
        }
      }),
    60_000
  )
})

it.effect("where nobody says what the service is, the layer names the endpoint that was asked", () =>
  Effect.gen(function*() {
    const credentials = { accessKeyId: "a", secretAccessKey: "b" }
    const error = yield* Effect.flip(Effect.scoped(S3.make({ endpoint: "http://127.0.0.1:1", credentials })))
    assert.strictEqual(error.reason._tag, "ConnectionFailed")
    assert.include(error.message, ": make: http://127.0.0.1:1 was asked what service it is: connect ECONNREFUSED")
  }))

onServer(minio, (server) => {
  it.live("credentials, region and endpoint come out of a shared file, through the AWS SDK", () =>
    Effect.gen(function*() {
      const { accessKeyId, endpoint, secretAccessKey } = yield* server
      const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-s3-"))
      const config = NodePath.join(directory, "config")
      NodeFs.writeFileSync(
        config,
        `[profile here]\nregion = us-east-1\nendpoint_url = ${endpoint}\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
      )
      const set = (variables: Record<string, string | undefined>) =>
        Effect.sync(() => {
          for (const [name, value] of Object.entries(variables)) {
            if (value === undefined) delete env[name]
            else env[name] = value
          }
        })
      const before = { AWS_CONFIG_FILE: env["AWS_CONFIG_FILE"], AWS_PROFILE: env["AWS_PROFILE"] }
      yield* Effect.addFinalizer(() =>
        Effect.andThen(set(before), Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
      )
      yield* set({ AWS_CONFIG_FILE: config, AWS_PROFILE: "here" })
      const bucket = yield* freshName
      const store = yield* S3.make({ base: `s3://${bucket}/` })
      yield* store.createContainer(bucket)
      yield* store.put("x", "hello")
      assert.strictEqual(Buffer.from(yield* store.get("x")).toString(), "hello")
      // The SDK alone would look for the endpoint of the profile that AWS_PROFILE names, and of no other.
      NodeFs.appendFileSync(config, "[profile elsewhere]\nendpoint_url = http://127.0.0.1:1\nregion = eu-west-9\n")
      for (const AWS_PROFILE of [undefined, "elsewhere"]) {
        yield* set({ AWS_PROFILE })
        const named = yield* S3.make({ profile: "here", base: `s3://${bucket}/` })
        assert.strictEqual(Buffer.from(yield* named.get("x")).toString(), "hello")
      }
      yield* set({ AWS_PROFILE: undefined })
      const nobody = yield* S3.make({ profile: "nobody", endpoint, base: `s3://${bucket}/` })
      const error = yield* Effect.flip(nobody.get("x"))
      assert.strictEqual(error.reason._tag, "Unauthenticated", error.message)
    }))

  it.live("the environment alone makes a store", () =>
    Effect.gen(function*() {
      const address = yield* server
      const bucket = yield* freshName
      const backend = yield* S3.makeBackend(optionsOf(address))
      yield* backend.createContainer(bucket, {})
      const variables = {
        AWS_ACCESS_KEY_ID: address.accessKeyId,
        AWS_SECRET_ACCESS_KEY: address.secretAccessKey,
        AWS_REGION: address.region,
        AWS_ENDPOINT_URL_S3: address.endpoint,
        OBJECTSTORE_S3_BASE: `s3://${bucket}/`
      }
      const live = S3.S3Live.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(variables))))
      const body = yield* Effect.gen(function*() {
        const store = yield* ObjectStore
        yield* store.put("x", "hello")
        return yield* store.get("x")
      }).pipe(Effect.provide(live))
      assert.strictEqual(Buffer.from(body).toString(), "hello")
    }))
})
