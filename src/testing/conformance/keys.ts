/**
 * Cases of keys: kept exactly, or refused.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { byUtf8, failsWith, keysOf, reads, refuses, same, utf8 } from "./assertions.ts"
import { type Case, type CaseContext, flag, not, subject, test } from "./Case.ts"

/** Keys that can exist side by side, also where a key and a key below it cannot. */
const special = [
  "plain",
  "with space",
  " leading space",
  "trailing space ",
  "percent%",
  "percent%25",
  "percent%2F",
  "percent%2f",
  "%00",
  "plus+plus",
  "question?a=b&c=d",
  "hash#fragment",
  "semicolon;version=1",
  "quote'\"`",
  "back\\slash",
  "angle<>",
  "braces{}[]|^~",
  "star*",
  "colon:c",
  "at@sign",
  "dollar$",
  "comma,",
  "double//slash",
  "triple///slash",
  "trailing/",
  "trailing-two//",
  "dots/../up",
  "dots/./here",
  "dots-end/..",
  "dot-end/.",
  "...",
  "..a",
  ".hidden",
  "name.",
  "CON",
  "nul.txt",
  "UPPER",
  "upper",
  "Upper",
  "tab\tkey",
  "newline\nkey",
  "return\rkey",
  "control\u0001\u001f\u007f",
  "nfc-\u00e9",
  "nfd-e\u0301",
  "nfc-nfd-\u00e9",
  "nfc-nfd-e\u0301",
  "\u{1f600}/\u{1f1e9}\u{1f1ea}",
  "\u4e2d\u6587/\ud55c\uae00",
  "\u202ertl",
  "\ufeffbom",
  "\u2028line",
  "-dash",
  "--option",
  "~home",
  "$(x)",
  "a=b",
  "etag\"",
  "__proto__",
  "constructor",
  ".tmp",
  "x.tmp",
  "x.part",
  "index.html",
  `${"s".repeat(200)}/${"t".repeat(200)}`
]

/** Cuts names into those that the store holds and those that it has to refuse. */
const sorted = (t: CaseContext, names: ReadonlyArray<string>) => ({
  held: names.filter((name) => !t.refusedKeys.has(name)),
  refused: names.filter((name) => t.refusedKeys.has(name))
})

/** A key of exactly `size` bytes below the prefix of a case, in segments of at most 100. */
const ofBytes = (t: CaseContext, size: number): string => {
  let key = t.prefix
  while (Buffer.byteLength(key) < size) {
    const left = size - Buffer.byteLength(key)
    key += left <= 101 ? "k".repeat(left) : `${"k".repeat(99)}/`
  }
  return key
}

const exact = subject("a key is kept exactly", [
  test("every special key is written, read, listed, copied and removed as it is", function*(t) {
    const { held, refused } = sorted(t, special)
    yield* Effect.forEach(held, (name) => t.store.put(t.key(name), name), { concurrency: 4, discard: true })
    for (const name of refused) yield* refuses("InvalidKey", t.store.put(t.key(name), name), JSON.stringify(name))
    for (const name of held) {
      yield* reads(t, t.key(name), utf8(name), JSON.stringify(name))
      same((yield* t.store.stat(t.key(name))).key, t.key(name), "key of stat")
    }
    same(byUtf8(yield* keysOf(t.store.list(t.prefix))), byUtf8(held.map(t.key)))
    for (const name of held) {
      same(
        (yield* keysOf(t.store.list(t.key(name)))).includes(t.key(name)),
        true,
        `${JSON.stringify(name)} as a prefix`
      )
    }
    const target = t.key("copy/of it")
    for (const name of t.capabilities.serverCopy ? held : []) {
      yield* t.store.copy(t.key(name), target)
      yield* reads(t, target, utf8(name), JSON.stringify(name))
    }
    yield* t.store.delete(target)
    for (const [i, name] of held.entries()) {
      yield* t.store.delete(t.key(name))
      if (i % 16 === 0) same(byUtf8(yield* keysOf(t.store.list(t.prefix))), byUtf8(held.slice(i + 1).map(t.key)))
    }
    same(yield* keysOf(t.store.list(t.prefix)), [])
  }),
  test("keys that look alike are different objects", function*(t) {
    const groups = [
      ["\u00e9", "e\u0301"],
      ["A", "a"],
      ["%2F", "%2f", "%252F"],
      ["x", "x ", " x"],
      ["a//b", "a/b", "a/./b", "a/c/../b"],
      ["..", ".", "..."]
    ]
    for (const [i, names] of groups.entries()) {
      const group = sorted(t, names).held
      for (const name of group) yield* t.store.put(t.key(`${i}/${name}`), name)
      for (const name of group) yield* reads(t, t.key(`${i}/${name}`), utf8(name), JSON.stringify(name))
      yield* t.store.delete(t.key(`${i}/${group[0]}`))
      for (const name of group.slice(1)) yield* reads(t, t.key(`${i}/${name}`), utf8(name), JSON.stringify(name))
      same(yield* t.store.exists(t.key(`${i}/${group[0]}`)), false)
    }
  }),
  test("the location of a key leads back to it", function*(t) {
    for (const name of sorted(t, special).held) {
      const { uri } = yield* t.store.put(t.key(name), name)
      yield* reads(t, uri, utf8(name), uri)
      same((yield* t.store.stat(uri)).uri, uri, "location")
    }
  }),
  test("a key that begins with a slash is kept", function*(t) {
    const key = `/${t.prefix}leading`
    if (t.refusedKeys.has("/leading")) {
      yield* failsWith("InvalidKey", t.store.get(key))
      yield* refuses("InvalidKey", t.store.put(key, "x"))
      return same(yield* t.store.exists(key.slice(1)), false, "the key without the slash exists")
    }
    yield* Effect.addFinalizer(() => Effect.orDie(t.store.delete(key)))
    yield* t.store.put(key, "x")
    yield* reads(t, key, utf8("x"))
    same(yield* t.store.exists(key.slice(1)), false, "the key without the slash exists")
    same(yield* keysOf(t.store.list(`/${t.prefix}`)), [key])
    same(yield* keysOf(t.store.list(t.prefix)), [])
  }),
  test("a segment of 255 bytes or the most that is allowed is kept", function*(t) {
    const most = Math.min(255, t.capabilities.maxSegmentBytes ?? 255)
    for (const name of ["n".repeat(most), "é".repeat(Math.floor(most / 2)), "%".repeat(Math.floor(most / 3))]) {
      yield* t.store.put(t.key(name), "x")
      yield* reads(t, t.key(name), utf8("x"), `a segment of ${Buffer.byteLength(name)} bytes`)
    }
  }),
  test("a key of 1,024 bytes, or the most that is allowed, is kept", function*(t) {
    const key = ofBytes(t, Math.min(1024, t.capabilities.maxKeyBytes))
    yield* t.store.put(key, "x")
    yield* reads(t, key, utf8("x"))
    same(yield* keysOf(t.store.list(t.prefix)), [key])
    yield* t.store.delete(key)
    same(yield* keysOf(t.store.list(t.prefix)), [])
  }),
  test("NUL in a key is kept or InvalidKey", function*(t) {
    const key = t.key("nul\0key")
    const put = yield* Effect.result(t.store.put(key, "x"))
    if (Result.isSuccess(put)) {
      yield* reads(t, key, utf8("x"))
      same(yield* keysOf(t.store.list(t.prefix)), [key])
    } else {
      same(put.failure.reason._tag, "InvalidKey", "reason")
      same(yield* keysOf(t.store.list(t.prefix)), [])
    }
  })
])

const refused = subject("a key that the store cannot hold is InvalidKey", [
  test("for every operation, before anything is touched", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    const long = `${t.prefix}${"k".repeat(t.capabilities.maxKeyBytes)}`
    const segment = t.capabilities.maxSegmentBytes
    const keys = ["", "\ud800", `a\udc00b`, long, ...(segment === undefined ? [] : [t.key("s".repeat(segment + 1))])]
    for (const key of keys) {
      const what = JSON.stringify(key.slice(0, 20))
      yield* refuses("InvalidKey", t.store.put(key, "y"), what)
      yield* refuses("InvalidKey", t.store.putMultipart(key, "y"), what)
      yield* refuses("InvalidKey", Effect.scoped(t.store.writer(key)), what)
      yield* refuses("InvalidKey", Stream.run(Stream.empty, t.store.sink(key)), what)
      yield* refuses("InvalidKey", t.store.delete(key), what)
      yield* refuses("InvalidKey", t.store.copy(t.key("x"), key), what)
      yield* refuses("InvalidKey", t.store.copy(key, t.key("y")), what)
      yield* refuses("InvalidKey", t.store.rename(t.key("x"), key), what)
      yield* refuses("InvalidKey", t.store.rename(key, t.key("y")), what)
      yield* failsWith("InvalidKey", t.store.get(key), what)
      yield* failsWith("InvalidKey", t.store.getRange(key, { suffix: 1 }), what)
      yield* failsWith("InvalidKey", t.store.getRanges(key, []), what)
      yield* failsWith("InvalidKey", t.store.getInto(key, new Uint8Array(1)), what)
      yield* failsWith("InvalidKey", Stream.runDrain(t.store.stream(key)), what)
      yield* failsWith("InvalidKey", Effect.scoped(t.store.open(key)), what)
      yield* failsWith("InvalidKey", t.store.stat(key), what)
      yield* failsWith("InvalidKey", t.store.exists(key), what)
    }
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("x")])
  })
])

const hierarchy = subject("a key and a key below it", [
  test("cannot both exist: Conflict, and nothing is moved", function*(t) {
    yield* t.store.put(t.key("a"), "a")
    yield* t.store.put(t.key("d/e/f"), "f")
    yield* t.store.put(t.key("other"), "o")
    const before = yield* keysOf(t.store.list(t.prefix))
    const part = t.partSize
    for (const key of ["a/b", "a/b/c", "d", "d/e"].map(t.key)) {
      yield* refuses("Conflict", t.store.put(key, "x"), key)
      yield* refuses("Conflict", t.store.putMultipart(key, new Uint8Array(2 * part), { partSize: part }), key)
      if (t.capabilities.serverCopy) yield* refuses("Conflict", t.store.copy(t.key("a"), key), key)
      if (t.capabilities.atomicRename) yield* refuses("Conflict", t.store.rename(t.key("other"), key), key)
      if (t.capabilities.conditionalCreate) yield* refuses("Conflict", t.store.put(key, "x", { mode: "create" }), key)
    }
    same(yield* keysOf(t.store.list(t.prefix)), before)
    yield* reads(t, t.key("a"), utf8("a"))
    yield* reads(t, t.key("d/e/f"), utf8("f"))
    same(yield* keysOf(t.store.listUploads(t.prefix)), [])
  }, { needs: [flag("hierarchical")] }),
  test("coexist and are different objects", function*(t) {
    yield* t.store.put(t.key("a"), "1")
    yield* t.store.put(t.key("a/b"), "2")
    yield* t.store.put(t.key("a/b/c"), "3")
    yield* reads(t, t.key("a"), utf8("1"))
    yield* reads(t, t.key("a/b"), utf8("2"))
    yield* t.store.delete(t.key("a/b"))
    yield* reads(t, t.key("a"), utf8("1"))
    yield* reads(t, t.key("a/b/c"), utf8("3"))
  }, { needs: [not(flag("hierarchical"))] })
])

/**
 * Cases of keys.
 *
 * @category testing
 * @since 0.1.0
 */
export const keys: ReadonlyArray<Case> = [...exact, ...refused, ...hierarchy]
