/**
 * Cases of `copy` and `rename`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Attributes, Metadata, PutResult } from "../../ObjectInfo.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import type { CopyOptions } from "../../ObjectStoreOptions.ts"
import { bytes, keysOf, leavesNothing, lists, noUploads, reads, refuses, same, utf8 } from "./assertions.ts"
import { type Case, type CaseContext, flag, type Need, need, not, subject, test } from "./Case.ts"

type Operation = (
  t: CaseContext
) => (from: string, to: string, options?: CopyOptions) => Effect.Effect<PutResult, ObjectStoreError>

const attributesOf = (t: CaseContext): Attributes =>
  t.capabilities.attributes ? { contentType: "text/x-test", cacheControl: "no-store" } : {}
const metadataOf = (t: CaseContext): Metadata => t.capabilities.metadata ? { owner: "someone", n: "1" } : {}

/** What copy and rename have in common; `keeps` says whether the source is there afterwards. */
const can = (name: "copy" | "rename") => need(name, (c) => c.serverCopy || (name === "rename" && c.atomicRename))

/** Adds a need to cases, after which a refusal that they assert instead is of that need too. */
const withNeed = (needed: Need, cases: ReadonlyArray<Case>): ReadonlyArray<Case> =>
  cases.map((one) => ({
    ...one,
    needs: [needed, ...one.needs],
    without: one.without === undefined
      ? undefined
      : (t) => needed.met(t.capabilities) ? one.without!(t) : Effect.void
  }))

const common = (name: "copy" | "rename", operation: Operation, keeps: boolean): ReadonlyArray<Case> =>
  withNeed(
    can(name),
    subject(name, [
      test("carries the bytes, whatever their number", function*(t) {
        for (const size of [0, 1, 4096, 3 * t.partSize + 7]) {
          const [from, to] = [t.key(`from-${size}`), t.key(`to/${size}`)]
          yield* t.store.put(from, bytes(size))
          const put = yield* operation(t)(from, to)
          const info = yield* t.store.stat(to)
          same([put.key, put.size, put.etag, put.uri], [to, size, info.etag, info.uri])
          yield* reads(t, to, bytes(size), `${size} bytes`)
          same(yield* t.store.exists(from), keeps, "the source exists")
        }
        yield* noUploads(t)
      }),
      test("carries attributes and metadata", function*(t) {
        const [from, to] = [t.key("from"), t.key("to")]
        yield* t.store.put(from, "x", { attributes: attributesOf(t), metadata: metadataOf(t) })
        yield* operation(t)(from, to)
        const info = yield* t.store.stat(to)
        same({ ...info.metadata }, metadataOf(t))
        for (const [attribute, value] of Object.entries(attributesOf(t))) {
          same(info.attributes[attribute as keyof Attributes], value, attribute)
        }
      }),
      test("replaces the whole target, its attributes and metadata too", function*(t) {
        const [from, to] = [t.key("from"), t.key("to")]
        yield* t.store.put(from, "short")
        yield* t.store.put(to, bytes(5000), { attributes: attributesOf(t), metadata: metadataOf(t) })
        yield* operation(t)(from, to)
        yield* reads(t, to, utf8("short"))
        const info = yield* t.store.stat(to)
        same({ ...info.metadata }, {})
        same(info.attributes.cacheControl, undefined, "cacheControl")
      }),
      test("of a missing source is NotFound and leaves the target", function*(t) {
        const to = t.key("to")
        yield* refuses("NotFound", operation(t)(t.key("missing"), to))
        yield* leavesNothing(t, to)
        yield* t.store.put(to, "kept")
        const error = yield* refuses("NotFound", operation(t)(t.key("missing"), to))
        same(error.operation, name, "operation")
        yield* reads(t, to, utf8("kept"))
      }),
      test("onto itself succeeds and changes nothing", function*(t) {
        const key = t.key("self")
        const put = yield* t.store.put(key, bytes(1000), { metadata: metadataOf(t) })
        const again = yield* operation(t)(key, key)
        same([again.etag, again.size, again.key], [put.etag, 1000, key])
        const info = yield* t.store.stat(key)
        same([info.etag, { ...info.metadata }], [put.etag, metadataOf(t)])
        yield* reads(t, key, bytes(1000))
        yield* operation(t)(key, info.uri)
        yield* reads(t, key, bytes(1000))
      }),
      test("of a missing object onto itself is NotFound", function*(t) {
        yield* refuses("NotFound", operation(t)(t.key("missing"), t.key("missing")))
      }),
      test("with create refuses to replace, and keeps both", function*(t) {
        const [from, to] = [t.key("from"), t.key("to")]
        yield* t.store.put(from, "from")
        yield* t.store.put(to, "to")
        yield* refuses("AlreadyExists", operation(t)(from, to, { mode: "create" }))
        yield* reads(t, from, utf8("from"))
        yield* reads(t, to, utf8("to"))
        yield* operation(t)(from, t.key("new"), { mode: "create" })
        yield* reads(t, t.key("new"), utf8("from"))
      }, {
        needs: [flag("conditionalCopy")],
        *without(t) {
          yield* t.store.put(t.key("from"), "from")
          yield* refuses("Unsupported", operation(t)(t.key("from"), t.key("to"), { mode: "create" }))
          same(yield* keysOf(t.store.list(t.prefix)), [t.key("from")])
        }
      }),
      test("with update replaces the etag it names and no other", function*(t) {
        const [from, to] = [t.key("from"), t.key("to")]
        yield* t.store.put(from, "from")
        const old = yield* t.store.put(to, "old")
        const { etag } = yield* t.store.put(to, "to")
        yield* refuses("PreconditionFailed", operation(t)(from, to, { mode: { update: old.etag! } }))
        yield* reads(t, to, utf8("to"))
        yield* reads(t, from, utf8("from"))
        yield* operation(t)(from, to, { mode: { update: etag! } })
        yield* reads(t, to, utf8("from"))
      }, { needs: [flag("conditionalCopy")] }),
      test("with ifMatch takes that version of the source alone", function*(t) {
        const [from, to] = [t.key("from"), t.key("to")]
        const old = yield* t.store.put(from, "old")
        const { etag } = yield* t.store.put(from, "from")
        yield* refuses("PreconditionFailed", operation(t)(from, to, { ifMatch: old.etag }))
        same(yield* keysOf(t.store.list(t.prefix)), [from])
        yield* operation(t)(from, to, { ifMatch: etag })
        yield* reads(t, to, utf8("from"))
      }, { needs: [flag("conditionalCopySource")] }),
      test("goes into and out of deeper keys", function*(t) {
        yield* t.store.put(t.key("top"), "x")
        yield* operation(t)(t.key("top"), t.key("a/b/c/d"))
        yield* operation(t)(t.key("a/b/c/d"), t.key("up"))
        const all = keeps ? ["top", "a/b/c/d", "up"] : ["up"]
        lists(t, yield* keysOf(t.store.list(t.prefix)), all.map(t.key))
      })
    ])
  ).concat(subject(name, [
    test("is refused where the store cannot do it without moving bytes, before any byte moves", function*(t) {
      yield* t.store.put(t.key("from"), "from")
      const error = yield* refuses("Unsupported", operation(t)(t.key("from"), t.key("to")))
      same("capability" in error.reason ? error.reason.capability : "", "serverCopy", "capability")
      same(yield* keysOf(t.store.list(t.prefix)), [t.key("from")])
    }, { needs: [not(can(name))] })
  ]))

const apart = subject("copy", [
  test("a copy does not change with its source", function*(t) {
    yield* t.store.put(t.key("from"), bytes(5000, 1))
    yield* t.store.copy(t.key("from"), t.key("to"))
    yield* t.store.put(t.key("from"), bytes(5000, 2))
    yield* reads(t, t.key("to"), bytes(5000, 1), "the copy")
    yield* t.store.put(t.key("to"), bytes(10, 3))
    yield* reads(t, t.key("from"), bytes(5000, 2), "the source")
  }, { needs: [can("copy")] })
])

const moved = subject("rename", [
  test("of 16 renames of one object exactly one wins", function*(t) {
    yield* t.store.put(t.key("from"), bytes(1000))
    const results = yield* Effect.forEach(
      Array.from({ length: 16 }, (_, i) => i),
      (i) => Effect.exit(t.store.rename(t.key("from"), t.key(`to-${i}`))),
      { concurrency: "unbounded" }
    )
    same(results.filter((exit) => exit._tag === "Success").length, 1, "winners")
    same((yield* keysOf(t.store.list(t.prefix))).length, 1, "objects")
  }, { needs: [flag("atomicRename")] })
])

/**
 * Cases of copying and moving.
 *
 * @category testing
 * @since 0.1.0
 */
export const copies: ReadonlyArray<Case> = [
  ...common("copy", (t) => t.store.copy, true),
  ...apart,
  ...common("rename", (t) => t.store.rename, false),
  ...moved
]
