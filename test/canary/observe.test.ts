/** The canary run finds what is leaked: planted here, in every place and form. */
import { assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Effect, Metric, Redacted } from "effect"
import { makeError } from "effect-objectstore"
import * as NodeChildProcess from "node:child_process"
import * as NodeCrypto from "node:crypto"
import { once } from "node:events"
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import { errorHook } from "./hook.ts"
import { observe } from "./observe.ts"
import { canaryPlugin } from "./plugin.ts"
import { makeSecrets } from "./secrets.ts"

const hits: Array<string> = []
const observed = observe((where, form) => {
  hits.push(`${where}: ${form}`)
})

const secret = "kept/by+a bird=of 7 metres ü"
Redacted.make(secret)

beforeEach(() => {
  hits.length = 0
})

describe("secrets", () => {
  const { find, register, size } = makeSecrets()
  register(secret)

  it("are found in every form, wherever they stand", () => {
    const forms: Record<string, (text: string) => string> = {
      plain: (text) => text,
      "URL-encoded": encodeURIComponent,
      base64: (text) => Buffer.from(text).toString("base64"),
      base64url: (text) => Buffer.from(text).toString("base64url"),
      hex: (text) => Buffer.from(text).toString("hex"),
      HEX: (text) => Buffer.from(text).toString("hex").toUpperCase(),
      JSON: (text) => JSON.stringify({ text })
    }
    for (const [form, encode] of Object.entries(forms)) {
      for (const before of ["", "a", "ab", "abc", "user:"]) {
        for (const after of ["", "z", "zz"]) {
          assert.isNotEmpty(find(`x ${encode(`${before}${secret}${after}`)} y`), `${form} ${before} ${after}`)
        }
      }
    }
    assert.deepStrictEqual(find(`x ${secret.slice(0, -1)} ${secret.slice(1)}`), [])
  })

  it("bring their parts: signatures, keys of connection strings, lines of private keys", () => {
    const before = size()
    register("https://host/bucket/key?X-Amz-Expires=60&X-Amz-Signature=0123456789abcdef0123456789abcdef")
    register("AccountName=a;AccountKey=c29tZSBrZXkgb2Ygc29tZW9uZQ==;EndpointSuffix=x")
    assert.isAbove(size(), before + 3)
    assert.isNotEmpty(find("signature 0123456789abcdef0123456789abcdef"))
    assert.isNotEmpty(find("c29tZSBrZXkgb2Ygc29tZW9uZQ=="))
  })

  it("are found although nobody registered them, where they look like nothing else", () => {
    for (
      const text of [
        "GET /b/k?X-Amz-Signature=fedcba98765432100123456789abcdef",
        "https://a.blob.core.windows.net/c/k?sv=1&sig=abcdefghijklmnopqrstuvwxyz0123456789%3D",
        "PUT /upload/storage/v1/b/o?uploadType=resumable&upload_id=ABPtcPpzzzzzzzz",
        "-----BEGIN PRIVATE KEY-----\nMIIE"
      ]
    ) assert.isNotEmpty(find(text), text)
    for (const text of ["X-Amz-Signature=<redacted>", "sig=…", "no secret at all"]) assert.isEmpty(find(text), text)
  })
})

describe("a leak is found", () => {
  const tell = (error: unknown) =>
    (globalThis as unknown as Record<string, (error: unknown) => void>)[errorHook]!(error)
  const basic = { operation: "put", backend: "test" } as const

  it("in an error: its description, its place, its cause, however deep", () => {
    // In a canary run each is looked at already when it is made.
    const errors = [
      () => makeError("Unavailable", { ...basic, description: `it is ${secret}` }),
      () => makeError("Unavailable", { ...basic, uri: `s3://bucket/${encodeURIComponent(secret)}` }),
      () => makeError("Unavailable", { ...basic, cause: new Error(Buffer.from(secret).toString("base64")) }),
      () => makeError("Unavailable", { ...basic, cause: { request: { headers: { authorization: secret } } } })
    ]
    for (const make of errors) {
      hits.length = 0
      const error = make()
      tell(error)
      assert.isNotEmpty(hits, error.message)
    }
    hits.length = 0
    tell(makeError("Unavailable", { ...basic, description: "it is a bird" }))
    assert.isEmpty(hits)
  })

  it("where all errors of the library are made", () => {
    const id = fileURLToPath(new URL("../../src/ObjectStoreError.ts", import.meta.url))
    const changed = canaryPlugin.transform(NodeFs.readFileSync(id, "utf8"), id)!
    assert.include(changed, `globalThis.${errorHook}?.(made)`)
    assert.throws(() => canaryPlugin.transform("nothing of it", id))
  })

  it.live("in a log of any level", () =>
    Effect.gen(function*() {
      // A canary run searches what is printed, too.
      vi.spyOn(console, "log").mockImplementation(() => {})
      for (const log of [Effect.logTrace, Effect.logDebug, Effect.logInfo]) {
        hits.length = 0
        yield* log("told", { of: secret })
        assert.isNotEmpty(hits)
      }
    }).pipe(Effect.ensuring(Effect.sync(() => vi.restoreAllMocks()))))

  it.live("in a span: an attribute, an event, a failure", () =>
    Effect.gen(function*() {
      const leaks = [
        Effect.annotateCurrentSpan("key", secret),
        Effect.ignore(Effect.logDebug(secret)),
        Effect.fail(new Error(secret))
      ]
      for (const leak of leaks) {
        hits.length = 0
        yield* Effect.exit(Effect.withSpan(leak, "leaky"))
        assert.include(hits.map((hit) => hit.split(":")[0]), "span")
      }
    }))

  it.live("in a metric", () =>
    Effect.gen(function*() {
      yield* Metric.update(Metric.withAttributes(Metric.counter("canary_test_total"), { key: secret }), 1)
      observed.end()
      assert.isNotEmpty(hits)
    }))

  it.live("in what a process prints, which is read as before", () =>
    Effect.gen(function*() {
      const code = "console.log(process.env.TEST_SECRET); console.error(process.env.TEST_SECRET)"
      const child = NodeChildProcess.spawn(process.execPath, ["-e", code], { env: { TEST_SECRET: "of the process" } })
      let [output, errors] = ["", ""]
      child.stdout.on("data", (chunk) => output += String(chunk))
      child.stderr.on("data", (chunk) => errors += String(chunk))
      yield* Effect.promise(() => once(child, "close"))
      assert.deepStrictEqual([output, errors], ["of the process\n", "of the process\n"])
      assert.deepStrictEqual([...hits].sort(), ["a process's stderr: plain", "a process's stdout: plain"])
    }))

  it("of a private key that was read", () => {
    const { privateKey } = NodeCrypto.generateKeyPairSync("rsa", { modulusLength: 2048 })
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    NodeCrypto.createPrivateKey(pem)
    assert.isNotEmpty(observed.secrets.find(`a line: ${pem.split("\n")[3]}`))
  })
})
