/**
 * Cases of `putMultipart`, `writer`, `sink`, `listUploads` and `abortUpload`.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  bytes,
  chunked,
  failsWith,
  holds,
  keysOf,
  leavesNothing,
  noUploads,
  reads,
  refuses,
  same
} from "./assertions.ts"
import { type Case, type CaseContext, need, subject, test } from "./Case.ts"

const anyPartSize = need("any part size", (c) => c.multipart.minPartSize <= 1000 && c.multipart.partMultiple === 1)
const sideBySide = need("parts side by side", (c) => !c.multipart.ordered)

const told = need("uploads that are listed, however they are dropped", (c) => c.multipart.listed)
const listed = need("uploads that are listed", (c) => c.multipart.listed && c.multipart.abort === "removes")

const boundaries = (part: number): ReadonlyArray<number> => [
  0,
  1,
  part - 1,
  part,
  part + 1,
  2 * part - 1,
  2 * part,
  2 * part + 1,
  3 * part + 7
]

const parts = subject("putMultipart", [
  test("is exact around every part boundary, from bytes and from a stream", function*(t) {
    for (const size of boundaries(t.partSize)) {
      const body = bytes(size, size)
      for (const [name, source] of [["bytes", body], ["stream", chunked(body, 999)]] as const) {
        const key = t.key(`${name}-${size}`)
        const put = yield* t.store.putMultipart(key, source, { partSize: t.partSize, concurrency: 3 })
        same(put.size, size, "size")
        yield* reads(t, key, body, `${size} bytes in parts of ${t.partSize} from ${name}`)
      }
    }
    yield* noUploads(t)
  }),
  test("a part size that is odd is kept exactly", function*(t) {
    for (const partSize of [1000, 997, 1234, 4095, 4097]) {
      const key = t.key(`odd-${partSize}`)
      const body = bytes(5 * partSize + 11, partSize)
      yield* t.store.putMultipart(key, body, { partSize, concurrency: 4 })
      yield* reads(t, key, body, `parts of ${partSize}`)
      yield* t.store.putMultipart(key, chunked(body, 701), { partSize, concurrency: 4 })
      yield* reads(t, key, body, `stream in parts of ${partSize}`)
    }
  }, { needs: [anyPartSize] }),
  test("any concurrency stores the same object", function*(t) {
    const body = bytes(8 * t.partSize + 1)
    for (let concurrency = 1; concurrency <= 8; concurrency++) {
      const key = t.key(`c-${concurrency}`)
      yield* t.store.putMultipart(key, body, { partSize: t.partSize, concurrency })
      yield* reads(t, key, body, `${concurrency} parts at once`)
    }
  }, { needs: [sideBySide] }),
  test("zero bytes are an empty object, and no upload is left open", function*(t) {
    for (const [name, body] of [["bytes", new Uint8Array(0)], ["text", ""], ["stream", Stream.empty]] as const) {
      const put = yield* t.store.putMultipart(t.key(name), body)
      same(put.size, 0, "size")
      same((yield* t.store.stat(t.key(name))).size, 0, "size of the object")
    }
    yield* noUploads(t)
  }),
  test("an unknown length is fine, also with zero bytes", function*(t) {
    for (const size of [0, 1, 3 * t.partSize + 7]) {
      const key = t.key(`unknown-${size}`)
      yield* t.store.put(key, chunked(bytes(size), 1000), { partSize: t.partSize })
      yield* reads(t, key, bytes(size))
    }
    yield* noUploads(t)
  }),
  test("many parts keep their order", function*(t) {
    const body = bytes(100 * 1000 + 1)
    yield* t.store.putMultipart(t.key("many"), body, { partSize: 1000, concurrency: 8 })
    yield* reads(t, t.key("many"), body)
  }, { needs: [anyPartSize] }),
  test("a source that fails is SourceFailed and its upload is aborted", function*(t) {
    const body = Stream.concat(chunked(bytes(2 * t.partSize + 1), 1000), Stream.fail("broken"))
    const error = yield* refuses("SourceFailed", t.store.putMultipart(t.key("broken"), body, { partSize: t.partSize }))
    same(error.operation, "putMultipart", "operation")
    yield* leavesNothing(t, t.key("broken"))
  }),
  test("a part size outside the limits of the store is InvalidRequest", function*(t) {
    const { maxPartSize, maxParts, minPartSize, partMultiple } = t.capabilities.multipart
    const wrong = [minPartSize - 1, maxPartSize + 1, ...(partMultiple === 1 ? [] : [minPartSize + 1])]
    for (const partSize of wrong.filter((n) => n > 0 && Number.isSafeInteger(n))) {
      yield* refuses("InvalidRequest", t.store.putMultipart(t.key("x"), "x", { partSize }), `parts of ${partSize}`)
    }
    const size = maxParts * t.partSize + 1
    if (size <= t.capabilities.maxObjectSize) {
      const put = t.store.put(t.key("x"), Stream.never, { size, partSize: t.partSize })
      yield* refuses("InvalidRequest", put, "more parts than there may be")
    }
    yield* leavesNothing(t, t.key("x"))
  }),
  test("an object larger than the store takes is LimitExceeded, before any byte moves", function*(t) {
    const size = t.capabilities.maxObjectSize + 1
    if (!Number.isSafeInteger(size)) return
    yield* refuses("LimitExceeded", t.store.put(t.key("x"), Stream.never, { size }))
    yield* refuses("LimitExceeded", t.store.putMultipart(t.key("x"), Stream.never, { size }))
    yield* leavesNothing(t, t.key("x"))
  }),
  test("the body can be used again as soon as the write has ended", function*(t) {
    const size = 2 * t.partSize + 5
    const buffer = bytes(size)
    yield* t.store.putMultipart(t.key("reused"), buffer, { partSize: t.partSize })
    buffer.fill(0)
    yield* reads(t, t.key("reused"), bytes(size))
  })
])

const writers = subject("writer", [
  test("publishes on finish what was written, and not before", function*(t) {
    const key = t.key("writer")
    const body = bytes(3 * t.partSize + 7)
    const writer = yield* t.store.writer(key, { partSize: t.partSize })
    for (let i = 0; i < body.length; i += 1013) yield* writer.write(body.slice(i, i + 1013))
    same(yield* t.store.exists(key), false, "it is there before finish")
    const put = yield* writer.finish
    same([put.key, put.size, put.etag], [key, body.length, (yield* t.store.stat(key)).etag])
    yield* reads(t, key, body)
    yield* noUploads(t)
  }),
  test("copies what it is given, so the chunk can be used again", function*(t) {
    const key = t.key("reused")
    const size = 2 * t.partSize + 100
    const body = bytes(size)
    // At most a thousand chunks or so, that do not fit into parts.
    const step = Math.ceil(size / 1000) + 97
    const chunk = new Uint8Array(step)
    const writer = yield* t.store.writer(key, { partSize: t.partSize })
    for (let i = 0; i < size; i += step) {
      chunk.set(body.subarray(i, i + step))
      yield* writer.write(chunk.subarray(0, Math.min(step, size - i)))
      chunk.fill(0)
    }
    yield* writer.finish
    yield* reads(t, key, body)
  }),
  test("takes chunks bigger than a part, and empty ones", function*(t) {
    const key = t.key("big")
    const body = bytes(4 * t.partSize + 3)
    const writer = yield* t.store.writer(key, { partSize: t.partSize })
    yield* writer.write(new Uint8Array(0))
    yield* writer.write(body.subarray(0, 3 * t.partSize + 1))
    yield* writer.write(new Uint8Array(0))
    yield* writer.write(body.subarray(3 * t.partSize + 1))
    yield* writer.finish
    yield* reads(t, key, body)
  }),
  test("that wrote nothing publishes an empty object", function*(t) {
    const writer = yield* t.store.writer(t.key("empty"))
    same((yield* writer.finish).size, 0, "size")
    same((yield* t.store.get(t.key("empty"))).length, 0, "bytes")
    yield* noUploads(t)
  }),
  test("whose scope closes unfinished publishes nothing and leaves no upload", function*(t) {
    for (const size of [0, 10, 3 * t.partSize]) {
      const key = t.key(`left-${size}`)
      yield* Effect.scoped(Effect.flatMap(
        t.store.writer(key, { partSize: t.partSize }),
        (writer) => writer.write(bytes(size))
      ))
      yield* leavesNothing(t, key)
    }
  }),
  test("leaves the version before it when its scope closes unfinished", function*(t) {
    const key = t.key("before")
    yield* t.store.put(key, bytes(10))
    const scope = yield* Scope.make()
    const writer = yield* Scope.provide(t.store.writer(key, { partSize: t.partSize }), scope)
    yield* writer.write(bytes(2 * t.partSize, 2))
    yield* Scope.close(scope, Exit.void)
    yield* reads(t, key, bytes(10))
    yield* noUploads(t)
  }),
  test("takes nothing after finish", function*(t) {
    const key = t.key("after")
    const writer = yield* t.store.writer(key)
    yield* writer.write(bytes(10))
    yield* writer.finish
    yield* failsWith("InvalidRequest", writer.write(bytes(1)))
    yield* reads(t, key, bytes(10))
  })
])

const sinks = subject("sink", [
  test("stores what runs into it", function*(t) {
    for (const size of [0, 10, 3 * t.partSize + 7]) {
      const key = t.key(`sink-${size}`)
      const put = yield* Stream.run(chunked(bytes(size), 991), t.store.sink(key, { partSize: t.partSize }))
      same([put.key, put.size], [key, size])
      yield* reads(t, key, bytes(size))
    }
    yield* noUploads(t)
  }),
  test("whose stream fails publishes nothing and leaves no upload", function*(t) {
    const key = t.key("broken")
    const body = Stream.concat(chunked(bytes(2 * t.partSize), 1000), Stream.fail("broken"))
    const exit = yield* Effect.exit(Stream.run(body, t.store.sink(key, { partSize: t.partSize })))
    holds(Exit.isFailure(exit), "the run succeeded")
    yield* leavesNothing(t, key)
  }),
  test("can be run twice", function*(t) {
    const sink = t.store.sink(t.key("twice"))
    yield* Stream.run(chunked(bytes(100), 9), sink)
    yield* Stream.run(chunked(bytes(200), 9), sink)
    yield* reads(t, t.key("twice"), bytes(200))
  })
])

/** A write in parts that stops after two of them and goes on when it is told to. */
const paused = Effect.fnUntraced(function*(t: CaseContext, key: string) {
  const [reached, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const wait = Stream.drain(Stream.fromEffect(
    Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go))
  ))
  const body = chunked(bytes(2 * t.partSize + 1), t.partSize).pipe(Stream.concat(wait))
  const fiber = yield* Effect.forkChild(t.store.putMultipart(key, body, { partSize: t.partSize }))
  yield* Effect.raceFirst(Deferred.await(reached), Effect.andThen(Fiber.join(fiber), Effect.never))
  return { resume: Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(fiber)) }
})

const uploads = subject("listUploads and abortUpload", [
  test("an open upload is listed under its key, and gone after it is aborted", function*(t) {
    const key = t.key("up/open")
    const { resume } = yield* paused(t, key)
    const open = yield* Stream.runCollect(t.store.listUploads(t.prefix))
    same(open.map((upload) => upload.key), [key])
    holds(open[0]!.uri.endsWith(key) && open[0]!.id !== "", "the upload does not say where it is")
    same(yield* keysOf(t.store.listUploads(t.key("up/"))), [key], "by its prefix")
    same(yield* keysOf(t.store.listUploads(t.key("other"))), [], "by another prefix")
    same(yield* keysOf(t.store.list(t.prefix)), [], "an open upload is listed as an object")
    yield* t.store.abortUpload(open[0]!)
    yield* noUploads(t)
    yield* refuses("UploadNotFound", resume, "the write whose upload was aborted")
    yield* leavesNothing(t, key)
  }, { needs: [listed] }),
  test("an open upload is listed under its key until it completes", function*(t) {
    const key = t.key("up/open")
    const { resume } = yield* paused(t, key)
    same(yield* keysOf(t.store.listUploads(t.prefix)), [key])
    same(yield* keysOf(t.store.listUploads(t.key("other"))), [], "by another prefix")
    same(yield* keysOf(t.store.list(t.prefix)), [], "an open upload is listed as an object")
    yield* resume
    same(yield* keysOf(t.store.listUploads(t.prefix)), [], "after it completed")
    yield* reads(t, key, bytes(2 * t.partSize + 1))
  }, {
    needs: [told],
    *without(t) {
      yield* failsWith("Unsupported", Stream.runDrain(t.store.listUploads(t.prefix)))
    }
  }),
  test("aborting an upload that is gone is UploadNotFound", function*(t) {
    const key = t.key("gone")
    const { resume } = yield* paused(t, key)
    const [upload] = yield* Stream.runCollect(t.store.listUploads(t.prefix))
    holds(upload !== undefined, "the upload is not listed")
    yield* resume
    const error = yield* refuses("UploadNotFound", t.store.abortUpload(upload))
    same(error.operation, "abortUpload", "operation")
    yield* reads(t, key, bytes(2 * t.partSize + 1))
  }, { needs: [listed] })
])

/**
 * Cases of writing in parts.
 *
 * @category testing
 * @since 0.1.0
 */
export const multipart: ReadonlyArray<Case> = [...parts, ...writers, ...sinks, ...uploads]
