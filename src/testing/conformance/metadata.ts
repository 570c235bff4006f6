/**
 * Cases of attributes and user metadata.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Attributes } from "../../ObjectInfo.ts"
import { bytes, chunked, leavesNothing, reads, refuses, same, utf8 } from "./assertions.ts"
import { type Case, flag, subject, test } from "./Case.ts"

const all: Attributes = {
  contentType: "text/plain; charset=utf-8",
  contentEncoding: "x-test",
  contentLanguage: "de, en",
  contentDisposition: "attachment; filename=\"a b.txt\"",
  cacheControl: "max-age=60, private"
}

const attributes = subject("attributes", [
  test("are kept, whichever way the object is written", function*(t) {
    const body = bytes(2 * t.partSize + 1)
    const options = { attributes: all, partSize: t.partSize }
    yield* t.store.put(t.key("put"), "x", options)
    yield* t.store.put(t.key("empty"), "", options)
    yield* t.store.put(t.key("stream"), chunked(body, 1000), options)
    yield* t.store.putMultipart(t.key("parts"), body, options)
    yield* Stream.run(chunked(body, 1000), t.store.sink(t.key("sink"), options))
    const writer = yield* t.store.writer(t.key("writer"), options)
    yield* writer.finish
    for (const name of ["put", "empty", "stream", "parts", "sink", "writer"]) {
      const info = yield* t.store.stat(t.key(name))
      for (const [attribute, value] of Object.entries(all)) {
        same(info.attributes[attribute as keyof Attributes], value, `${name}: ${attribute}`)
      }
    }
  }, {
    needs: [flag("attributes")],
    *without(t) {
      yield* refuses("Unsupported", t.store.put(t.key("x"), "x", { attributes: { contentType: "text/plain" } }))
      yield* leavesNothing(t, t.key("x"))
    }
  }),
  test("do not change the bytes: nothing is decoded", function*(t) {
    const body = bytes(3000)
    yield* t.store.put(t.key("gzip"), body, { attributes: { contentEncoding: "gzip", contentType: "text/plain" } })
    yield* reads(t, t.key("gzip"), body)
  }, { needs: [flag("attributes")] }),
  test("of the object before are not inherited by an overwrite", function*(t) {
    yield* t.store.put(t.key("x"), "x", { attributes: all })
    yield* t.store.put(t.key("x"), "y", { attributes: { contentLanguage: "fr" } })
    const info = yield* t.store.stat(t.key("x"))
    same([info.attributes.contentLanguage, info.attributes.cacheControl, info.attributes.contentEncoding], [
      "fr",
      undefined,
      undefined
    ])
  }, { needs: [flag("attributes")] }),
  test("a value with a line break or NUL is InvalidRequest", function*(t) {
    for (const value of ["a\r\nx-evil: 1", "a\nb", "a\0b"]) {
      const put = t.store.put(t.key("x"), "x", { attributes: { contentType: value } })
      yield* refuses("InvalidRequest", put, JSON.stringify(value))
    }
    yield* leavesNothing(t, t.key("x"))
  }, { needs: [flag("attributes")] })
])

const metadata_ = subject("metadata keys are lower case; duplicates by case are refused", [
  test("metadata is kept, its names made lower case", function*(t) {
    const metadata = { Owner: "Someone", x_y_1: "v", UPPER: "Mixed Case Value" }
    yield* t.store.put(t.key("x"), "x", { metadata })
    same({ ...(yield* t.store.stat(t.key("x"))).metadata }, {
      owner: "Someone",
      x_y_1: "v",
      upper: "Mixed Case Value"
    })
  }, {
    needs: [flag("metadata")],
    *without(t) {
      yield* refuses("Unsupported", t.store.put(t.key("x"), "x", { metadata: { a: "b" } }))
      yield* leavesNothing(t, t.key("x"))
    }
  }),
  test("two names that differ by case only are InvalidRequest", function*(t) {
    yield* refuses("InvalidRequest", t.store.put(t.key("x"), "x", { metadata: { Owner: "a", owner: "b" } }))
    yield* refuses("InvalidRequest", t.store.putMultipart(t.key("x"), "x", { metadata: { a: "1", A: "2" } }))
    yield* leavesNothing(t, t.key("x"))
  }, { needs: [flag("metadata")] }),
  test("a name of other characters is InvalidRequest", function*(t) {
    for (const name of ["", "a b", "a:b", "é", "a/b", "a\nb", "a\0"]) {
      yield* refuses(
        "InvalidRequest",
        t.store.put(t.key("x"), "x", { metadata: { [name]: "v" } }),
        JSON.stringify(name)
      )
    }
    yield* leavesNothing(t, t.key("x"))
  }, { needs: [flag("metadata")] }),
  test("an empty value is kept, or is InvalidRequest", function*(t) {
    const put = yield* Effect.result(t.store.put(t.key("x"), "x", { metadata: { empty: "" } }))
    if (Result.isSuccess(put)) {
      same({ ...(yield* t.store.stat(t.key("x"))).metadata }, { empty: "" })
    } else {
      same(put.failure.reason._tag, "InvalidRequest", "reason")
      yield* leavesNothing(t, t.key("x"))
    }
  }, { needs: [flag("metadata")] }),
  test("a name with hyphen and dot is kept where names are tokens, else it is InvalidRequest", function*(t) {
    const put = t.store.put(t.key("x"), "x", { metadata: { "x-y_z.1": "v" } })
    if (t.capabilities.metadataNames === "identifier") {
      yield* refuses("InvalidRequest", put)
      return yield* leavesNothing(t, t.key("x"))
    }
    yield* put
    same({ ...(yield* t.store.stat(t.key("x"))).metadata }, { "x-y_z.1": "v" })
  }, { needs: [flag("metadata")] }),
  test("inherits nothing, wherever it is told", function*(t) {
    yield* t.store.put(t.key("some"), "x", { metadata: { a: "1" } })
    yield* t.store.put(t.key("none"), "x")
    const listed = yield* Stream.runCollect(t.store.list(t.key("")))
    const read = yield* t.store.getInto(t.key("some"), new Uint8Array(1))
    const infos = [yield* t.store.stat(t.key("some")), yield* t.store.stat(t.key("none")), read.info, ...listed]
    for (const info of infos) same(Object.getPrototypeOf(info.metadata), null, "what metadata inherits from")
  }, { needs: [flag("metadata")] }),
  test("names of Object's own are names like any other", function*(t) {
    const metadata = { constructor: "c", tostring: "t", hasownproperty: "h" }
    yield* t.store.put(t.key("x"), "x", { metadata })
    same({ ...(yield* t.store.stat(t.key("x"))).metadata }, metadata)
    const proto = JSON.parse("{\"__proto__\":\"p\"}")
    const put = yield* Effect.result(t.store.put(t.key("y"), "y", { metadata: proto }))
    if (Result.isSuccess(put)) {
      same(Object.entries((yield* t.store.stat(t.key("y"))).metadata), [["__proto__", "p"]])
    } else {
      same(put.failure.reason._tag, "InvalidRequest", "reason")
    }
    same(Object.keys(Object.prototype), [], "what all objects inherit")
  }, { needs: [flag("metadata")] }),
  test("a value of any characters is kept exactly, or is InvalidRequest", function*(t) {
    const values = [
      "grüße",
      "\u{1f600}",
      "=?UTF-8?B?eA==?=",
      "%41",
      " spaces ",
      "\"quoted\"",
      "a,b;c",
      "\ttab",
      "a\r\nb: c",
      "\ud800",
      "v".repeat(1000)
    ]
    for (const [i, value] of values.entries()) {
      const key = t.key(`v-${i}`)
      const put = yield* Effect.result(t.store.put(key, "x", { metadata: { v: value } }))
      if (Result.isSuccess(put)) {
        same((yield* t.store.stat(key)).metadata.v, value, JSON.stringify(value))
      } else {
        same(put.failure.reason._tag, "InvalidRequest", JSON.stringify(value))
        same(yield* t.store.exists(key), false, "exists")
      }
    }
  }, { needs: [flag("metadata")] }),
  test("of the object before is not inherited by an overwrite", function*(t) {
    yield* t.store.put(t.key("x"), "x", { metadata: { a: "1", b: "2" } })
    yield* t.store.put(t.key("x"), "y", { metadata: { b: "3" } })
    same({ ...(yield* t.store.stat(t.key("x"))).metadata }, { b: "3" })
    yield* t.store.put(t.key("x"), "z")
    same({ ...(yield* t.store.stat(t.key("x"))).metadata }, {})
    yield* reads(t, t.key("x"), utf8("z"))
  }, { needs: [flag("metadata")] }),
  test("goes with an object written in parts, and with its removal", function*(t) {
    const body = bytes(2 * t.partSize + 1)
    yield* t.store.putMultipart(t.key("x"), body, { partSize: t.partSize, metadata: { a: "1" } })
    same({ ...(yield* t.store.stat(t.key("x"))).metadata }, { a: "1" })
    yield* t.store.delete(t.key("x"))
    yield* t.store.put(t.key("x"), "x")
    same({ ...(yield* t.store.stat(t.key("x"))).metadata }, {})
  }, { needs: [flag("metadata")] })
])

const labels = subject("tags and storage class", [
  test("tags are taken, in one request and in parts", function*(t) {
    const tags = { team: "a/b", empty: "", "a space+sign": "x = y" }
    const body = bytes(2 * t.partSize + 1)
    yield* t.store.put(t.key("x"), "x", { tags })
    yield* t.store.putMultipart(t.key("parts"), body, { partSize: t.partSize, tags })
    yield* reads(t, t.key("parts"), body)
  }, {
    needs: [flag("tags")],
    *without(t) {
      yield* refuses("Unsupported", t.store.put(t.key("x"), "x", { tags: { a: "b" } }))
      yield* leavesNothing(t, t.key("x"))
    }
  }),
  test("tags beyond the limits are InvalidRequest", function*(t) {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`t${i}`, "x"]))
    for (const tags of [many, { "": "x" }, { ["n".repeat(129)]: "x" }, { a: "v".repeat(257) }, { a: "\ud800" }]) {
      yield* refuses("InvalidRequest", t.store.put(t.key("x"), "x", { tags }), JSON.stringify(tags).slice(0, 40))
    }
    yield* leavesNothing(t, t.key("x"))
  }, { needs: [flag("tags")] }),
  test("a storage class that is no name is InvalidRequest", function*(t) {
    for (const storageClass of ["", "a b", "a\r\nb: c"]) {
      yield* refuses("InvalidRequest", t.store.put(t.key("x"), "x", { storageClass }), JSON.stringify(storageClass))
    }
    yield* leavesNothing(t, t.key("x"))
  }, {
    needs: [flag("storageClass")],
    *without(t) {
      yield* refuses("Unsupported", t.store.put(t.key("x"), "x", { storageClass: "STANDARD" }))
      yield* leavesNothing(t, t.key("x"))
    }
  })
])

/**
 * Cases of attributes, metadata, tags and storage class.
 *
 * @category testing
 * @since 0.1.0
 */
export const metadata: ReadonlyArray<Case> = [...attributes, ...metadata_, ...labels]
