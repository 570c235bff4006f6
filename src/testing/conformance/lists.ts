/**
 * Cases of `list` and `listDirectory`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ListOptions } from "../../ObjectStoreOptions.ts"
import { beside, bytes, byUtf8, failsWith, holds, keysOf, lists as lists_, reads, same } from "./assertions.ts"
import { type Case, type CaseContext, flag, not, subject, test } from "./Case.ts"

/** Writes an object a name, and gives the names: all that the service can hold. */
const fill = (t: CaseContext, all: ReadonlyArray<string>) => {
  const names = all.filter((name) => !t.refusedKeys.has(name))
  return Effect.as(
    Effect.forEach(names, (name) => t.store.put(t.key(name), name), { concurrency: 8, discard: true }),
    names
  )
}

const pages: ReadonlyArray<number | undefined> = [undefined, 1, 2, 3, 7, 1000]

/** No name is a directory of another one, so that stores on files take them all. */
const tree = [
  "a!",
  "a/b/c/d",
  "a/b/c/e",
  "a/b.txt",
  "a/b0",
  "a/bc",
  "a0",
  "aa",
  "ab/c",
  "b",
  "b-1",
  "c/",
  "c0",
  "d//e",
  "d/f",
  "z/y/x/w/v"
]

/** Where the order of UTF-16 units, of escaped names or of directories differs from that of UTF-8 bytes. */
const awkward = [
  "\u0001",
  " ",
  "!",
  "%",
  "%25",
  "%2F",
  "+",
  "-",
  ".",
  "..",
  "...",
  "0",
  "A",
  "Z",
  "_",
  "a",
  "a b",
  "a%b",
  "a-",
  "a.",
  "aA",
  "b/\u{1f600}",
  "b/\uff5e",
  "b/\ud7ff",
  "b/\ue000",
  "b!/x",
  "b-/x",
  "b0/x",
  "~",
  "\u007f",
  "é",
  "e\u0301",
  "\ud7ff",
  "\ue000",
  "\uff5e",
  "\uffee",
  "\u{10000}",
  "\u{1f600}",
  "\u{10fffd}"
]

const prefixes = subject("the prefix in `list` is a string prefix", [
  test("lists exactly the keys that begin with it", function*(t) {
    const names = yield* fill(t, tree)
    for (
      const prefix of [
        "",
        "a",
        "a/",
        "a/b",
        "a/b/",
        "a/b/c",
        "a/b/c/",
        "a/b/c/d",
        "b",
        "b-",
        "c/",
        "d/",
        "d//",
        "q",
        "z/y"
      ]
    ) {
      const expected = names.filter((name) => name.startsWith(prefix)).map(t.key)
      for (const pageSize of pages) {
        lists_(t, yield* keysOf(t.store.list(t.key(prefix), { pageSize })), expected, `${prefix} by ${pageSize}`)
      }
    }
  }),
  test("a prefix without objects lists nothing", function*(t) {
    same(yield* keysOf(t.store.list(t.key("nothing"))), [])
    same(yield* keysOf(t.store.list(t.key("nothing/at/all/"))), [])
  }),
  test("a key and a key below it coexist, and both are listed", function*(t) {
    yield* fill(t, ["a", "a/b", "a/b/c", "a/"])
    lists_(t, yield* keysOf(t.store.list(t.prefix)), ["a", "a/", "a/b", "a/b/c"].map(t.key))
    yield* reads(t, t.key("a"), Buffer.from("a"))
    yield* reads(t, t.key("a/b"), Buffer.from("a/b"))
  }, { needs: [not(flag("hierarchical"))] })
])

const order = subject("a listing is ordered by UTF-8 bytes", [
  test("whatever the characters and the page size", function*(t) {
    const names = yield* fill(t, awkward)
    for (const pageSize of pages) {
      same(yield* keysOf(t.store.list(t.prefix, { pageSize })), byUtf8(names.map(t.key)), `pages of ${pageSize}`)
    }
  }, { needs: [flag("sortedList")] }),
  test("directories do not disturb the order", function*(t) {
    const names = yield* fill(t, tree)
    same(yield* keysOf(t.store.list(t.prefix, { pageSize: 2 })), byUtf8(names.map(t.key)))
  }, { needs: [flag("sortedList")] }),
  test("every key is given exactly once", function*(t) {
    const names = yield* fill(t, awkward)
    for (const pageSize of pages) {
      same(
        byUtf8(yield* keysOf(t.store.list(t.prefix, { pageSize }))),
        byUtf8(names.map(t.key)),
        `pages of ${pageSize}`
      )
    }
  })
])

const after = (t: CaseContext, names: ReadonlyArray<string>, from: string): ReadonlyArray<string> =>
  names.map(t.key).filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(t.key(from))) > 0)

const pagination = subject("list", [
  test("startAfter leaves out the keys up to and with it", function*(t) {
    const names = yield* fill(t, tree)
    for (
      const from of ["", "a", "a!", "a/b", "a/b.txt", "a/b/c/d", "a/b/c/d0", "a/zzz", "b", "c/", "zz", "d/", "d//e"]
    ) {
      for (const pageSize of [undefined, 1, 3]) {
        const options: ListOptions = { startAfter: t.key(from), pageSize }
        lists_(t, yield* keysOf(t.store.list(t.prefix, options)), after(t, names, from), `after ${from} by ${pageSize}`)
      }
    }
  }, { needs: [flag("sortedList")] }),
  test("startAfter holds together with a prefix", function*(t) {
    const names = yield* fill(t, tree)
    const expected = after(t, names, "a/b.txt").filter((key) => key.startsWith(t.key("a/")))
    lists_(t, yield* keysOf(t.store.list(t.key("a/"), { startAfter: t.key("a/b.txt"), pageSize: 1 })), expected)
    lists_(t, yield* keysOf(t.store.list(t.key("b"), { startAfter: t.key("a") })), ["b", "b-1"].map(t.key))
    lists_(t, yield* keysOf(t.store.list(t.key("b"), { startAfter: t.key("c") })), [])
  }, { needs: [flag("sortedList")] }),
  test("entries tell location, size and the etag of stat", function*(t) {
    yield* t.store.put(t.key("one"), bytes(11))
    yield* t.store.put(t.key("two/three"), bytes(222))
    const listed = yield* Stream.runCollect(t.store.list(t.prefix))
    same(listed.length, 2, "objects")
    for (const entry of listed) {
      const info = yield* t.store.stat(entry.key)
      same([entry._tag, entry.uri, entry.size], ["ObjectInfo", info.uri, info.size])
      if (entry.etag !== undefined) same(entry.etag, info.etag, "etag")
    }
  }),
  test("a few hundred keys come whole through any page size", function*(t) {
    const names = Array.from({ length: 250 }, (_, i) => `${i % 7}/${i}`)
    yield* fill(t, names)
    for (const pageSize of [undefined, 1, 7, 100]) {
      lists_(t, yield* keysOf(t.store.list(t.prefix, { pageSize })), names.map(t.key), `pages of ${pageSize}`)
    }
  }),
  test("can be left early, and run twice", function*(t) {
    const names = yield* fill(t, tree)
    const list = t.store.list(t.prefix, { pageSize: 2 })
    same((yield* Stream.runCollect(Stream.take(list, 3))).length, 3, "objects")
    same((yield* Stream.runCollect(list)).length, names.length, "objects")
  }),
  test("shows a write, an overwrite and a removal at once", function*(t) {
    const sizes = () => Effect.map(Stream.runCollect(t.store.list(t.prefix)), (all) => all.map((info) => info.size))
    yield* t.store.put(t.key("x"), bytes(5))
    same(yield* sizes(), [5])
    yield* t.store.put(t.key("x"), bytes(6))
    same(yield* sizes(), [6])
    yield* t.store.delete(t.key("x"))
    same(yield* sizes(), [])
  }),
  test("beside writers and removers gives no key twice and leaves out none that stays", function*(t) {
    const stay = Array.from({ length: 60 }, (_, i) => `d${i % 5}/stay-${i}`)
    yield* fill(t, stay)
    const churn = Effect.gen(function*() {
      for (let i = 0; i < 60; i++) {
        yield* t.store.put(t.key(`d${i % 5}/churn-${i % 9}`), "x")
        yield* t.store.delete(t.key(`d${(i + 2) % 5}/churn-${(i + 4) % 9}`))
      }
    })
    const look = Effect.gen(function*() {
      const keys = yield* keysOf(t.store.list(t.prefix, { pageSize: 3 }))
      same(new Set(keys).size, keys.length, "distinct keys")
      lists_(t, keys.filter((key) => key.includes("stay-")), stay.map(t.key))
    })
    yield* beside(churn, look)
  }),
  test("a page size that is no positive integer is InvalidRequest", function*(t) {
    for (const pageSize of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      yield* failsWith("InvalidRequest", Stream.runDrain(t.store.list(t.prefix, { pageSize })), `${pageSize}`)
      yield* failsWith("InvalidRequest", Stream.runDrain(t.store.listDirectory(t.prefix, { pageSize })), `${pageSize}`)
    }
  })
])

/** What `listDirectory` gives by its definition. */
const level = (names: ReadonlyArray<string>, prefix: string): ReadonlyArray<string> => [
  ...new Set(
    names.filter((name) => name.startsWith(prefix)).map((name) => {
      const slash = name.indexOf("/", prefix.length)
      return slash === -1 ? name : name.slice(0, slash + 1)
    })
  )
]

const directories = subject("directories only through listDirectory", [
  test("gives the objects of one level, and each prefix of deeper ones once", function*(t) {
    const names = yield* fill(t, tree)
    for (const prefix of ["", "a", "a/", "a/b", "a/b/", "a/b/c/", "b", "c", "c/", "d/", "d//", "q/", "z", "z/"]) {
      for (const pageSize of pages) {
        const all = yield* Stream.runCollect(t.store.listDirectory(t.key(prefix), { pageSize }))
        same(byUtf8(all.map((one) => one.key)), byUtf8(level(names, prefix).map(t.key)), `${prefix} by ${pageSize}`)
        for (const one of all) {
          const below = one.key.endsWith("/") && !names.map(t.key).includes(one.key)
          if (below || one._tag === "Prefix") same(one._tag, "Prefix", `tag of ${one.key}`)
          holds(one._tag === "ObjectInfo" || one.key.endsWith("/"), `the prefix ${one.key} does not end in /`)
          holds(one.uri.endsWith(one.key), `the location ${one.uri} does not end in ${one.key}`)
        }
      }
    }
  }),
  test("objects come in order, and prefixes come in order", function*(t) {
    yield* fill(t, awkward)
    yield* fill(t, ["x\u{1f600}/a", "x\uff5e/a", "x!/a", "x-/a"])
    for (const pageSize of pages) {
      const all = yield* Stream.runCollect(t.store.listDirectory(t.prefix, { pageSize }))
      for (const tag of ["ObjectInfo", "Prefix"]) {
        const keys = all.filter((one) => one._tag === tag).map((one) => one.key)
        same(keys, byUtf8(keys), `${tag} by ${pageSize}`)
      }
    }
  }, { needs: [flag("sortedList")] }),
  test("an object named like a directory marker is an ordinary key", function*(t) {
    yield* fill(t, ["m/", "m/x"])
    const all = yield* Stream.runCollect(t.store.listDirectory(t.prefix))
    same(all.map((one) => [one._tag, one.key]), [["Prefix", t.key("m/")]])
    const inside = yield* Stream.runCollect(t.store.listDirectory(t.key("m/")))
    same(byUtf8(inside.map((one) => one.key)), byUtf8([t.key("m/"), t.key("m/x")]))
    for (const one of inside) same(one._tag, "ObjectInfo", "tag")
  }),
  test("a prefix is gone with its last object", function*(t) {
    yield* fill(t, ["d/one", "d/two"])
    yield* t.store.delete(t.key("d/one"))
    same(yield* keysOf(t.store.listDirectory(t.prefix)), [t.key("d/")])
    yield* t.store.delete(t.key("d/two"))
    same(yield* keysOf(t.store.listDirectory(t.prefix)), [])
  })
])

/**
 * Cases of listing.
 *
 * @category testing
 * @since 0.1.0
 */
export const lists: ReadonlyArray<Case> = [...prefixes, ...order, ...pagination, ...directories]
