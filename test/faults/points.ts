/**
 * Every point at which one operation can be hit on the wire: it runs once in peace, its exchanges are counted, and then it runs
 * again for each of them and each thing that can become of it.
 */
import { Cause, Effect, Exit, Fiber, Logger, Random } from "effect"
import {
  defaultMatrix,
  defaultRetryPolicy,
  type ObjectStoreError,
  type RequestClass,
  type RetryMatrix,
  RetryPolicy
} from "effect-objectstore"
import { WireFault } from "effect-objectstore/testing"
import { checkConnections, checkStore, checkUploads, errorOf, isExact, reasonOf } from "./invariants.ts"
import type { Done, Operation } from "./operations.ts"
import { type Limits, limitsOf, type Server, type ServiceName, services } from "./services.ts"

/** What can become of an exchange. */
export const phases = {
  "refused": WireFault.refuse("5 millis"),
  "reset while it is sent": WireFault.resetInRequest,
  "reset before it is applied": WireFault.resetBeforeApply,
  "reset after it is applied": WireFault.resetAfterApply,
  "hung up before it is applied": WireFault.hangupBeforeApply,
  "hung up after it is applied": WireFault.hangupAfterApply,
  "503": WireFault.status(503),
  "500 after it is applied": WireFault.status(500, { applied: true }),
  "throttled": WireFault.throttle(0),
  "an error in a success": WireFault.errorInSuccess(),
  "an error in a success, applied": WireFault.errorInSuccess({ applied: true }),
  "an error under the headers of a success": WireFault.errorInSuccess({ headers: true }),
  "cut answer": WireFault.cutBody(),
  "cut and reset answer": WireFault.cutBody(undefined, "reset"),
  "surplus bytes": WireFault.surplus(3),
  "flipped bit of the request": WireFault.flipRequestBit(),
  "flipped bit of the answer": WireFault.flipReplyBit(),
  "stall while it is sent": WireFault.stallInRequest,
  "stall before it is applied": WireFault.stallBeforeApply,
  "stall after it is applied": WireFault.stallAfterApply,
  "stall in the answer": WireFault.stallInBody,
  "interrupted while it is sent": WireFault.stallInRequest,
  "interrupted before it is applied": WireFault.stallBeforeApply,
  "interrupted after it is applied": WireFault.stallAfterApply,
  "interrupted in the answer": WireFault.stallInBody
} satisfies Record<string, WireFault.WireFault>

export type Phase = keyof typeof phases

export const allPhases = Object.keys(phases) as ReadonlyArray<Phase>

const isFlip = (phase: Phase): boolean => phase.startsWith("flipped")

/** One exchange that meets one phase. */
export interface Hit {
  readonly exchange: number
  readonly phase: Phase
}

/** What is run: an operation, and what some of its exchanges meet: none in peace. */
export interface Point {
  readonly operation: Operation
  readonly hits: ReadonlyArray<Hit>
}

/** What came of it. */
export interface Outcome {
  readonly violations: ReadonlyArray<string>
  readonly exchanges: number
  readonly trace: ReadonlyArray<string>
  /** The faults were met: exchanges of those numbers came. */
  readonly met: boolean
  readonly healed: boolean
  /** A bit flipped that no checksum is told of, and nobody noticed. */
  readonly unnoticed: boolean
  /** An exchange that met no fault was given up. */
  readonly disturbed: boolean
}

/** Cells of the matrix that were asked. */
export type Cells = Set<string>

/** The matrix, which notes what is asked of it. */
export const watched = (cells: Cells): RetryMatrix => {
  let isChecked = false
  return new Proxy(defaultMatrix, {
    // Who enumerates it looks whether it makes sense, all of it and at once.
    ownKeys: (matrix) => {
      isChecked = true
      queueMicrotask(() => {
        isChecked = false
      })
      return Reflect.ownKeys(matrix)
    },
    get: (matrix, failure) =>
      new Proxy(matrix[failure as keyof RetryMatrix] ?? {}, {
        get: (row, kind) => {
          if (!isChecked) cells.add(`${String(failure)} ${String(kind)}`)
          return (row as Partial<Record<RequestClass, unknown>>)[kind as RequestClass]
        }
      })
  })
}

/** So long takes no operation, even where the processor is busy elsewhere. */
const longest = "60 seconds"

/** Runs one point. */
export const hit = (service: ServiceName, point: Point, cells: Cells): Effect.Effect<Outcome> =>
  Effect.flatMap(once(service, point, cells, 1), (outcome) =>
    // Where the processor was busy elsewhere, requests ran out of time that met no fault.
    outcome.disturbed ? once(service, point, cells, 8) : Effect.succeed(outcome))

const once = (
  service: ServiceName,
  { hits, operation }: Point,
  cells: Cells,
  patience: number
): Effect.Effect<Outcome> => {
  const start = services[service]
  let unnoticed = false
  const violations: Array<string> = []
  const wrong = (what: string) => void violations.push(what)
  const told: Array<string> = []
  const logger = Logger.make(({ message }) => void told.push(String(message)))
  const isInterruption = hits.some(({ phase }) => phase.startsWith("interrupted"))
  const mayFlip = hits.some(({ phase }) => isFlip(phase))
  return Effect.gen(function*() {
    const script = hits.map(({ exchange, phase }) => ({ fault: phases[phase], exchange }))
    const { connect, server } = yield* start(
      { script, objects: operation.objects },
      patient(limitsOf[service], patience)
    )
    const exit = yield* Effect.scoped(Effect.gen(function*() {
      const store = yield* Effect.orDie(connect)
      const fiber = yield* Effect.forkChild(operation.run(store))
      if (isInterruption) yield* interruptAt(server, fiber)
      if ((yield* Effect.timeoutOption(Fiber.await(fiber), longest))._tag === "None") {
        wrong("it hangs")
        yield* Fiber.interrupt(fiber)
      }
      const exit = yield* Fiber.await(fiber)
      yield* checkStore(operation, exit, server, wrong)
      if (Exit.isSuccess(exit) && !isExact(operation, exit.value)) {
        if (mayFlip && operation.checked?.includes(service) !== true) unnoticed = true
        else wrong("it delivered bytes that are not there")
      }
      if (store.capabilities.multipart.abort === "removes") yield* checkUploads(server, told, wrong)
      return exit
    }))
    yield* checkConnections(server, wrong)
    const journal = yield* server.journal
    const met = hits.every(({ exchange }) => journal[exchange]?.fault !== undefined)
    const healed = Exit.isSuccess(exit)
    checkExit(operation, hits.map(({ phase }) => phase), exit, wrong)
    return {
      violations,
      exchanges: journal.length,
      met,
      healed,
      unnoticed,
      disturbed: isInterruption
        ? !met
        : journal.some(({ fault, status }) => fault === undefined && status === undefined),
      trace: [
        ...journal.map(({ changed, fault, key, operation, status }) =>
          `${operation} ${key} ${fault?._tag ?? ""} ${status ?? "-"}${changed ? " changed" : ""}`
        ),
        Exit.isSuccess(exit) ? "succeeded" : reasonOf(exit)
      ]
    }
  }).pipe(
    Effect.provideService(RetryPolicy, {
      ...defaultRetryPolicy,
      matrix: watched(cells),
      // While connections are refused, several attempts are lost.
      maxAttempts: defaultRetryPolicy.maxAttempts + 4 * Math.max(0, hits.length - 1),
      baseDelay: 2,
      throttleDelay: 2
    }),
    Random.withSeed([operation.name, ...hits.map(({ exchange, phase }) => `${exchange} ${phase}`)].join(" ")),
    Effect.provide(Logger.layer([logger])),
    Effect.scoped,
    Effect.orDie
  )
}

const patient = ({ connectTimeout, headersTimeout, stallTimeout }: Limits, times: number): Limits => ({
  connectTimeout: connectTimeout * times,
  headersTimeout: headersTimeout * times,
  stallTimeout: stallTimeout * times
})

/** Interrupts as soon as the fault is met. */
const interruptAt = Effect.fnUntraced(function*(
  server: Server,
  fiber: Fiber.Fiber<Done, ObjectStoreError>
) {
  while (fiber.pollUnsafe() === undefined) {
    if ((yield* server.journal).some(({ fault }) => fault !== undefined)) {
      yield* Fiber.interrupt(fiber)
      return
    }
    yield* Effect.sleep(1)
  }
})

const lies: ReadonlySet<string> = new Set<Phase>([
  "an error in a success",
  "an error in a success, applied",
  "an error under the headers of a success",
  "cut answer",
  "cut and reset answer",
  "surplus bytes",
  "flipped bit of the answer"
])

const lied: ReadonlySet<string> = new Set(["ProtocolViolation", "PartialFailure"])

const flipped: ReadonlySet<string> = new Set(["IntegrityFailed", "InvalidRequest", "PartialFailure"])

/** How it may end. */
const checkExit = (
  { fails = false, mayStayUnknown = false }: Operation,
  phases: ReadonlyArray<Phase>,
  exit: Exit.Exit<Done, ObjectStoreError>,
  wrong: (what: string) => void
): void => {
  const mayEnd = phases.some((phase) => phase.startsWith("interrupted"))
  if (Exit.isSuccess(exit)) {
    if (fails) wrong("it succeeded although its source failed")
    return
  }
  if (Cause.hasDies(exit.cause)) wrong(`it died: ${Cause.pretty(exit.cause)}`)
  const error = errorOf(exit)
  if (error === undefined) {
    if (!mayEnd) wrong("it was interrupted by nobody")
    return
  }
  if (fails && error.reason._tag === "SourceFailed") return
  // It is told, and nothing came of it.
  if (phases.some(isFlip) && flipped.has(error.reason._tag) && error.outcome !== "applied") return
  if (mayStayUnknown && error.reason._tag === "OutcomeUnknown") return
  // What lies or is cut is asked for again once.
  if (phases.filter((phase) => lies.has(phase)).length > 1 && lied.has(error.reason._tag)) return
  if (mayEnd) wrong(`it failed before it was interrupted: ${error.message}`)
  wrong(`it was not healed: ${error.message} (${error.outcome})`)
}
