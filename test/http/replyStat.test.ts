import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import {
  attributeHeaders,
  attributesOf,
  lastModifiedOf,
  metadataOf,
  parseSize,
  requestIdOf,
  sizeOf,
  timeOf
} from "../../src/http/replyStat.ts"
import { asked } from "./ReplyTest.ts"

describe("replyStat", () => {
  it.effect("reads attributes, and writes the same headers", () =>
    Effect.sync(() => {
      const headers = {
        "content-type": "text/plain",
        "content-encoding": "gzip",
        "content-language": "de",
        "content-disposition": "attachment",
        "cache-control": "no-cache"
      }
      const attributes = attributesOf({ ...headers, etag: "x" })
      assert.deepStrictEqual(attributes, {
        contentType: "text/plain",
        contentEncoding: "gzip",
        contentLanguage: "de",
        contentDisposition: "attachment",
        cacheControl: "no-cache"
      })
      assert.deepStrictEqual(attributeHeaders(attributes), headers)
      assert.deepStrictEqual(attributeHeaders({ contentType: "a/b" }, "x-ms-blob-"), {
        "x-ms-blob-content-type": "a/b"
      })
      assert.deepStrictEqual(attributesOf({ "content-encoding": "" }), {})
    }))

  it.effect("reads metadata without the prefix, whatever its names", () =>
    Effect.sync(() => {
      const headers: Record<string, string> = Object.create(null)
      Object.assign(headers, { "x-amz-meta-": "", "x-amz-meta-a": "1", "x-amz-metabolism": "2", etag: "x" })
      headers["x-amz-meta-__proto__"] = "3"
      const metadata = metadataOf(headers, "x-amz-meta-")
      assert.deepStrictEqual(Object.entries(metadata), [["a", "1"], ["__proto__", "3"]])
    }))

  it.effect("reads times, and takes no time from nonsense", () =>
    Effect.sync(() => {
      const told = lastModifiedOf({ "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT" })
      assert.strictEqual(told === undefined ? "" : DateTime.formatIso(told), "1994-11-06T08:49:37.000Z")
      assert.strictEqual(timeOf("2026-01-02T03:04:05.678Z")?.epochMilliseconds, Date.UTC(2026, 0, 2, 3, 4, 5, 678))
      assert.strictEqual(lastModifiedOf({ "last-modified": "yesterday" }), undefined)
      assert.strictEqual(lastModifiedOf({}), undefined)
    }))

  it.effect("counts only what can be counted", () =>
    Effect.gen(function*() {
      assert.strictEqual(parseSize("9007199254740991"), Number.MAX_SAFE_INTEGER)
      for (const text of [undefined, "", "-1", "1.5", "1e3", " 1", "9007199254740992", "0x10", "99999999999999999"]) {
        assert.strictEqual(parseSize(text), undefined, text)
      }
      assert.strictEqual(yield* sizeOf(asked, { status: 200, headers: { "content-length": "12" } }), 12)
      const error = yield* Effect.flip(sizeOf(asked, { status: 200, headers: { "x-amz-request-id": "r" } }))
      assert.deepStrictEqual([error.reason._tag, error.status, error.requestId], ["ProtocolViolation", 200, "r"])
    }))

  it.effect("names the request as the service does", () =>
    Effect.sync(() => {
      assert.strictEqual(requestIdOf({ "x-ms-request-id": "azure" }), "azure")
      assert.strictEqual(requestIdOf({ "x-guploader-uploadid": "gcs" }), "gcs")
      assert.strictEqual(requestIdOf({ "x-amz-request-id": "" }), undefined)
    }))
})
