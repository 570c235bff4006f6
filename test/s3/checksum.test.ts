import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { checksums, sumOf } from "../../layers/s3/checksum.ts"

const MiB = 2 ** 20
const bytes = Uint8Array.from({ length: 40 * MiB + 3 }, (_, index) => (index * 2_654_435_761) >>> 13)

describe("the checksum of an upload", () => {
  for (const method of Object.values(checksums)) {
    it.effect(`is that of all bytes, and others have a turn while it is taken: ${method.name}`, () =>
      Effect.gen(function*() {
        for (const length of [0, 1, 16 * MiB, 16 * MiB + 1, bytes.length]) {
          const body = bytes.subarray(0, length)
          assert.strictEqual(yield* sumOf(method, body), method.of(body))
        }
        let turns = 0
        const other = yield* Effect.forkChild(
          Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow))
        )
        yield* sumOf(method, bytes)
        yield* Fiber.interrupt(other)
        assert.isAtLeast(turns, 1)
      }))
  }
})
