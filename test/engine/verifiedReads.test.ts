import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Backend, type Checksums, fromBackend, makeError, type ReadReply } from "effect-objectstore"
import * as File from "effect-objectstore/layers/File"
import { makeBackend } from "effect-objectstore/layers/Memory"
import * as NodeCrypto from "node:crypto"
import * as NodeZlib from "node:zlib"
import { crc32c, printCrc32c } from "../../src/codec/Crc32c.ts"
import { crc64nvme } from "../../src/codec/Crc64nvme.ts"
import { temporaryRoot } from "../conformance/temporaryRoot.ts"
import { inTime } from "./inTime.ts"
import { reasonOf } from "./reasonOf.ts"
import { turnOfTheEventLoop } from "./RecordingBackend.ts"

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 31) % 251)

const wide = (sum: bigint): string => Buffer.from(sum.toString(16).padStart(16, "0"), "hex").toString("base64")

/** Every checksum there is. */
const sums = (body: Uint8Array): Required<Checksums> => ({
  crc32: printCrc32c(NodeZlib.crc32(body)),
  crc32c: printCrc32c(crc32c(body)),
  crc64nvme: wide(crc64nvme(body)),
  md5: NodeCrypto.createHash("md5").update(body).digest("base64"),
  sha256: NodeCrypto.createHash("sha256").update(body).digest("base64")
})

const names = Object.keys(sums(bytes(0))) as ReadonlyArray<keyof Checksums>

const setUp = Effect.fnUntraced(function*(wrap: (backend: Backend) => Backend = (backend) => backend) {
  const memory = yield* makeBackend()
  const plain = yield* fromBackend(memory, { base: "mem://memory/" })
  const store = yield* fromBackend(wrap(memory), { base: "mem://memory/" })
  return { plain, store }
})

/** Tells a checksum of every object, also with ranges of it, and answers parts in an order of its own. */
const telling = (checksums: Checksums, change: (reply: ReadReply) => ReadReply = (reply) => reply) =>
(
  backend: Backend
): Backend => ({
  ...backend,
  head: (at, conditions) => Effect.map(backend.head(at, conditions), (stat) => ({ ...stat, checksums })),
  read: (at, request) =>
    Effect.map(backend.read(at, request), (reply) => {
      const late = Math.floor(reply.offset / 7) % 3
      return change({
        ...reply,
        stat: { ...reply.stat, checksums },
        into: (target) =>
          Effect.andThen(
            Effect.forEach(Array.from({ length: late }), () => turnOfTheEventLoop, { discard: true }),
            reply.into(target)
          )
      })
    })
})

/** One bit of the byte at `position` of the object is another. */
const flipping = (position: number) => (reply: ReadReply): ReadReply => {
  let at = reply.offset
  return {
    ...reply,
    into: (target) =>
      Effect.map(reply.into(target), (count) => {
        if (position >= at && position < at + count) target[position - at]! ^= 1
        at += count
        return count
      })
  }
}

/** Every first body breaks off after 10 bytes. */
const breaking = () => {
  let broken = 0
  return (reply: ReadReply): ReadReply =>
    broken++ > 0 ? reply : {
      ...reply,
      into: (target) =>
        Effect.andThen(
          reply.into(target.subarray(0, 10)),
          makeError("BodyInterrupted", { operation: "read", backend: "memory", received: 10 })
        )
    }
}

const body = bytes(1000)
const other = bytes(1001).subarray(1)

describe("reads with expected checksums", () => {
  for (const name of names) {
    it.effect(`compare ${name}, in one request and in many, in memory and as a stream`, () =>
      Effect.gen(function*() {
        const { plain, store } = yield* setUp(telling({}))
        yield* plain.put("a", body)
        const [right, wrong] = [{ [name]: sums(body)[name] }, { [name]: sums(other)[name] }]
        for (const partSize of [1000, 999, 64]) {
          const read = (expected: Checksums) => ({ expected, partSize, concurrency: 5 })
          assert.deepStrictEqual(yield* store.get("a", read(right)), body)
          const target = new Uint8Array(1200)
          assert.strictEqual((yield* store.getInto("a", target, read(right))).bytes, 1000)
          const chunks = yield* Stream.runCollect(store.stream("a", read(right)))
          assert.deepStrictEqual(new Uint8Array(Buffer.concat(chunks)), body)
          const reader = yield* store.open("a")
          assert.deepStrictEqual(yield* reader.read(undefined, read(right)), body)

          assert.strictEqual(yield* reasonOf(store.get("a", read(wrong))), "IntegrityFailed")
          assert.strictEqual(yield* reasonOf(store.getInto("a", target, read(wrong))), "IntegrityFailed")
          assert.strictEqual(yield* reasonOf(reader.read(undefined, read(wrong))), "IntegrityFailed")
          assert.strictEqual(yield* reasonOf(reader.readInto(target, undefined, read(wrong))), "IntegrityFailed")
          for (const stream of [store.stream("a", read(wrong)), reader.stream(undefined, read(wrong))]) {
            let delivered = 0
            const drained = Stream.runForEach(stream, (chunk) => Effect.sync(() => delivered += chunk.length))
            assert.strictEqual(yield* reasonOf(drained), "IntegrityFailed")
            assert.isBelow(delivered, 1000)
          }
        }
      }))

    it.effect(`compare ${name} with a range, and with nothing at all`, () =>
      Effect.gen(function*() {
        const { plain, store } = yield* setUp()
        yield* plain.put("a", body)
        yield* plain.put("empty", "")
        const range = { offset: 100, length: 500 }
        const part = body.subarray(100, 600)
        const right = { [name]: sums(part)[name] }
        const wrong = { [name]: sums(body)[name] }
        for (const partSize of [1000, 64]) {
          assert.deepStrictEqual(yield* store.getRange("a", range, { expected: right, partSize }), part)
          assert.strictEqual(
            yield* reasonOf(store.getRange("a", range, { expected: wrong, partSize })),
            "IntegrityFailed"
          )
          const streamed = (expected: Checksums) => Stream.runCollect(store.stream("a", { range, expected, partSize }))
          assert.strictEqual(Buffer.concat(yield* streamed(right)).length, 500)
          assert.strictEqual(yield* reasonOf(streamed(wrong)), "IntegrityFailed")
        }
        const none = { [name]: sums(bytes(0))[name] }
        assert.lengthOf(yield* store.get("empty", { expected: none }), 0)
        assert.strictEqual(yield* reasonOf(store.get("empty", { expected: right })), "IntegrityFailed")
        assert.lengthOf(yield* Stream.runCollect(store.stream("empty", { expected: none })), 0)
        const empty = Stream.runCollect(store.stream("empty", { expected: right }))
        assert.strictEqual(yield* reasonOf(empty), "IntegrityFailed")
      }))
  }

  it.effect("compare all that are given, and refuse what is no checksum", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp()
      yield* plain.put("a", body)
      assert.deepStrictEqual(yield* store.get("a", { expected: sums(body), partSize: 300 }), body)
      for (const name of names) {
        const expected = { ...sums(body), [name]: sums(other)[name] }
        assert.strictEqual(yield* reasonOf(store.get("a", { expected })), "IntegrityFailed")
      }
      const refused: ReadonlyArray<unknown> = [
        {},
        { crc32: undefined },
        { crc32: "AAAA" },
        { crc32: 1 },
        { crc32: "AAAA====" },
        // Hexadecimal, as long as base64 would be.
        { crc32c: "9a71bb4c" },
        { crc32c: "mnG7TB==" },
        { md5: sums(body).sha256 },
        { sha1: "AAAAAA==" },
        "AAAAAA==",
        null
      ]
      for (const expected of refused) {
        const options = { expected: expected as Checksums }
        assert.strictEqual(yield* reasonOf(store.get("a", options)), "InvalidRequest", JSON.stringify(expected))
        assert.strictEqual(yield* reasonOf(Stream.runDrain(store.stream("a", options))), "InvalidRequest")
        assert.strictEqual(yield* reasonOf((yield* store.open("a")).read(undefined, options)), "InvalidRequest")
      }
      const ranges = store.getRanges("a", [{ offset: 0 }], { expected: sums(body) } as object)
      assert.strictEqual(yield* reasonOf(ranges), "InvalidRequest")
    }))

  it.live("publish nothing of a stream whose checksum is another", () =>
    Effect.gen(function*() {
      const { plain } = yield* setUp()
      const root = yield* temporaryRoot
      const files = yield* File.make({ root, base: `file://${root}/`, durability: "none" })
      yield* plain.put("a", body)
      const copy = (expected: Checksums) => files.put("copy", plain.stream("a", { expected, partSize: 100 }))
      assert.strictEqual(yield* reasonOf(copy(sums(other))), "SourceFailed")
      assert.isFalse(yield* files.exists("copy"))
      assert.deepStrictEqual(yield* Stream.runCollect(files.list()), [])
      yield* copy(sums(body))
      assert.deepStrictEqual(yield* files.get("copy"), body)
    }))
})

describe("reads in pieces", () => {
  const { crc32, crc32c, crc64nvme, md5 } = sums(body)

  for (const told of [{ crc32 }, { crc32c, md5 }, { crc64nvme }]) {
    it.effect(`are compared with the ${Object.keys(told)[0]} that the store tells of the whole`, () =>
      Effect.gen(function*() {
        const options = { partSize: 96, concurrency: 4 }
        const right = yield* setUp(telling(told))
        yield* right.plain.put("a", body)
        assert.deepStrictEqual(yield* right.store.get("a", options), body)
        assert.lengthOf(yield* right.store.getRange("a", { offset: 1 }, options), 999)
        for (const position of [0, 95, 96, 500, 999]) {
          const { plain, store } = yield* setUp(telling(told, flipping(position)))
          yield* plain.put("a", body)
          assert.strictEqual(yield* inTime(reasonOf(store.get("a", options))), "IntegrityFailed")
          assert.strictEqual(yield* inTime(reasonOf(Stream.runDrain(store.stream("a", options)))), "IntegrityFailed")
          const reader = yield* store.open("a")
          assert.strictEqual(yield* inTime(reasonOf(reader.read(undefined, options))), "IntegrityFailed")
          assert.strictEqual(yield* reasonOf(reader.read({ offset: 0, length: 1000 }, options)), "IntegrityFailed")
        }
      }))

    it.effect(`are compared with its ${Object.keys(told)[0]} after a body broke off, too`, () =>
      Effect.gen(function*() {
        for (const position of [0, 9, 10, 999]) {
          for (const run of ["get", "stream"] as const) {
            const breaks = breaking()
            const flips = flipping(position)
            const { plain, store } = yield* setUp(telling(told, (reply) => breaks(flips(reply))))
            yield* plain.put("a", body)
            const read = run === "get" ? store.get("a") : Stream.runDrain(store.stream("a"))
            assert.strictEqual(yield* inTime(reasonOf(Effect.asVoid(read))), "IntegrityFailed")
          }
        }
        const { plain, store } = yield* setUp(telling(told, breaking()))
        yield* plain.put("a", body)
        assert.deepStrictEqual(yield* inTime(store.get("a")), body)
      }))
  }

  it.effect("are held to what a reader was told when it was opened", () =>
    Effect.gen(function*() {
      const silent = (backend: Backend): Backend => {
        const told = telling({ crc32c }, flipping(400))(backend)
        return {
          ...told,
          // As S3, which tells nothing of the whole beside a range.
          read: (at, request) =>
            Effect.map(told.read(at, request), (reply) => ({ ...reply, stat: { ...reply.stat, checksums: {} } }))
        }
      }
      const { plain, store } = yield* setUp(silent)
      yield* plain.put("a", body)
      const options = { partSize: 96 }
      const reader = yield* store.open("a")
      assert.strictEqual(yield* inTime(reasonOf(reader.read(undefined, options))), "IntegrityFailed")
      assert.strictEqual(yield* inTime(reasonOf(Stream.runDrain(reader.stream(undefined, options)))), "IntegrityFailed")
      assert.lengthOf(yield* store.get("a", options), 1000)
    }))
})
