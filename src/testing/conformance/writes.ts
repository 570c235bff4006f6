/**
 * Cases of `put`: bodies, sources that fail, visibility.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Progress, PutResult } from "../../ObjectInfo.ts"
import {
  beside,
  bytes,
  chunked,
  holds,
  leavesNothing,
  noUploads,
  reads,
  refuses,
  same,
  sameBytes,
  utf8
} from "./assertions.ts"
import { type Case, type CaseContext, subject, test } from "./Case.ts"

const answers = Effect.fnUntraced(function*(t: CaseContext, key: string, put: PutResult, body: Uint8Array) {
  const info = yield* t.store.stat(key)
  same([put.key, put.uri, put.etag, put.size], [key, info.uri, info.etag, body.length], "what the write answered")
  holds(["checksum", "size", "none"].includes(put.verified), `verified is ${put.verified}`)
  yield* reads(t, key, body)
})

const bodies = subject("put", [
  test("bytes, text and streams are stored as they are", function*(t) {
    const text = "grüße \u{1f600}\n"
    yield* answers(t, t.key("bytes"), yield* t.store.put(t.key("bytes"), bytes(1000)), bytes(1000))
    yield* answers(t, t.key("text"), yield* t.store.put(t.key("text"), text), utf8(text))
    const stream = yield* t.store.put(t.key("stream"), chunked(bytes(1000), 77))
    yield* answers(t, t.key("stream"), stream, bytes(1000))
  }),
  test("zero bytes, as bytes, text or stream, are an empty object", function*(t) {
    const none: ReadonlyArray<[string, Uint8Array | string | Stream.Stream<Uint8Array>]> = [
      ["bytes", new Uint8Array(0)],
      ["text", ""],
      ["stream", Stream.empty],
      ["empty-chunks", Stream.make(new Uint8Array(0), new Uint8Array(0))]
    ]
    for (const [name, body] of none) {
      yield* answers(t, t.key(name), yield* t.store.put(t.key(name), body), new Uint8Array(0))
    }
    yield* noUploads(t)
  }),
  test("a stream may come in chunks of any size, empty ones among them", function*(t) {
    const body = bytes(5003)
    for (const size of [1, 13, 4096, 10_000]) {
      const key = t.key(`chunks-${size}`)
      const stream = Stream.concat(Stream.succeed(new Uint8Array(0)), chunked(body, size)).pipe(
        Stream.concat(Stream.succeed(new Uint8Array(0)))
      )
      yield* answers(t, key, yield* t.store.put(key, stream), body)
    }
  }),
  test("a view into a bigger buffer stores the view alone", function*(t) {
    const memory = bytes(10_000)
    const view = memory.subarray(1234, 5678)
    yield* t.store.put(t.key("view"), view)
    yield* reads(t, t.key("view"), view)
  }),
  test("the body can be used again as soon as the write has ended", function*(t) {
    const buffer = bytes(5000)
    yield* t.store.put(t.key("reused"), buffer)
    buffer.fill(0)
    yield* reads(t, t.key("reused"), bytes(5000))
  }),
  test("an overwrite replaces the whole object", function*(t) {
    const key = t.key("over")
    for (const size of [5000, 10, 0, 7000]) {
      yield* answers(t, key, yield* t.store.put(key, bytes(size, size)), bytes(size, size))
    }
  }),
  test("a stream of the promised size is stored", function*(t) {
    const key = t.key("sized")
    yield* answers(t, key, yield* t.store.put(key, chunked(bytes(3000), 100), { size: 3000 }), bytes(3000))
  }),
  test("progress never falls and ends at the size", function*(t) {
    const body = bytes(3 * t.partSize + 7)
    for (const [name, source] of [["bytes", body], ["stream", chunked(body, 997)]] as const) {
      const seen: Array<Progress> = []
      yield* t.store.put(t.key(name), source, {
        partSize: t.partSize,
        onProgress: (progress) => Effect.sync(() => void seen.push(progress))
      })
      holds(seen.length > 0, `${name}: there was no progress`)
      for (let i = 1; i < seen.length; i++) holds(seen[i]!.bytes >= seen[i - 1]!.bytes, `${name}: progress fell`)
      same(seen.at(-1)?.bytes, body.length, `${name}: the last progress`)
    }
  }),
  test(
    "an object larger than the parts that the store likes goes through whole, from bytes and from a stream",
    function*(t) {
      const { multipartThreshold, readPartSize, writePartSize } = t.capabilities.tuning
      const most = 64 * 1024 * 1024
      const size = Math.min(most, Math.max(multipartThreshold, 2 * readPartSize, 2 * writePartSize)) + 4097
      if (size > t.capabilities.maxObjectSize) return
      const body = bytes(size)
      for (const [name, source] of [["bytes", body], ["stream", chunked(body, 1_000_003)]] as const) {
        const key = t.key(name)
        yield* answers(t, key, yield* t.store.put(key, source), body)
        sameBytes(yield* Stream.mkUint8Array(t.store.stream(key)), body, `stream of the object from ${name}`)
        const half = size >> 1
        sameBytes(
          yield* t.store.getRange(key, { offset: half - 1 }),
          body.subarray(half - 1),
          `half of it from ${name}`
        )
      }
      yield* noUploads(t)
    }
  ),
  test("many writes side by side are all stored", function*(t) {
    yield* Effect.forEach(
      Array.from({ length: 100 }, (_, i) => i),
      (i) => t.store.put(t.key(`n/${i}`), bytes(100 + i, i)),
      {
        concurrency: 16,
        discard: true
      }
    )
    for (let i = 0; i < 100; i++) yield* reads(t, t.key(`n/${i}`), bytes(100 + i, i), `object ${i}`)
  })
])

const failing = (after: number): Stream.Stream<Uint8Array, Error> =>
  Stream.concat(chunked(bytes(after), 1000), Stream.fail(new Error("the source broke")))

const sources = subject("a source that fails", [
  test("is SourceFailed, publishes nothing and leaves no upload", function*(t) {
    for (const after of [0, 1, 5000, 3 * t.partSize + 1]) {
      const key = t.key(`fails-${after}`)
      const error = yield* refuses("SourceFailed", t.store.put(key, failing(after), { partSize: t.partSize }))
      same(error.operation, "put", "operation")
      yield* leavesNothing(t, key)
    }
  }),
  test("leaves the version before it as it was", function*(t) {
    const key = t.key("kept")
    const put = yield* t.store.put(key, "before", { metadata: t.capabilities.metadata ? { a: "1" } : {} })
    yield* refuses("SourceFailed", t.store.put(key, failing(2 * t.partSize), { partSize: t.partSize }))
    yield* reads(t, key, utf8("before"))
    const info = yield* t.store.stat(key)
    same([info.etag, { ...info.metadata }], [put.etag, t.capabilities.metadata ? { a: "1" } : {}])
  }),
  test("a stream shorter or longer than its promised size is SourceFailed and publishes nothing", function*(t) {
    const part = t.partSize
    for (
      const [size, length] of [[10, 9], [10, 11], [0, 1], [1, 0], [3 * part, 3 * part - 1], [
        2 * part,
        2 * part + 1
      ]] as const
    ) {
      const key = t.key(`size-${size}-${length}`)
      const source = chunked(bytes(length), 997)
      yield* refuses(
        "SourceFailed",
        t.store.put(key, source, { size, partSize: part }),
        `${length} instead of ${size} bytes`
      )
      yield* leavesNothing(t, key)
    }
  }),
  test("bytes of another length than their promised size are refused", function*(t) {
    yield* refuses(["SourceFailed", "InvalidRequest"], t.store.put(t.key("bytes"), bytes(10), { size: 11 }))
    yield* leavesNothing(t, t.key("bytes"))
  }),
  test("a source that dies kills the write, publishes nothing and leaves no upload", function*(t) {
    const key = t.key("dies")
    const body = Stream.concat(chunked(bytes(2 * t.partSize), 1000), Stream.die(new Error("a bug in the source")))
    const exit = yield* Effect.exit(t.store.put(key, body, { partSize: t.partSize }))
    holds(Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause), "the write did not fail")
    yield* leavesNothing(t, key)
  })
])

const visible = subject("put, multipart and copy are visible whole or not at all", [
  test("a reader beside a put sees the old object or the new one", function*(t) {
    const key = t.key("seen")
    yield* t.store.put(key, new Uint8Array(30_000).fill(0))
    const write = Effect.gen(function*() {
      for (let i = 1; i <= 20; i++) yield* t.store.put(key, new Uint8Array(30_000 - i).fill(i))
    })
    const look = Effect.gen(function*() {
      const body = yield* t.store.get(key)
      const fill = body[0]!
      same(body.length, 30_000 - fill, "size of the version that was read")
      holds(body.every((b) => b === fill), "a half-written object was read")
    })
    yield* beside(write, look)
  }),
  test("an object that is being written is not there until the write has ended", function*(t) {
    const key = t.key("during")
    let looked = 0
    const look = Effect.gen(function*() {
      looked++
      same(yield* t.store.exists(key), false, "exists")
      const listed = yield* Stream.runCollect(t.store.list(t.prefix))
      same(listed.map((info) => info.key), [], "listed")
      const level = yield* Stream.runCollect(t.store.listDirectory(t.prefix))
      same(level.map((one) => one.key), [], "listed as a directory")
    })
    const body = Stream.mapEffect(chunked(bytes(4 * t.partSize), t.partSize), (chunk) => Effect.as(look, chunk))
    yield* t.store.put(key, body, { partSize: t.partSize })
    same(looked, 4, "looks")
    yield* reads(t, key, bytes(4 * t.partSize))
  })
])

/**
 * Cases of writing.
 *
 * @category testing
 * @since 0.1.0
 */
export const writes: ReadonlyArray<Case> = [...bodies, ...sources, ...visible]
