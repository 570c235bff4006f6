/**
 * What a process holds and says beside what it is asked: descriptors, timers, warnings, rejections that nobody handled.
 */
import { Effect, type Fiber } from "effect"
import * as NodeFs from "node:fs"
import { getActiveResourcesInfo } from "node:process"

export const descriptors = (): number => NodeFs.readdirSync("/proc/self/fd").length
export const timers = (): number => getActiveResourcesInfo().filter((one) => one === "Timeout").length

/** What nobody was asked for, since `listen`. */
export const disturbances: Array<string> = []

const note = (what: string) => (cause: unknown): void => void disturbances.push(`${what}: ${String(cause)}`)
const listeners = { warning: note("warning"), unhandledRejection: note("unhandled rejection") }

export const listen = (): void => {
  for (const [name, listener] of Object.entries(listeners)) process.on(name, listener)
}

export const stopListening = (): void => {
  for (const [name, listener] of Object.entries(listeners)) process.off(name, listener)
}

/** What is there before something is done. */
export interface Held {
  readonly descriptors: number
  readonly timers: number
}

export const held = (): Held => ({ descriptors: descriptors(), timers: timers() })

/** Nothing more is held than before, and no fiber runs, within a second. */
export const checkHeld = Effect.fnUntraced(function*(
  before: Held,
  fibers: ReadonlySet<Fiber.Fiber<unknown, unknown>>,
  wrong: (what: string) => void
) {
  const left = (): ReadonlyArray<string> => {
    const now = held()
    const running = [...fibers].filter((fiber) => fiber.pollUnsafe() === undefined).length
    return [
      ...(now.descriptors > before.descriptors ? [`${now.descriptors - before.descriptors} descriptors are left`] : []),
      ...(now.timers > before.timers ? [`${now.timers - before.timers} timers are left`] : []),
      ...(running > 0 ? [`${running} fibers are left`] : [])
    ]
  }
  for (let millis = 0; millis < 1000; millis += 5) {
    if (left().length === 0) return
    yield* Effect.sleep(5)
  }
  for (const one of left()) wrong(one)
})
