/**
 * Cases of conditional writes and reads.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ErrorReasonTag } from "../../ErrorReason.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import type { ReadConditions, WriteOptions } from "../../ObjectStoreOptions.ts"
import { bytes, chunked, failsWith, holds, noUploads, reads, refuses, same, utf8, wrong } from "./assertions.ts"
import { type Case, type CaseContext, flag, need, not, subject, test } from "./Case.ts"

const create = flag("conditionalCreate")
const update = flag("conditionalUpdate")
const conditionalRead = flag("conditionalRead")
const conditionalParts = need("conditional completion", (c) => c.conditionalCreate && c.multipart.conditionalComplete)
const conditionalUpdateParts = need(
  "conditional completion of an update",
  (c) => c.conditionalUpdate && c.multipart.conditionalComplete
)

/** Every way to write three parts and a bit. */
const writers: ReadonlyArray<
  readonly [
    name: string,
    write: (
      t: CaseContext,
      key: string,
      body: Uint8Array,
      options: WriteOptions
    ) => Effect.Effect<unknown, ObjectStoreError>
  ]
> = [
  ["putMultipart", (t, key, body, options) => t.store.putMultipart(key, body, { partSize: t.partSize, ...options })],
  [
    "put of a stream",
    (t, key, body, options) => t.store.put(key, chunked(body, 1000), { partSize: t.partSize, ...options })
  ],
  [
    "sink",
    (t, key, body, options) => Stream.run(chunked(body, 1000), t.store.sink(key, { partSize: t.partSize, ...options }))
  ],
  [
    "writer",
    (t, key, body, options) =>
      Effect.scoped(Effect.flatMap(
        t.store.writer(key, { partSize: t.partSize, ...options }),
        (writer) => Effect.andThen(writer.write(body), writer.finish)
      ))
  ]
]

const creating = subject("a create-only put that loses is AlreadyExists", [
  test("create writes a new object, and refuses to replace one", function*(t) {
    const key = t.key("create")
    const put = yield* t.store.put(key, "first", { mode: "create" })
    yield* refuses("AlreadyExists", t.store.put(key, "second", { mode: "create" }))
    yield* reads(t, key, utf8("first"))
    same((yield* t.store.stat(key)).etag, put.etag, "etag")
    yield* t.store.delete(key)
    yield* t.store.put(key, "third", { mode: "create" })
    yield* reads(t, key, utf8("third"))
  }, {
    needs: [create],
    *without(t) {
      const error = yield* refuses("Unsupported", t.store.put(t.key("create"), "x", { mode: "create" }))
      same("capability" in error.reason ? error.reason.capability : "", "conditionalCreate", "capability")
      same(yield* t.store.exists(t.key("create")), false, "it was written")
    }
  }),
  test("create holds for zero bytes too", function*(t) {
    yield* t.store.put(t.key("empty"), "", { mode: "create" })
    yield* refuses("AlreadyExists", t.store.put(t.key("empty"), "", { mode: "create" }))
    yield* refuses("AlreadyExists", t.store.put(t.key("empty"), Stream.empty, { mode: "create" }))
  }, { needs: [create] }),
  test("create holds for every way to write in parts, and the upload that loses is aborted", function*(t) {
    const body = bytes(3 * t.partSize + 7)
    for (const [name, write] of writers) {
      const key = t.key(name)
      yield* write(t, key, body, { mode: "create" })
      yield* reads(t, key, body, name)
      yield* refuses("AlreadyExists", write(t, key, bytes(3 * t.partSize, 2), { mode: "create" }), name)
      yield* reads(t, key, body, name)
    }
    yield* noUploads(t)
  }, { needs: [conditionalParts] }),
  test("of 64 creators exactly one wins, and its bytes are there", function*(t) {
    const key = t.key("race")
    const results = yield* Effect.forEach(
      Array.from({ length: 64 }, (_, i) => i),
      (i) => Effect.result(t.store.put(key, bytes(2000, i), { mode: "create" })),
      { concurrency: "unbounded" }
    )
    const winners = results.flatMap((result, i) => Result.isSuccess(result) ? [i] : [])
    same(winners.length, 1, "winners")
    for (const result of results) {
      if (Result.isFailure(result)) same(result.failure.reason._tag, "AlreadyExists", "a loser's reason")
    }
    yield* reads(t, key, bytes(2000, winners[0]!), "the winner's bytes")
  }, { needs: [create] }),
  test("of 16 creators in parts exactly one wins", function*(t) {
    const key = t.key("race-parts")
    const results = yield* Effect.forEach(
      Array.from({ length: 16 }, (_, i) => i),
      (i) =>
        Effect.result(
          t.store.putMultipart(key, bytes(2 * t.partSize + 1, i), { mode: "create", partSize: t.partSize })
        ),
      { concurrency: "unbounded" }
    )
    const winners = results.flatMap((result, i) => Result.isSuccess(result) ? [i] : [])
    same(winners.length, 1, "winners")
    yield* reads(t, key, bytes(2 * t.partSize + 1, winners[0]!), "the winner's bytes")
    yield* noUploads(t)
  }, { needs: [conditionalParts] })
])

const updating = subject("a put over a stale etag is PreconditionFailed", [
  test("update writes over the etag it names, and over no other", function*(t) {
    const key = t.key("update")
    const first = yield* t.store.put(key, "first")
    const second = yield* t.store.put(key, "second", { mode: { update: first.etag! } })
    yield* reads(t, key, utf8("second"))
    yield* refuses("PreconditionFailed", t.store.put(key, "third", { mode: { update: first.etag! } }))
    yield* refuses("PreconditionFailed", t.store.put(key, "third", { mode: { update: "\"no such etag\"" } }))
    yield* reads(t, key, utf8("second"))
    same((yield* t.store.stat(key)).etag, second.etag, "etag")
  }, {
    needs: [update],
    *without(t) {
      yield* t.store.put(t.key("update"), "x")
      yield* refuses("Unsupported", t.store.put(t.key("update"), "y", { mode: { update: "\"x\"" } }))
      yield* reads(t, t.key("update"), utf8("x"))
    }
  }),
  test("update of a missing object is PreconditionFailed and writes nothing", function*(t) {
    const { etag } = yield* t.store.put(t.key("gone"), "x")
    yield* t.store.delete(t.key("gone"))
    yield* refuses("PreconditionFailed", t.store.put(t.key("gone"), "y", { mode: { update: etag! } }))
    same(yield* t.store.exists(t.key("gone")), false, "exists")
  }, { needs: [update] }),
  test("a write of the same bytes makes an etag stale, or changes nothing", function*(t) {
    const key = t.key("same")
    const first = yield* t.store.put(key, "first")
    yield* t.store.put(key, "second")
    yield* refuses("PreconditionFailed", t.store.put(key, "third", { mode: { update: first.etag! } }))
  }, { needs: [update] }),
  test("update holds for every way to write in parts, and the upload that loses is aborted", function*(t) {
    const body = bytes(3 * t.partSize + 7)
    for (const [name, write] of writers) {
      const key = t.key(name)
      const { etag } = yield* t.store.put(key, "first")
      yield* write(t, key, body, { mode: { update: etag! } })
      yield* reads(t, key, body, name)
      yield* refuses("PreconditionFailed", write(t, key, bytes(3 * t.partSize, 2), { mode: { update: etag! } }), name)
      yield* reads(t, key, body, name)
    }
    yield* noUploads(t)
  }, { needs: [conditionalUpdateParts] }),
  test("16 fibers that each add 25 by compare-and-swap lose no increment", function*(t) {
    const key = t.key("counter")
    yield* t.store.put(key, "0")
    const add = Effect.gen(function*() {
      const target = new Uint8Array(8)
      const read = yield* t.store.getInto(key, target)
      const next = Number(Buffer.from(target.subarray(0, read.bytes)).toString()) + 1
      yield* t.store.put(key, String(next), { mode: { update: read.info.etag! } })
    })
    const retried: Effect.Effect<void, ObjectStoreError> = Effect.catchReason(
      add,
      "ObjectStoreError",
      "PreconditionFailed",
      () => Effect.andThen(Effect.yieldNow, Effect.suspend(() => retried))
    )
    const often = Effect.forEach(Array.from({ length: 25 }), () => retried, { discard: true })
    yield* Effect.forEach(Array.from({ length: 16 }), () => often, { concurrency: 16, discard: true })
    yield* reads(t, key, utf8("400"))
  }, { needs: [update] })
])

/** Every way to read, so that each has the conditions. */
const readers: ReadonlyArray<
  readonly [
    name: string,
    read: (t: CaseContext, key: string, conditions: ReadConditions) => Effect.Effect<unknown, ObjectStoreError>
  ]
> = [
  ["get", (t, key, conditions) => t.store.get(key, conditions)],
  ["getRange", (t, key, conditions) => t.store.getRange(key, { offset: 1, length: 2 }, conditions)],
  ["getRange of a suffix", (t, key, conditions) => t.store.getRange(key, { suffix: 2 }, conditions)],
  ["getRanges", (t, key, conditions) => t.store.getRanges(key, [{ offset: 1, length: 2 }], conditions)],
  ["getInto", (t, key, conditions) => t.store.getInto(key, new Uint8Array(100), conditions)],
  ["stream", (t, key, conditions) => Stream.runDrain(t.store.stream(key, conditions))],
  ["open", (t, key, conditions) => Effect.scoped(t.store.open(key, conditions))],
  ["stat", (t, key, conditions) => t.store.stat(key, conditions)]
]

const reading = subject("conditional reads", [
  test("every read obeys every condition and their precedence", function*(t) {
    const key = t.key("matrix")
    yield* t.store.put(key, "0123456789")
    const { etag, lastModified } = yield* t.store.stat(key)
    if (etag === undefined || lastModified === undefined) return wrong("stat gives no etag or time")
    const other = "\"another\""
    const before = DateTime.subtract(lastModified, { hours: 1 })
    const after = DateTime.add(lastModified, { seconds: 1 })
    const second = DateTime.startOf(lastModified, "second")
    const table: ReadonlyArray<readonly [ReadConditions, ErrorReasonTag | undefined]> = [
      [{ ifMatch: etag }, undefined],
      [{ ifMatch: other }, "PreconditionFailed"],
      [{ ifNoneMatch: other }, undefined],
      [{ ifNoneMatch: etag }, "NotModified"],
      // HTTP dates have no fractions of a second.
      [{ ifModifiedSince: second }, "NotModified"],
      [{ ifUnmodifiedSince: second }, undefined],
      [{ ifModifiedSince: before }, undefined],
      [{ ifModifiedSince: after }, "NotModified"],
      [{ ifUnmodifiedSince: after }, undefined],
      [{ ifUnmodifiedSince: before }, "PreconditionFailed"],
      [{ ifMatch: etag, ifUnmodifiedSince: before }, undefined],
      [{ ifMatch: other, ifUnmodifiedSince: after }, "PreconditionFailed"],
      [{ ifNoneMatch: other, ifModifiedSince: after }, undefined],
      [{ ifNoneMatch: etag, ifModifiedSince: before }, "NotModified"],
      [{ ifMatch: etag, ifNoneMatch: other }, undefined],
      [{ ifMatch: etag, ifNoneMatch: etag }, "NotModified"],
      [{ ifMatch: other, ifNoneMatch: etag }, "PreconditionFailed"]
    ]
    for (const [conditions, tag] of table) {
      for (const [name, read] of readers) {
        const what = `${name} with ${JSON.stringify(conditions)}`
        if (tag !== undefined) {
          yield* failsWith(tag, read(t, key, conditions), what)
          continue
        }
        const result = yield* Effect.result(read(t, key, conditions))
        if (Result.isFailure(result)) wrong(`${what} failed: ${result.failure.message}`)
      }
    }
  }, {
    needs: [conditionalRead],
    *without(t) {
      yield* t.store.put(t.key("x"), "x")
      yield* failsWith("Unsupported", t.store.get(t.key("x"), { ifMatch: "\"x\"" }))
    }
  }),
  test("a missing object is NotFound whatever the conditions", function*(t) {
    const time = DateTime.makeUnsafe("2020-01-01T00:00:00Z")
    const conditions: ReadonlyArray<ReadConditions> = [
      { ifMatch: "\"x\"" },
      { ifNoneMatch: "\"x\"" },
      { ifModifiedSince: time },
      { ifUnmodifiedSince: time }
    ]
    for (const condition of conditions) {
      for (const [name, read] of readers) {
        yield* failsWith("NotFound", read(t, t.key("missing"), condition), `${name} with ${JSON.stringify(condition)}`)
      }
    }
  }, { needs: [conditionalRead] }),
  test("conditions are decided before the range", function*(t) {
    const key = t.key("order")
    const { etag } = yield* t.store.put(key, "0123456789")
    const past = { offset: 10, length: 5 }
    yield* failsWith("PreconditionFailed", t.store.getRange(key, past, { ifMatch: "\"x\"" }))
    yield* failsWith("NotModified", t.store.getRange(key, past, { ifNoneMatch: etag }))
    yield* failsWith("RangeNotSatisfiable", t.store.getRange(key, past, { ifMatch: etag }))
    yield* failsWith("PreconditionFailed", t.store.getRange(key, { offset: 0, length: 0 }, { ifMatch: "\"x\"" }))
  }, { needs: [conditionalRead] }),
  test("conditions hold for zero-byte objects", function*(t) {
    const key = t.key("empty")
    const { etag } = yield* t.store.put(key, "")
    same((yield* t.store.get(key, { ifMatch: etag })).length, 0, "bytes")
    yield* failsWith("PreconditionFailed", t.store.get(key, { ifMatch: "\"x\"" }))
    yield* failsWith("NotModified", t.store.get(key, { ifNoneMatch: etag }))
  }, { needs: [conditionalRead] }),
  test("a version is refused where there are none", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    yield* failsWith("Unsupported", t.store.get(t.key("x"), { version: "1" }))
  }, { needs: [not(flag("versions"))] }),
  test("an old version is read by its id", function*(t) {
    const first = yield* t.store.put(t.key("x"), "first")
    const second = yield* t.store.put(t.key("x"), "second")
    holds(first.version !== undefined && first.version !== second.version, "writes give no version")
    same(Buffer.from(yield* t.store.get(t.key("x"), { version: first.version })).toString(), "first")
    same(Buffer.from(yield* t.store.get(t.key("x"), { version: second.version })).toString(), "second")
  }, { needs: [flag("versions")] })
])

/**
 * Cases of conditions.
 *
 * @category testing
 * @since 0.1.0
 */
export const conditions: ReadonlyArray<Case> = [...creating, ...updating, ...reading]
