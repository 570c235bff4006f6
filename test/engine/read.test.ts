import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, fromBackend, makeError, type ObjectStat, type ReadReply } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { inTime } from "./inTime.ts"
import { recording, turnOfTheEventLoop } from "./RecordingBackend.ts"

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 31) % 251)

const setUp = Effect.fnUntraced(function*(
  wrap: (backend: Backend) => Backend = (backend) => backend,
  options: { readonly requests?: number; readonly memory?: number } = {}
) {
  const memory = yield* makeBackend()
  const recorded = recording(wrap(memory))
  const plain = yield* fromBackend(memory, { base: "mem://memory/" })
  const store = yield* fromBackend(recorded.backend, { base: "mem://memory/", ...options })
  return { ...recorded, plain, store }
})

describe("reads of the engine", () => {
  it.effect("ask for ranges only: the first one tells the size, and the rest has no holes and no overlaps", () =>
    Effect.gen(function*() {
      const { calls, names, plain, store } = yield* setUp()
      yield* plain.put("a", bytes(1000))
      assert.deepStrictEqual(yield* store.get("a", { partSize: 300, concurrency: 3 }), bytes(1000))
      assert.deepStrictEqual(names(), ["read", "read", "read", "read"])
      assert.deepStrictEqual(calls.map(({ detail }) => detail), [
        { offset: 0, length: 300 },
        { offset: 300, length: 300 },
        { offset: 600, length: 300 },
        { offset: 900, length: 100 }
      ])
    }))

  it.effect("keep to the concurrency that was asked for, and to the store's request budget", () =>
    Effect.gen(function*() {
      const one = yield* setUp()
      yield* one.plain.put("a", bytes(1000))
      yield* one.store.get("a", { partSize: 10, concurrency: 7 })
      assert.strictEqual(one.running.most, 7)
      const many = yield* setUp(undefined, { requests: 5 })
      yield* many.plain.put("a", bytes(1000))
      const results = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => many.store.get("a", { partSize: 100, concurrency: 4 }),
        { concurrency: "unbounded" }
      )
      for (const result of results) assert.deepStrictEqual(result, bytes(1000))
      assert.strictEqual(many.running.most, 5)
    }))

  it.effect("resume a broken body at the byte that was delivered last", () =>
    Effect.gen(function*() {
      let broken = 0
      const breaking = (backend: Backend): Backend => ({
        ...backend,
        read: (at, request) =>
          Effect.map(backend.read(at, request), (reply): ReadReply => {
            if (broken++ >= 3 || reply.length < 50) return reply
            return {
              ...reply,
              into: (target) =>
                Effect.andThen(
                  reply.into(target.subarray(0, 40)),
                  makeError("BodyInterrupted", { operation: "read", backend: "memory", received: 40 })
                )
            }
          })
      })
      const { calls, plain, store } = yield* setUp(breaking)
      yield* plain.put("a", bytes(500))
      assert.deepStrictEqual(yield* inTime(store.get("a", { partSize: 200, concurrency: 1 })), bytes(500))
      assert.deepStrictEqual(calls.map(({ detail }) => detail), [
        { offset: 0, length: 200 },
        { offset: 40, length: 160 },
        { offset: 80, length: 120 },
        { offset: 120, length: 80 },
        { offset: 200, length: 200 },
        { offset: 400, length: 100 }
      ])
    }))

  it.effect("never mix two versions: an overwrite between two parts is ObjectChanged", () =>
    Effect.gen(function*() {
      let reads = 0
      const memory = yield* makeBackend()
      const overwriting: Backend = {
        ...memory,
        read: (at, request) =>
          Effect.andThen(
            Effect.suspend(() =>
              ++reads === 3
                ? memory.write(at, bytes(1000), { mode: "overwrite", attributes: {}, metadata: {} })
                : Effect.void
            ),
            memory.read(at, request)
          )
      }
      const store = yield* fromBackend(overwriting, { base: "mem://memory/" })
      yield* store.put("a", bytes(1000))
      const viaGet = yield* Effect.flip(store.get("a", { partSize: 100, concurrency: 1 }))
      assert.strictEqual(viaGet.reason._tag, "ObjectChanged")
      reads = 0
      const chunks: Array<Uint8Array> = []
      const viaStream = yield* store.stream("a", { partSize: 100, concurrency: 1 }).pipe(
        Stream.runForEach((chunk) => Effect.sync(() => chunks.push(chunk))),
        Effect.flip
      )
      assert.strictEqual(viaStream.reason._tag, "ObjectChanged")
      assert.strictEqual(chunks.length, 2)
    }))

  it.effect("hold a reader to its version where neither etags nor conditions tell it", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend({ capabilities: { conditionalRead: false } })
      const without = <Stat extends ObjectStat>(stat: Stat): Stat => ({ ...stat, etag: undefined, version: undefined })
      const backend: Backend = {
        ...memory,
        capabilities: { ...memory.capabilities, versions: false },
        head: (at, conditions) => Effect.map(memory.head(at, conditions), without),
        read: (at, request) =>
          Effect.map(memory.read(at, request), (reply) => ({ ...reply, stat: without(reply.stat) }))
      }
      const store = yield* fromBackend(backend, { base: "mem://memory/" })
      for (const overwritten of [bytes(99), bytes(101)]) {
        yield* store.put("a", bytes(100))
        const reader = yield* store.open("a")
        yield* store.put("a", overwritten)
        const reads = {
          read: reader.read(),
          "read of nothing": reader.read({ suffix: 0 }),
          readInto: reader.readInto(new Uint8Array(200)),
          stream: Stream.runDrain(reader.stream()),
          "stream of a range": Stream.runDrain(reader.stream({ offset: 3, length: 5 }))
        }
        for (const [name, read] of Object.entries(reads)) {
          assert.strictEqual((yield* Effect.flip(read)).reason._tag, "ObjectChanged", name)
        }
      }
    }))

  it.effect("never mix two versions in several ranges where the store takes no condition", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend({ capabilities: { conditionalRead: false } })
      const plain = yield* fromBackend(memory, { base: "mem://memory/" })
      let reads = 0
      const changing: Backend = {
        ...memory,
        read: (at, request) =>
          reads++ === 1
            ? Effect.andThen(Effect.orDie(plain.put("a", "y".repeat(20))), memory.read(at, request))
            : memory.read(at, request)
      }
      const store = yield* fromBackend(changing, { base: "mem://memory/" })
      yield* plain.put("a", "x".repeat(20))
      const ranges = [{ offset: 0, length: 2 }, { offset: 10, length: 2 }]
      const error = yield* Effect.flip(store.getRanges("a", ranges, { coalesce: 0, concurrency: 1 }))
      assert.strictEqual(error.reason._tag, "ObjectChanged")
    }))

  it.effect("refuse an answer that is not the range that was asked for", () =>
    Effect.gen(function*() {
      const lying = (backend: Backend): Backend => ({
        ...backend,
        read: (at, request) =>
          Effect.map(backend.read(at, request), (reply) => ({ ...reply, offset: reply.offset + 1 }))
      })
      const { plain, store } = yield* setUp(lying)
      yield* plain.put("a", bytes(100))
      assert.strictEqual((yield* Effect.flip(store.get("a"))).reason._tag, "ProtocolViolation")
    }))

  it.effect("fail with BodyInterrupted, not with short data, when a body keeps ending early", () =>
    Effect.gen(function*() {
      const short = (backend: Backend): Backend => ({
        ...backend,
        read: (at, request) =>
          Effect.map(backend.read(at, request), (reply): ReadReply => ({ ...reply, into: () => Effect.succeed(0) }))
      })
      const { plain, store } = yield* setUp(short)
      yield* plain.put("a", bytes(100))
      assert.strictEqual((yield* Effect.flip(inTime(store.get("a")))).reason._tag, "BodyInterrupted")
    }))
})

describe("streams of the engine", () => {
  it.effect("read ahead no further than their concurrency while the consumer is slow", () =>
    Effect.gen(function*() {
      const { calls, plain, store } = yield* setUp()
      yield* plain.put("a", bytes(10_000))
      let delivered = 0
      yield* store.stream("a", { partSize: 100, concurrency: 4 }).pipe(
        Stream.runForEach((chunk) =>
          Effect.gen(function*() {
            for (let turn = 0; turn < 5; turn++) yield* turnOfTheEventLoop
            delivered += chunk.length
            assert.isAtMost(calls.length * 100 - delivered, 5 * 100)
          })
        )
      )
      assert.strictEqual(delivered, 10_000)
    }))

  it.effect("go on without reading ahead when the byte budget is taken by others", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp(undefined, { memory: 150 })
      yield* plain.put("a", bytes(1000))
      const held = yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => Stream.toPull(store.stream("a", { partSize: 100, concurrency: 4 }))
      )
      // Ten streams in turn, none of which ends before the others have begun: a budget that blocks would hang here.
      const totals = held.map(() => 0)
      for (let part = 0; part < 10; part++) {
        for (const [index, pull] of held.entries()) {
          for (const chunk of yield* pull) totals[index]! += chunk.length
        }
      }
      assert.deepStrictEqual(totals, held.map(() => 1000))
    }))

  it.effect("hold no request open between two pulls", () =>
    Effect.gen(function*() {
      const { plain, running, store } = yield* setUp(undefined, { requests: 1 })
      yield* plain.put("a", bytes(1000))
      yield* store.stream("a", { partSize: 100, concurrency: 1 }).pipe(
        Stream.runForEach(() =>
          Effect.gen(function*() {
            assert.strictEqual(running.now, 0)
            assert.strictEqual((yield* store.stat("a")).size, 1000)
          })
        )
      )
    }))
})
