/**
 * Cases of `get`, `getInto`, `stream`, `open`, `stat` and `exists`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Progress } from "../../ObjectInfo.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import { beside, bytes, failsWith, holds, reads as isRead, same, sameBytes, wrong } from "./assertions.ts"
import { type Case, subject, test } from "./Case.ts"

const sizes = (part: number): ReadonlyArray<number> => [0, 1, 7, part - 1, part, part + 1, 2 * part, 3 * part + 7]

const whole = subject("get", [
  test("an object of any size is read back byte for byte", function*(t) {
    for (const size of [0, 1, 511, 4095, 4096, 4097, 65_537, 1_048_577]) {
      const key = t.key(`size-${size}`)
      yield* t.store.put(key, bytes(size, size))
      yield* isRead(t, key, bytes(size, size), `${size} bytes`)
    }
  }),
  test("any part size and concurrency give the same bytes", function*(t) {
    for (const size of sizes(1000)) {
      const key = t.key(`parts-${size}`)
      const body = bytes(size, size)
      yield* t.store.put(key, body)
      for (const concurrency of [1, 2, 3, 8]) {
        for (const partSize of [1000, 999, 333]) {
          const read = yield* t.store.get(key, { partSize, concurrency })
          sameBytes(read, body, `${size} bytes in parts of ${partSize}, ${concurrency} at once`)
        }
      }
    }
  }),
  test("a missing object is NotFound, and the error says where", function*(t) {
    const key = t.key("missing")
    const operations: ReadonlyArray<readonly [string, Effect.Effect<unknown, ObjectStoreError>]> = [
      ["get", t.store.get(key)],
      ["getRange", t.store.getRange(key, { offset: 0, length: 1 })],
      ["getRanges", t.store.getRanges(key, [{ offset: 0, length: 1 }])],
      ["getInto", t.store.getInto(key, new Uint8Array(4))],
      ["stream", Stream.runDrain(t.store.stream(key))],
      ["open", Effect.scoped(t.store.open(key))],
      ["stat", t.store.stat(key)]
    ]
    for (const [operation, effect] of operations) {
      const error = yield* failsWith("NotFound", effect, operation)
      same(error.operation, operation, "operation")
      holds(error.uri !== undefined && error.uri.endsWith(key), `${operation}: the error's uri is ${error.uri}`)
      holds(/^[a-z][a-z0-9]*:\/\//.test(error.uri), `${operation}: ${error.uri} is not absolute`)
    }
  }),
  test("two reads never share memory", function*(t) {
    const key = t.key("fresh")
    yield* t.store.put(key, bytes(5000))
    const first = yield* t.store.get(key)
    first.fill(0)
    yield* isRead(t, key, bytes(5000))
  }),
  test("progress never falls and ends at the size", function*(t) {
    const key = t.key("progress")
    const body = bytes(10_007)
    yield* t.store.put(key, body)
    const seen: Array<Progress> = []
    const onProgress = (progress: Progress) => Effect.sync(() => void seen.push(progress))
    yield* t.store.get(key, { partSize: 1000, concurrency: 4, onProgress })
    holds(seen.length > 0, "there was no progress")
    for (let i = 1; i < seen.length; i++) holds(seen[i]!.bytes >= seen[i - 1]!.bytes, "progress fell")
    same(seen.at(-1)?.bytes, body.length, "the last progress")
    for (const { total } of seen) holds(total === undefined || total === body.length, `total was ${total}`)
  }),
  test("reads side by side do not disturb each other", function*(t) {
    const bodies = Array.from({ length: 8 }, (_, i) => bytes(20_000 + i, i))
    yield* Effect.forEach(bodies, (body, i) => t.store.put(t.key(`side-${i}`), body), { concurrency: 8 })
    yield* Effect.forEach(
      Array.from({ length: 64 }, (_, i) => i % 8),
      (i) =>
        Effect.map(t.store.get(t.key(`side-${i}`), { partSize: 3000 }), (read) => sameBytes(read, bodies[i]!, `${i}`)),
      { concurrency: 16, discard: true }
    )
  })
])

const into = subject("getInto", [
  test("fills the start of a bigger target and touches nothing else", function*(t) {
    const key = t.key("into")
    const body = bytes(10_001)
    yield* t.store.put(key, body)
    const memory = new Uint8Array(20_000).fill(0xee)
    const target = memory.subarray(1001, 15_000)
    const result = yield* t.store.getInto(key, target, { partSize: 1024, concurrency: 3 })
    same(result.bytes, body.length, "bytes")
    sameBytes(target.subarray(0, body.length), body, "target")
    holds(memory.subarray(0, 1001).every((b) => b === 0xee), "bytes before the target were written")
    holds(memory.subarray(1001 + body.length).every((b) => b === 0xee), "bytes after the object were written")
  }),
  test("takes a target of exactly the size", function*(t) {
    const key = t.key("exact")
    for (const size of [0, 1, 4096, 5001]) {
      yield* t.store.put(key, bytes(size))
      const target = new Uint8Array(size)
      same((yield* t.store.getInto(key, target)).bytes, size, "bytes")
      sameBytes(target, bytes(size), "target")
    }
  }),
  test("a target that is too small is LimitExceeded", function*(t) {
    const key = t.key("small")
    yield* t.store.put(key, bytes(100))
    yield* failsWith("LimitExceeded", t.store.getInto(key, new Uint8Array(99)))
    yield* failsWith("LimitExceeded", t.store.getInto(key, new Uint8Array(0)))
    yield* failsWith("LimitExceeded", t.store.getInto(key, new Uint8Array(9), { range: { offset: 90 } }))
  }),
  test("reads a range, and tells the version that was read", function*(t) {
    const key = t.key("range")
    const body = bytes(3000)
    const put = yield* t.store.put(key, body)
    const target = new Uint8Array(1000)
    const result = yield* t.store.getInto(key, target, { range: { offset: 1500, length: 700 } })
    same(result.bytes, 700, "bytes")
    sameBytes(target.subarray(0, 700), body.subarray(1500, 2200), "range")
    same(result.info.size, 3000, "size of the object")
    same(result.info.etag, put.etag, "etag")
    same(result.info.key, key, "key")
  })
])

const streamed = subject("stream", [
  test("gives the object, or a range of it, whatever the part size", function*(t) {
    const key = t.key("stream")
    const body = bytes(10_007)
    yield* t.store.put(key, body)
    for (const partSize of [undefined, 1000, 997, 20_000]) {
      sameBytes(yield* Stream.mkUint8Array(t.store.stream(key, { partSize })), body, `parts of ${partSize}`)
      const range = { offset: 1003, length: 5005 }
      const part = yield* Stream.mkUint8Array(t.store.stream(key, { partSize, range, concurrency: 3 }))
      sameBytes(part, body.subarray(1003, 6008), `range in parts of ${partSize}`)
    }
  }),
  test("an empty object is an empty stream", function*(t) {
    const key = t.key("empty")
    yield* t.store.put(key, new Uint8Array(0))
    same((yield* Stream.mkUint8Array(t.store.stream(key))).length, 0, "bytes")
  }),
  test("its chunks belong to the consumer", function*(t) {
    const key = t.key("chunks")
    const body = bytes(9000)
    yield* t.store.put(key, body)
    const chunks = yield* Stream.runCollect(t.store.stream(key, { partSize: 1000 }))
    sameBytes(Buffer.concat(chunks), body, "chunks that were kept until the end")
    for (const chunk of chunks) chunk.fill(0)
    yield* isRead(t, key, body)
  }),
  test("can be left early", function*(t) {
    const key = t.key("early")
    const body = bytes(50_000)
    yield* t.store.put(key, body)
    const [first] = yield* Stream.runCollect(Stream.take(t.store.stream(key, { partSize: 1000 }), 1))
    if (first === undefined) return wrong("there was no chunk")
    sameBytes(first, body.subarray(0, first.length), "first chunk")
  }),
  test("can be run twice", function*(t) {
    const key = t.key("twice")
    yield* t.store.put(key, bytes(3000))
    const stream = t.store.stream(key, { partSize: 1000 })
    sameBytes(yield* Stream.mkUint8Array(stream), bytes(3000), "first run")
    sameBytes(yield* Stream.mkUint8Array(stream), bytes(3000), "second run")
  })
])

const readers = subject("open", [
  test("a reader reads ranges, into memory and as a stream", function*(t) {
    const key = t.key("reader")
    const body = bytes(9999)
    const put = yield* t.store.put(key, body)
    const reader = yield* t.store.open(key)
    same([reader.info.size, reader.info.etag, reader.info.key], [9999, put.etag, key])
    sameBytes(yield* reader.read(), body, "everything")
    sameBytes(yield* reader.read({ offset: 5000, length: 10 }), body.subarray(5000, 5010), "range")
    sameBytes(yield* reader.read({ suffix: 9 }), body.subarray(9990), "suffix")
    const target = new Uint8Array(100)
    same(yield* reader.readInto(target, { offset: 9950 }), 49, "bytes read")
    sameBytes(target.subarray(0, 49), body.subarray(9950), "readInto")
    sameBytes(yield* Stream.mkUint8Array(reader.stream({ offset: 1 }, { partSize: 1000 })), body.subarray(1), "stream")
    yield* failsWith("RangeNotSatisfiable", reader.read({ offset: 9999, length: 1 }))
    yield* failsWith("LimitExceeded", reader.readInto(new Uint8Array(4)))
  }),
  test("a reader stays with its version after an overwrite, or fails with ObjectChanged", function*(t) {
    const key = t.key("pinned")
    const old = bytes(20_000, 1)
    yield* t.store.put(key, old)
    const reader = yield* t.store.open(key)
    sameBytes(yield* reader.read({ offset: 0, length: 100 }), old.subarray(0, 100), "before")
    yield* t.store.put(key, bytes(20_000, 2))
    for (const range of [{ offset: 0, length: 100 }, { offset: 100, length: 5000 }, { suffix: 10 }]) {
      const result = yield* Effect.result(reader.read(range))
      if (Result.isFailure(result)) {
        same(result.failure.reason._tag, "ObjectChanged", "reason")
      } else {
        const offset = "suffix" in range ? 19_990 : range.offset
        sameBytes(result.success, old.subarray(offset, offset + result.success.length), "after the overwrite")
      }
    }
  }),
  test("a reader of a removed object gives the old bytes or fails with ObjectChanged or NotFound", function*(t) {
    const key = t.key("removed")
    yield* t.store.put(key, bytes(3000))
    const reader = yield* t.store.open(key)
    yield* t.store.delete(key)
    const result = yield* Effect.result(reader.read())
    if (Result.isSuccess(result)) sameBytes(result.success, bytes(3000), "after the removal")
    else holds(["ObjectChanged", "NotFound"].includes(result.failure.reason._tag), result.failure.message)
  })
])

const pinned = subject("large reads are pinned to one version", [
  test("a read beside overwrites is one version or ObjectChanged, never a mix", function*(t) {
    const key = t.key("mix")
    const version = (i: number) => new Uint8Array(60_000 + i).fill(i)
    yield* t.store.put(key, version(0))
    const write = Effect.gen(function*() {
      for (let i = 1; i <= 30; i++) {
        yield* t.store.put(key, version(i))
        yield* Effect.yieldNow
      }
    })
    let whole = 0
    const read = Effect.gen(function*() {
      const exit = yield* Effect.exit(t.store.get(key, { partSize: 7000, concurrency: 3 }))
      if (Exit.isFailure(exit)) return yield* Effect.asVoid(failsWith("ObjectChanged", exit))
      whole++
      const fill = exit.value[0]!
      same(exit.value.length, 60_000 + fill, "size of the version that was read")
      holds(exit.value.every((b) => b === fill), "bytes of two versions were mixed")
    })
    yield* beside(write, Effect.all([read, read], { concurrency: 2 }))
    yield* read
    holds(whole > 0, "no read came through")
  })
])

const stats = subject("stat and exists", [
  test("stat tells location, key, size, etag and time", function*(t) {
    const key = t.key("stat")
    const put = yield* t.store.put(key, bytes(1234))
    const info = yield* t.store.stat(key)
    same([info._tag, info.key, info.size, info.etag, info.uri], ["ObjectInfo", key, 1234, put.etag, put.uri])
    holds(info.uri.endsWith(key), `${info.uri} does not end in the key`)
    holds(info.lastModified !== undefined, "there is no time")
    same([put.key, put.size], [key, 1234])
  }),
  test("another version has another etag", function*(t) {
    const key = t.key("etag")
    const seen = new Set<string | undefined>()
    for (let i = 0; i < 8; i++) {
      const { etag } = yield* t.store.put(key, bytes(100, i))
      holds(etag !== undefined && !seen.has(etag), `etag ${etag} came twice`)
      seen.add(etag)
      same((yield* t.store.stat(key)).etag, etag, "etag of stat")
    }
  }),
  test("`exists` is true for an object and false for a missing one", function*(t) {
    yield* t.store.put(t.key("there"), "")
    same(yield* t.store.exists(t.key("there")), true)
    same(yield* t.store.exists(t.key("not there")), false)
    same(yield* t.store.exists(t.key("ther")), false)
  }),
  test("`exists` fails for anything but a missing object", function*(t) {
    yield* failsWith("InvalidKey", t.store.exists(""))
    yield* failsWith("InvalidUri", t.store.exists("nowhere://x/y"))
  }),
  test("a prefix of keys is not an object", function*(t) {
    yield* t.store.put(t.key("dir/file"), "x")
    same(yield* t.store.exists(t.key("dir")), false)
    same(yield* t.store.exists(t.key("dir/")), false)
    yield* failsWith("NotFound", t.store.get(t.key("dir")))
    yield* failsWith("NotFound", t.store.stat(t.key("dir/")))
  }),
  test("a key below an object is not an object", function*(t) {
    yield* t.store.put(t.key("file"), "x")
    same(yield* t.store.exists(t.key("file/below")), false)
    yield* failsWith("NotFound", t.store.get(t.key("file/below")))
  })
])

/**
 * Cases of reading.
 *
 * @category testing
 * @since 0.1.0
 */
export const reads: ReadonlyArray<Case> = [...whole, ...into, ...streamed, ...readers, ...pinned, ...stats]
