import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { closeAll } from "../../src/http/UndiciTransport.ts"

describe("the end of a store", () => {
  it.effect("waits for its connections, but not for ever, and says so", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        lines.push(`${logLevel} ${String(message)}`)
      })
      const closing = (close: () => Promise<unknown>) =>
        Effect.scoped(Effect.addFinalizer(() => closeAll("S3", [{ close }])))
          .pipe(
            Effect.provide(Logger.layer([logger])),
            Effect.forkChild
          )
      const fine = yield* closing(() => Promise.resolve())
      yield* Fiber.join(fine)
      assert.deepStrictEqual(lines, [])
      const stuck = yield* closing(() => new Promise(() => {}))
      yield* TestClock.adjust(4999)
      assert.isUndefined(stuck.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(stuck)
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, /^Warn .*S3: a connection was reset/)
    }))
})
