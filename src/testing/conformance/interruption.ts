/**
 * Cases of interruption: at any point, and nothing is left behind.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import { bytes, chunked, interrupted, keysOf, leavesNothing, noUploads, reads, same, sameBytes } from "./assertions.ts"
import { type Case, type CaseContext, subject, test } from "./Case.ts"

/** A source that gives `size` bytes, says so, and then gives nothing more. */
const stalling = Effect.fnUntraced(function*(size: number) {
  const reached = yield* Deferred.make<void>()
  const body = chunked(bytes(size), 1000).pipe(
    Stream.concat(Stream.fromEffect(Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)))
  )
  return { body, reached: Deferred.await(reached) }
})

const stalledWrites: ReadonlyArray<
  readonly [
    name: string,
    write: (t: CaseContext, key: string, body: Stream.Stream<Uint8Array>) => Effect.Effect<unknown, ObjectStoreError>
  ]
> = [
  ["put", (t, key, body) => t.store.put(key, body, { partSize: t.partSize })],
  ["putMultipart", (t, key, body) => t.store.putMultipart(key, body, { partSize: t.partSize, concurrency: 2 })],
  ["sink", (t, key, body) => Stream.run(body, t.store.sink(key, { partSize: t.partSize }))],
  [
    "writer",
    (t, key, body) =>
      Effect.scoped(Effect.flatMap(
        t.store.writer(key, { partSize: t.partSize }),
        (writer) => Effect.andThen(Stream.runForEach(body, writer.write), writer.finish)
      ))
  ]
]

/** Runs `effect` and interrupts it after `turns` turns of the scheduler. */
const interruptedAfter = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>, turns: number) {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  for (let i = 0; i < turns; i++) yield* Effect.yieldNow
  yield* Fiber.interrupt(fiber)
  return yield* Fiber.await(fiber)
})

const turns = [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 50, 100]

/**
 * Cases of interruption.
 *
 * @category testing
 * @since 0.1.0
 */
export const interruption: ReadonlyArray<Case> = subject("interruption leaves nothing behind", [
  test("a write that is interrupted while its source stalls publishes nothing and leaves no upload", function*(t) {
    for (const [name, write] of stalledWrites) {
      for (const size of [0, 10, 3 * t.partSize + 7]) {
        const key = t.key(`${name}-${size}`)
        const { body, reached } = yield* stalling(size)
        const fiber = yield* Effect.forkChild(write(t, key, body))
        yield* reached
        yield* interrupted(fiber)
        yield* leavesNothing(t, key)
      }
    }
  }),
  test("a write that is interrupted leaves the version before it as it was", function*(t) {
    for (const [name, write] of stalledWrites) {
      const key = t.key(name)
      const put = yield* t.store.put(key, bytes(100))
      const { body, reached } = yield* stalling(3 * t.partSize)
      const fiber = yield* Effect.forkChild(write(t, key, body))
      yield* reached
      yield* interrupted(fiber)
      yield* reads(t, key, bytes(100), name)
      same((yield* t.store.stat(key)).etag, put.etag, `${name}: etag`)
    }
    yield* noUploads(t)
  }),
  test("the source of an interrupted write is closed", function*(t) {
    for (const [name, write] of stalledWrites) {
      let closed = 0
      const { body, reached } = yield* stalling(2 * t.partSize)
      const watched = Stream.ensuring(body, Effect.sync(() => void closed++))
      const fiber = yield* Effect.forkChild(write(t, t.key(name), watched))
      yield* reached
      yield* interrupted(fiber)
      same(closed, 1, `${name}: how often the source was closed`)
    }
  }),
  test("a put interrupted at any turn has happened wholly or not at all", function*(t) {
    const key = t.key("turns")
    const versions = [bytes(30_000, 1), bytes(40_000, 2)] as const
    yield* t.store.put(key, versions[0])
    for (const n of turns) {
      const exit = yield* interruptedAfter(t.store.put(key, versions[1]), n)
      const now = yield* t.store.get(key)
      sameBytes(now, versions[Exit.isSuccess(exit) || now.length === 40_000 ? 1 : 0], `after ${n} turns`)
      yield* t.store.put(key, versions[0])
    }
    same(yield* keysOf(t.store.list(t.prefix)), [key])
    yield* noUploads(t)
  }),
  test("a multipart put interrupted at any turn has happened wholly or not at all", function*(t) {
    const body = bytes(4 * t.partSize + 1)
    for (const n of turns) {
      const key = t.key(`turns-${n}`)
      const write = t.store.putMultipart(key, body, { partSize: t.partSize, concurrency: 3 })
      const exit = yield* interruptedAfter(write, n)
      if (Exit.isSuccess(exit) || (yield* t.store.exists(key))) yield* reads(t, key, body, `after ${n} turns`)
      yield* noUploads(t)
    }
  }),
  test("a copy or rename interrupted at any turn has happened wholly or not at all", function*(t) {
    const body = bytes(20_000)
    const found = (key: string, what: string) =>
      t.store.get(key).pipe(
        Effect.map((actual) => {
          sameBytes(actual, body, what)
          return true
        }),
        Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(false))
      )
    for (const operation of ["copy", "rename"] as const) {
      for (const n of turns) {
        // Keys of its own each time: a service may still be doing what it was asked before the interruption.
        const [from, to] = [t.key(`${operation}-from-${n}`), t.key(`${operation}-to-${n}`)]
        yield* t.store.put(from, body)
        yield* interruptedAfter(t.store[operation](from, to), n)
        const source = yield* found(from, `source of ${operation} after ${n} turns`)
        const target = yield* found(to, `target of ${operation} after ${n} turns`)
        same(source || target, true, `${operation} after ${n} turns lost the object`)
      }
    }
    yield* noUploads(t)
  }),
  test("an interrupted read does not touch its target any more", function*(t) {
    const key = t.key("into")
    yield* t.store.put(key, bytes(200_000))
    for (const n of turns) {
      const target = new Uint8Array(200_000)
      yield* interruptedAfter(t.store.getInto(key, target, { partSize: 10_000, concurrency: 4 }), n)
      target.fill(0xaa)
      for (let i = 0; i < 20; i++) yield* Effect.yieldNow
      yield* t.store.stat(key)
      sameBytes(target, new Uint8Array(200_000).fill(0xaa), `the target after ${n} turns`)
    }
    yield* reads(t, key, bytes(200_000))
  }),
  test("interrupted reads and listings leave the store usable", function*(t) {
    const key = t.key("usable")
    yield* t.store.put(key, bytes(100_000))
    for (const n of turns) {
      yield* interruptedAfter(t.store.get(key, { partSize: 5000 }), n)
      yield* interruptedAfter(Stream.runDrain(t.store.stream(key, { partSize: 5000 })), n)
      yield* interruptedAfter(Stream.runDrain(t.store.list(t.prefix, { pageSize: 1 })), n)
      yield* interruptedAfter(t.store.stat(key), n)
    }
    const all = Effect.forEach(Array.from({ length: 32 }), () => t.store.get(key, { partSize: 5000 }), {
      concurrency: 32
    })
    for (const body of yield* all) sameBytes(body, bytes(100_000), "after the interruptions")
  })
])
