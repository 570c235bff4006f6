/**
 * Every call of every operation to stores without a wire meets each thing that can become of it, through `faultyBackend`.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Random, Result, type Scope, Stream } from "effect"
import {
  defaultRetryPolicy,
  fromBackend,
  type ObjectStoreError,
  type ObjectStoreOperations,
  RetryPolicy
} from "effect-objectstore"
import { Fault, type FaultOperation, faultyBackend, makeFaultPlan } from "effect-objectstore/testing"
import { env } from "node:process"
import { type Operation, operationsOf } from "./operations.ts"
import { type Place, places } from "./places.ts"

const isFull = env["MODE"] === "faults"
const stride = isFull ? 1 : 7

/** What can become of a call. */
const fates = {
  "refused": Fault.fail("ConnectionFailed", { phase: "connect" }),
  "lost before it is applied": Fault.fail("ConnectionFailed", { phase: "headers", outcome: "unknown" }),
  "lost after it is applied": Fault.failAfter("ConnectionFailed", { phase: "headers" }),
  "503": Fault.fail("Unavailable"),
  "500 after it is applied": Fault.failAfter("Unavailable"),
  "throttled": Fault.fail("Throttled", { retryAfter: 1 }),
  "timed out": Fault.fail("Timeout", { phase: "headers", outcome: "unknown" }),
  "an answer that is none": Fault.failAfter("ProtocolViolation"),
  "cut": Fault.truncate(3),
  "interrupted": Fault.delay("1 hour")
} as const

type Fate = keyof typeof fates

/** What a fate can meet: a key that an answer leaves out is told and not asked for again, and an abort outlives an interruption. */
const meets = (fate: Fate) => (operation: FaultOperation): boolean =>
  fate === "an answer that is none"
    ? operation !== "deleteEntry"
    : fate !== "interrupted" || operation !== "abortUpload"

interface Outcome {
  readonly violations: ReadonlyArray<string>
  readonly calls: number
  readonly met: boolean
  readonly trace: ReadonlyArray<string>
}

const hit = Effect.fnUntraced(function*(
  place: Effect.Effect<Place, ObjectStoreError, Scope.Scope>,
  operation: Operation,
  point: { readonly call: number; readonly fate: Fate } | undefined
): Effect.fn.Return<Outcome, ObjectStoreError, Scope.Scope> {
  const violations: Array<string> = []
  const wrong = (what: string) => void violations.push(what)
  const { backend, base } = yield* place
  const plain = yield* fromBackend(backend, { base })
  for (const [key, body] of Object.entries(operation.objects)) yield* plain.put(key, body)
  // The first rule sees every call; a rule of one hit counts those that its fault can meet.
  const plan = yield* makeFaultPlan({
    seed: "calls",
    rules: [
      { fault: Fault.delay(0) },
      ...(point === undefined ? [] : [{ fault: fates[point.fate], hits: point.call + 1, operation: meets(point.fate) }])
    ]
  })
  const store = yield* fromBackend(faultyBackend(backend, plan), { base })
  const fiber = yield* Effect.forkChild(operation.run(store))
  if (point?.fate === "interrupted") {
    while (fiber.pollUnsafe() === undefined && !(yield* plan.journal).some(({ rule }) => rule === 1)) {
      yield* Effect.sleep(1)
    }
    yield* Fiber.interrupt(fiber)
  }
  const exit = yield* Fiber.await(fiber)
  const journal = yield* plan.journal
  yield* check(plain, operation, point?.fate, exit, wrong)
  return {
    violations,
    calls: journal.filter(({ rule }) => rule === 0).length,
    met: journal.some(({ rule }) => rule === 1),
    trace: [
      ...journal.map(({ fault, key, operation, rule }) => `${operation} ${key} ${rule === 1 ? fault._tag : ""}`),
      Exit.isSuccess(exit) ? "succeeded" : String(exit.cause)
    ]
  }
})

const equal = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

const unclear: ReadonlySet<string> = new Set(["OutcomeUnknown", "UploadNotFound"])

const check = Effect.fnUntraced(function*(
  plain: ObjectStoreOperations,
  { after, fails = false, mayStayUnknown = false, name, objects }: Operation,
  fate: Fate | undefined,
  exit: Exit.Exit<Effect.Success<ReturnType<Operation["run"]>>, ObjectStoreError>,
  wrong: (what: string) => void
) {
  let applied = false
  for (const key of new Set([...Object.keys(objects), ...Object.keys(after)])) {
    const now = Result.getOrUndefined(yield* Effect.result(plain.get(key)))
    const wanted = key in after ? after[key] : objects[key]
    if (!equal(now, objects[key])) applied = true
    if (!equal(now, wanted) && !equal(now, objects[key])) wrong(`${key} is neither what it was nor what it should be`)
    if (Exit.isSuccess(exit) && !equal(now, wanted)) wrong(`it succeeded, and ${key} is not what it should be`)
  }
  if (plain.capabilities.multipart.listed) {
    const open = yield* Stream.runCount(plain.listUploads())
    if (
      open > 0 && fate !== "lost after it is applied" && fate !== "500 after it is applied" &&
      fate !== "an answer that is none"
    ) {
      wrong(`${open} uploads are open`)
    }
  }
  if (Exit.isSuccess(exit)) {
    for (const { bytes, key, offset, whole } of exit.value.delivered ?? []) {
      const stored = objects[key]!
      if (!equal(bytes, whole ? stored : stored.subarray(offset, offset + bytes.length))) {
        wrong("it delivered other bytes")
      }
    }
    if (fails) wrong("it succeeded although its source failed")
    return
  }
  if (Cause.hasDies(exit.cause)) wrong(`it died: ${Cause.pretty(exit.cause)}`)
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  if (error === undefined) {
    if (fate !== "interrupted") wrong("it was interrupted by nobody")
    return
  }
  if (error.outcome === "not-applied" && applied) wrong("it said that it was not applied, and it was")
  if (error.outcome === "applied" && !applied) wrong("it said that it was applied, and it was not")
  if (fails && error.reason._tag === "SourceFailed") return
  // Without checksums, and ids in the metadata, nobody can tell whose an object is.
  const mayBeUnknown = mayStayUnknown || name === "rename" || plain.capabilities.io !== "memory"
  if (mayBeUnknown && error.outcome === "unknown" && unclear.has(error.reason._tag)) return
  // A file that is cut stays cut for as long as it is open.
  if (fate === "cut" && plain.capabilities.io !== "memory" && error.reason._tag === "BodyInterrupted") return
  wrong(`it was not healed: ${error.message} (${error.outcome})`)
})

const figures = new Map<string, { operations: number; calls: number; points: number; met: number }>()

afterAll(() => {
  for (const [name, { calls, met, operations, points }] of figures) {
    console.log(
      `faults on the calls of ${name}: ${operations} operations, ${calls} calls, ${points} points (${
        isFull ? "all" : `1 of ${stride}`
      }), ${met} met`
    )
  }
})

for (const [name, place] of Object.entries(places)) {
  describe(`one fault at any call to ${name}`, () => {
    const figure = { operations: 0, calls: 0, points: 0, met: 0 }
    figures.set(name, figure)
    for (const [index, operation] of operationsOf({ part: 4096, maxCopy: undefined }).entries()) {
      it.live(operation.name, () =>
        Effect.gen(function*() {
          const run = (point: { readonly call: number; readonly fate: Fate } | undefined) =>
            Effect.scoped(hit(place, operation, point)).pipe(
              Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, baseDelay: 1, throttleDelay: 1 }),
              Random.withSeed(`${operation.name} ${point?.call} ${point?.fate}`)
            )
          const peace = yield* run(undefined)
          assert.deepStrictEqual(peace.violations, [], peace.trace.join("\n"))
          figure.operations++
          figure.calls += peace.calls
          const failures: Array<string> = []
          const points = Array.from({ length: peace.calls }, (_, call) =>
            (Object.keys(fates) as ReadonlyArray<Fate>).map((fate) => ({ call, fate }))).flat()
          for (
            const point of points.filter((_, place) =>
              (place + index) % stride === 0
            )
          ) {
            const one = yield* run(point)
            figure.points++
            figure.met += one.met ? 1 : 0
            if (one.violations.length === 0) continue
            failures.push([`${point.fate} at call ${point.call}:`, ...one.violations, ...one.trace].join("\n    "))
          }
          assert.deepStrictEqual(failures, [], failures.join("\n"))
        }), { timeout: 300_000 })
    }
  })
}
