import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeError } from "effect-objectstore"
import { drain, readBytes, readMessage, readStray, readText } from "../../src/http/replyBody.ts"
import { asked, replyOf } from "./ReplyTest.ts"

const broken = makeError("BodyInterrupted", { operation: "read", backend: "test", received: 5 })

describe("replyBody", () => {
  it.effect("reads bodies of known and unknown length, up to the limit", () =>
    Effect.gen(function*() {
      for (const size of [0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000]) {
        const body = Uint8Array.from({ length: size }, (_, i) => i % 251)
        for (const length of [size, undefined]) {
          assert.deepStrictEqual(yield* readBytes(asked, replyOf(body, { length }), size), body)
          assert.deepStrictEqual(yield* readBytes(asked, replyOf(body, { length }), size + 1), body)
          if (size === 0) continue
          const error = yield* Effect.flip(readBytes(asked, replyOf(body, { length }), size - 1))
          assert.strictEqual(error.reason._tag, "LimitExceeded")
        }
      }
    }))

  it.effect("reads no byte of a body that is known to be too long", () =>
    Effect.gen(function*() {
      const reply = replyOf("12345")
      yield* Effect.flip(readBytes(asked, reply, 4))
      assert.strictEqual(reply.read(), 0)
    }))

  it.effect("reads text that is UTF-8, and refuses what is not", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* readText(asked, replyOf("\ufeffaä漢😀"), 100), "aä漢😀")
      const error = yield* Effect.flip(readText(asked, replyOf(Uint8Array.of(0x61, 0xff)), 100))
      assert.strictEqual(error.reason._tag, "ProtocolViolation")
      const interrupted = yield* Effect.flip(
        readText(asked, replyOf("1234567890", { failure: { at: 5, error: broken } }), 100)
      )
      assert.strictEqual(interrupted, broken)
    }))

  it.effect("reads what there is of a message", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* readMessage(replyOf("no")), "no")
      assert.strictEqual((yield* readMessage(replyOf("x".repeat(100_000)))).length, 64 * 1024)
      assert.strictEqual(
        yield* readMessage(replyOf("1234567890", { length: undefined, failure: { at: 5, error: broken } })),
        "12345"
      )
    }))

  it.effect("tells what stands where nothing should, also if it was announced and never came", () =>
    Effect.gen(function*() {
      const cut = {
        failure: { at: 0, error: makeError("BodyInterrupted", { operation: "read", backend: "test", received: 0 }) }
      }
      assert.isUndefined(yield* readStray(replyOf("")))
      assert.isUndefined(yield* readStray(replyOf(" \r\n ")))
      assert.strictEqual(yield* readStray(replyOf(" no ")), "no")
      assert.strictEqual(yield* readStray(replyOf("no, never", { failure: { at: 5, error: broken } })), "no, n")
      assert.strictEqual(yield* readStray(replyOf("no", cut)), "")
      assert.isUndefined(yield* readStray(replyOf("no", { ...cut, length: undefined })))
    }))

  it.effect("drains what is short and leaves what is long", () =>
    Effect.gen(function*() {
      const short = replyOf("x".repeat(1000), { length: undefined })
      yield* drain(short)
      assert.strictEqual(short.read(), 1000)
      const long = replyOf("x".repeat(100_000))
      yield* drain(long)
      assert.strictEqual(long.read(), 0)
    }))
})
