import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { BackendRange } from "effect-objectstore"
import { checkReply, exactly, rangeHeader, sizeOfUnsatisfied } from "../../src/http/contentRange.ts"
import { asked } from "./ReplyTest.ts"

const check = (range: BackendRange | undefined, status: number, length: number | undefined, contentRange?: string) =>
  checkReply(asked, range, {
    status,
    length,
    headers: contentRange === undefined ? {} : { "content-range": contentRange }
  })

const refused = (
  range: BackendRange | undefined,
  status: number,
  length: number | undefined,
  contentRange?: string
) =>
  Effect.map(Effect.flip(check(range, status, length, contentRange)), (error) => {
    assert.strictEqual(error.reason._tag, "ProtocolViolation", `${contentRange}`)
    assert.strictEqual(error.status, status)
  })

describe("contentRange", () => {
  it.effect("takes no other status for an object", () =>
    Effect.forEach([202, 203, 204, 205], (status) => refused(undefined, status, 0)))

  it.effect("asks for ranges as HTTP counts them", () =>
    Effect.sync(() => {
      assert.strictEqual(rangeHeader({ offset: 0, length: 1 }), "bytes=0-0")
      assert.strictEqual(rangeHeader({ offset: 10, length: 5 }), "bytes=10-14")
      assert.strictEqual(rangeHeader({ suffix: 7 }), "bytes=-7")
    }))

  it.effect("takes the range that was asked for, cut to the object", () =>
    Effect.gen(function*() {
      const range = { offset: 10, length: 10 }
      assert.deepStrictEqual(yield* check(range, 206, 10, "bytes 10-19/100"), { offset: 10, length: 10, size: 100 })
      assert.deepStrictEqual(yield* check(range, 206, 5, "bytes 10-14/15"), { offset: 10, length: 5, size: 15 })
      assert.deepStrictEqual(yield* check(range, 206, undefined, "Bytes 10-19/20"), {
        offset: 10,
        length: 10,
        size: 20
      })
      assert.deepStrictEqual(yield* check({ suffix: 5 }, 206, 5, "bytes 95-99/100"), {
        offset: 95,
        length: 5,
        size: 100
      })
      assert.deepStrictEqual(yield* check({ suffix: 200 }, 206, 100, "bytes 0-99/100"), {
        offset: 0,
        length: 100,
        size: 100
      })
    }))

  it.effect("refuses every other range", () =>
    Effect.gen(function*() {
      const range = { offset: 10, length: 10 }
      const wrong = [
        [10, undefined],
        [10, ""],
        [10, "bytes 10-19/*"],
        [10, "bytes 9-18/100"],
        [10, "bytes 9-19/100"],
        [10, "bytes 11-19/100"],
        [10, "bytes 10-18/100"],
        [11, "bytes 10-20/100"],
        [9, "bytes 10-18/100"],
        [10, "bytes 10-19/19"],
        [9, "bytes 10-19/100"],
        [11, "bytes 10-19/100"],
        [10, "bytes 19-10/100"],
        [10, "bytes -10-19/100"],
        [10, "items 10-19/100"],
        [10, "bytes 10-19/9007199254740993"],
        [10, "bytes 10-19/100, bytes 10-19/100"]
      ] as const
      for (const [length, told] of wrong) yield* refused(range, 206, length, told)
      // Also where nothing else tells how long the body is.
      for (const told of ["bytes 9-19/100", "bytes 11-19/100", "bytes 10-18/100", "bytes 10-20/100"]) {
        yield* refused(range, 206, undefined, told)
      }
      yield* refused({ suffix: 5 }, 206, undefined, "bytes 94-99/100")
      yield* refused({ suffix: 5 }, 206, 5, "bytes 0-4/100")
      yield* refused({ suffix: 5 }, 206, 4, "bytes 96-99/100")
      yield* refused(undefined, 206, 100, "bytes 0-99/100")
    }))

  it.effect("takes a whole object for a range only where that is what was asked for", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* check(undefined, 200, 100), { offset: 0, length: 100, size: 100 })
      assert.deepStrictEqual(yield* check({ offset: 0, length: 100 }, 200, 100), { offset: 0, length: 100, size: 100 })
      assert.deepStrictEqual(yield* check({ suffix: 100 }, 200, 100), { offset: 0, length: 100, size: 100 })
      assert.deepStrictEqual(yield* check({ suffix: 1 }, 200, 0), { offset: 0, length: 0, size: 0 })
      yield* refused({ offset: 0, length: 99 }, 200, 100)
      yield* refused({ offset: 1, length: 99 }, 200, 100)
      yield* refused({ suffix: 99 }, 200, 100)
      yield* refused(undefined, 200, undefined)
      yield* refused({ suffix: 99 }, 200, undefined)
    }))

  it.effect("answers a range of an empty object as what it is", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(check({ offset: 0, length: 10 }, 200, 0))
      assert.deepStrictEqual(
        error.reason._tag === "RangeNotSatisfiable" ? error.reason.size : error.message,
        0
      )
    }))

  it.effect("delivers exactly the range where the body does not say how long it is", () =>
    Effect.gen(function*() {
      /** Reads a body of so many bytes as one of three, into memory of a size, until it ends. */
      const read = Effect.fnUntraced(function*(bytes: number, room: number, length?: number) {
        let left = bytes
        const into = (target: Uint8Array) =>
          Effect.sync(() => {
            const count = Math.min(left, target.length)
            left -= count
            return count
          })
        const exact = exactly(asked, { status: 206, headers: {}, length, into }, 3)
        let sum = 0
        for (let count = 1; count > 0; sum += count) count = yield* exact(new Uint8Array(room))
        return sum
      })
      for (const room of [1, 2, 3, 4, 5]) {
        assert.strictEqual(yield* read(3, room), 3)
        assert.strictEqual(yield* read(2, room), 2)
        for (const bytes of [4, 5, 9]) {
          const error = yield* Effect.flip(read(bytes, room))
          assert.strictEqual(error.reason._tag, "ProtocolViolation", `${bytes} into ${room}`)
        }
      }
    }))

  it.effect("reads the size out of a 416", () =>
    Effect.sync(() => {
      assert.strictEqual(sizeOfUnsatisfied({ "content-range": "bytes */123" }), 123)
      assert.strictEqual(sizeOfUnsatisfied({ "content-range": "bytes */*" }), undefined)
      assert.strictEqual(sizeOfUnsatisfied({ "content-range": "bytes 0-1/2" }), undefined)
      assert.strictEqual(sizeOfUnsatisfied({}), undefined)
    }))
})
