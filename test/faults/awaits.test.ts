/**
 * Every operation on every backend is interrupted wherever it waits, and wherever what it waited for has come.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Logger, Random } from "effect"
import { env } from "node:process"
import { type Awaits, type Interruption, makeAwaits, moments } from "./awaits.ts"
import { settings, type Stage } from "./grounds.ts"
import { checkConnections, checkStore, checkUploads, errorOf, isExact, reasonOf } from "./invariants.ts"
import { type Operation, operationsOf } from "./operations.ts"
import { checkHeld, disturbances, held, listen, stopListening } from "./process.ts"

const isFull = env["MODE"] === "faults"
const stride = isFull ? 1 : 23

interface Outcome {
  readonly violations: ReadonlyArray<string>
  readonly points: number
  readonly met: boolean
  /** Milliseconds from the interruption to the end. */
  readonly ending: number
  readonly trace: ReadonlyArray<string>
}

/** So long takes no operation, even where the processor is busy elsewhere. */
const longest = "30 seconds"

const onStage = Effect.fnUntraced(function*(
  stage: Stage,
  operation: Operation,
  awaits: Awaits,
  told: ReadonlyArray<string>,
  wrong: (what: string) => void
) {
  const { ground } = stage
  const store = yield* awaits.within(stage.connect)
  const fiber = yield* Effect.forkChild(awaits.within(operation.run(store)))
  awaits.begin(fiber)
  const start = yield* Clock.currentTimeMillis
  if ((yield* Effect.timeoutOption(Fiber.await(fiber), longest))._tag === "None") {
    wrong("it hangs")
    yield* Fiber.interrupt(fiber)
  }
  const ending = (yield* Clock.currentTimeMillis) - start
  const exit = yield* Fiber.await(fiber)
  yield* checkStore(operation, exit, ground, wrong)
  if (Exit.isSuccess(exit)) {
    if (operation.fails === true) wrong("it succeeded although its source failed")
    if (!isExact(operation, exit.value)) wrong("it delivered bytes that are not there")
  } else {
    if (Cause.hasDies(exit.cause)) wrong(`it died: ${Cause.pretty(exit.cause)}`)
    const error = errorOf(exit)
    if (error === undefined && !awaits.met()) wrong("it was interrupted by nobody")
    if (error !== undefined && !(operation.fails === true && error.reason._tag === "SourceFailed")) {
      wrong(`it failed: ${error.message}`)
    }
  }
  if (store.capabilities.multipart.abort === "removes") yield* checkUploads(ground, told, wrong)
  for (const name of stage.files()) wrong(`${name} is left`)
  // The store may do one thing at a time: it cannot if that was not given back.
  const after = yield* Effect.timeoutOption(store.exists("another"), longest)
  if (after._tag === "None") wrong("the store stands still")
  return { exit, ending }
})

const once = Effect.fnUntraced(function*(
  setting: string,
  operation: Operation,
  interruption: Interruption | undefined
): Effect.fn.Return<Outcome> {
  const violations: Array<string> = []
  const wrong = (what: string) => void violations.push(what)
  const told: Array<string> = []
  const logger = Logger.make(({ message }) => void told.push(String(message)))
  const awaits = yield* Effect.withFiber((self) => Effect.succeed(makeAwaits(interruption, self)))
  const before = held()
  const { ending, trace } = yield* Effect.gen(function*() {
    const stage = yield* settings[setting]!.open(operation)
    const { ending, exit } = yield* Effect.scoped(onStage(stage, operation, awaits, told, wrong))
    yield* checkConnections(stage.ground, wrong)
    const end = Exit.isSuccess(exit) ? "succeeded" : reasonOf(exit)
    return { ending, trace: [...yield* stage.trace, end] }
  }).pipe(
    Random.withSeed(operation.name),
    Effect.provide(Logger.layer([logger])),
    Effect.scoped,
    Effect.orDie
  )
  yield* checkHeld(before, awaits.fibers, wrong)
  return { violations, points: awaits.points(), met: awaits.met(), ending, trace }
})

interface Figures {
  operations: number
  points: number
  runs: number
  met: number
  longest: number
}

const figures = new Map<string, Figures>()

beforeAll(listen)

afterAll(() => {
  stopListening()
  for (const [name, { longest, met, operations, points, runs }] of figures) {
    console.log(
      `interrupted on ${name}: ${operations} operations that wait ${points} times, ${runs} interruptions (${
        isFull ? "all" : `1 of ${stride}`
      }), ${met} met before the end, ended within ${longest} ms`
    )
  }
})

for (const [name, { sizes }] of Object.entries(settings)) {
  describe(`an interruption wherever an operation on ${name} waits`, () => {
    const figure: Figures = { operations: 0, points: 0, runs: 0, met: 0, longest: 0 }
    figures.set(name, figure)
    for (const [index, operation] of operationsOf(sizes, 2).entries()) {
      it.live(operation.name, () =>
        Effect.gen(function*() {
          // What is loaded when it is needed first is none of its points.
          yield* once(name, operation, undefined)
          const peace = yield* once(name, operation, undefined)
          assert.deepStrictEqual(peace.violations, [], peace.trace.join("\n"))
          assert.isAbove(peace.points, 0)
          figure.operations++
          figure.points += peace.points
          const all = Array.from({ length: peace.points }, (_, point) => moments.map((moment) => ({ point, moment })))
            .flat()
          const failures: Array<string> = []
          for (const interruption of all.filter((_, place) => (place + index) % stride === 0)) {
            const one = yield* once(name, operation, interruption)
            figure.runs++
            figure.met += one.met ? 1 : 0
            figure.longest = Math.max(figure.longest, one.ending)
            if (one.violations.length === 0) continue
            const title = `at point ${interruption.point}, ${interruption.moment}:`
            failures.push([title, ...one.violations, ...one.trace].join("\n    "))
          }
          assert.deepStrictEqual(failures, [], failures.join("\n"))
        }), { timeout: 600_000 })
    }
    it("disturbs nobody", () => assert.deepStrictEqual(disturbances, []))
  })
}
