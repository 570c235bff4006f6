import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Logger, Metric, Stream, Tracer } from "effect"
import { type Backend, fromBackend, makeError } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { Fault, type FaultRule, faultyBackend, makeFaultPlan } from "effect-objectstore/testing"
import { TestClock } from "effect/testing"

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index)

const setUp = Effect.fnUntraced(function*(
  rules: ReadonlyArray<FaultRule>,
  wrap: (backend: Backend) => Backend = (backend) => backend
) {
  const memory = yield* makeBackend({ capabilities: { maxCopySize: 50, multipart: { minPartSize: 10 } } })
  const plan = yield* makeFaultPlan({ seed: "test", rules })
  const plain = yield* fromBackend(memory, { base: "mem://memory/" })
  const store = yield* fromBackend(faultyBackend(wrap(memory), plan), { base: "mem://memory/" })
  return { plain, store, plan }
})

const abandoned = Effect.map(
  Metric.snapshot,
  (all) =>
    all.filter(({ id }) => id === "objectstore_uploads_abandoned_total")
      .reduce((sum, { state }) => sum + ("count" in state ? Number(state.count) : 0), 0)
)

const openUploads = (store: { readonly listUploads: () => Stream.Stream<unknown, unknown> }) =>
  Effect.map(Stream.runCollect(store.listUploads()), (uploads) => uploads.length)

/** Runs with every log line and every event of a span gathered. */
const watched = Effect.fnUntraced(function*<A, E>(effect: Effect.Effect<A, E>) {
  const lines: Array<string> = []
  const spans: Array<Tracer.NativeSpan> = []
  const logger = Logger.make(({ message }) => void lines.push(String(message)))
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const before = yield* abandoned
  const fiber = yield* effect.pipe(
    Effect.result,
    Effect.provide(Logger.layer([logger])),
    Effect.withTracer(tracer),
    Effect.forkChild({ startImmediately: true })
  )
  yield* TestClock.adjust("5 minutes")
  const result = yield* Fiber.join(fiber)
  const events = spans.flatMap((span) => span.events.map(([name]) => name))
  return { result, lines, events, abandoned: (yield* abandoned) - before }
})

describe("an upload that cannot be aborted", () => {
  const writes = {
    bytes: (store) => store.putMultipart("a", bytes(100), { partSize: 10 }),
    "a stream": (store) => store.putMultipart("a", Stream.make(bytes(100)), { partSize: 10 }),
    "a copy in parts": (store) => store.copy("large", "a")
  } satisfies Record<
    string,
    (store: Effect.Success<ReturnType<typeof setUp>>["store"]) => Effect.Effect<unknown, unknown>
  >

  for (const [name, write] of Object.entries(writes)) {
    it.effect(`is tried again, and then told in the error, the log, the span and a metric: ${name}`, () =>
      Effect.gen(function*() {
        const { plain, plan, store } = yield* setUp([
          { operation: ["uploadPart", "copyPart"], key: "a", fault: Fault.fail("PermissionDenied") },
          { operation: "abortUpload", fault: Fault.fail("Unavailable") }
        ])
        yield* plain.put("large", bytes(100))
        const seen = yield* watched(write(store))
        const told = /^upload \S+ to memory\/a could not be aborted \(Unavailable: .*\) and stays open$/
        if (seen.result._tag !== "Failure") return assert.fail("it succeeded")
        const error = seen.result.failure as { readonly message: string; readonly outcome: string }
        assert.match(
          error.message,
          /^PermissionDenied: .*; upload \S+ to memory\/a could not be aborted .* and stays open$/
        )
        assert.strictEqual(error.outcome, "not-applied")
        assert.strictEqual(seen.lines.filter((line) => told.test(line)).length, 1)
        assert.strictEqual(seen.events.filter((line) => told.test(line)).length, 1)
        assert.strictEqual(seen.abandoned, 1)
        assert.strictEqual((yield* plan.journal).filter(({ operation }) => operation === "abortUpload").length, 5)
        assert.strictEqual(yield* openUploads(plain), 1)
      }))
  }

  it.effect("does not hold up an interruption for more than five seconds", () =>
    Effect.gen(function*() {
      const hanging = yield* Deferred.make<void>()
      const { store } = yield* setUp([], (backend) => ({
        ...backend,
        uploadPart: () => Effect.andThen(Deferred.succeed(hanging, undefined), Effect.never),
        abortUpload: () => Effect.never
      }))
      const seen = yield* watched(Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(store.putMultipart("a", bytes(100), { partSize: 10 }))
        yield* Deferred.await(hanging)
        yield* Fiber.interrupt(fiber)
        return yield* Clock.currentTimeMillis
      }))
      assert.deepStrictEqual(seen.result._tag === "Success" && seen.result.success, 5000)
      assert.deepStrictEqual(seen.lines.length, 1)
      assert.match(seen.lines[0]!, /no answer within 5000 ms/)
    }))

  it.effect("is not reported when a repetition finds it gone", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([
        { operation: "uploadPart", fault: Fault.fail("PermissionDenied") },
        { operation: "abortUpload", hits: 1, fault: Fault.failAfter("ConnectionFailed", { phase: "headers" }) }
      ])
      const seen = yield* watched(store.putMultipart("a", bytes(100), { partSize: 10 }))
      assert.deepStrictEqual([seen.lines, seen.events, seen.abandoned], [[], [], 0])
      assert.strictEqual(yield* openUploads(plain), 0)
    }))
})

describe("an upload whose opening is interrupted", () => {
  /** Interrupts when the request is under way; answers how long that took. */
  const interrupted = Effect.fnUntraced(function*(
    open: (backend: Backend) => ReturnType<Backend["openUpload"]>,
    wait = 0
  ) {
    const begun = yield* Deferred.make<void>()
    const { plain, store } = yield* setUp([], (backend) => ({
      ...backend,
      openUpload: () => Effect.andThen(Deferred.succeed(begun, undefined), open(backend))
    }))
    const seen = yield* watched(Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(store.putMultipart("a", bytes(100), { partSize: 10 }))
      yield* Deferred.await(begun)
      yield* Effect.sleep(wait)
      const start = yield* Clock.currentTimeMillis
      yield* Fiber.interrupt(fiber)
      return (yield* Clock.currentTimeMillis) - start
    }))
    return { ...seen, took: seen.result._tag === "Success" ? seen.result.success : -1, open: yield* openUploads(plain) }
  })
  const at = { container: "memory", key: "a" }
  const plainly = { mode: "overwrite", attributes: {}, metadata: {} } as const

  it.effect("is aborted when the answer comes in time", () =>
    Effect.gen(function*() {
      const seen = yield* interrupted((backend) => Effect.delay(backend.openUpload(at, plainly), "2 seconds"))
      assert.deepStrictEqual([seen.took, seen.open, seen.abandoned], [2000, 0, 0])
    }))

  it.effect("is given up after five seconds without an answer, and told", () =>
    Effect.gen(function*() {
      const seen = yield* interrupted(() => Effect.never)
      assert.deepStrictEqual([seen.took, seen.lines.length, seen.abandoned], [5000, 1, 1])
    }))

  it.effect("ends at once while nothing is under way", () =>
    Effect.gen(function*() {
      const fails = makeError("Throttled", { operation: "open", backend: "memory", retryAfter: 10_000 })
      const seen = yield* interrupted(() => Effect.fail(fails), 100)
      assert.deepStrictEqual([seen.took, seen.lines.length, seen.abandoned], [0, 0, 0])
    }))
})

describe("an upload that may be open without anybody knowing its id", () => {
  it.effect("is reported when the answer that opens it is lost, and left to a sweep", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([
        { operation: "openUpload", hits: 1, fault: Fault.failAfter("Timeout", { phase: "headers" }) }
      ])
      const seen = yield* watched(store.putMultipart("a", bytes(100), { partSize: 10 }))
      assert.strictEqual(seen.result._tag, "Success")
      assert.deepStrictEqual([seen.lines.length, seen.events.length, seen.abandoned], [1, 1, 1])
      assert.strictEqual(yield* openUploads(plain), 1)
      yield* Stream.runForEach(plain.listUploads(), plain.abortUpload)
      assert.strictEqual(yield* openUploads(plain), 0)
    }))

  it.effect("has not published anything when it could not be opened", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([{ operation: "openUpload", fault: Fault.failAfter("Unavailable") }])
      const { result } = yield* watched(Effect.flip(store.putMultipart("a", bytes(100), { partSize: 10 })))
      assert.strictEqual(result._tag === "Success" && result.success.outcome, "not-applied")
      assert.isFalse(yield* plain.exists("a"))
    }))
})

describe("a listing that a store gets wrong", () => {
  const listing = Effect.fnUntraced(function*(list: Backend["listPage"]) {
    const { store } = yield* setUp([], (backend) => ({ ...backend, listPage: list }))
    return yield* Effect.flip(Stream.runDrain(store.list("p/")))
  })
  const page = (keys: ReadonlyArray<string>, next?: unknown) =>
    Effect.succeed({ objects: keys.map((key) => ({ key, size: 1 })), prefixes: [], next })

  it.effect("ends when a page is followed by itself, repeats a key, goes back, or leaves the prefix", () =>
    Effect.gen(function*() {
      let count = 0
      const lists: ReadonlyArray<Backend["listPage"]> = [
        ({ cursor }) => page([], cursor ?? "same"),
        () => page(["p/a", "p/b"], `page ${count++}`),
        ({ cursor }) => page(cursor === undefined ? ["p/b"] : ["p/a"], "next"),
        () => page(["q"])
      ]
      for (const list of lists) assert.strictEqual((yield* listing(list)).reason._tag, "ProtocolViolation")
    }))

  it.effect("of uploads ends when a page is followed by itself", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp([], (backend) => ({
        ...backend,
        listUploads: () => Effect.succeed({ uploads: [], next: "same" })
      }))
      const error = yield* Effect.flip(Stream.runDrain(store.listUploads()))
      assert.strictEqual(error.reason._tag, "ProtocolViolation")
    }))

  it.effect("of uploads ends when a page holds one that was not asked for: whoever sweeps would abort it", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp([], (backend) => ({
        ...backend,
        listUploads: () => Effect.succeed({ uploads: [{ container: "memory", key: "q", id: "1" }] })
      }))
      const error = yield* Effect.flip(Stream.runDrain(store.listUploads("p/")))
      assert.strictEqual(error.reason._tag, "ProtocolViolation")
      assert.lengthOf(yield* Stream.runCollect(store.listUploads("")), 1)
    }))

  it.effect("is told, not shortened, when a page fails", () =>
    Effect.gen(function*() {
      const error = yield* listing(({ cursor }) =>
        cursor === undefined
          ? page(["p/a"], "next")
          : Effect.fail(makeError("PermissionDenied", { operation: "list", backend: "memory" }))
      )
      assert.strictEqual(error.reason._tag, "PermissionDenied")
    }))
})
