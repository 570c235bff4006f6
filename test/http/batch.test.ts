import { assert, describe, it } from "@effect/vitest"
import { boundaryOf, parseBatch, printBatch } from "../../src/http/batch.ts"

describe("batches", () => {
  it("are printed as the public reference shows them", () => {
    const request = {
      method: "DELETE",
      path: "/c/a%20b",
      headers: { "x-ms-date": "now", authorization: "SharedKey a:b", "Content-Length": "0" }
    }
    assert.strictEqual(
      printBatch("batch_1", [request, { method: "DELETE", path: "/c/d", headers: { "Content-Length": "0" } }]),
      [
        "--batch_1",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "Content-ID: 0",
        "",
        "DELETE /c/a%20b HTTP/1.1",
        "x-ms-date: now",
        "authorization: SharedKey a:b",
        "Content-Length: 0",
        "",
        "",
        "--batch_1",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "Content-ID: 1",
        "",
        "DELETE /c/d HTTP/1.1",
        "Content-Length: 0",
        "",
        "",
        "--batch_1--",
        ""
      ].join("\r\n")
    )
  })

  it("are read as the service and Azurite write them", () => {
    // learn.microsoft.com/rest/api/storageservices/blob-batch, "Sample response"
    const service = [
      "--batchresponse_66925647",
      "Content-Type: application/http",
      "Content-ID: 0",
      "",
      "HTTP/1.1 202 Accepted",
      "x-ms-delete-type-permanent: true",
      "x-ms-request-id: 778fdc83-801e-0000-62ff-0334671e284f",
      "x-ms-version: 2018-11-09",
      "",
      "--batchresponse_66925647",
      "Content-Type: application/http",
      "Content-ID: 2",
      "",
      "HTTP/1.1 404 The specified blob does not exist.",
      "x-ms-error-code: BlobNotFound",
      "Content-Length: 216",
      "Content-Type: application/xml",
      "",
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
      "<Error><Code>BlobNotFound</Code></Error>",
      "--batchresponse_66925647--",
      "0"
    ].join("\r\n")
    const replies = parseBatch("batchresponse_66925647", service) ?? []
    assert.deepStrictEqual(replies.map(({ index, reply }) => [index, reply.status]), [[0, 202], [2, 404]])
    assert.strictEqual(replies[1]?.reply.headers["x-ms-error-code"], "BlobNotFound")
    assert.match(replies[1]?.body ?? "", /^<\?xml[^]*<\/Error>$/)
  })

  it("are named and read as Google does it", () => {
    assert.include(printBatch("b", [{ method: "DELETE", path: "/a" }], (index) => `<${index}>`), "Content-ID: <0>\r\n")
    // cloud.google.com/storage/docs/batch, "Example response"
    const google = [
      "--batch_pK7JBAk73-E=_AA5eFwv4m2Q=",
      "Content-Type: application/http",
      "Content-ID: <response-b29c5de2-0db4-490b-b421-6a51b598bd22+1>",
      "",
      "HTTP/1.1 404 Not Found",
      "Content-Type: application/json; charset=UTF-8",
      "",
      "{}",
      "",
      "--batch_pK7JBAk73-E=_AA5eFwv4m2Q=",
      "Content-ID: <response-0>",
      "",
      "HTTP/1.1 204 No Content",
      "",
      "",
      "--batch_pK7JBAk73-E=_AA5eFwv4m2Q=--"
    ]
    for (const end of ["\r\n", "\n"]) {
      const replies = parseBatch("batch_pK7JBAk73-E=_AA5eFwv4m2Q=", google.join(end)) ?? []
      assert.deepStrictEqual(replies.map(({ body, index, reply }) => [index, reply.status, body]), [
        [1, 404, "{}"],
        [0, 204, ""]
      ])
    }
  })

  it("without their end, or with something else inside, are none", () => {
    for (
      const text of [
        "",
        "hello",
        "--b\r\nContent-ID: 0\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n",
        "--b\r\n\r\n\r\n\r\n--b--"
      ]
    ) assert.isUndefined(parseBatch("b", text), text)
  })

  it("tell their boundary", () => {
    assert.strictEqual(boundaryOf("multipart/mixed; boundary=batch_1"), "batch_1")
    assert.strictEqual(boundaryOf("Multipart/Mixed;charset=utf-8; boundary=\"a b\""), "a b")
    for (const type of [undefined, "application/xml", "multipart/mixed"]) assert.isUndefined(boundaryOf(type))
  })
})
