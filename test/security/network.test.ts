/** Where requests and secrets may go. The ids are those of docs/security.md. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { defaultRetryPolicy, type ObjectStore, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import * as NodeTls from "node:tls"
import type { TransportRequest } from "../../src/http/Transport.ts"
import { authority, certificate, issued } from "../http/certificate.ts"
import { type RawServer, rawServer } from "../http/RawServer.ts"
import { exchange, makeTransport, ok, request } from "../http/TransportTest.ts"
import { scriptedBackend } from "../s3/ScriptedTransport.ts"

const canary = "canary-that-stays-here"

const key = Buffer.from(canary).toString("base64")

type Store = ObjectStore["Service"]

/** Stores of every cloud at an endpoint, with secrets of every kind. */
const storesAt = (endpoint: string, more: { readonly allowPlainHttp?: boolean } = {}) => ({
  s3: S3.make({
    endpoint,
    base: "s3://bucket/",
    vendor: "generic",
    credentials: { accessKeyId: "AKID", secretAccessKey: canary, sessionToken: canary },
    ...more
  }),
  "azure, key": Azure.make({ endpoint, account: "account", accountKey: key, base: "az://account/data/", ...more }),
  "azure, SAS": Azure.make({
    endpoint,
    account: "account",
    sasToken: `sv=2021-12-02&sig=${canary}`,
    base: "az://account/data/",
    ...more
  }),
  "azure, token": Azure.make({
    endpoint,
    account: "account",
    credential: { getToken: () => Promise.resolve({ token: canary, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) },
    base: "az://account/data/",
    ...more
  }),
  gcs: Gcs.make({
    endpoint,
    credentials: { token: Effect.succeed({ value: Redacted.make(canary) }) },
    base: "gs://bucket/",
    ...more
  })
})

const operations: Record<string, (store: Store) => Effect.Effect<unknown, ObjectStoreError>> = {
  get: (store) => store.get("a"),
  put: (store) => store.put("a", "x"),
  delete: (store) => store.delete("a")
}

const once = Effect.provideService(RetryPolicy, {
  ...defaultRetryPolicy,
  maxAttempts: 2,
  baseDelay: 1,
  throttleDelay: 1
})

/** What a server was asked, with everything that came. */
const seen = ({ requests }: RawServer): string => requests.map(({ head }) => head).join("\n")

describe("S05: redirects", () => {
  it.live(
    "to another host, another scheme or the same one are followed by nobody, and no secret goes there",
    () =>
      Effect.gen(function*() {
        const elsewhere = yield* rawServer(ok("stolen"))
        for (const status of [301, 302, 303, 307, 308]) {
          for (
            const location of [elsewhere.origin, `//127.0.0.1:${elsewhere.port}/a`, "http://169.254.169.254/", "/b"]
          ) {
            const server = yield* rawServer({
              onBody: ({ peer }) => peer.reply(`${status} Elsewhere\nlocation: ${location}\ncontent-length: 0`)
            })
            for (const [name, make] of Object.entries(storesAt(server.origin))) {
              const store = yield* make
              for (const [what, run] of Object.entries(operations)) {
                const error = yield* Effect.flip(once(run(store)))
                assert.include(
                  ["Configuration", "ProtocolViolation", "Unavailable", "OutcomeUnknown"],
                  error.reason._tag,
                  `${name} ${what} ${status}`
                )
              }
            }
          }
        }
        assert.strictEqual(seen(elsewhere), "")
      }),
    60_000
  )

  it.effect("of S3 to another region go to AWS's own host of that region, signed for it, and nowhere else", () =>
    Effect.gen(function*() {
      const reply = (region: string) => ({ status: 301, headers: { "x-amz-bucket-region": region } })
      const at = { container: "bucket", key: "key" }
      for (
        const region of [
          "evil.com#",
          "eu-west-1.evil.com",
          "eu/../",
          "a b",
          "EU",
          "@evil",
          "x".repeat(65),
          "169.254.169.254"
        ]
      ) {
        const { backend, requests } = yield* scriptedBackend([reply(region)])
        yield* Effect.flip(Effect.scoped(backend.read(at, { conditions: {} })))
        assert.lengthOf(requests, 1, region)
      }
      const { backend, requests } = yield* scriptedBackend([reply("eu-west-1"), { status: 404 }])
      yield* Effect.flip(Effect.scoped(backend.read(at, { conditions: {} })))
      assert.strictEqual(requests[1]!.origin, "https://bucket.s3.eu-west-1.amazonaws.com")
      assert.include(requests[1]!.headers["authorization"], "/eu-west-1/s3/aws4_request")
    }))
})

describe("S06: TLS", () => {
  const serve = (tls: { readonly key: string; readonly cert: string }) => rawServer(ok("yes"), tls)

  it.live("an authority of one's own is trusted beside Node's, and does not replace them", () =>
    Effect.gen(function*() {
      const theirs = yield* serve(certificate)
      const ours = yield* serve(issued)
      // What Node trusts, for this test: the first server's authority.
      const before = NodeTls.getCACertificates("default")
      NodeTls.setDefaultCACertificates([certificate.cert])
      yield* Effect.addFinalizer(() => Effect.sync(() => NodeTls.setDefaultCACertificates([...before])))
      const transport = yield* makeTransport({ ca: authority })
      for (const server of [theirs, ours]) {
        assert.strictEqual((yield* exchange(transport, request(server))).body.toString(), "yes")
      }
      const alone = yield* makeTransport()
      assert.strictEqual((yield* exchange(alone, request(theirs))).status, 200)
      const error = yield* Effect.flip(exchange(alone, request(ours)))
      assert.deepStrictEqual([error.reason._tag, error.reason.code], [
        "ConnectionFailed",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
      ])
    }))

  it.live("is checked whatever the environment says, and is 1.2 at least", () =>
    Effect.gen(function*() {
      const server = yield* serve(certificate)
      yield* withVariables({ NODE_TLS_REJECT_UNAUTHORIZED: "0" })
      const transport = yield* makeTransport()
      assert.strictEqual((yield* Effect.flip(exchange(transport, request(server)))).reason._tag, "ConnectionFailed")
      const old = yield* Effect.acquireRelease(
        Effect.callback<NodeTls.Server>((resume) => {
          const made = NodeTls.createServer({
            ...certificate,
            minVersion: "TLSv1",
            maxVersion: "TLSv1.1",
            ciphers: "DEFAULT@SECLEVEL=0"
          })
          made.on("tlsClientError", () => {})
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => void made.close())
      )
      const { port } = old.address() as { readonly port: number }
      const trusting = yield* makeTransport({ ca: certificate.cert })
      const error = yield* Effect.flip(
        exchange(trusting, { ...request(server), origin: `https://127.0.0.1:${port}` } satisfies TransportRequest)
      )
      assert.strictEqual(error.reason._tag, "ConnectionFailed")
    }))

  it("has no option that switches it off", () => {
    // The names of options are held against their types by the compiler.
    const names = ["insecure", "rejectUnauthorized", "verify", "tls"]
    for (const name of names) {
      const error = Effect.runSync(Effect.flip(Effect.scoped(Gcs.makeBackend({ [name]: false } as Gcs.GcsOptions))))
      assert.strictEqual(error.reason._tag, "Configuration", name)
    }
  })
})

describe("S07: plain http", () => {
  it.live("to another machine is Configuration where there are credentials, and the error says the way out", () =>
    Effect.gen(function*() {
      for (
        const host of ["minio.internal:9000", "10.0.0.7", "[fd00::1]:9000", "127.0.0.1.evil.com", "localhost.evil.com"]
      ) {
        for (const [name, make] of Object.entries(storesAt(`http://${host}`))) {
          const error = yield* Effect.flip(make)
          assert.strictEqual(error.reason._tag, "Configuration", `${name} ${host}`)
          assert.match(error.message, /allowPlainHttp \(OBJECTSTORE_ALLOW_HTTP=true, --allow-http\)/)
          assert.notInclude(error.message, canary)
        }
        for (const make of Object.values(storesAt(`http://${host}`, { allowPlainHttp: true }))) yield* make
        for (const make of Object.values(storesAt(`https://${host}`))) yield* make
        yield* S3.make({ endpoint: `http://${host}`, credentials: "anonymous", vendor: "generic" })
        yield* Gcs.make({ endpoint: `http://${host}`, credentials: "anonymous" })
        yield* Azure.make({ endpoint: `http://${host}`, account: "account", credential: "anonymous" })
      }
      for (const host of ["127.0.0.1:9000", "127.1.2.3", "localhost", "s3.localhost:9000", "[::1]:9000"]) {
        for (const make of Object.values(storesAt(`http://${host}`))) yield* make
      }
    }))
})

/** Sets variables of this process until the scope closes. */
const withVariables = (variables: Record<string, string | undefined>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      setAll(Object.entries(variables))
      return before
    }),
    (before) => Effect.sync(() => setAll(before))
  )

const setAll = (entries: ReadonlyArray<readonly [string, string | undefined]>): void => {
  for (const [name, value] of entries) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

describe("S08: the metadata service of a machine", () => {
  const clean = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null"
  }

  it.live("is not asked where keys are given", () =>
    Effect.gen(function*() {
      const metadata = yield* rawServer(ok("{}"))
      yield* withVariables({ ...clean, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.origin })
      const server = yield* rawServer(ok("x"))
      const store = yield* storesAt(server.origin).s3
      yield* Effect.exit(once(store.get("a")))
      assert.isNotEmpty(server.requests)
      assert.lengthOf(metadata.requests, 0)
    }))

  it.live(
    "is asked with a token of its own (IMDSv2), and not waited for where it says nothing",
    () =>
      Effect.gen(function*() {
        const metadata = yield* rawServer({})
        yield* withVariables({ ...clean, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.origin })
        const server = yield* rawServer(ok("x"))
        const store = yield* S3.make({ endpoint: server.origin, base: "s3://bucket/", vendor: "generic" })
        const begun = performance.now()
        const error = yield* Effect.flip(once(store.get("a")))
        const took = performance.now() - begun
        assert.strictEqual(error.reason._tag, "Unauthenticated")
        assert.isBelow(took, 15_000)
        assert.lengthOf(server.requests, 0)
        assert.isNotEmpty(metadata.requests)
        for (const { headers, method, path } of metadata.requests.slice(0, 1)) {
          assert.deepStrictEqual([method, path], ["PUT", "/latest/api/token"])
          assert.property(headers, "x-aws-ec2-metadata-token-ttl-seconds")
        }
      }),
    60_000
  )
})

describe("S09: names that become hosts", () => {
  const names = [
    "evil.com#",
    "evil.com/",
    "evil.com?",
    "evil.com\\",
    "b.s3.amazonaws.com@evil",
    "user:password@evil.com",
    "a\nb",
    "a\r\nHost: evil",
    "a b",
    "a:80",
    "a%2eb",
    "[::1]",
    "..",
    "../x",
    "bücket",
    ""
  ]

  it.effect("are refused before a request is made, by stores and by backends", () =>
    Effect.gen(function*() {
      for (const name of names) {
        const { backend, requests } = yield* scriptedBackend([], { addressing: "virtual" })
        const at = { container: name, key: "key" }
        if (name !== "") {
          const errors = [
            yield* Effect.flip(Effect.scoped(backend.read(at, { conditions: {} }))),
            yield* Effect.flip(
              backend.write(at, new Uint8Array(1), { mode: "overwrite", attributes: {}, metadata: {} })
            ),
            yield* Effect.flip(backend.listPage({ container: name, prefix: "", limit: 1 })),
            yield* Effect.flip(backend.createContainer(name, {}))
          ]
          for (const error of errors) assert.strictEqual(error.reason._tag, "InvalidRequest", name)
        }
        assert.lengthOf(requests, 0, name)
        const s3 = yield* S3.make({ endpoint: "http://127.0.0.1:1", credentials: "anonymous", vendor: "generic" })
        const gcs = yield* Gcs.make({ endpoint: "http://127.0.0.1:1", credentials: "anonymous" })
        const azure = yield* Azure.make({ endpoint: "http://127.0.0.1:1", account: "account", credential: "anonymous" })
        for (const [store, scheme] of [[s3, "s3:/"], [gcs, "gs:/"], [azure, "az://account"]] as const) {
          const uri = `${scheme}/${name}`
          // What stands behind a slash is a key.
          if (!name.includes("/")) {
            assert.strictEqual((yield* Effect.flip(store.get(`${uri}/key`))).reason._tag, "InvalidUri", uri)
          }
          assert.include(
            ["InvalidRequest", "InvalidUri"],
            (yield* Effect.flip(store.createContainer(name))).reason._tag
          )
        }
        for (const account of [name, "evil.com", "a.b", "A", "x".repeat(25)]) {
          const error = yield* Effect.flip(Azure.makeBackend({ account, accountKey: key }))
          assert.strictEqual(error.reason._tag, "Configuration", account)
        }
        if (name !== "") {
          const region = yield* Effect.flip(S3.makeBackend({ region: name, credentials: "anonymous" }))
          assert.strictEqual(region.reason._tag, "Configuration", name)
        }
      }
    }))
})

describe("S17: answers of strange size and content", () => {
  it.live(
    "heads of more than 64 KiB are refused, and of a refusal no more than 64 KiB is read",
    () =>
      Effect.gen(function*() {
        const long = yield* rawServer({
          onBody: ({ peer }) => peer.reply(`200 OK\nx-long: ${"a".repeat(100_000)}\ncontent-length: 0`)
        })
        for (const make of Object.values(storesAt(long.origin))) {
          const error = yield* Effect.flip(once((yield* make).get("a")))
          assert.strictEqual(error.reason._tag, "ProtocolViolation")
          assert.isBelow(error.message.length, 1500)
        }
        // Endless words, which a reader of all of them would wait for.
        const endless = yield* rawServer({
          onBody: ({ peer }) => {
            peer.reply("400 No\ncontent-type: application/xml\nconnection: close", "<Error><Message>")
            const more = () => {
              if (!peer.socket.destroyed) peer.socket.write("x".repeat(65_536), () => setImmediate(more))
            }
            more()
          }
        })
        for (const make of Object.values(storesAt(endless.origin))) {
          const error = yield* Effect.flip(once((yield* make).get("a")))
          assert.isBelow(error.message.length, 1500)
        }
      }),
    30_000
  )

  it.live("words of a service reach no terminal as commands", () =>
    Effect.gen(function*() {
      const words = "\u001b]0;title\u0007\u001b[31m\u202e\u2066 line\u0085 \u009b31m"
      const server = yield* rawServer({
        onBody: ({ peer }) => {
          const xml = Buffer.from(
            `<Error><Code>Strange</Code><Message>${
              words.replaceAll("\u001b", "&#27;").replaceAll("\u0007", "&#7;")
            }</Message></Error>`
          )
          peer.reply(`418 No\ncontent-type: application/xml\ncontent-length: ${xml.length}`, xml)
        }
      })
      for (const make of Object.values(storesAt(server.origin))) {
        const { message } = yield* Effect.flip(once((yield* make).get("a")))
        // oxlint-disable-next-line no-control-regex
        assert.notMatch(message, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }
    }))
})
