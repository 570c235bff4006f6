/**
 * Ranges, statuses and bodies of reads.
 */
import { WireFault } from "effect-objectstore/testing"
import { anyBody, header, type Lie, range, refused, small } from "./Lie.ts"

export const readLies: Readonly<Record<string, Lie>> = {
  "a range that begins one byte too early": {
    to: "read",
    fault: range("bytes 99-298/600"),
    ask: "getRange",
    errors: refused
  },
  "a range that begins one byte too late": {
    to: "read",
    fault: range("bytes 101-300/600"),
    ask: "getRange",
    errors: refused
  },
  "a range that ends one byte too early": {
    to: "read",
    fault: range("bytes 100-298/600"),
    ask: "getRange",
    errors: refused
  },
  "a range that ends one byte too late": {
    to: "read",
    fault: range("bytes 100-300/600"),
    ask: "getRange",
    errors: refused
  },
  "a range of an object of another size": {
    to: "read",
    fault: range("bytes 0-255/601"),
    ask: "get in parts",
    errors: anyBody
  },
  "a range of an object of a smaller size": {
    to: "read",
    fault: range("bytes 0-255/599"),
    ask: "get in parts",
    errors: anyBody
  },
  "a range without a size": { to: "read", fault: range("bytes 100-299/*"), ask: "getRange", errors: refused },
  "no range": { to: "read", fault: range(undefined), ask: "getRange", errors: refused },
  "a range that is none": { to: "read", fault: range("bytes all"), ask: "getRange", errors: refused },
  "a range in other units": { to: "read", fault: range("lines 100-299/600"), ask: "getRange", errors: refused },
  "a size past 2^53": {
    to: "read",
    fault: range("bytes 100-299/9007199254740993"),
    ask: "getRange",
    errors: [...refused, "LimitExceeded"]
  },
  "a size past 2^53 of a whole object": {
    to: ["head", "read"],
    fault: range("bytes 0-599/9007199254740993"),
    ask: "get",
    errors: [...refused, "LimitExceeded"]
  },
  "the end of another object": {
    to: "read",
    fault: range("bytes 549-598/599"),
    ask: "getRange of the end",
    errors: [...anyBody, "truth"]
  },
  "the whole under the status of a part": {
    to: "read",
    fault: WireFault.change({
      headers: { "content-range": undefined, "content-length": "600" },
      body: Buffer.from(small)
    }),
    ask: "getRange",
    errors: refused
  },
  "a part under the status of the whole": {
    to: "read",
    fault: WireFault.change({ status: 200 }),
    ask: "getRange",
    errors: [...refused, "IntegrityFailed"]
  },
  "a status that is no object, 204": {
    to: "read",
    fault: WireFault.change({ status: 204 }),
    ask: "get",
    errors: refused
  },
  "a status that is no object, 203": {
    to: "read",
    fault: WireFault.change({ status: 203 }),
    ask: "get",
    errors: refused
  },
  "a status that is no object, 299": {
    to: "read",
    fault: WireFault.change({ status: 299 }),
    ask: "get",
    errors: refused
  },
  "a redirect": {
    to: "read",
    fault: WireFault.redirect("http://127.0.0.1:1/a"),
    ask: "get",
    errors: ["ProtocolViolation", "Configuration"]
  },
  "no etag": {
    to: ["read", "head"],
    fault: header({ "etag": undefined, "x-goog-generation": undefined }),
    ask: "get",
    errors: refused
  },
  "a body that is cut": { to: "read", fault: WireFault.cutBody(), ask: "getRange", errors: anyBody },
  "a body that is cut and says so": {
    to: "read",
    fault: WireFault.change({ body: "short" }),
    ask: "getRange",
    errors: anyBody
  },
  "the end of an object, told as a part of it and sent as nothing": {
    to: "read",
    fault: WireFault.change({ headers: { "content-length": "0" }, body: "" }),
    ask: "getRange of the end",
    errors: anyBody
  },
  "surplus bytes": { to: "read", fault: WireFault.surplus(5), ask: "getRange", errors: anyBody },
  "surplus bytes in chunks": {
    to: "read",
    fault: WireFault.raw(
      `HTTP/1.1 206 Partial Content\r\netag: "e"\r\nx-goog-generation: 5\r\ncontent-range: bytes 100-299/600\r\ntransfer-encoding: chunked\r\n\r\nc8\r\n${
        "x".repeat(200)
      }\r\n5\r\nextra\r\n0\r\n\r\n`
    ),
    ask: "getRange",
    errors: anyBody
  }
}
