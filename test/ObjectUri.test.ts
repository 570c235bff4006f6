import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, Result, Schema } from "effect"
import { ObjectUri } from "effect-objectstore"

const alphabet = [
  ..."abcXYZ019",
  ..."//../ %25%2F?#&=+:@!$'()*,;~`^|\\<>\"{}[]",
  "..",
  ".",
  "//",
  "%2E%2E",
  "%",
  " ",
  "\u0000",
  "\u0007",
  "\n",
  "\u007f",
  "\u0085",
  "é",
  "e\u0301",
  "ﬀ",
  "\uffff",
  "日本",
  "🙂",
  "\u{10ffff}",
  "\ufeff",
  "\u202e"
]

const randomKey = Effect.fnUntraced(function*() {
  const length = yield* Random.nextIntBetween(0, 40)
  let key = ""
  for (let i = 0; i < length; i++) key += alphabet[yield* Random.nextIntBetween(0, alphabet.length - 1)]
  return key
})

const prefixes = [
  "s3://bucket/",
  "gs://bucket_1/",
  "az://account1/container/",
  "https://account1.blob.core.windows.net/container/",
  "file:///",
  "direct:///",
  "mem://name/"
]

const round = (text: string) => Result.map(ObjectUri.parseResult(text), ObjectUri.print)

describe("ObjectUri", () => {
  it.effect("prints what it parsed, to the letter, for 100,000 generated keys in every form", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 100_000; i++) {
        const key = yield* randomKey()
        const prefix = prefixes[i % prefixes.length]!
        const https = prefix.startsWith("https")
        const text = prefix + (https ? key.split("/").map(encodeURIComponent).join("/") : key)
        const parsed = ObjectUri.parseResult(text)
        if (Result.isFailure(parsed)) return assert.fail(`${JSON.stringify(text)}: ${parsed.failure}`)
        if (parsed.success.key !== key || ObjectUri.print(parsed.success) !== text) {
          return assert.fail(`${JSON.stringify(text)} came back as ${JSON.stringify(ObjectUri.print(parsed.success))}`)
        }
      }
    }).pipe(Random.withSeed("uris")))

  it("keeps a key of 1,024 bytes, and NFC and NFD apart", () => {
    const key = `${"é".repeat(500)}${"x".repeat(24)}`
    assert.strictEqual(Buffer.byteLength(key), 1024)
    assert.deepStrictEqual(round(`s3://bucket/${key}`), Result.succeed(`s3://bucket/${key}`))
    assert.notDeepEqual(round("s3://bucket/é"), round("s3://bucket/e\u0301"))
  })

  it("reads gcs as gs, an account or host in either case, and a container without a key", () => {
    assert.deepStrictEqual(round("gcs://bucket/a"), Result.succeed("gs://bucket/a"))
    assert.deepStrictEqual(round("s3://bucket"), Result.succeed("s3://bucket/"))
    assert.deepStrictEqual(round("az://account1"), Result.succeed("az://account1/"))
    assert.deepStrictEqual(
      round("https://Account1.Blob.Core.Windows.net/container/a%20b%2Fc"),
      Result.succeed("https://account1.blob.core.windows.net/container/a%20b/c")
    )
  })

  it.each([
    "",
    "key",
    "bucket/key",
    "s3:",
    "s3:/bucket/key",
    "s3://",
    "s3:///key",
    "s3://B/key",
    "s3://bucket:80/key",
    "s3://user@bucket/key",
    "s3://a..b/key",
    "s3://-bucket/key",
    "s3://evil.com#/key",
    "s3://bu\ncket/key",
    "S3://bucket/key",
    "gs://x/key",
    "az:///container/key",
    "az://Account/container/key",
    "az://account1/co--ntainer/key",
    "https://example.com/container/key",
    "https://account1.blob.core.windows.net.evil.com/container/key",
    "https://account1.blob.core.windows.net/container/key?sig=secret",
    "https://account1.blob.core.windows.net/container/%zz",
    "https://account1.blob.core.windows.net/container/%ff",
    "http://account1.blob.core.windows.net/container/key",
    "file://host/path",
    "file://relative",
    "direct:path",
    "mem://",
    "mem:///key",
    "mem://../key",
    "ftp://host/key",
    "mem://name/\ud800"
  ])("refuses %j with one line that names what is wrong", (text) => {
    const parsed = ObjectUri.parseResult(text)
    assert.isTrue(Result.isFailure(parsed))
    if (Result.isFailure(parsed)) assert.notMatch(parsed.failure, /\n/)
  })

  it.effect.each([
    "https://user:canary@account1.blob.core.windows.net/c/k?sig=canary",
    "s3://id:canary@bucket/key",
    "s3://canary@bucket/key",
    "s3://id:can@canary@bucket/key",
    "s3://id:canary/canary@bucket/key",
    "az://id:canary@account1/container/key"
  ])("fails with InvalidUri for %s, and never shows a query or user information", (text) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ObjectUri.parse(text))
      assert.strictEqual(error.reason._tag, "InvalidUri")
      assert.notInclude(error.message, "canary")
      assert.notInclude(JSON.stringify(error), "canary")
    }))

  it.effect("is a Schema from text and back", () =>
    Effect.gen(function*() {
      const uri = yield* Schema.decodeEffect(ObjectUri.FromString)("s3://bucket/a//b/../c")
      assert.deepStrictEqual({ ...uri }, { scheme: "s3", account: "", container: "bucket", key: "a//b/../c" })
      assert.strictEqual(yield* Schema.encodeEffect(ObjectUri.FromString)(uri), "s3://bucket/a//b/../c")
      assert.isTrue(Result.isFailure(yield* Effect.result(Schema.decodeEffect(ObjectUri.FromString)("nonsense"))))
    }))
})
