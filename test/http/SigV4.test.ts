import { S3Client } from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { createHash, randomBytes, randomInt } from "node:crypto"
import { encodeKey, encodeQuery } from "../../src/http/percentEncoding.ts"
import { makeSigner, type SigningCredentials } from "../../src/http/SigV4.ts"

// docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and sigv4-query-string-auth.html
const documented: SigningCredentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}
const time = Date.UTC(2013, 4, 24)
const host = "examplebucket.s3.amazonaws.com"
const empty = createHash("sha256").digest("hex")

const signatureOf = (headers: Record<string, string>): string => /Signature=(\w+)$/.exec(headers["authorization"]!)![1]!

describe("SigV4", () => {
  it.each([
    [
      "GET Object",
      { method: "GET", path: "/test.txt", headers: { host, range: "bytes=0-9" }, payload: empty },
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    ],
    [
      "PUT Object",
      {
        method: "PUT",
        path: "/test%24file.text",
        headers: { host, date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
      },
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    ],
    [
      "GET Bucket Lifecycle",
      { method: "GET", path: "/?lifecycle", headers: { host }, payload: empty },
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    ],
    [
      "GET Bucket (List Objects)",
      { method: "GET", path: "/?prefix=J&max-keys=2", headers: { host }, payload: empty },
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    ]
  ])("gives the signature of AWS's example %s", (_, request, signature) => {
    const headers = makeSigner("s3").sign(request, documented, "us-east-1", time)
    assert.strictEqual(signatureOf(headers), signature)
    assert.strictEqual(headers["x-amz-date"], "20130524T000000Z")
  })

  it("gives the URL of AWS's example", () => {
    const request = { method: "GET", path: "/test.txt", headers: { host } }
    const url = makeSigner("s3").presign(request, documented, "us-east-1", time, 86_400)
    assert.strictEqual(String(url), "<redacted:signed URL>")
    assert.strictEqual(
      Redacted.value(url),
      "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
  })

  it("does not depend on the order of parameters, but on each of them", () => {
    const sign = (path: string) =>
      signatureOf(makeSigner("s3").sign({ method: "GET", path, headers: { host } }, documented, "us-east-1", time))
    assert.strictEqual(sign("/?b=2&a-b=1&a=3"), sign("/?a=3&a-b=1&b=2"))
    assert.notStrictEqual(sign("/?a=1"), sign("/?a=2"))
    assert.strictEqual(sign("/?uploads"), sign("/?uploads="))
  })

  const alphabet = [
    "a",
    "Z",
    "9",
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
    "(",
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
  const pick = () => Array.from({ length: randomInt(1, 12) }, () => alphabet[randomInt(alphabet.length)]!).join("")

  it(
    "agrees with the SDK's signer on random keys, queries, headers and session tokens",
    { timeout: 60_000 },
    async () => {
      const signer = makeSigner("s3")
      for (let round = 0; round < 20; round++) {
        const credentials = {
          accessKeyId: `AK${randomBytes(6).toString("hex")}`,
          secretAccessKey: randomBytes(20).toString("base64"),
          ...(round % 2 === 0 ? {} : { sessionToken: randomBytes(60).toString("base64") })
        }
        const client = new S3Client({ region: "eu-north-1", credentials })
        const sdk = await client.config.signer()
        for (let i = 0; i < 60; i++) {
          const now = time + randomInt(2 ** 40)
          const key = pick()
          const query: Record<string, string> = {}
          for (let n = randomInt(4); n > 0; n--) query[`q${pick()}`] = pick()
          const headers: Record<string, string> = {
            host: "127.0.0.1:9000",
            "x-amz-meta-a": `${" ".repeat(randomInt(3))}two  spaces`,
            "content-type": "text/plain; charset=utf-8"
          }
          const path = `/bucket/${encodeKey(key)}`
          const expected = await sdk.sign(
            {
              method: "PUT",
              protocol: "http:",
              hostname: "127.0.0.1",
              port: 9000,
              path,
              query,
              headers: { ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
              fragment: undefined,
              username: undefined,
              password: undefined
            } as unknown as Parameters<typeof sdk.sign>[0],
            { signingDate: new Date(now) }
          )
          const text = Object.entries(query).map(([name, value]) => `${encodeQuery(name)}=${encodeQuery(value)}`).join(
            "&"
          )
          const signed = signer.sign(
            { method: "PUT", path: text === "" ? path : `${path}?${text}`, headers },
            {
              accessKeyId: credentials.accessKeyId,
              secretAccessKey: Redacted.make(credentials.secretAccessKey),
              sessionToken: credentials.sessionToken === undefined ? undefined : Redacted.make(credentials.sessionToken)
            },
            "eu-north-1",
            now
          )
          assert.strictEqual(
            signed["authorization"],
            (expected.headers as Record<string, string>)["authorization"],
            JSON.stringify([key, query])
          )
        }
      }
    }
  )

  it("keeps keys of other days, secrets and regions apart", () => {
    const signer = makeSigner("s3")
    const request = { method: "GET", path: "/a", headers: { host } }
    const other = { ...documented, secretAccessKey: Redacted.make("another") }
    const day = 86_400_000
    const calls: ReadonlyArray<readonly [SigningCredentials, string, number]> = [
      [documented, "us-east-1", time],
      [other, "us-east-1", time],
      [documented, "eu-west-1", time],
      [documented, "us-east-1", time + day],
      [documented, "us-east-1", time]
    ]
    const shared = calls.map((call) => signatureOf(signer.sign(request, ...call)))
    assert.deepStrictEqual(shared, calls.map((call) => signatureOf(makeSigner("s3").sign(request, ...call))))
    assert.strictEqual(new Set(shared).size, 4)
    assert.strictEqual(shared[0], shared[4])
  })

  it("holds no secret that prints", () => {
    const signed = makeSigner("s3").sign(
      { method: "GET", path: "/a", headers: { host } },
      documented,
      "us-east-1",
      time
    )
    assert.notInclude(JSON.stringify([signed, documented]), "wJalrXUtnFEMI")
  })
})
