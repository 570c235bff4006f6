/**
 * Cases of bad input: a typed error of one line, before anything is touched.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ByteRange, WriteOptions } from "../../ObjectStoreOptions.ts"
import { chunked, failsWith, holds, keysOf, leavesNothing, reads, refuses, same, utf8 } from "./assertions.ts"
import { type Case, subject, test } from "./Case.ts"

const notCounts = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53]

const badRanges: ReadonlyArray<ByteRange> = notCounts.flatMap((n) => [
  { offset: n },
  { offset: n, length: 1 },
  { offset: 0, length: n },
  { suffix: n }
])

/**
 * Cases of bad input.
 *
 * @category testing
 * @since 0.1.0
 */
export const badInput: ReadonlyArray<Case> = subject("bad input is refused before anything is touched", [
  test("ranges that are not made of non-negative integers are InvalidRequest", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    for (const key of [t.key("x"), t.key("missing")]) {
      for (const range of badRanges) {
        const what = JSON.stringify(range, (_, value) => typeof value === "number" ? String(value) : value)
        yield* failsWith("InvalidRequest", t.store.getRange(key, range), what)
        yield* failsWith("InvalidRequest", t.store.getRanges(key, [{ offset: 0, length: 1 }, range]), what)
        yield* failsWith("InvalidRequest", t.store.getInto(key, new Uint8Array(9), { range }), what)
        yield* failsWith("InvalidRequest", Stream.runDrain(t.store.stream(key, { range })), what)
      }
    }
    const reader = yield* t.store.open(t.key("x"))
    for (const range of badRanges) {
      yield* failsWith("InvalidRequest", reader.read(range))
      yield* failsWith("InvalidRequest", reader.readInto(new Uint8Array(9), range))
      yield* failsWith("InvalidRequest", Stream.runDrain(reader.stream(range)))
    }
  }),
  test("part sizes and concurrencies that are no positive integers are InvalidRequest", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    for (const n of [0, ...notCounts]) {
      for (const option of ["partSize", "concurrency"] as const) {
        const options = { [option]: n }
        const what = `${option} ${n}`
        yield* failsWith("InvalidRequest", t.store.get(t.key("x"), options), what)
        yield* failsWith("InvalidRequest", t.store.getRange(t.key("x"), { suffix: 1 }, options), what)
        yield* failsWith("InvalidRequest", t.store.getRanges(t.key("x"), [{ suffix: 1 }], options), what)
        yield* failsWith("InvalidRequest", t.store.getInto(t.key("x"), new Uint8Array(9), options), what)
        yield* failsWith("InvalidRequest", Stream.runDrain(t.store.stream(t.key("x"), options)), what)
        yield* refuses("InvalidRequest", t.store.put(t.key("new"), "y", options), what)
        yield* refuses("InvalidRequest", t.store.put(t.key("new"), chunked(utf8("y"), 1), options), what)
        yield* refuses("InvalidRequest", t.store.putMultipart(t.key("new"), "y", options), what)
        yield* refuses("InvalidRequest", Effect.scoped(t.store.writer(t.key("new"), options)), what)
        yield* refuses("InvalidRequest", Stream.run(Stream.make(utf8("y")), t.store.sink(t.key("new"), options)), what)
      }
      yield* failsWith(
        "InvalidRequest",
        Stream.runDrain(t.store.deleteMany([t.key("x")], { concurrency: n })),
        `concurrency ${n}`
      )
      yield* refuses("InvalidRequest", t.store.deletePrefix(t.prefix, { concurrency: n }), `concurrency ${n}`)
    }
    yield* leavesNothing(t, t.key("new"))
    yield* reads(t, t.key("x"), utf8("x"))
  }),
  test("a size that is no non-negative integer is InvalidRequest", function*(t) {
    for (const size of notCounts) {
      yield* refuses("InvalidRequest", t.store.put(t.key("new"), Stream.empty, { size }), `${size}`)
      yield* refuses("InvalidRequest", t.store.putMultipart(t.key("new"), Stream.empty, { size }), `${size}`)
    }
    yield* leavesNothing(t, t.key("new"))
  }),
  test("a distance for reading together that is no non-negative integer is InvalidRequest", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    for (const coalesce of notCounts) {
      yield* failsWith("InvalidRequest", t.store.getRanges(t.key("x"), [{ suffix: 1 }], { coalesce }), `${coalesce}`)
    }
  }),
  test("an empty etag, or one with line breaks, is InvalidRequest where conditions are known", function*(t) {
    const { capabilities: c, store } = t
    yield* store.put(t.key("x"), "x")
    for (const etag of ["", "a\r\nb: c"]) {
      if (c.conditionalRead) yield* failsWith("InvalidRequest", store.get(t.key("x"), { ifMatch: etag }))
      if (c.conditionalRead) yield* failsWith("InvalidRequest", store.stat(t.key("x"), { ifNoneMatch: etag }))
      if (c.conditionalUpdate) yield* refuses("InvalidRequest", store.put(t.key("x"), "y", { mode: { update: etag } }))
      if (c.conditionalDelete) yield* refuses("InvalidRequest", store.delete(t.key("x"), { ifMatch: etag }))
      if (c.conditionalCopySource) {
        yield* refuses("InvalidRequest", store.copy(t.key("x"), t.key("y"), { ifMatch: etag }))
      }
    }
    yield* reads(t, t.key("x"), utf8("x"))
  }),
  test("options of a wrong shape are InvalidRequest", function*(t) {
    const wrong: ReadonlyArray<unknown> = [
      { mode: "replace" },
      { mode: { update: 7 } },
      { attributes: { contentType: 7 } },
      { attributes: { color: "red" } },
      { onProgress: "often" }
    ]
    for (const options of wrong) {
      const put = t.store.put(t.key("new"), "x", options as WriteOptions)
      yield* refuses(["InvalidRequest", "Unsupported"], put, JSON.stringify(options))
    }
    // Text can be walked through, letter by letter.
    for (const keys of [t.key("new"), 7, null, undefined, { key: t.key("new") }]) {
      yield* refuses("InvalidRequest", Stream.runDrain(t.store.deleteMany(keys as Iterable<string>)), typeof keys)
    }
    yield* leavesNothing(t, t.key("new"))
  }),
  test("a key of terminal escapes is shown without them", function*(t) {
    const key = t.key("\u001b[31mred\u001b[0m\n")
    // Some services know that there is no key with a line break.
    const error = yield* failsWith(["NotFound", "InvalidKey"], t.store.get(key))
    holds(!error.message.includes("\u001b"), "the message holds an escape")
    same(yield* keysOf(t.store.list(t.prefix)), [])
  })
])
