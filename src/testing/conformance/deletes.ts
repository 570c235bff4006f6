/**
 * Cases of `delete`, `deleteMany` and `deletePrefix`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { byUtf8, failsWith, holds, keysOf, lists, reads, refuses, same, utf8 } from "./assertions.ts"
import { type Case, type CaseContext, flag, not, subject, test } from "./Case.ts"

const fill = (t: CaseContext, names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => t.store.put(t.key(name), name), { concurrency: 8, discard: true })

const one = subject("delete", [
  test("delete of a missing object succeeds", function*(t) {
    yield* t.store.delete(t.key("missing"))
    yield* t.store.delete(t.key("missing/below/it"))
    yield* t.store.put(t.key("there"), "x")
    yield* t.store.delete(t.key("there"))
    yield* t.store.delete(t.key("there"))
    same(yield* t.store.exists(t.key("there")), false)
  }),
  test("removes that object alone", function*(t) {
    yield* fill(t, ["a", "ab", "b/c", "b/cd"])
    yield* t.store.delete(t.key("a"))
    yield* t.store.delete(t.key("b/c"))
    lists(t, yield* keysOf(t.store.list(t.prefix)), ["ab", "b/cd"].map(t.key))
  }),
  test("delete of `a` when `a/b` exists removes `a` alone", function*(t) {
    yield* fill(t, ["a", "a/b"])
    yield* t.store.delete(t.key("a"))
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("a/b")])
    yield* fill(t, ["a"])
    yield* t.store.delete(t.key("a/b"))
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("a")])
  }, { needs: [not(flag("hierarchical"))] }),
  test("a directory is never removed by an object operation", function*(t) {
    yield* fill(t, ["d/x", "d/e/y"])
    for (const name of ["d", "d/", "d/e", "d/e/"]) yield* t.store.delete(t.key(name))
    lists(t, yield* keysOf(t.store.list(t.prefix)), ["d/x", "d/e/y"].map(t.key))
    yield* reads(t, t.key("d/e/y"), utf8("d/e/y"))
  }),
  test("the name of a removed directory is free for an object, and the reverse", function*(t) {
    yield* t.store.put(t.key("d/e/f"), "x")
    yield* t.store.delete(t.key("d/e/f"))
    yield* t.store.put(t.key("d"), "y")
    yield* t.store.delete(t.key("d"))
    yield* t.store.put(t.key("d/e"), "z")
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("d/e")])
  }),
  test("with a matching etag removes, with a stale one is PreconditionFailed", function*(t) {
    const key = t.key("etag")
    const first = yield* t.store.put(key, "first")
    const second = yield* t.store.put(key, "second")
    yield* refuses("PreconditionFailed", t.store.delete(key, { ifMatch: first.etag }))
    yield* reads(t, key, utf8("second"))
    yield* t.store.delete(key, { ifMatch: second.etag })
    same(yield* t.store.exists(key), false)
    yield* refuses("PreconditionFailed", t.store.delete(key, { ifMatch: second.etag }), "of a missing object")
  }, {
    needs: [flag("conditionalDelete")],
    *without(t) {
      yield* t.store.put(t.key("etag"), "x")
      yield* refuses("Unsupported", t.store.delete(t.key("etag"), { ifMatch: "\"x\"" }))
      same(yield* t.store.exists(t.key("etag")), true)
    }
  })
])

const many = subject("deleteMany", [
  test("gives one result a key, none lost, over thousands of keys, missing and doubled ones among them", function*(t) {
    const there = Array.from({ length: 300 }, (_, i) => t.key(`d${i % 10}/${i}`))
    yield* Effect.forEach(there, (key) => t.store.put(key, ""), { concurrency: 16, discard: true })
    yield* t.store.put(t.key("stays"), "x")
    const missing = Array.from({ length: 2000 }, (_, i) => t.key(`missing-${i}`))
    const keys = [...there, ...missing, ...there.slice(0, 50), missing[0]!]
    const results = yield* Stream.runCollect(t.store.deleteMany(keys))
    same(byUtf8(results.map((result) => result.key)), byUtf8(keys), "keys of the results")
    for (const result of results) {
      holds(result.error === undefined, `${result.key}: ${result.error?.message}`)
      holds(result.uri.endsWith(result.key), `the location ${result.uri} does not end in ${result.key}`)
    }
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("stays")])
  }),
  test("a key that cannot be is a result with its error, and the others are removed", function*(t) {
    yield* fill(t, ["a", "b", "c"])
    const long = "x".repeat(t.capabilities.maxKeyBytes + 1)
    const keys = [t.key("a"), "", t.key("b"), "\ud800", "nowhere://x/y", long, t.key("c")]
    const results = yield* Stream.runCollect(t.store.deleteMany(keys))
    same(results.length, keys.length, "results")
    const failed = results.filter((result) => result.error !== undefined)
    same(byUtf8(failed.map((result) => result.error!.reason._tag)), [
      "InvalidKey",
      "InvalidKey",
      "InvalidKey",
      "InvalidUri"
    ])
    for (const { error } of failed) same(error!.outcome, "not-applied", "outcome")
    same(yield* keysOf(t.store.list(t.prefix)), [])
  }),
  test("takes its keys from a stream", function*(t) {
    const names = Array.from({ length: 40 }, (_, i) => `n-${i}`)
    yield* fill(t, names)
    const results = yield* Stream.runCollect(
      t.store.deleteMany(Stream.fromIterable(names.map(t.key)), { concurrency: 2 })
    )
    same(byUtf8(results.map((result) => result.key)), byUtf8(names.map(t.key)))
    same(yield* keysOf(t.store.list(t.prefix)), [])
  }),
  test("fails if the source of keys does", function*(t) {
    const keys = Stream.concat(Stream.make(t.key("a")), Stream.fail("broken"))
    yield* failsWith("SourceFailed", Stream.runDrain(t.store.deleteMany(keys)))
  }),
  test("of no keys is no result", function*(t) {
    same(yield* Stream.runCollect(t.store.deleteMany([])), [])
  }),
  test("removes what a listing gives while it is listed", function*(t) {
    const names = Array.from({ length: 60 }, (_, i) => `${i % 6}/${i}`)
    yield* fill(t, names)
    const keys = Stream.map(t.store.list(t.prefix, { pageSize: 7 }), (info) => info.key)
    const results = yield* Stream.runCollect(t.store.deleteMany(keys))
    same(results.length, names.length, "results")
    same(yield* keysOf(t.store.list(t.prefix)), [])
  })
])

const prefix = subject("deletePrefix", [
  test("removes the keys that begin with a string prefix, and counts them", function*(t) {
    yield* fill(t, ["a/1", "a/2/3", "ab", "ab2/x", "b", "c/a"])
    same(yield* t.store.deletePrefix(t.key("a")), { deleted: 4 })
    lists(t, yield* keysOf(t.store.list(t.prefix)), ["b", "c/a"].map(t.key))
    same(yield* t.store.deletePrefix(t.key("b/")), { deleted: 0 })
    same(yield* t.store.deletePrefix(t.key("c/")), { deleted: 1 })
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("b")])
  }),
  test("of nothing succeeds", function*(t) {
    same(yield* t.store.deletePrefix(t.key("nothing/")), { deleted: 0 })
  }),
  test("an empty prefix is refused, and nothing is removed", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    yield* refuses("InvalidRequest", t.store.deletePrefix(""))
    yield* refuses("InvalidRequest", t.store.deletePrefix("", { all: false }))
    yield* reads(t, t.key("x"), utf8("x"))
  }),
  test("removes more keys than a page and a batch hold", function*(t) {
    const names = Array.from({ length: 1200 }, (_, i) => `p/${i % 3}/${i}`)
    yield* Effect.forEach(names, (name) => t.store.put(t.key(name), ""), { concurrency: 16, discard: true })
    yield* t.store.put(t.key("q"), "")
    same(yield* t.store.deletePrefix(t.key("p/"), { concurrency: 3 }), { deleted: 1200 })
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("q")])
  })
])

/**
 * Cases of removing.
 *
 * @category testing
 * @since 0.1.0
 */
export const deletes: ReadonlyArray<Case> = [...one, ...many, ...prefix]
