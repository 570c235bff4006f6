import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, type Scope, Stream } from "effect"
import {
  defaultRetryPolicy,
  fromBackend,
  type ObjectStoreError,
  type ObjectStoreOperations,
  type RequestClass,
  requestClasses,
  RetryPolicy,
  type RetryVerdicts
} from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { type BackendOperation, Fault, faultyBackend, makeFaultPlan } from "effect-objectstore/testing"
import { TestClock } from "effect/testing"

type Run = (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError, Scope.Scope>

const parts = { partSize: 2 }

/** What each kind of request is: the operation, the primitive that it needs, and the kind that the matrix knows it as. */
const table: ReadonlyArray<readonly [kind: RequestClass, primitive: BackendOperation, name: string, run: Run]> = [
  ["read", "head", "stat", (store) => store.stat("a")],
  ["read", "head", "exists", (store) => store.exists("a")],
  ["read", "head", "open", (store) => store.open("a")],
  ["read", "head", "getRanges", (store) => store.getRanges("a", [{ offset: 0, length: 1 }])],
  ["read", "read", "get", (store) => store.get("a")],
  ["read", "read", "getRange", (store) => store.getRange("a", { offset: 1 })],
  ["read", "read", "getInto", (store) => store.getInto("a", new Uint8Array(9))],
  ["read", "read", "stream", (store) => Stream.runDrain(store.stream("a"))],
  ["read", "listPage", "list", (store) => Stream.runDrain(store.list())],
  ["read", "listPage", "listDirectory", (store) => Stream.runDrain(store.listDirectory())],
  ["read", "listUploads", "listUploads", (store) => Stream.runDrain(store.listUploads())],
  ["read", "listContainers", "listContainers", (store) => Stream.runDrain(store.listContainers())],
  ["body", "readInto", "get", (store) => store.get("a")],
  ["body", "readInto", "get in parts", (store) => store.get("a", { ...parts, concurrency: 1 })],
  ["body", "readInto", "stream", (store) => Stream.runDrain(store.stream("a", parts))],
  ["put", "write", "put", (store) => store.put("b", "x")],
  ["put", "write", "put of a stream", (store) => store.put("b", Stream.make(new Uint8Array(1)))],
  ["conditional", "write", "put create", (store) => store.put("b", "x", { mode: "create" })],
  ["conditional", "write", "put update", (store) =>
    Effect.flatMap(
      store.stat("a"),
      ({ etag }) => store.put("a", "x", { mode: { update: etag! } })
    )],
  ["conditional", "deleteBatch", "delete if match", (store) =>
    Effect.flatMap(
      store.stat("a"),
      ({ etag }) => store.delete("a", { ifMatch: etag })
    )],
  ["conditional", "createContainer", "createContainer", (store) => store.createContainer("second")],
  ["conditional", "deleteContainer", "deleteContainer", (store) => store.deleteContainer("empty")],
  ["part", "uploadPart", "putMultipart", (store) => store.putMultipart("b", "x")],
  ["part", "copyPart", "copy of a large object", (store) => store.copy("large", "b")],
  ["complete", "completeUpload", "putMultipart", (store) => store.putMultipart("b", "x")],
  ["initiate", "openUpload", "putMultipart", (store) => store.putMultipart("b", "x")],
  ["abort", "abortUpload", "abortUpload", (store) =>
    Effect.flatMap(
      Stream.runCollect(store.listUploads()),
      ([upload]) => store.abortUpload(upload!)
    )],
  [
    "abort",
    "abortUpload",
    "a write that failed",
    (store) => store.putMultipart("b", Stream.concat(Stream.make(new Uint8Array(5)), Stream.fail("lost")), parts)
  ],
  ["delete", "deleteBatch", "delete", (store) => store.delete("a")],
  ["delete", "deleteBatch", "deleteMany", (store) => Stream.runDrain(store.deleteMany(["a"]))],
  ["copy", "copy", "copy", (store) => store.copy("a", "b")],
  ["copy", "rename", "rename", (store) => store.rename("a", "b")]
]

const verdicts = (kind: RequestClass): RetryVerdicts => {
  const never = Object.fromEntries(requestClasses.map((one) => [one, "fail"])) as unknown as RetryVerdicts
  return { ...never, [kind]: "once" }
}

/** How often a primitive is asked for if only failures of `kind` are repeated, once. */
const requestsOf = Effect.fnUntraced(function*(kind: RequestClass, primitive: BackendOperation, run: Run) {
  const memory = yield* makeBackend({
    containers: ["empty"],
    capabilities: { maxCopySize: 6, multipart: { minPartSize: 2, ordered: true } }
  })
  const plain = yield* fromBackend(memory, { base: "mem://memory/" })
  yield* plain.put("a", "hello")
  yield* plain.put("large", "hello hello")
  yield* memory.openUpload({ container: "memory", key: "upload" }, { mode: "overwrite", attributes: {}, metadata: {} })
  const fault = Fault.fail("Unavailable")
  const plan = yield* makeFaultPlan({ seed: "test", rules: [{ operation: primitive, key: /./, fault }] })
  const list = yield* makeFaultPlan({ seed: "test", rules: [{ operation: primitive, fault }] })
  const one = primitive.startsWith("list") ? list : plan
  const store = yield* fromBackend(faultyBackend(memory, one), { base: "mem://memory/" })
  const fiber = yield* Effect.scoped(run(store)).pipe(
    Effect.exit,
    Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, matrix: { Unavailable: verdicts(kind) } }),
    Effect.forkChild
  )
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(fiber)
  const journal = yield* one.journal
  return journal.length
})

describe("each request is of its kind", () => {
  for (const [kind, primitive, name, run] of table) {
    it.effect(`${primitive} of ${name} is ${kind}`, () =>
      Effect.gen(function*() {
        for (const other of requestClasses) {
          assert.strictEqual(yield* requestsOf(other, primitive, run), other === kind ? 2 : 1, other)
        }
      }).pipe(Effect.provide(Logger.layer([]))))
  }

  it("for all kinds", () => {
    assert.deepStrictEqual(new Set(table.map(([kind]) => kind)), new Set(requestClasses))
  })
})
