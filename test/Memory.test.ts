import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, DateTime, Duration, Effect, Exit, Layer, Result, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Memory from "../layers/Memory.ts"
import { byOwnOrder, makeKeyIndex } from "../layers/memory/KeyIndex.ts"
import {
  type Backend,
  type CopyRequest,
  type ListRequest,
  type ObjectOptions,
  ObjectStore,
  type ObjectStoreError,
  type PartReceipt,
  type ReadConditions
} from "../src/index.ts"
import { compareKeys } from "../src/keyOrder.ts"

const at = (key: string) => ({ container: "memory", key })
const plain: ObjectOptions = { mode: "overwrite", attributes: {}, metadata: {} }
const text = (value: string) => new TextEncoder().encode(value)
const utf8 = (value: Uint8Array) => new TextDecoder().decode(value)
const overwrite: CopyRequest = { mode: "overwrite" }

const put = (backend: Backend, key: string, body = key, options: Partial<ObjectOptions> = {}) =>
  backend.write(at(key), text(body), { ...plain, ...options })

const readAll = (backend: Backend, key: string, conditions: ReadConditions = {}) =>
  Effect.scoped(Effect.gen(function*() {
    const reply = yield* backend.read(at(key), { conditions })
    const target = new Uint8Array(reply.length)
    assert.strictEqual(yield* reply.into(target), reply.length)
    return utf8(target)
  }))

const reasonOf = <A, R>(effect: Effect.Effect<A, ObjectStoreError, R>) =>
  Effect.map(Effect.result(effect), (result) => Result.isFailure(result) ? result.failure.reason._tag : "succeeded")

const list = Effect.fnUntraced(function*(backend: Backend, request: Partial<ListRequest> = {}) {
  const keys: Array<string> = []
  const pages: Array<number> = []
  let cursor: unknown
  do {
    const page = yield* backend.listPage({ container: "memory", prefix: "", limit: 1000, ...request, cursor })
    keys.push(...[...page.objects.map((object) => object.key), ...page.prefixes].sort(compareKeys))
    pages.push(page.objects.length + page.prefixes.length)
    cursor = page.next
  } while (cursor !== undefined)
  return { keys, pages }
})

const bytesOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe("KeyIndex", () => {
  it("orders as the UTF-8 bytes do, also where UTF-16 units do not", () => {
    const keys = [
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
      "\ue000",
      "\ud7ff",
      "\u{1f600}",
      "a",
      "",
      "ab",
      "a\u{10000}",
      "a\uffff"
    ]
    assert.deepStrictEqual([...keys].sort(compareKeys), [...keys].sort(bytesOrder))
    assert.notDeepEqual([...keys].sort(), [...keys].sort(bytesOrder))
  })

  const Text = Schema.Array(
    Schema.Literals(["a", "\u007f", "\u0080", "\u07ff", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"])
  )
  it.prop("agrees with the bytes on any two texts", [Text, Text], ([a, b]) => {
    const [x, y] = [a.join(""), b.join("")]
    assert.strictEqual(Math.sign(compareKeys(x, y)), bytesOrder(x, y))
  })

  it("keeps thousands of keys in order through insertions and removals", () => {
    for (const order of [compareKeys, byOwnOrder]) {
      const index = makeKeyIndex<number>(order)
      const model = new Map<string, number>()
      for (let i = 0; i < 6000; i++) {
        const key = `k${(i * 7919) % 6007}`
        index.set(key, i)
        model.set(key, i)
        if (i % 3 === 0) {
          const gone = `k${(i * 104_729) % 6007}`
          index.delete(gone)
          model.delete(gone)
        }
      }
      const expected = [...model.keys()].sort(order)
      assert.strictEqual(index.size(), model.size)
      assert.deepStrictEqual([...index.from(() => true)], expected)
      const middle = expected[expected.length >> 1]!
      assert.deepStrictEqual(
        [...index.from((key) => order(key, middle) > 0)],
        expected.slice((expected.length >> 1) + 1)
      )
      for (const key of expected) index.delete(key)
      assert.deepStrictEqual([...index.from(() => true)], [])
    }
  })
})

describe("the memory backend", () => {
  it.effect("keeps bytes apart from its callers' buffers, on the way in and out", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      const body = Buffer.from("hello")
      yield* backend.write(at("a"), body, plain)
      body.fill(0)
      const target = new Uint8Array(5)
      yield* Effect.flatMap(backend.read(at("a"), { conditions: {} }), (reply) => reply.into(target))
      assert.strictEqual(utf8(target), "hello")
      target.fill(0)
      assert.strictEqual(yield* readAll(backend, "a"), "hello")
      const upload = yield* backend.openUpload(at("b"), plain)
      const part = Buffer.from("part")
      const receipt = yield* backend.uploadPart(upload, { number: 1, offset: 0, body: part, last: true })
      part.fill(0)
      yield* backend.completeUpload(upload, { parts: [receipt], size: 4 })
      assert.strictEqual(yield* readAll(backend, "b"), "part")
    }))

  it.effect("delivers the version that was opened, and nothing after the scope has closed", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      yield* put(backend, "a", "old version")
      const scope = yield* Scope.make()
      const reply = yield* Scope.provide(backend.read(at("a"), { conditions: {} }), scope)
      yield* put(backend, "a", "new")
      const target = new Uint8Array(4)
      assert.strictEqual(yield* reply.into(target), 4)
      assert.strictEqual(utf8(target), "old ")
      const rest = new Uint8Array(100)
      assert.strictEqual(yield* reply.into(rest), 7)
      assert.strictEqual(yield* reply.into(rest), 0)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* reasonOf(reply.into(rest)), "InvalidRequest")
    }))

  it.effect("clamps ranges, and refuses those that begin past the end", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      yield* put(backend, "a", "0123456789")
      yield* put(backend, "empty", "")
      const span = (key: string, range: { offset: number; length: number } | { suffix: number }) =>
        Effect.scoped(Effect.map(
          backend.read(at(key), { range, conditions: {} }),
          ({ length, offset }) => [offset, length]
        ))
      assert.deepStrictEqual(yield* span("a", { offset: 3, length: 4 }), [3, 4])
      assert.deepStrictEqual(yield* span("a", { offset: 9, length: 100 }), [9, 1])
      assert.deepStrictEqual(yield* span("a", { suffix: 3 }), [7, 3])
      assert.deepStrictEqual(yield* span("a", { suffix: 30 }), [0, 10])
      assert.deepStrictEqual(yield* span("empty", { suffix: 1 }), [0, 0])
      for (const [key, offset, size] of [["a", 10, 10], ["a", 11, 10], ["empty", 0, 0]] as const) {
        const error = yield* Effect.flip(span(key, { offset, length: 1 }))
        assert.strictEqual(error.reason._tag, "RangeNotSatisfiable")
        assert.strictEqual("size" in error.reason ? error.reason.size : undefined, size)
      }
    }))

  it.effect("decides conditions in the order of RFC 9110, dates in whole seconds", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_700)
      const backend = yield* Memory.makeBackend()
      const { etag } = yield* put(backend, "a")
      const other = "\"other\""
      const second = (offset: number) => DateTime.makeUnsafe(1_700_000_000_000 + offset * 1000)
      const table: ReadonlyArray<readonly [ReadConditions, string]> = [
        [{ ifMatch: etag }, "succeeded"],
        [{ ifMatch: other }, "PreconditionFailed"],
        [{ ifNoneMatch: other }, "succeeded"],
        [{ ifNoneMatch: etag }, "NotModified"],
        [{ ifMatch: etag, ifUnmodifiedSince: second(-1) }, "succeeded"],
        [{ ifUnmodifiedSince: second(-1) }, "PreconditionFailed"],
        // The object is 700 ms younger than the date, which a header could not tell.
        [{ ifUnmodifiedSince: second(0) }, "succeeded"],
        [{ ifModifiedSince: second(0) }, "NotModified"],
        [{ ifModifiedSince: second(-1) }, "succeeded"],
        [{ ifNoneMatch: other, ifModifiedSince: second(9) }, "succeeded"],
        [{ ifNoneMatch: etag, ifModifiedSince: second(-9) }, "NotModified"],
        [{ ifMatch: other, ifNoneMatch: etag }, "PreconditionFailed"],
        [{ ifUnmodifiedSince: second(-1), ifNoneMatch: etag }, "PreconditionFailed"],
        [{ ifMatch: etag, ifNoneMatch: etag }, "NotModified"]
      ]
      for (const [conditions, expected] of table) {
        assert.strictEqual(yield* reasonOf(backend.head(at("a"), conditions)), expected, JSON.stringify(conditions))
        assert.strictEqual(yield* reasonOf(readAll(backend, "a", conditions)), expected, JSON.stringify(conditions))
        assert.strictEqual(yield* reasonOf(backend.head(at("missing"), conditions)), "NotFound")
      }
    }))

  it.effect("gives every version an etag of its own and the time of the clock", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      const other = yield* Memory.makeBackend()
      const etags = new Set<string | undefined>()
      for (let i = 0; i < 10; i++) {
        etags.add((yield* put(backend, "a", "same")).etag)
        etags.add((yield* put(other, "a", "same")).etag)
      }
      etags.add((yield* backend.copy(at("a"), at("b"), overwrite)).etag)
      assert.strictEqual(etags.size, 21)
      yield* TestClock.setTime(5000)
      yield* put(backend, "a")
      const { lastModified } = yield* backend.head(at("a"), {})
      assert.strictEqual(lastModified === undefined ? 0 : DateTime.toEpochMillis(lastModified), 5000)
    }))

  it.effect("holds writes, copies, renames and removals to their conditions, and then changes nothing", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      const stale = (yield* put(backend, "a", "1")).etag!
      const { etag } = yield* put(backend, "a", "2")
      yield* put(backend, "b", "b")
      const update = { mode: { update: stale } }
      assert.strictEqual(yield* reasonOf(put(backend, "a", "3", { mode: "create" })), "AlreadyExists")
      assert.strictEqual(yield* reasonOf(put(backend, "a", "3", update)), "PreconditionFailed")
      assert.strictEqual(yield* reasonOf(put(backend, "missing", "3", update)), "PreconditionFailed")
      for (const move of [backend.copy, backend.rename!]) {
        assert.strictEqual(yield* reasonOf(move(at("b"), at("a"), { mode: "create" })), "AlreadyExists")
        assert.strictEqual(yield* reasonOf(move(at("b"), at("a"), update)), "PreconditionFailed")
        assert.strictEqual(
          yield* reasonOf(move(at("a"), at("b"), { ...overwrite, ifMatch: stale })),
          "PreconditionFailed"
        )
        assert.strictEqual(yield* reasonOf(move(at("missing"), at("b"), overwrite)), "NotFound")
        const error = yield* Effect.flip(move(at("b"), at("a"), { mode: "create" }))
        assert.strictEqual(error.outcome, "not-applied")
      }
      const answers = yield* backend.deleteBatch("memory", [
        { key: "a", ifMatch: stale },
        { key: "missing", ifMatch: stale },
        { key: "missing" }
      ])
      assert.deepStrictEqual(answers.map((answer) => answer?.reason._tag), [
        "PreconditionFailed",
        "PreconditionFailed",
        undefined
      ])
      assert.strictEqual(yield* readAll(backend, "a", { ifMatch: etag }), "2")
      assert.strictEqual(yield* readAll(backend, "b"), "b")
      yield* backend.rename!(at("a"), at("b"), { mode: "overwrite", ifMatch: etag })
      assert.strictEqual(yield* readAll(backend, "b"), "2")
      assert.strictEqual(yield* reasonOf(readAll(backend, "a")), "NotFound")
      yield* backend.rename!(at("b"), at("b"), overwrite)
      assert.strictEqual(yield* readAll(backend, "b"), "2")
    }))

  it.effect("keeps attributes and metadata of any name, also through copies and uploads", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      const metadata: Record<string, string> = JSON.parse("{\"__proto__\":\"p\",\"constructor\":\"c\",\"n\":\"1\"}")
      const options: ObjectOptions = { mode: "overwrite", attributes: { contentType: "text/x" }, metadata }
      yield* backend.write(at("a"), text("x"), options)
      yield* backend.copy(at("a"), at("b"), overwrite)
      const upload = yield* backend.openUpload(at("c"), options)
      const part = yield* backend.uploadPart(upload, { number: 1, offset: 0, body: text("x"), last: true })
      metadata.n = "2"
      yield* backend.completeUpload(upload, { parts: [part], size: 1 })
      for (const key of ["a", "b", "c"]) {
        const stat = yield* backend.head(at(key), {})
        assert.deepStrictEqual({ ...stat.attributes }, { contentType: "text/x" })
        assert.strictEqual(Object.getPrototypeOf(stat.metadata), null)
        assert.deepStrictEqual(Object.entries(stat.metadata!), [["__proto__", "p"], ["constructor", "c"], ["n", "1"]])
      }
    }))
})

describe("listings in memory", () => {
  const keys = [
    "a",
    "a/",
    "a/b",
    "a/b/c",
    "a0",
    "b\uffff/x",
    "b\u{1f600}/x",
    "b\u{1f600}/y",
    "\u{10000}",
    "\ue000",
    "z"
  ]
  const sorted = [...keys].sort(bytesOrder)

  it.effect("come in pages of any size, ordered by bytes, folded at the delimiter", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      for (const key of keys) yield* put(backend, key)
      for (const limit of [1, 2, 3, 5, 1000]) {
        for (const prefix of ["", "a", "a/", "b", "b\u{1f600}", "q"]) {
          for (const startAfter of [undefined, "", "a", "a/b", "a/zz", "b", "z", "\u{10ffff}"]) {
            const kept = sorted.filter((key) =>
              key.startsWith(prefix) && (startAfter === undefined || bytesOrder(key, startAfter) > 0)
            )
            const flat = yield* list(backend, { limit, prefix, startAfter })
            assert.deepStrictEqual(flat.keys, kept)
            assert.isTrue(flat.pages.every((size) => size <= limit))
            const folded = new Set(kept.map((key) => {
              const slash = key.indexOf("/", prefix.length)
              return slash === -1 ? key : key.slice(0, slash + 1)
            }))
            const level = yield* list(backend, { limit, prefix, startAfter, delimiter: "/" })
            assert.deepStrictEqual(level.keys, [...folded])
            assert.isTrue(level.pages.every((size) => size <= limit))
          }
        }
      }
    }))

  it.effect("go on after the last key whatever was written and removed in between, and give a page again", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      for (const key of ["a", "b", "c/1", "c/2", "d", "e"]) yield* put(backend, key)
      const request: ListRequest = { container: "memory", prefix: "", delimiter: "/", limit: 3 }
      const first = yield* backend.listPage(request)
      assert.deepStrictEqual([first.objects.map(({ key }) => key), first.prefixes], [["a", "b"], ["c/"]])
      yield* backend.deleteBatch("memory", ["a", "b", "c/1", "c/2"].map((key) => ({ key })))
      for (const key of ["aa", "c/3", "da"]) yield* put(backend, key)
      for (let again = 0; again < 2; again++) {
        const second = yield* backend.listPage({ ...request, cursor: first.next })
        assert.deepStrictEqual([second.objects.map(({ key }) => key), second.prefixes], [["d", "da", "e"], []])
        assert.strictEqual(second.next, undefined)
      }
      assert.strictEqual(yield* reasonOf(backend.listPage({ ...request, cursor: "made up" })), "InvalidRequest")
    }))

  it.effect("hold the same keys where the order is the store's own", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend({ capabilities: { sortedList: false } })
      for (const key of keys) yield* put(backend, key)
      for (const limit of [1, 2, 1000]) {
        for (const prefix of ["", "a", "b"]) {
          const kept = sorted.filter((key) => key.startsWith(prefix))
          assert.deepStrictEqual((yield* list(backend, { limit, prefix })).keys.sort(compareKeys), kept)
          const after = yield* list(backend, { limit, prefix, startAfter: "a/b" })
          assert.deepStrictEqual(after.keys.sort(compareKeys), kept.filter((key) => bytesOrder(key, "a/b") > 0))
        }
      }
      const whole = yield* backend.listPage({ container: "memory", prefix: "", limit: 1000 })
      assert.notDeepEqual(whole.objects.map(({ key }) => key), sorted)
    }))
})

describe("uploads in memory", () => {
  const part = (
    backend: Backend,
    upload: Parameters<Backend["uploadPart"]>[0],
    number: number,
    offset: number,
    body: string
  ) => backend.uploadPart(upload, { number, offset, body: text(body), last: false })

  it.effect("publish exactly the parts that are named, the last one of each number", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      const upload = yield* backend.openUpload(at("a"), plain)
      const second = yield* part(backend, upload, 2, 3, "bb")
      const replaced = yield* part(backend, upload, 1, 0, "xxx")
      const first = yield* part(backend, upload, 1, 0, "aaa")
      yield* part(backend, upload, 3, 5, "not named")
      const complete = (parts: ReadonlyArray<PartReceipt>, size: number) =>
        reasonOf(backend.completeUpload(upload, { parts, size }))
      assert.strictEqual(yield* complete([], 0), "InvalidRequest")
      assert.strictEqual(yield* complete([second, first], 5), "InvalidRequest")
      assert.strictEqual(yield* complete([second], 2), "InvalidRequest")
      assert.strictEqual(yield* complete([replaced, second], 5), "IntegrityFailed")
      assert.strictEqual(yield* complete([first, { ...second, size: 3 }], 6), "IntegrityFailed")
      assert.strictEqual(yield* complete([first, second], 6), "IntegrityFailed")
      assert.strictEqual(yield* complete([first, { ...second, offset: 2 }], 5), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(readAll(backend, "a")), "NotFound")
      assert.strictEqual(yield* complete([first, second], 5), "succeeded")
      assert.strictEqual(yield* readAll(backend, "a"), "aaabb")
      assert.strictEqual(yield* complete([first, second], 5), "UploadNotFound")
      assert.strictEqual(yield* reasonOf(part(backend, upload, 1, 0, "a")), "UploadNotFound")
      assert.strictEqual(yield* reasonOf(backend.abortUpload(upload)), "UploadNotFound")
    }))

  it.effect("check the mode when they complete, and stay open when it does not hold", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend()
      const upload = yield* backend.openUpload(at("a"), { ...plain, mode: "create" })
      const receipt = yield* part(backend, upload, 1, 0, "from parts")
      yield* put(backend, "a", "first")
      const complete = backend.completeUpload(upload, { parts: [receipt], size: 10 })
      assert.strictEqual(yield* reasonOf(complete), "AlreadyExists")
      assert.strictEqual(yield* readAll(backend, "a"), "first")
      const open = yield* backend.listUploads({ container: "memory", prefix: "" })
      assert.deepStrictEqual(open.uploads.map(({ id }) => id), [upload.id])
      yield* backend.deleteBatch("memory", [{ key: "a" }])
      yield* complete
      assert.strictEqual(yield* readAll(backend, "a"), "from parts")
    }))

  it.effect("are listed in pages by key, and name one place only", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend({ capabilities: { maxPageSize: 2 } })
      const names = ["u/\u{10000}", "u/\uffff", "u/a", "u/a", "v"]
      for (const key of names) yield* backend.openUpload(at(key), plain)
      const found: Array<string> = []
      let cursor: unknown
      do {
        const page = yield* backend.listUploads({ container: "memory", prefix: "u/", cursor })
        assert.isTrue(page.uploads.length <= 2)
        found.push(...page.uploads.map(({ key }) => key))
        cursor = page.next
      } while (cursor !== undefined)
      assert.deepStrictEqual(found, ["u/a", "u/a", "u/\uffff", "u/\u{10000}"])
      const [upload] = (yield* backend.listUploads({ container: "memory", prefix: "v" })).uploads
      assert.strictEqual(yield* reasonOf(backend.abortUpload({ ...upload!, key: "u/a" })), "UploadNotFound")
      yield* backend.abortUpload(upload!)
    }))
})

describe("containers in memory", () => {
  it.effect("are explicit", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend({ containers: ["second"] })
      const elsewhere = { container: "elsewhere", key: "a" }
      yield* put(backend, "a")
      assert.deepStrictEqual((yield* backend.listContainers).map(({ name }) => name), ["memory", "second"])
      for (
        const missing of [
          backend.head(elsewhere, {}),
          backend.write(elsewhere, text("x"), plain),
          backend.openUpload(elsewhere, plain),
          backend.listPage({ container: "elsewhere", prefix: "", limit: 1 }),
          backend.listUploads({ container: "elsewhere", prefix: "" }),
          backend.deleteBatch("elsewhere", [{ key: "a" }]),
          backend.copy(at("a"), elsewhere, overwrite),
          backend.deleteContainer("elsewhere")
        ]
      ) {
        assert.strictEqual(yield* reasonOf<unknown, never>(missing), "ContainerNotFound")
      }
      yield* backend.createContainer("elsewhere", {})
      assert.strictEqual(yield* reasonOf(backend.createContainer("elsewhere", {})), "AlreadyExists")
      yield* backend.write(elsewhere, text("x"), plain)
      assert.strictEqual(yield* reasonOf(backend.deleteContainer("elsewhere")), "NotEmpty")
      yield* backend.deleteBatch("elsewhere", [{ key: "a" }])
      const upload = yield* backend.openUpload(elsewhere, plain)
      assert.strictEqual(yield* reasonOf(backend.deleteContainer("elsewhere")), "NotEmpty")
      yield* backend.abortUpload(upload)
      yield* backend.deleteContainer("elsewhere")
      assert.strictEqual(yield* reasonOf(backend.deleteContainer("elsewhere")), "ContainerNotFound")
    }))

  it.effect("appear with their first object where they are implicit", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend({ capabilities: { containers: "implicit" } })
      const elsewhere = { container: "elsewhere", key: "a" }
      assert.strictEqual(yield* reasonOf(backend.head(elsewhere, {})), "NotFound")
      const page = yield* backend.listPage({ container: "elsewhere", prefix: "", limit: 1 })
      assert.deepStrictEqual(page.objects, [])
      yield* backend.write(elsewhere, text("x"), plain)
      assert.strictEqual(yield* reasonOf(backend.head(elsewhere, {})), "succeeded")
    }))
})

describe("capabilities that are taken away", () => {
  it.effect("are refused where they are flags", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend({
        capabilities: {
          attributes: false,
          atomicRename: false,
          conditionalCopy: false,
          conditionalCreate: false,
          conditionalDelete: false,
          conditionalRead: false,
          conditionalUpdate: false,
          listStartAfter: false,
          metadata: false,
          serverCopy: false,
          suffixRange: false
        }
      })
      yield* put(backend, "a")
      assert.strictEqual(backend.rename, undefined)
      const [answer] = yield* backend.deleteBatch("memory", [{ key: "a", ifMatch: "x" }])
      assert.strictEqual(answer?.reason._tag, "Unsupported")
      const refused: ReadonlyArray<Effect.Effect<unknown, ObjectStoreError>> = [
        put(backend, "a", "x", { mode: "create" }),
        put(backend, "a", "x", { mode: { update: "x" } }),
        put(backend, "a", "x", { attributes: { contentType: "x" } }),
        backend.openUpload(at("a"), { ...plain, metadata: { a: "x" } }),
        backend.head(at("a"), { ifMatch: "x" }),
        backend.head(at("a"), { version: "x" }),
        Effect.scoped(backend.read(at("a"), { range: { suffix: 1 }, conditions: {} })),
        backend.copy(at("a"), at("b"), overwrite),
        backend.listPage({ container: "memory", prefix: "", limit: 1, startAfter: "a" }),
        backend.presign(at("a"), { method: "GET", expiresIn: Duration.seconds(1) }),
        backend.createContainer("b", { location: "here" })
      ]
      for (const effect of refused) assert.strictEqual(yield* reasonOf(effect), "Unsupported")
      assert.strictEqual(yield* readAll(backend, "a"), "a")
    }))

  it.effect("are enforced where they are limits", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend({
        capabilities: {
          maxPageSize: 2,
          maxDeleteBatch: 2,
          maxKeyBytes: 10,
          maxSegmentBytes: 5,
          maxWriteSize: 4,
          maxCopySize: 3,
          maxObjectSize: 9,
          multipart: { minPartSize: 2, maxPartSize: 4, maxParts: 3, partMultiple: 2, ordered: true }
        }
      })
      for (const key of ["a", "b", "c"]) yield* put(backend, key, "1234")
      assert.deepStrictEqual((yield* list(backend)).pages, [2, 1])
      const one = { key: "x" }
      assert.strictEqual(yield* reasonOf(backend.deleteBatch("memory", [one, one, one])), "LimitExceeded")
      assert.strictEqual(yield* reasonOf(put(backend, "a", "12345")), "LimitExceeded")
      assert.strictEqual(yield* reasonOf(put(backend, "ééééé/", "")), "InvalidKey")
      assert.strictEqual(yield* reasonOf(put(backend, "ééé", "")), "InvalidKey")
      assert.strictEqual(yield* reasonOf(backend.copy(at("a"), at("b"), overwrite)), "LimitExceeded")
      assert.strictEqual(yield* reasonOf(backend.rename!(at("a"), at("b"), overwrite)), "succeeded")

      const upload = yield* backend.openUpload(at("m"), plain)
      const send = (number: number, offset: number, body: string) =>
        backend.uploadPart(upload, { number, offset, body: text(body), last: false })
      const first = yield* send(1, 0, "1234")
      assert.strictEqual(yield* reasonOf(send(3, 4, "12")), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(send(2, 3, "12")), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(send(2, 4, "12345")), "LimitExceeded")
      const odd = yield* send(2, 4, "123")
      const third = yield* send(3, 7, "1")
      assert.strictEqual(
        yield* reasonOf(backend.completeUpload(upload, { parts: [first, odd, third], size: 8 })),
        "InvalidRequest"
      )
      assert.strictEqual(yield* reasonOf(send(4, 8, "1")), "LimitExceeded")
      yield* backend.completeUpload(upload, { parts: [first, odd], size: 7 })

      const copied = yield* backend.openUpload(at("n"), plain)
      const slice = { number: 1, offset: 0, length: 3, from: at("m") }
      assert.strictEqual(yield* reasonOf(backend.copyPart!(copied, { ...slice, length: 4 })), "LimitExceeded")
      assert.strictEqual(yield* reasonOf(backend.copyPart!(copied, { ...slice, ifMatch: "x" })), "PreconditionFailed")
      const receipt = yield* backend.copyPart!(copied, slice)
      yield* backend.completeUpload(copied, { parts: [receipt], size: 3 })
      assert.strictEqual(yield* readAll(backend, "n"), "123")
    }))

  it.effect("let a store be hierarchical: a key beside keys below it is a Conflict, and nothing moves", () =>
    Effect.gen(function*() {
      const backend = yield* Memory.makeBackend({ capabilities: { hierarchical: true } })
      yield* put(backend, "a/b/c")
      yield* put(backend, "d")
      const upload = yield* backend.openUpload(at("d/e"), plain)
      const receipt = yield* backend.uploadPart(upload, { number: 1, offset: 0, body: text("x"), last: true })
      const refused: ReadonlyArray<Effect.Effect<unknown, ObjectStoreError>> = [
        put(backend, "a"),
        put(backend, "a/b"),
        put(backend, "a/b/c/d"),
        put(backend, "d/"),
        backend.copy(at("d"), at("a"), overwrite),
        backend.rename!(at("d"), at("d/e"), overwrite),
        backend.completeUpload(upload, { parts: [receipt], size: 1 })
      ]
      for (const effect of refused) assert.strictEqual(yield* reasonOf(effect), "Conflict")
      yield* put(backend, "a/b!")
      yield* put(backend, "a/b0")
      assert.deepStrictEqual((yield* list(backend)).keys, ["a/b!", "a/b/c", "a/b0", "d"])
    }))
})

describe("the memory layer", () => {
  const roundTrip = Effect.gen(function*() {
    const store = yield* ObjectStore
    yield* store.put("a", "hello")
    return [(yield* store.stat("a")).uri, utf8(yield* store.get("a"))]
  })

  it.effect("provides a store at mem://memory/", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* roundTrip, ["mem://memory/a", "hello"])
    }).pipe(Effect.provide(Memory.MemoryLive)))

  it.effect("takes a base, from Config too", () =>
    Effect.gen(function*() {
      const live = Memory.layerConfig({ base: Config.String("BASE") }).pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ BASE: "mem://tests/case/" })))
      )
      assert.deepStrictEqual(yield* Effect.provide(roundTrip, live), ["mem://tests/case/a", "hello"])
    }))

  it.effect("refuses wrong options with Configuration", () =>
    Effect.gen(function*() {
      const options: ReadonlyArray<Memory.MemoryOptions> = [
        { base: "memory" },
        { base: "s3://bucket/" },
        { containers: ["no/name"] },
        { capabilities: { maxPageSize: 0 } },
        { capabilities: { multipart: { minPartSize: 0.5 } } }
      ]
      for (const option of options) assert.strictEqual(yield* reasonOf(Memory.make(option)), "Configuration")
    }))

  it.effect("runs the engine's paths for weaker services", () =>
    Effect.gen(function*() {
      const store = yield* Memory.make({
        capabilities: {
          atomicRename: false,
          listStartAfter: false,
          maxCopySize: 10,
          maxDeleteBatch: 1,
          maxPageSize: 1,
          suffixRange: false,
          multipart: { ordered: true },
          tuning: { writePartSize: 7, readPartSize: 3, streamPartSize: 3, multipartThreshold: 1 }
        }
      })
      yield* store.put("a", "0123456789abcdef")
      yield* store.rename("a", "b")
      assert.strictEqual(utf8(yield* store.getRange("b", { suffix: 12 })), "456789abcdef")
      yield* store.copy("b", "c")
      assert.strictEqual(utf8(yield* store.get("c")), "0123456789abcdef")
      const keys = yield* Stream.runCollect(store.list("", { startAfter: "a" }))
      assert.deepStrictEqual(keys.map(({ key }) => key), ["b", "c"])
      assert.deepStrictEqual(yield* store.deletePrefix("", { all: true }), { deleted: 2 })
    }))
})
