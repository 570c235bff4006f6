import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeServiceClock } from "../../src/http/ServiceClock.ts"

const hour = 3_600_000
const start = Date.UTC(2026, 10, 26, 12)

const dated = (millis: number) => ({ headers: { date: new Date(millis).toUTCString() } })

const atNoon = TestClock.setTime(start)

describe("ServiceClock", () => {
  it.effect("is this machine's until a refusal shows that they differ", () =>
    Effect.gen(function*() {
      yield* atNoon
      const clock = makeServiceClock()
      assert.strictEqual(yield* clock.now, start)
      assert.isTrue(yield* clock.refused(start, dated(start + hour)))
      assert.strictEqual(yield* clock.now, start + hour)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* clock.now, start + hour + 60_000)
      assert.strictEqual(yield* clock.ahead, hour)
    }))

  it.effect("takes the newest difference for the whole of it", () =>
    Effect.gen(function*() {
      yield* atNoon
      const clock = makeServiceClock()
      for (const hours of [1, 3, -2, 0]) {
        assert.isTrue(yield* clock.refused(yield* clock.now, dated(start + hours * hour)))
        assert.strictEqual(yield* clock.ahead, hours * hour)
        yield* clock.learn(dated(start + hours * hour))
        assert.strictEqual(yield* clock.now, start + hours * hour)
      }
    }))

  it.effect("lets those who were refused with the old date try again too, and nobody with the new one", () =>
    Effect.gen(function*() {
      yield* atNoon
      const clock = makeServiceClock()
      for (let i = 0; i < 3; i++) assert.isTrue(yield* clock.refused(start, dated(start - hour)))
      assert.isFalse(yield* clock.refused(yield* clock.now, dated(start - hour)))
    }))

  it.effect("lets who was late try again, although the clocks agree", () =>
    Effect.gen(function*() {
      yield* atNoon
      const clock = makeServiceClock()
      const signedAt = yield* clock.now
      yield* TestClock.adjust("16 minutes")
      assert.isTrue(yield* clock.refused(signedAt, dated(yield* Clock.currentTimeMillis)))
      assert.strictEqual(yield* clock.ahead, 0)
    }))

  it.effect("learns nothing from a date that is none, near, or of another day", () =>
    Effect.gen(function*() {
      yield* atNoon
      const clock = makeServiceClock()
      const replies = [
        { headers: {} },
        { headers: { date: "yesterday" } },
        { headers: { date: "Thu, 26 Foo 2026 12:00:00 GMT" } },
        dated(start + 299_000),
        dated(start + 27 * hour),
        dated(start - 27 * hour),
        dated(0),
        dated(Date.UTC(9999, 0, 1))
      ]
      for (const reply of replies) assert.isFalse(yield* clock.refused(start, reply), JSON.stringify(reply))
      assert.strictEqual(yield* clock.ahead, 0)
    }))
})
