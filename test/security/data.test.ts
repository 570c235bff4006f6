/** Names, texts and documents of strange origin. The ids are those of docs/security.md. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Redacted } from "effect"
import { type ObjectStoreError, ObjectUri } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as File from "effect-objectstore/layers/File"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as Memory from "effect-objectstore/layers/Memory"
import * as S3 from "effect-objectstore/layers/S3"
import { azureModel, gcsModel } from "effect-objectstore/testing"
import { createHash, createHmac } from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeHttp from "node:http"
import type { AddressInfo } from "node:net"
import { inspect } from "node:util"
import { parseEndpoint } from "../../src/cli/connection.ts"
import { toLocalPath } from "../../src/cli/localPath.ts"
import { parseAge, parseRange, parseSize } from "../../src/cli/size.ts"
import { timeOf } from "../../src/http/replyStat.ts"
import { printable } from "../../src/ObjectStoreError.ts"
import { temporaryDirectory } from "../filesystem/TempDirectory.ts"
import { rawServer } from "../http/RawServer.ts"
import { scriptedBackend, secret } from "../s3/ScriptedTransport.ts"

const at = { container: "bucket", key: "key" }
const plain = { mode: "overwrite", attributes: {}, metadata: {} } as const

/** A seeded source of numbers, so that a failure comes again. */
const numbers = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** All the ways in which an error is shown. */
const shown = (error: ObjectStoreError): string =>
  [
    error.message,
    String(error),
    error.stack ?? "",
    JSON.stringify(error),
    inspect(error, { depth: 12, showHidden: true }),
    Cause.pretty(Cause.fail(error))
  ].join("\n")

describe("S16: names that every object has", () => {
  const hostile = JSON.stringify({
    metadata: JSON.parse("{\"__proto__\":\"p\",\"constructor\":\"c\",\"toString\":\"t\"}")
  }).slice(1, -1)

  it.live("in the answers of services and in files are metadata like others, and change no other object", () =>
    Effect.gen(function*() {
      const before = Object.getOwnPropertyNames(Object.prototype).sort()
      const body =
        `{"kind":"storage#object","name":"key","bucket":"bucket","generation":"1","size":"1","__proto__":{"polluted":true},${hostile}}`
      const service = yield* rawServer({
        onBody: ({ peer }) => peer.reply(`200 OK\ncontent-type: application/json\ncontent-length: ${body.length}`, body)
      })
      const gcs = yield* Gcs.make({ endpoint: service.origin, credentials: "anonymous" })
      const { metadata } = yield* gcs.stat("gs://bucket/key")
      assert.deepStrictEqual(Object.entries(metadata).sort(), [["__proto__", "p"], ["constructor", "c"], [
        "tostring",
        "t"
      ]])
      const root = yield* temporaryDirectory
      const file = yield* File.make({ root, durability: "none" })
      yield* file.put("a", "x", { metadata: { n: "1" } })
      const sidecar = NodeFs.readdirSync(root).find((name) => name.includes("~meta~"))!
      NodeFs.writeFileSync(
        `${root}/${sidecar}`,
        "{\"attributes\":{\"__proto__\":{\"polluted\":\"1\"}},\"metadata\":[[\"__proto__\",\"p\"],[\"n\",\"2\"]],\"__proto__\":{\"polluted\":1}}"
      )
      const told = yield* file.stat("a")
      assert.deepStrictEqual(Object.entries(told.metadata), [["__proto__", "p"], ["n", "2"]])
      assert.notProperty(told.attributes, "polluted")
      assert.notProperty({}, "polluted")
      assert.deepStrictEqual(Object.getOwnPropertyNames(Object.prototype).sort(), before)
    }))
})

describe("S20: a mebibyte of whatever is worst", () => {
  const size = 1024 * 1024
  const texts = [
    "a",
    "/",
    "//",
    "%",
    "%2",
    "..",
    "../",
    "-",
    "0",
    " ",
    "\n",
    "é",
    "https://",
    "a.",
    "[",
    "\\",
    "\u202e",
    "="
  ]
    .map((piece) => piece.repeat(size / piece.length))
    .flatMap((text) => [text, `s3://${text}`, `https://a.blob.core.windows.net/c/${text}`, `gs://bucket/${text}!`])
  const parsers: Record<string, (text: string) => unknown> = {
    "a location": (text) => ObjectUri.parseResult(text),
    "a container's name": (text) => ObjectUri.checkContainerName("s3", text),
    "a local path": (text) => toLocalPath(text, "portable"),
    "an endpoint": parseEndpoint,
    "a size": parseSize,
    "an age": parseAge,
    "a range": parseRange,
    "a date": timeOf,
    // Messages are cut to far less before.
    "a message": (text) => printable(text.slice(0, 65_536))
  }
  it.each(Object.entries(parsers))("is read or refused as %s in no time", (_, parse) => {
    for (const text of texts) {
      const start = performance.now()
      parse(text)
      // 100 ms where nothing else runs; tests run side by side.
      assert.isBelow(performance.now() - start, 1000, text.slice(0, 30))
    }
  })

  it.live("is read or refused as a service's words in no time", () =>
    Effect.gen(function*() {
      for (const piece of ["X-Amz-Signature=", "<Message>", "sig=", "Bearer ", "'AAAA", "a", "&amp;", "<", "\u0001"]) {
        const words = piece.repeat(65_536 / piece.length)
        const server = yield* rawServer({
          onBody: ({ peer }) => peer.reply(`403 No\ncontent-length: ${words.length}`, words)
        })
        const stores = [
          yield* S3.makeBackend({
            endpoint: server.origin,
            vendor: "generic",
            credentials: { accessKeyId: "A", secretAccessKey: "s" }
          }),
          yield* Azure.makeBackend({ endpoint: server.origin, account: "account", accountKey: "c2VjcmV0" }),
          yield* Gcs.makeBackend({ endpoint: server.origin, credentials: "anonymous" })
        ]
        for (const backend of stores) {
          const start = performance.now()
          yield* Effect.flip(Effect.scoped(backend.read(at, { conditions: {} })))
          assert.isBelow(performance.now() - start, 1000, piece)
        }
      }
    }))
})

describe("S28: what is signed is what is sent", () => {
  it.live("for 10,000 keys, as a server sees them that takes the request as it comes", () =>
    Effect.gen(function*() {
      const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest()
      let wrong = 0
      const paths = new Set<string>()
      const server = yield* Effect.acquireRelease(
        Effect.callback<NodeHttp.Server>((resume) => {
          const made = NodeHttp.createServer((request, reply) => {
            const { authorization = "", ...headers } = request.headers as Record<string, string>
            const [, scope = "", names = "", signature = ""] =
              /Credential=AKID\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})/.exec(authorization) ?? []
            const canonical = [
              request.method,
              // Byte for byte, without a second opinion on dots, slashes and percent signs.
              request.url,
              "",
              ...names.split(";").map((name) => `${name}:${headers[name]}`),
              "",
              names,
              "UNSIGNED-PAYLOAD"
            ].join("\n")
            const [day = "", region = "", service = "", end = ""] = scope.split("/")
            const text = [
              "AWS4-HMAC-SHA256",
              headers["x-amz-date"],
              scope,
              createHash("sha256").update(canonical).digest("hex")
            ]
            const key = [day, region, service, end].reduce<string | Buffer>(hmac, `AWS4${secret}`)
            if (hmac(key, text.join("\n")).toString("hex") !== signature || !names.includes("host")) wrong++
            paths.add(request.url!)
            request.resume()
            reply.writeHead(200, { etag: "\"e\"", "content-length": 0 }).end()
          })
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => void made.close())
      )
      const { port } = server.address() as AddressInfo
      const backend = yield* S3.makeBackend({
        endpoint: `http://127.0.0.1:${port}`,
        region: "us-east-1",
        vendor: "generic",
        credentials: { accessKeyId: "AKID", secretAccessKey: secret }
      })
      const random = numbers(28)
      const alphabet = [
        "a",
        "Z",
        "0",
        "/",
        "//",
        ".",
        "..",
        "/../",
        "%",
        "%2F",
        "%2e",
        "+",
        " ",
        "é",
        "漢",
        "😀",
        "?",
        "#",
        "&",
        "=",
        "~",
        "'",
        "(",
        "*",
        ":",
        "@",
        "\\",
        "\"",
        ";",
        "-",
        "_"
      ]
      const keys = Array.from(
        { length: 10_000 },
        (_, i) =>
          Array.from({ length: 1 + Math.floor(random() * 10) }, () => alphabet[Math.floor(random() * alphabet.length)])
            .join("") + i
      )
      yield* Effect.forEach(
        keys,
        (key) => Effect.exit(backend.deleteBatch("bucket", [{ key }])),
        { concurrency: 32, discard: true }
      )
      assert.strictEqual(wrong, 0)
      // None was folded into another one on its way.
      assert.strictEqual(paths.size, keys.length)
      for (const key of keys) {
        const path = `/bucket/${
          key.split("/").map((segment) =>
            encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
          ).join("/")
        }`
        assert.isTrue(paths.has(path), key)
      }
    }), 120_000)
})

describe("S34: what a service says of a refused signature", () => {
  it.effect("is told without the text that was signed, and without what it repeats", () =>
    Effect.gen(function*() {
      const body = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match: ${secret}</Message>
<AWSAccessKeyId>AKIDCANARY</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\nstring-to-sign</StringToSign>
<SignatureProvided>signature-provided</SignatureProvided><StringToSignBytes>73 74</StringToSignBytes>
<CanonicalRequest>PUT\n/canonical-request\nx-amz-security-token:canary-token-0123456789</CanonicalRequest>
<CanonicalRequestBytes>50 55</CanonicalRequestBytes><RequestId>R</RequestId><HostId>h</HostId></Error>`
      const { backend } = yield* scriptedBackend([{ status: 403, body }])
      const error = yield* Effect.flip(backend.write(at, new Uint8Array(1), plain))
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      const all = shown(error)
      for (
        const part of [
          secret,
          "canary-token",
          "string-to-sign",
          "signature-provided",
          "canonical-request",
          "AKIDCANARY"
        ]
      ) {
        assert.notInclude(all, part)
      }
    }))

  it.live("the same of Azure, whose refusals quote the text that it would have signed", () =>
    Effect.gen(function*() {
      const body =
        `<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.</Message>` +
        `<AuthenticationErrorDetail>The MAC signature found in the HTTP request 'canary-signature' is not the same as any computed signature. Server used following string to sign: 'PUT canary-string'.</AuthenticationErrorDetail></Error>`
      const server = yield* rawServer({
        onBody: ({ peer }) =>
          peer.reply(`403 No\nx-ms-error-code: AuthenticationFailed\ncontent-length: ${body.length}`, body)
      })
      const backend = yield* Azure.makeBackend({ endpoint: server.origin, account: "account", accountKey: "c2VjcmV0" })
      const error = yield* Effect.flip(backend.write(at, new Uint8Array(1), plain))
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      for (const part of ["canary-signature", "canary-string"]) assert.notInclude(shown(error), part)
    }))
})

describe("S36: what becomes a header", () => {
  it.live("is one line, or InvalidRequest before a byte is sent", () =>
    Effect.gen(function*() {
      const azure = yield* azureModel({})
      const owner = yield* Azure.makeBackend({ connectionString: azure.connectionString })
      yield* owner.createContainer("data", {})
      const gcs = yield* gcsModel({ buckets: ["bucket"] })
      const server = yield* rawServer({})
      const stores = [
        yield* Azure.make({ connectionString: azure.connectionString, base: "az://devstoreaccount1/data/" }),
        yield* Gcs.make({ endpoint: gcs.origin, base: "gs://bucket/" }),
        yield* Memory.make({ base: "mem://bucket/" })
      ]
      const s3 = yield* S3.make({
        endpoint: server.origin,
        base: "s3://bucket/",
        vendor: "generic",
        credentials: { accessKeyId: "AKID", secretAccessKey: secret }
      })
      const backend = yield* S3.makeBackend({ endpoint: server.origin, vendor: "generic", credentials: "anonymous" })
      const breaks = ["a\r\nx-injected: 1", "a\nb", "a\rb", "a\u0000b", "\r\n\r\nGET / HTTP/1.1"]
      for (const text of breaks) {
        for (const options of [{ attributes: { contentType: text } }, { attributes: { cacheControl: text } }]) {
          for (const store of [...stores, s3]) {
            const error = yield* Effect.flip(store.put("new", "x", options))
            assert.deepStrictEqual([error.reason._tag, error.outcome], ["InvalidRequest", "not-applied"])
          }
          const error = yield* Effect.flip(backend.write(at, new Uint8Array(1), { ...plain, ...options }))
          assert.deepStrictEqual([error.reason._tag, error.outcome], ["InvalidRequest", "not-applied"])
        }
        for (const store of [...stores, s3]) {
          const error = yield* Effect.flip(store.put("new", "x", { metadata: { [text]: "x" } }))
          assert.deepStrictEqual([error.reason._tag, error.outcome], ["InvalidRequest", "not-applied"])
        }
      }
      assert.lengthOf(server.requests, 0)
      for (const store of stores) assert.isFalse(yield* store.exists("new"))
    }))
})

describe("S04: signed URLs", () => {
  it.live("are secrets, bound to a method, and live for a while", () =>
    Effect.gen(function*() {
      const store = yield* S3.make({
        endpoint: "http://127.0.0.1:1",
        base: "s3://bucket/",
        vendor: "generic",
        credentials: { accessKeyId: "AKID", secretAccessKey: secret, sessionToken: "canary-token" }
      })
      const url = yield* store.presign("key", { method: "GET", expiresIn: "1 hour" })
      for (const text of [String(url), JSON.stringify({ url }), inspect(url, { depth: 9, showHidden: true })]) {
        assert.notMatch(text, /Signature|canary/)
      }
      assert.match(Redacted.value(url), /X-Amz-Expires=3600&.*X-Amz-SignedHeaders=host.*X-Amz-Signature=[0-9a-f]{64}$/)
      const put = yield* store.presign("key", { method: "PUT", expiresIn: "1 hour" })
      assert.notStrictEqual(Redacted.value(put).split("Signature=")[1], Redacted.value(url).split("Signature=")[1])
      for (const expiresIn of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "8 days"] as const) {
        const error = yield* Effect.flip(store.presign("key", { method: "GET", expiresIn }))
        assert.strictEqual(error.reason._tag, "InvalidRequest", String(expiresIn))
      }
    }))
})
