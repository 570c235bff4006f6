/**
 * HTTP as such, and what heads tell.
 */
import { WireFault } from "effect-objectstore/testing"
import { anyBody, body, GCS, header, type Lie, refused, xmlClouds } from "./Lie.ts"

export const headLies: Readonly<Record<string, Lie>> = {
  "two lengths": {
    to: "read",
    fault: WireFault.raw(
      "HTTP/1.1 206 OK\r\ncontent-length: 200\r\ncontent-length: 3\r\ncontent-range: bytes 100-299/600\r\n\r\nabc"
    ),
    ask: "getRange",
    errors: anyBody
  },
  "no HTTP": { to: "read", fault: WireFault.raw("I am no server of yours\r\n\r\n"), ask: "get", errors: refused },
  "nothing at all": { to: "read", fault: WireFault.raw(""), ask: "get", errors: ["ConnectionFailed"] },
  "a head of 100 KB": { to: "read", fault: header({ "x-long": "h".repeat(100_000) }), ask: "get", errors: refused },
  "ten thousand headers": {
    to: "read",
    fault: header(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, "1"]))),
    ask: "get",
    errors: refused
  },
  "a header with a line end": {
    to: "head",
    fault: header({ "etag": "\"a\"\r\nx-injected: 1", "x-goog-generation": undefined }),
    ask: "stat",
    errors: ["truth"]
  },
  "a header with a bare line feed": {
    to: "head",
    fault: header({ "x-a": "b\nc: d" }),
    ask: "stat",
    errors: [...refused, "truth"]
  },
  "a header with a NUL": { to: "head", fault: header({ "x-a": "b\0c" }), ask: "stat", errors: [...refused, "truth"] },
  "a size that is none": {
    services: xmlClouds,
    to: "head",
    fault: header({ "content-length": "-1" }),
    ask: "stat",
    errors: refused
  },
  "a size past 2^53 in a head": {
    services: xmlClouds,
    to: "head",
    fault: header({ "content-length": "9007199254740993" }),
    ask: "stat",
    errors: [...refused, "LimitExceeded"]
  },
  "a size past 2^53 in a document": {
    services: GCS,
    to: "head",
    fault: body((text) => text.replace(/"size":"\d+"/, "\"size\":\"9007199254740993\"")),
    ask: "stat",
    errors: refused
  },
  "a message of 10 MB with control characters": {
    to: ["head", "read"],
    fault: WireFault.change({
      status: 403,
      body: `<Error><Code>AccessDenied</Code><Message>${"\x1b[31m\r\n".repeat(1000)}${
        "x".repeat(10_000_000)
      }</Message></Error>`
    }, { applied: false }),
    ask: "get",
    errors: ["PermissionDenied"]
  }
}
