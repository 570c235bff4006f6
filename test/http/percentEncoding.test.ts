import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { encodeKey, encodeParameters, encodeQuery } from "../../src/http/percentEncoding.ts"

describe("percentEncoding", () => {
  it.effect("keeps exactly the unreserved characters of RFC 3986", () =>
    Effect.sync(() => {
      const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
      for (let code = 0; code < 128; code++) {
        const c = String.fromCharCode(code)
        const hex = `%${code.toString(16).toUpperCase().padStart(2, "0")}`
        assert.strictEqual(encodeQuery(c), unreserved.includes(c) ? c : hex)
        assert.strictEqual(encodeKey(c), unreserved.includes(c) || c === "/" ? c : hex)
      }
    }))

  it.effect("keeps a key's slashes and dots, and encodes what looks encoded once more", () =>
    Effect.sync(() => {
      assert.strictEqual(encodeKey("/a//../b/./c/"), "/a//../b/./c/")
      assert.strictEqual(encodeKey("a%2Fb"), "a%252Fb")
      assert.strictEqual(encodeKey("a b+c/ä/漢/😀"), "a%20b%2Bc/%C3%A4/%E6%BC%A2/%F0%9F%98%80")
      assert.strictEqual(encodeKey("!*'()"), "%21%2A%27%28%29")
      assert.strictEqual(encodeQuery("a/b c"), "a%2Fb%20c")
    }))

  it.effect("is undone by decodeURIComponent", () =>
    Effect.sync(() => {
      for (const key of ["a/b", "%", "%2F", "ä/ö\u0000\n", "😀?#&=+", "'\"<>`{}|\\^[]"]) {
        assert.strictEqual(decodeURIComponent(encodeKey(key)), key)
        assert.strictEqual(decodeURIComponent(encodeQuery(key)), key)
      }
    }))

  it.effect("prints a query in the order given, without what is undefined", () =>
    Effect.sync(() => {
      assert.strictEqual(encodeParameters({ b: "x y", a: 1, none: undefined, "c&": "" }), "b=x%20y&a=1&c%26=")
      assert.strictEqual(encodeParameters({ none: undefined }), "")
    }))
})
