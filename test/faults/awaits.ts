/**
 * Every point at which an operation waits: whenever one of its fibers goes on, for whatever reason, is one. A scheduler sees
 * them, because every fiber asks it before its first step whether it may go on.
 */
import { Effect, type Fiber, Scheduler } from "effect"
import * as NodeTimers from "node:timers"

/**
 * When an operation is interrupted: as soon as a fiber goes on for the n-th time (from 0), or when it waits again, or so many turns
 * of the event loop later, when what it waits for is halfway there.
 */
export interface Interruption {
  readonly point: number
  readonly moment: "going on" | "waiting" | number
}

export const moments: ReadonlyArray<Interruption["moment"]> = ["going on", "waiting", 1, 2, 4]

/** The points of an operation. */
export interface Awaits {
  /** Runs what uses a store: its fibers are known. */
  readonly within: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Counts from here on, and interrupts `fiber`. */
  readonly begin: (fiber: Fiber.Fiber<unknown, unknown>) => void
  readonly points: () => number
  /** Whether it was interrupted before its end. */
  readonly met: () => boolean
  /** All fibers that there ever were. */
  readonly fibers: ReadonlySet<Fiber.Fiber<unknown, unknown>>
}

const turnsLater = (turns: number, then: () => void): void => {
  if (turns === 0) then()
  else NodeTimers.setImmediate(() => turnsLater(turns - 1, then))
}

/** Begins to watch for `watcher`, which is none of the fibers itself. */
export const makeAwaits = (
  interruption: Interruption | undefined,
  watcher: Fiber.Fiber<unknown, unknown>
): Awaits => {
  const own = new Scheduler.MixedScheduler()
  const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  let operation: Fiber.Fiber<unknown, unknown> | undefined
  let points = 0
  let met = false
  const interrupt = (): void => {
    if (operation === undefined || operation.pollUnsafe() !== undefined) return
    met = true
    operation.interruptUnsafe()
  }
  const goesOn = (): void => {
    if (operation === undefined || operation.pollUnsafe() !== undefined) return
    if (points++ !== interruption?.point) return
    const { moment } = interruption
    if (moment === "going on") interrupt()
    // The steps that a fiber takes at once have been taken when the microtask comes.
    else if (moment === "waiting") queueMicrotask(interrupt)
    else turnsLater(moment, interrupt)
  }
  const scheduler: Scheduler.Scheduler = {
    executionMode: "async",
    makeDispatcher: () => own.makeDispatcher(),
    shouldYield: (fiber) => {
      if (fiber.currentOpCount === 1 && fiber !== watcher) {
        fibers.add(fiber)
        goesOn()
      }
      return own.shouldYield(fiber)
    }
  }
  return {
    // Goes on with the scheduler from the first step.
    within: (effect) => Effect.provideService(Effect.andThen(Effect.yieldNow, effect), Scheduler.Scheduler, scheduler),
    begin: (fiber) => {
      operation = fiber
    },
    points: () => points,
    met: () => met,
    fibers
  }
}
