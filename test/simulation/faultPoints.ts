/**
 * Every point at which one operation can be hit: it runs once in peace, its requests are counted, and then it runs again for
 * each of them and each thing that can become of it.
 */
import { Effect, Exit, Fiber } from "effect"
import { defaultRetryPolicy, fromBackend, type ObjectStoreError } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { makeDraw } from "./Draw.ts"
import { checkEnd, checkOperation } from "./invariants.ts"
import { drive } from "./simulate.ts"
import {
  CurrentOperation,
  Interruption,
  makeJournal,
  type Scripted,
  simulatedBackend,
  type Weather
} from "./SimulatedBackend.ts"
import { makeWatch, type Rules } from "./Watch.ts"
import { bodyOf, type Done, gathering, keys, type Operation, perform } from "./workload.ts"

export interface Hit {
  readonly violations: ReadonlyArray<string>
  readonly exit: Exit.Exit<Done, ObjectStoreError>
  readonly requests: number
  readonly trace: ReadonlyArray<string>
}

/** Runs one operation; requests of some numbers meet their fates. */
export const hit = (operation: Operation, script: ReadonlyArray<Scripted>): Hit => {
  const journal = makeJournal()
  let exit: Exit.Exit<Done, ObjectStoreError> = Exit.die("it did not end")
  let requests = 0
  const rules: Rules = {
    requests: 4,
    memory: 20,
    attempts: defaultRetryPolicy.maxAttempts,
    conditionalRead: true,
    ordered: false
  }
  const watch = makeWatch(rules, journal.violations)
  if (gathering.has(operation.op)) watch.gathers.add(operation.id)
  const run = Effect.gen(function*() {
    const weather: Weather = { faults: 0, defects: 0, delay: 0, lax: false, calm: true, script }
    const memory = yield* makeBackend({
      capabilities: { maxCopySize: operation.concurrency > 2 ? 10 : undefined, multipart: { minPartSize: 8 } }
    })
    const draw = makeDraw(1)
    const target = operation.op === "copy" ? operation.to : operation.key
    const limits = { base: "mem://memory/", requests: rules.requests, memory: rules.memory }
    const store = yield* fromBackend(simulatedBackend(memory, draw, weather, journal, watch), limits)
    for (const [id, key] of keys.entries()) {
      if (operation.mode === "create" && key === target) continue
      yield* Effect.provideService(store.put(key, bodyOf({ id, size: 40 })), CurrentOperation, id)
    }
    const before = journal.requests.size
    weather.calm = false
    const fiber: Fiber.Fiber<Done, ObjectStoreError> = yield* perform(store, draw, operation).pipe(
      Effect.provideService(CurrentOperation, operation.id),
      Effect.provideService(Interruption, Effect.sync(() => fiber.interruptUnsafe())),
      Effect.forkChild
    )
    exit = yield* Fiber.await(fiber)
    watch.over(operation.id)
    weather.calm = true
    requests = [...journal.requests.values()].reduce((sum, count) => sum + count, 0) - before
    yield* Effect.sleep("1 minute")
    checkOperation(
      {
        operation: { ...operation, interrupt: script.some(({ fate }) => fate.startsWith("int")) ? 0 : undefined },
        exit
      },
      journal
    )
    yield* checkEnd(store, memory, rules, journal, watch)
  })
  const { trace, violations } = drive(1, journal, run)
  return { violations, exit, requests, trace }
}
