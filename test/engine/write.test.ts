import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { type Backend, fromBackend, makeError } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { recording } from "./RecordingBackend.ts"

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 31) % 251)

const limits = { multipart: { minPartSize: 10, maxParts: 50 } }

const setUp = Effect.fnUntraced(function*(wrap: (backend: Backend) => Backend = (backend) => backend) {
  const memory = yield* makeBackend({ capabilities: limits })
  const recorded = recording(wrap(memory))
  const plain = yield* fromBackend(memory, { base: "mem://memory/" })
  const store = yield* fromBackend(recorded.backend, { base: "mem://memory/" })
  return { ...recorded, plain, store }
})

const openUploads = (store: { readonly listUploads: () => Stream.Stream<unknown, unknown> }) =>
  Effect.map(Stream.runCollect(store.listUploads()), (uploads) => uploads.length)

const failingPart = (number: number) => (backend: Backend): Backend => ({
  ...backend,
  uploadPart: (upload, part) =>
    part.number === number
      ? Effect.fail(makeError("PermissionDenied", { operation: "uploadPart", backend: "memory" }))
      : backend.uploadPart(upload, part)
})

describe("writes of the engine", () => {
  it.effect("send a small stream as one request, and a long one in parts of the size asked for", () =>
    Effect.gen(function*() {
      const { calls, names, plain, store } = yield* setUp()
      yield* store.put("small", Stream.fromArray([bytes(10), bytes(20)]))
      assert.deepStrictEqual(names(), ["write"])
      calls.length = 0
      const body = bytes(137)
      yield* store.putMultipart(
        "large",
        Stream.fromArray([body.subarray(0, 1), body.subarray(1, 90), body.subarray(90)]),
        {
          partSize: 30,
          concurrency: 2
        }
      )
      assert.deepStrictEqual(calls.filter(({ name }) => name === "uploadPart").map(({ detail }) => detail), [
        [1, 30],
        [2, 30],
        [3, 30],
        [4, 30],
        [5, 17]
      ])
      assert.deepStrictEqual(yield* plain.get("large"), body)
      assert.strictEqual(yield* openUploads(plain), 0)
    }))

  it.effect("keep to the concurrency that was asked for", () =>
    Effect.gen(function*() {
      const { running, store } = yield* setUp()
      yield* store.putMultipart("bytes", bytes(450), { partSize: 10, concurrency: 3 })
      assert.strictEqual(running.most, 3)
      running.most = 0
      yield* store.putMultipart("stream", Stream.fromArray([bytes(450)]), { partSize: 10, concurrency: 3 })
      assert.strictEqual(running.most, 3)
    }))

  for (
    const [what, body] of [["bytes", bytes(450)], ["a stream", Stream.fromArray([bytes(200), bytes(250)])]] as const
  ) {
    it.effect(`abort after a failed part of ${what}, once all parts have stopped`, () =>
      Effect.gen(function*() {
        const { names, plain, running, store } = yield* setUp(failingPart(7))
        const error = yield* Effect.flip(store.putMultipart("a", body, { partSize: 10, concurrency: 4 }))
        assert.strictEqual(error.reason._tag, "PermissionDenied")
        assert.strictEqual(error.outcome, "not-applied")
        assert.strictEqual(running.now, 0)
        const ended = names()
        assert.strictEqual(ended.at(-1), "abortUpload")
        assert.notInclude(ended, "completeUpload")
        assert.isBelow(ended.filter((name) => name === "uploadPart").length, 20)
        assert.strictEqual(yield* openUploads(plain), 0)
        assert.isFalse(yield* plain.exists("a"))
      }))
  }

  it.live.each(["stored as it is", "compressed"])(
    "fail when a part does, and do not wait for a source that stands still: %s",
    (how) =>
      Effect.gen(function*() {
        const { plain, store } = yield* setUp((backend) => {
          const failing = failingPart(1)(backend)
          return { ...failing, uploadPart: (...part) => Effect.delay(failing.uploadPart(...part), "100 millis") }
        })
        let closed = false
        const noise = Uint8Array.from({ length: 4000 }, (_, index) => (index * index * 7919) >> 3)
        const source = Stream.fromArray([noise]).pipe(
          Stream.concat(Stream.never),
          Stream.ensuring(Effect.sync(() => closed = true))
        )
        const options = {
          partSize: 1000,
          ...(how === "compressed" ? { compression: { frameSize: 1024 } } : undefined)
        }
        const error = yield* Effect.flip(Effect.timeout(store.putMultipart("a", source, options), "5 seconds"))
        assert.strictEqual("reason" in error ? error.reason._tag : error._tag, "PermissionDenied")
        assert.isTrue(closed)
        assert.strictEqual(yield* openUploads(plain), 0)
      })
  )

  it.effect("abort when the progress callback dies, and do not lose the defect", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp()
      for (const body of [bytes(100), Stream.fromArray([bytes(100)])]) {
        const exit = yield* Effect.exit(
          store.putMultipart("a", body, {
            partSize: 10,
            onProgress: ({ bytes }) => bytes > 30 ? Effect.die("boom") : Effect.void
          })
        )
        assert.isTrue(Exit.hasDies(exit))
        assert.strictEqual(yield* openUploads(plain), 0)
        assert.isFalse(yield* plain.exists("a"))
      }
    }))

  it.effect("abort when interrupted while a part hangs, and wait for the abort", () =>
    Effect.gen(function*() {
      const hanging = yield* Deferred.make<void>()
      const { names, plain, store } = yield* setUp((backend) => ({
        ...backend,
        uploadPart: (upload, part) =>
          part.number < 3
            ? backend.uploadPart(upload, part)
            : Effect.andThen(Deferred.succeed(hanging, undefined), Effect.never)
      }))
      const fiber = yield* Effect.forkChild(store.putMultipart("a", bytes(100), { partSize: 10 }))
      yield* Deferred.await(hanging)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(names().at(-1), "abortUpload")
      assert.strictEqual(yield* openUploads(plain), 0)
    }))

  it.effect("repeat an abort that fails, and end with the first error when it cannot be done", () =>
    Effect.gen(function*() {
      let aborts = 0
      const { store } = yield* setUp((backend) => ({
        ...failingPart(1)(backend),
        abortUpload: () =>
          Effect.suspend(() => {
            aborts++
            return Effect.fail(makeError("PermissionDenied", { operation: "abortUpload", backend: "memory" }))
          })
      }))
      const error = yield* Effect.flip(store.putMultipart("a", bytes(100), { partSize: 10 }))
      assert.strictEqual(error.reason._tag, "PermissionDenied")
      assert.strictEqual(aborts, 1)
    }))

  it.effect("publish nothing when the stream fails, ends early or runs over", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp()
      const cases: ReadonlyArray<readonly [Stream.Stream<Uint8Array, unknown>, number | undefined]> = [
        [Stream.concat(Stream.fromArray([bytes(95)]), Stream.fail("lost")), undefined],
        [Stream.fromArray([bytes(95)]), 96],
        [Stream.fromArray([bytes(95)]), 94],
        [Stream.fromArray([bytes(5)]), 6],
        [Stream.empty, 1]
      ]
      for (const [body, size] of cases) {
        const error = yield* Effect.flip(store.put("a", body, { partSize: 10, size }))
        assert.strictEqual(error.reason._tag, "SourceFailed")
        assert.strictEqual(error.outcome, "not-applied")
      }
      assert.strictEqual(yield* openUploads(plain), 0)
      assert.isFalse(yield* plain.exists("a"))
    }))

  it.effect("say what failed in a stream of a store, and nothing of what a program's own stream says", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp()
      const read = yield* Effect.flip(store.put("a", store.stream("missing")))
      assert.include(read.message, "the stream of the body failed (NotFound: stream mem://")
      const own = yield* Effect.flip(store.put("a", Stream.fail(new Error("secret"))))
      assert.notInclude(own.message, "secret")
    }))

  it.effect("fail with LimitExceeded when a stream needs more parts than there may be", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp()
      const error = yield* Effect.flip(store.put("a", Stream.fromArray([bytes(600)]), { partSize: 10 }))
      assert.strictEqual(error.reason._tag, "LimitExceeded")
      assert.strictEqual(yield* openUploads(plain), 0)
      // A known length gets parts that are large enough.
      assert.strictEqual((yield* store.put("a", Stream.fromArray([bytes(600)]), { size: 600 })).size, 600)
    }))

  it.effect("let a hundred writers of one store be open together, whatever the byte budget", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend({ capabilities: limits })
      const store = yield* fromBackend(memory, { base: "mem://memory/", memory: 25 })
      const scope = yield* Scope.make()
      const writers = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => `w${index}`),
        (key) => Scope.provide(store.writer(key, { partSize: 10 }), scope)
      )
      for (let turn = 0; turn < 5; turn++) for (const writer of writers) yield* writer.write(bytes(7))
      for (const writer of writers) assert.strictEqual((yield* writer.finish).size, 35)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* openUploads(store), 0)
    }))

  it.effect("copy from streams of the same store, many at a time, through a byte budget that the streams take whole", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend({ capabilities: limits })
      const store = yield* fromBackend(memory, { base: "mem://memory/", memory: 20 })
      const body = bytes(137)
      yield* store.put("a", body)
      const cut = { partSize: 10, concurrency: 3 }
      const keys = Array.from({ length: 8 }, (_, index) => `copy${index}`)
      yield* Effect.forEach(keys, (key) => store.put(key, store.stream("a", cut), cut), { concurrency: "unbounded" })
      for (const key of keys) assert.deepStrictEqual(yield* store.get(key), body)
    }))

  it.effect("send a part at a time when the byte budget is taken by others", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend({ capabilities: limits })
      const recorded = recording(memory)
      const store = yield* fromBackend(recorded.backend, { base: "mem://memory/", memory: 9 })
      yield* store.put("a", Stream.fromArray([bytes(200)]), { partSize: 10, concurrency: 8 })
      assert.strictEqual(recorded.running.most, 1)
      assert.deepStrictEqual(yield* store.get("a"), bytes(200))
    }))

  it.effect("refuse to go on after a write that lost bytes, so that no object has a gap", () =>
    Effect.gen(function*() {
      let refusals = 1
      const { plain, store } = yield* setUp((backend) => ({
        ...backend,
        openUpload: (at, options) =>
          refusals-- > 0
            ? Effect.fail(makeError("PermissionDenied", { operation: "openUpload", backend: "memory" }))
            : backend.openUpload(at, options)
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* store.writer("a", { partSize: 10 })
        assert.strictEqual((yield* Effect.flip(writer.write(bytes(25)))).reason._tag, "PermissionDenied")
        assert.strictEqual((yield* Effect.flip(writer.write(bytes(25)))).reason._tag, "InvalidRequest")
        assert.strictEqual((yield* Effect.flip(writer.finish)).reason._tag, "InvalidRequest")
      }))
      assert.isFalse(yield* plain.exists("a"))
    }))

  it.effect("refuse to go on after a write that was interrupted", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      const { plain, store } = yield* setUp((backend) => ({
        ...backend,
        uploadPart: () => Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* store.writer("a", { partSize: 10, concurrency: 1 })
        const fiber = yield* Effect.forkChild(writer.write(bytes(55)))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual((yield* Effect.flip(writer.write(bytes(1)))).reason._tag, "InvalidRequest")
        assert.strictEqual((yield* Effect.flip(writer.finish)).reason._tag, "InvalidRequest")
      }))
      assert.strictEqual(yield* openUploads(plain), 0)
      assert.isFalse(yield* plain.exists("a"))
    }))

  it.effect("refuse a writer whose scope has closed, instead of waiting or publishing", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp()
      const writer = yield* Effect.scoped(Effect.tap(
        store.writer("a", { partSize: 10 }),
        ({ write }) => write(bytes(5))
      ))
      assert.strictEqual((yield* Effect.flip(writer.write(bytes(50)))).reason._tag, "InvalidRequest")
      assert.strictEqual((yield* Effect.flip(writer.finish)).reason._tag, "InvalidRequest")
      assert.isFalse(yield* plain.exists("a"))
    }))

  it.effect("publish nothing when a writer's scope closes unfinished, and nothing after finish", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp()
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* store.writer("a", { partSize: 10 })
        yield* writer.write(bytes(100))
        assert.strictEqual(yield* openUploads(plain), 1)
      }))
      assert.strictEqual(yield* openUploads(plain), 0)
      assert.isFalse(yield* plain.exists("a"))
      yield* Effect.scoped(Effect.gen(function*() {
        const writer = yield* store.writer("a")
        yield* writer.finish
        assert.strictEqual((yield* Effect.flip(writer.write(bytes(1)))).reason._tag, "InvalidRequest")
        assert.strictEqual((yield* Effect.flip(writer.finish)).reason._tag, "InvalidRequest")
      }))
      assert.strictEqual((yield* plain.stat("a")).size, 0)
    }))

  it.effect("end as a defect when onProgress answers no effect, or throws", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp()
      const wrong = [(() => undefined) as never, () => {
        throw new TypeError("onProgress")
      }]
      for (const onProgress of wrong) {
        const stream = Stream.fromArray([bytes(25), bytes(25)])
        const exits: Array<Exit.Exit<unknown, unknown>> = [
          yield* Effect.exit(store.put("a", bytes(5), { onProgress })),
          yield* Effect.exit(store.put("a", bytes(50), { partSize: 10, onProgress })),
          yield* Effect.exit(store.put("a", stream, { partSize: 10, onProgress })),
          yield* Effect.exit(Stream.run(stream, store.sink("a", { partSize: 10, onProgress })))
        ]
        yield* plain.put("b", bytes(50))
        exits.push(
          yield* Effect.exit(store.get("b", { partSize: 10, onProgress })),
          yield* Effect.exit(store.getRanges("b", [{ offset: 1 }], { onProgress })),
          yield* Effect.exit(Stream.runDrain(store.stream("b", { onProgress })))
        )
        for (const exit of exits) assert.include(String(exit), "Die(TypeError: onProgress")
        assert.strictEqual(yield* openUploads(plain), 0)
      }
    }))
})
