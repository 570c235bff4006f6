/**
 * Cases of the backend contract, on the primitives: every sentence of `Backend` that can be observed.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { ReadRequest } from "../../Backend.ts"
import { bytes, byUtf8, failsWith, holds, refuses, same, sameBytes, wrong } from "./assertions.ts"
import { backendUploads } from "./backendUploads.ts"
import { type Case, contract, flag, subject } from "./Case.ts"
import { at, plain, readAll, write } from "./primitives.ts"

const heads = subject("Backend.head", [
  contract("tells size, etag, time, attributes and metadata", function*(t) {
    const attributes = t.capabilities.attributes ? { contentType: "text/x-test" } : {}
    const metadata = t.capabilities.metadata ? { a: "1" } : {}
    const reply = yield* write(t, "x", bytes(100), { mode: "overwrite", attributes, metadata })
    const stat = yield* t.backend.head(at(t, "x"), {})
    same([reply.size, stat.size, stat.etag], [100, 100, reply.etag])
    holds(stat.lastModified !== undefined, "there is no time")
    if (t.capabilities.attributes) same(stat.attributes?.contentType, "text/x-test", "contentType")
    same({ ...stat.metadata }, metadata)
  }),
  contract("fails with NotFound, whatever the conditions", function*(t) {
    yield* failsWith("NotFound", t.backend.head(at(t, "missing"), {}))
    if (t.capabilities.conditionalRead) {
      yield* failsWith("NotFound", t.backend.head(at(t, "missing"), { ifMatch: "\"x\"" }))
    }
  }),
  contract("fails with NotModified or PreconditionFailed by the conditions", function*(t) {
    const { etag } = yield* write(t, "x", bytes(1))
    const { lastModified } = yield* t.backend.head(at(t, "x"), { ifMatch: etag })
    const before = DateTime.subtract(lastModified ?? wrong("no time"), { hours: 1 })
    yield* failsWith("NotModified", t.backend.head(at(t, "x"), { ifNoneMatch: etag }))
    yield* failsWith("PreconditionFailed", t.backend.head(at(t, "x"), { ifMatch: "\"x\"" }))
    yield* failsWith("PreconditionFailed", t.backend.head(at(t, "x"), { ifUnmodifiedSince: before }))
  }, { needs: [flag("conditionalRead")] })
])

const readsOf = subject("Backend.read", [
  contract("gives the whole object, in whatever pieces it is taken", function*(t) {
    for (const size of [0, 1, 4096, 10_007]) {
      const { etag } = yield* write(t, `x-${size}`, bytes(size))
      for (const piece of [1000, 4096, 20_000]) {
        const { body, reply } = yield* readAll(t.backend, at(t, `x-${size}`), { conditions: {} }, piece)
        sameBytes(body, bytes(size), `${size} bytes in pieces of ${piece}`)
        same([reply.offset, reply.length, reply.stat.size, reply.stat.etag], [0, size, size, etag])
      }
    }
  }),
  contract("clamps a range, and the reply says what the body holds", function*(t) {
    yield* write(t, "x", bytes(10_000))
    const table = [
      [{ offset: 0, length: 10 }, 0, 10],
      [{ offset: 5000, length: 3001 }, 5000, 3001],
      [{ offset: 9999, length: 100 }, 9999, 1],
      [{ offset: 1, length: Number.MAX_SAFE_INTEGER - 1 }, 1, 9999],
      ...(t.capabilities.suffixRange
        ? [[{ suffix: 7 }, 9993, 7], [{ suffix: 10_000 }, 0, 10_000], [{ suffix: 99_999 }, 0, 10_000]] as const
        : [])
    ] as const
    for (const [range, offset, length] of table) {
      const { body, reply } = yield* readAll(t.backend, at(t, "x"), { range, conditions: {} }, 4000)
      same([reply.offset, reply.length, reply.stat.size], [offset, length, 10_000], JSON.stringify(range))
      sameBytes(body, bytes(10_000).subarray(offset, offset + length), JSON.stringify(range))
    }
  }),
  contract(
    "fails with RangeNotSatisfiable for a range at or past the end, so for any of an empty object",
    function*(t) {
      yield* write(t, "x", bytes(10))
      yield* write(t, "empty", bytes(0))
      for (const [name, offset] of [["x", 10], ["x", 11], ["empty", 0]] as const) {
        const read = t.backend.read(at(t, name), { range: { offset, length: 5 }, conditions: {} })
        const { reason } = yield* failsWith("RangeNotSatisfiable", Effect.scoped(read), `${name} at ${offset}`)
        const size = "size" in reason ? reason.size : undefined
        if (size !== undefined) same(size, name === "x" ? 10 : 0, "size")
      }
    }
  ),
  contract("gives the whole object for a suffix of an empty one", function*(t) {
    yield* write(t, "empty", bytes(0))
    const { reply } = yield* readAll(t.backend, at(t, "empty"), { range: { suffix: 5 }, conditions: {} }, 10)
    same([reply.offset, reply.length, reply.stat.size], [0, 0, 0])
  }, { needs: [flag("suffixRange")] }),
  contract("decides conditions before the range", function*(t) {
    const { etag } = yield* write(t, "x", bytes(10))
    const range = { offset: 99, length: 1 }
    const read = (conditions: ReadRequest["conditions"]) =>
      Effect.scoped(t.backend.read(at(t, "x"), { range, conditions }))
    yield* failsWith("PreconditionFailed", read({ ifMatch: "\"x\"" }))
    yield* failsWith("NotModified", read({ ifNoneMatch: etag }))
    yield* failsWith("RangeNotSatisfiable", read({ ifMatch: etag }))
  }, { needs: [flag("conditionalRead")] }),
  contract("fails with NotFound", function*(t) {
    yield* failsWith("NotFound", Effect.scoped(t.backend.read(at(t, "missing"), { conditions: {} })))
    yield* failsWith(
      "NotFound",
      Effect.scoped(t.backend.read(at(t, "missing"), { range: { offset: 0, length: 1 }, conditions: {} }))
    )
  }),
  contract("can be closed before the body has ended", function*(t) {
    yield* write(t, "x", bytes(20_000))
    for (let i = 0; i < 100; i++) {
      yield* Effect.scoped(Effect.flatMap(
        t.backend.read(at(t, "x"), { conditions: {} }),
        (reply) => i % 2 === 0 ? reply.into(new Uint8Array(10)) : Effect.void
      ))
    }
  }),
  contract("a handle reads any offset of its version, side by side, and notices a change", function*(t) {
    yield* write(t, "x", bytes(20_000))
    yield* Effect.scoped(Effect.gen(function*() {
      const { handle } = yield* t.backend.read(at(t, "x"), { conditions: {} })
      if (handle === undefined) return
      yield* Effect.forEach([0, 1, 4095, 12_000, 19_000], (offset) => {
        const target = new Uint8Array(1000)
        return Effect.map(
          handle.readInto(offset, target),
          () => sameBytes(target, bytes(20_000).subarray(offset, offset + 1000), `at ${offset}`)
        )
      }, { concurrency: 5, discard: true })
      yield* handle.verify
      yield* write(t, "x", bytes(20_000, 2))
      const target = new Uint8Array(1000)
      yield* handle.readInto(0, target).pipe(
        Effect.map(() => sameBytes(target, bytes(20_000).subarray(0, 1000), "after an overwrite")),
        Effect.catchReason("ObjectStoreError", "ObjectChanged", () => Effect.void)
      )
    }))
  })
])

const writesOf = subject("Backend.write", [
  contract("says size and etag, and replaces the whole object", function*(t) {
    for (const size of [1000, 0, 7]) {
      const reply = yield* write(t, "x", bytes(size))
      same([reply.size, reply.etag], [size, (yield* t.backend.head(at(t, "x"), {})).etag])
      sameBytes((yield* readAll(t.backend, at(t, "x"), { conditions: {} }, 4096)).body, bytes(size), "object")
    }
  }),
  contract("with create is AlreadyExists and not applied over an object", function*(t) {
    yield* write(t, "x", bytes(1), { ...plain, mode: "create" })
    yield* refuses("AlreadyExists", write(t, "x", bytes(2), { ...plain, mode: "create" }))
    same((yield* t.backend.head(at(t, "x"), {})).size, 1, "size")
  }, { needs: [flag("conditionalCreate")] }),
  contract("with update is PreconditionFailed and not applied over another etag", function*(t) {
    const { etag } = yield* write(t, "x", bytes(1))
    yield* write(t, "x", bytes(2), { ...plain, mode: { update: etag! } })
    yield* refuses("PreconditionFailed", write(t, "x", bytes(3), { ...plain, mode: { update: etag! } }))
    same((yield* t.backend.head(at(t, "x"), {})).size, 2, "size")
  }, { needs: [flag("conditionalUpdate")] })
])

const listing = subject("Backend.listPage", [
  contract("pages hold at most `limit` entries, and a cursor gives its page again", function*(t) {
    const names = ["a/1", "a/2", "b", "c/d/e", "f", "g/1"]
    for (const name of names) yield* write(t, name, bytes(1))
    for (const delimiter of [undefined, "/"] as const) {
      for (const limit of [1, 2, 4]) {
        const request = { container: t.container, prefix: t.prefix, delimiter, limit }
        const seen: Array<string> = []
        let cursor: unknown
        do {
          const page = yield* t.backend.listPage({ ...request, cursor })
          const again = yield* t.backend.listPage({ ...request, cursor })
          const entries = [...page.objects.map((one) => one.key), ...page.prefixes]
          same([...again.objects.map((one) => one.key), ...again.prefixes], entries, "the page again")
          holds(entries.length <= limit, `a page of ${limit} holds ${entries.length}`)
          seen.push(...entries)
          cursor = page.next
        } while (cursor !== undefined)
        const expected = delimiter === undefined ? names : ["a/", "b", "c/", "f", "g/"]
        same(byUtf8(seen), byUtf8(expected.map(t.key)), `pages of ${limit} with delimiter ${delimiter}`)
      }
    }
  }),
  contract("startAfter leaves out what comes before it and itself", function*(t) {
    for (const name of ["a", "b/1", "b/2", "c"]) yield* write(t, name, bytes(1))
    const startAfter = t.key("b/1")
    const page = yield* t.backend.listPage({ container: t.container, prefix: t.prefix, startAfter, limit: 10 })
    same(page.objects.map((one) => one.key), ["b/2", "c"].map(t.key))
  }, { needs: [flag("listStartAfter"), flag("sortedList")] }),
  contract(
    "of a missing container fails with ContainerNotFound where containers are explicit, else is empty",
    function*(t) {
      if (t.container === "") return
      const list = t.backend.listPage({ container: `${t.container}-missing`, prefix: "", limit: 10 })
      if (t.capabilities.containers === "explicit") yield* failsWith("ContainerNotFound", list)
      else same((yield* list).objects, [], "objects")
    }
  )
])

const removing = subject("Backend.deleteBatch", [
  contract("answers every key in the order asked, and counts missing objects as removed", function*(t) {
    yield* write(t, "a", bytes(1))
    yield* write(t, "b", bytes(1))
    yield* write(t, "stays", bytes(1))
    const most = Math.min(10, t.capabilities.maxDeleteBatch)
    const keys = ["missing", "a", "x", "b", "y", "z"].map(t.key)
    for (let i = 0; i < keys.length; i += most) {
      const entries = keys.slice(i, i + most).map((key) => ({ key }))
      same(yield* t.backend.deleteBatch(t.container, entries), entries.map(() => undefined), "answers")
    }
    const left = yield* t.backend.listPage({ container: t.container, prefix: t.prefix, limit: 10 })
    same(left.objects.map((one) => one.key), [t.key("stays")])
  }),
  contract("with ifMatch answers PreconditionFailed for another etag and for a missing object", function*(t) {
    yield* write(t, "a", bytes(1))
    const answer = (name: string, ifMatch: string | undefined) =>
      Effect.map(t.backend.deleteBatch(t.container, [{ key: t.key(name), ifMatch }]), ([error]) => error)
    same((yield* answer("a", "\"x\""))?.reason._tag, "PreconditionFailed", "stale")
    same((yield* answer("missing", "\"x\""))?.reason._tag, "PreconditionFailed", "missing")
    same(yield* answer("a", (yield* t.backend.head(at(t, "a"), {})).etag), undefined, "right")
    yield* failsWith("NotFound", t.backend.head(at(t, "a"), {}))
  }, { needs: [flag("conditionalDelete")] })
])

const copying = subject("Backend.copy and Backend.rename", [
  contract("copy carries bytes, attributes and metadata; a missing source is NotFound", function*(t) {
    const attributes = t.capabilities.attributes ? { contentType: "text/x-test" } : {}
    const metadata = t.capabilities.metadata ? { a: "1" } : {}
    yield* write(t, "from", bytes(2000), { mode: "overwrite", attributes, metadata })
    const reply = yield* t.backend.copy(at(t, "from"), at(t, "to/deep"), { mode: "overwrite" })
    const stat = yield* t.backend.head(at(t, "to/deep"), {})
    same([reply.size, reply.etag, stat.size], [2000, stat.etag, 2000])
    if (t.capabilities.attributes) same(stat.attributes?.contentType, "text/x-test", "contentType")
    same({ ...stat.metadata }, metadata)
    sameBytes((yield* readAll(t.backend, at(t, "to/deep"), { conditions: {} }, 4096)).body, bytes(2000), "copy")
    yield* refuses("NotFound", t.backend.copy(at(t, "missing"), at(t, "x"), { mode: "overwrite" }))
  }, { needs: [flag("serverCopy")] }),
  contract("rename leaves nothing at the source; a missing one is NotFound", function*(t) {
    const { rename } = t.backend
    if (rename === undefined) return wrong("atomicRename is true, and there is no rename")
    yield* write(t, "from", bytes(2000))
    yield* rename(at(t, "from"), at(t, "to/deep"), { mode: "overwrite" })
    yield* failsWith("NotFound", t.backend.head(at(t, "from"), {}))
    sameBytes((yield* readAll(t.backend, at(t, "to/deep"), { conditions: {} }, 4096)).body, bytes(2000), "moved")
    yield* refuses("NotFound", rename(at(t, "from"), at(t, "x"), { mode: "overwrite" }))
  }, { needs: [flag("atomicRename")] })
])

/**
 * Cases of the backend contract.
 *
 * @category testing
 * @since 0.1.0
 */
export const backendContract: ReadonlyArray<Case> = [
  ...heads,
  ...readsOf,
  ...writesOf,
  ...backendUploads,
  ...listing,
  ...removing,
  ...copying
]
