import type { Scheduler } from "effect"
import type { Draw } from "./Draw.ts"

/** A scheduler that runs whatever is ready in an order that chance decides, all of it before `run` answers. */
export interface SeededScheduler extends Scheduler.Scheduler {
  /** Runs until nothing is ready, or so many steps; answers how many were taken. */
  readonly run: (most: number) => number
}

export const makeSeededScheduler = (draw: Draw): SeededScheduler => {
  const ready: Array<() => void> = []
  const dispatcher: Scheduler.SchedulerDispatcher = {
    scheduleTask: (task) => void ready.push(task),
    flush: () => {}
  }
  return {
    executionMode: "async",
    shouldYield: (fiber) => fiber.currentOpCount >= 2048,
    makeDispatcher: () => dispatcher,
    run: (most) => {
      let steps = 0
      while (ready.length > 0 && steps < most) {
        steps++
        const index = ready.length === 1 ? 0 : draw.below(ready.length)
        const task = ready[index]!
        ready.splice(index, 1)
        task()
      }
      return steps
    }
  }
}
