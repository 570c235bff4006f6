import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { turnOfTheEventLoop } from "./RecordingBackend.ts"

/** Runs an effect while the virtual clock goes on as far as it has to: whatever it waits for takes no time. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(effect))
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("1 second")
      yield* turnOfTheEventLoop
    }
    return yield* yield* Fiber.join(fiber)
  })
