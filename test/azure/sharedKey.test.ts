import { type BlobServiceClient, newPipeline, StorageSharedKeyCredential } from "@azure/storage-blob"
import * as AzureBlob from "@azure/storage-blob"
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { compareHeaders, makeSharedKey, sharedKeyAuthorization } from "../../src/http/SharedKey.ts"

const account = "devstoreaccount1"
const secret = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

interface Captured {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly length: number
}

/** The vendor's own client, of which every request ends here, signed. */
const capture = (): { readonly service: BlobServiceClient; readonly requests: Array<Captured> } => {
  const requests: Array<Captured> = []
  const credential = new StorageSharedKeyCredential(account, secret)
  const pipeline = newPipeline(credential, {
    retryOptions: { maxTries: 1 },
    httpClient: {
      sendRequest: (request) => {
        const headers = Object.fromEntries(
          request.headers.headersArray().map(({ name, value }) => [name.toLowerCase(), value])
        )
        requests.push({
          method: request.method,
          url: request.url,
          headers,
          length: Number(headers["content-length"] ?? 0)
        })
        return Promise.reject(new Error("captured"))
      }
    }
  })
  return { service: new AzureBlob.BlobServiceClient(`https://${account}.blob.core.windows.net`, pipeline), requests }
}

/** Numbers that are the same in every run. */
const makeRandom = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
}

const keyParts = [
  "a",
  "B",
  "é",
  "\u{1f600}",
  " ",
  "%",
  "%2F",
  "+",
  "?",
  "#",
  "&",
  "=",
  "'",
  "(",
  "*",
  "~",
  "-",
  "_",
  "//",
  ":",
  ";"
]

describe("Shared Key", () => {
  const sharedKey = makeSharedKey(account, Redacted.make(secret))!

  it("signs random requests as the vendor's own client does", async () => {
    const random = makeRandom(20261126)
    const word = (parts: ReadonlyArray<string>, most: number): string =>
      Array.from({ length: 1 + random(most) }, () => parts[random(parts.length)]).join("")
    const { requests, service } = capture()
    const ignore = () => undefined
    for (let i = 0; i < 200; i++) {
      const key = `k${word(keyParts, 8)}`
      const blob = service.getContainerClient("container-1").getBlockBlobClient(key)
      const metadata = Object.fromEntries(
        Array.from({ length: random(6) }, () => [`m${word(["a", "b", "_", "1", "z"], 6)}`, word(["v", " ", "w"], 3)])
      )
      const etag = `"0x8D${random(10 ** 9)}"`
      const time = new Date(random(2 ** 31) * 1000)
      const body = Buffer.alloc(random(300), 7)
      await [
        () => blob.upload(body, body.length, { metadata, conditions: { ifMatch: etag }, tier: "Cool" }),
        () => blob.getProperties({ conditions: { ifNoneMatch: etag, ifModifiedSince: time } }),
        () => blob.download(random(100), 10 + random(100), { conditions: { ifUnmodifiedSince: time } }),
        () => blob.stageBlock(Buffer.from(word(["x", "y"], 9)).toString("base64"), body, body.length),
        () => blob.commitBlockList(["AAAA", "AAAB"], { metadata, blobHTTPHeaders: { blobContentType: "text/plain" } }),
        () => blob.syncCopyFromURL(`https://other.blob.core.windows.net/c/${encodeURIComponent(key)}`, { metadata }),
        () => blob.delete({ deleteSnapshots: "include" }),
        () => blob.setTags({ a: word(["1", "2"], 3) }),
        () => service.getContainerClient("container-1").listBlobsFlat({ prefix: key }).byPage().next(),
        () => service.createContainer("container-1", { metadata })
      ][random(10)]!().catch(ignore)
    }
    assert.isAbove(requests.length, 190)
    for (const { headers, length, method, url } of requests) {
      const { origin } = new URL(url)
      const { authorization, ...rest } = headers
      assert.match(authorization ?? "", /^SharedKey devstoreaccount1:/)
      assert.strictEqual(
        sharedKeyAuthorization(sharedKey, { method, path: url.slice(origin.length), headers: rest, length }),
        authorization,
        `${method} ${url}`
      )
    }
  })

  it("orders headers as the service does: a hyphen counts last, and _ comes before digits", () => {
    const sorted = ["x-ms-meta-a", "x-ms-meta-a_b", "x-ms-meta-a1", "x-ms-meta-ab", "x-ms-metaab", "x-ms-meta-b"]
    assert.deepStrictEqual(sorted.toReversed().sort(compareHeaders), [
      "x-ms-meta-a",
      "x-ms-meta-a_b",
      "x-ms-meta-a1",
      "x-ms-metaab",
      "x-ms-meta-ab",
      "x-ms-meta-b"
    ])
  })

  it("signs an empty header, and the query sorted and decoded", () => {
    const request = {
      method: "GET",
      path: "/c?restype=container&comp=list&prefix=a%20b%2B&marker=",
      headers: { "x-ms-version": "2024-11-04", "x-ms-date": "Thu, 26 Nov 2026 09:00:00 GMT", "x-ms-meta-e": "" },
      length: 0
    }
    const other = { ...request, path: "/c?comp=list&marker=&prefix=a%20b%2B&restype=container" }
    assert.strictEqual(sharedKeyAuthorization(sharedKey, request), sharedKeyAuthorization(sharedKey, other))
    const { "x-ms-meta-e": _, ...without } = request.headers
    assert.notStrictEqual(
      sharedKeyAuthorization(sharedKey, { ...request, headers: without }),
      sharedKeyAuthorization(sharedKey, request)
    )
  })

  it("takes no key that is no base64", () => {
    for (const key of ["", "abc", "ab-_", "a b=", "====", "abcd=", secret.slice(0, -1)]) {
      assert.isUndefined(makeSharedKey(account, Redacted.make(key)), key)
    }
  })
})
