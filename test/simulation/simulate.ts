/**
 * One schedule: several clients of one store on a virtual clock; chance decides what fails, what is late, what is
 * interrupted, and who goes first.
 */
import { Effect, Exit, Fiber, Latch, Layer, Logger, Random } from "effect"
import {
  defaultRetryPolicy,
  fromBackend,
  type ObjectStoreError,
  RetryPolicy,
  type RetryPolicyOptions
} from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { type Draw, makeDraw } from "./Draw.ts"
import { checkEnd, checkOperation, type Ended } from "./invariants.ts"
import { makeSeededScheduler } from "./SeededScheduler.ts"
import { CurrentOperation, type Journal, makeJournal, simulatedBackend, type Weather } from "./SimulatedBackend.ts"
import { makeWatch, type Rules } from "./Watch.ts"
import { bodyOf, gathering, keys, makeClients, type Operation, perform } from "./workload.ts"

/** What builds a store over a backend, and its policy: the engine as it is shipped, or one with a bug in it. */
export interface Engine {
  readonly fromBackend: typeof fromBackend
  readonly policy: RetryPolicyOptions
}

const shipped: Engine = { fromBackend, policy: defaultRetryPolicy }

export interface Outcome {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  readonly trace: ReadonlyArray<string>
  /** The same for the same seed and engine. */
  readonly hash: string
  readonly requests: number
}

/** So many steps no schedule takes: one that does runs in a circle. */
const mostSteps = 500_000

const weatherOf = (draw: Draw): Weather => ({
  faults: draw.one([0, 0.05, 0.15, 0.3]),
  defects: draw.one([0, 0, 0, 0.03]),
  delay: draw.one([0, 1, 20, 200]),
  lax: draw.chance(0.3),
  calm: true
})

const rulesOf = (draw: Draw): Rules => ({
  requests: 1 + draw.below(6),
  memory: draw.one([8, 20, 64]),
  attempts: draw.one([defaultRetryPolicy.maxAttempts, defaultRetryPolicy.maxAttempts, 2, 1]),
  conditionalRead: draw.chance(0.8),
  ordered: draw.chance(0.2)
})

const schedule = Effect.fnUntraced(function*(engine: Engine, draw: Draw, rules: Rules, journal: Journal) {
  const watch = makeWatch(rules, journal.violations)
  const weather = weatherOf(draw)
  const memory = yield* makeBackend({
    capabilities: {
      conditionalRead: rules.conditionalRead,
      maxCopySize: draw.chance(0.3) ? 10 : undefined,
      multipart: { minPartSize: 8, maxParts: 20, ordered: rules.ordered }
    }
  })
  const limits = { base: "mem://memory/", requests: rules.requests, memory: rules.memory }
  const store = yield* engine.fromBackend(simulatedBackend(memory, draw, weather, journal, watch), limits)
  for (const [id, key] of keys.entries()) {
    if (draw.chance(0.8)) {
      yield* Effect.provideService(store.put(key, bodyOf({ id, size: 20 + draw.below(40) })), CurrentOperation, id)
    }
  }
  weather.calm = false
  const ended: Array<Ended> = []
  const act = Effect.fnUntraced(function*(operation: Operation) {
    if (gathering.has(operation.op)) watch.gathers.add(operation.id)
    const fiber = yield* perform(store, draw, operation).pipe(
      Effect.provideService(CurrentOperation, operation.id),
      Effect.forkChild
    )
    if (operation.interrupt !== undefined) {
      yield* Effect.raceFirst(Effect.sleep(operation.interrupt), Fiber.await(fiber))
      yield* Fiber.interrupt(fiber)
    }
    const exit: Exit.Exit<Effect.Success<ReturnType<typeof perform>>, ObjectStoreError> = yield* Fiber.await(fiber)
    watch.over(operation.id)
    ended.push({ operation, exit })
  })
  yield* Effect.forEach(makeClients(draw), (operations) => Effect.forEach(operations, act, { discard: true }), {
    concurrency: "unbounded",
    discard: true
  })
  // What was late has come.
  yield* Effect.sleep("1 minute")
  weather.calm = true
  for (const one of ended) checkOperation(one, journal)
  yield* checkEnd(store, memory, rules, journal, watch)
})

/** Runs a schedule, all of it before it answers. */
export const drive = (
  seed: number,
  journal: Journal,
  body: Effect.Effect<void, ObjectStoreError>
): Outcome => {
  const logger = Logger.make(({ message }) => void journal.trace.push(String(message).replace(/upload \S+/, "upload")))
  const scheduler = makeSeededScheduler(makeDraw(seed ^ 0x5bd1e995))
  const still = Latch.makeUnsafe()
  const program = Effect.gen(function*() {
    // Says that time is ours, so that nothing warns of a clock that stands still.
    yield* TestClock.adjust(0)
    const fiber = yield* Effect.forkChild(Effect.exit(body))
    // Time goes on only when nothing else does.
    yield* still.await
    yield* TestClock.adjust("1 hour")
    const exit = fiber.pollUnsafe()
    if (exit === undefined) {
      journal.violations.push("it hangs")
      yield* Fiber.interrupt(fiber)
    } else if (Exit.isSuccess(exit) && Exit.isFailure(exit.value)) journal.violations.push(String(exit.value.cause))
  }).pipe(
    Effect.provide(Layer.mergeAll(TestClock.layer({ warningDelay: "10 days" }), Logger.layer([logger]))),
    Random.withSeed(seed)
  )
  // Nobody reads the stacks of thousands of injected failures.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const fiber = Effect.runFork(program, { scheduler })
  const before = scheduler.run(mostSteps)
  still.openUnsafe()
  const steps = before + scheduler.run(mostSteps - before)
  Error.stackTraceLimit = stackTraceLimit
  if (fiber.pollUnsafe() === undefined) {
    journal.violations.push(steps === mostSteps ? "it runs in a circle" : "it hangs where no time can pass")
  }
  const hash = createHash("sha256").update(journal.trace.join("\n")).digest("hex").slice(0, 16)
  const requests = [...journal.requests.values()].reduce((sum, count) => sum + count, 0)
  return { seed, violations: journal.violations, trace: journal.trace, hash, requests }
}

/** Runs the schedule of a seed. */
export const simulate = (seed: number, engine: Engine = shipped): Outcome => {
  const journal = makeJournal()
  const draw = makeDraw(seed)
  const rules = rulesOf(draw)
  const policy = { ...engine.policy, maxAttempts: rules.attempts }
  return drive(seed, journal, Effect.provideService(schedule(engine, draw, rules, journal), RetryPolicy, policy))
}
