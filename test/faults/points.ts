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

const isFlip = (phase: Phase | undefined): boolean => phase?.startsWith("flipped") === true

/** What is run: an operation, and one exchange that meets one phase. */
export interface Point {
  readonly operation: Operation
  readonly hit: { readonly exchange: number; readonly phase: Phase } | undefined
}

/** What came of it. */
export interface Outcome {
  readonly violations: ReadonlyArray<string>
  readonly exchanges: number
  readonly trace: ReadonlyArray<string>
  /** The fault was met: an exchange of that number came. */
  readonly met: boolean
  readonly healed: boolean
  /** A bit flipped that no checksum is told of, and nobody noticed. */
  readonly unnoticed: boolean
  /** An exchange that met no fault was given up. */
  readonly disturbed: boolean
}

/** Cells of the matrix that were asked. */
export type Cells = Set<string>

const watched = (cells: Cells): RetryMatrix =>
  new Proxy(defaultMatrix, {
    get: (matrix, failure) =>
      new Proxy(matrix[failure as keyof RetryMatrix] ?? {}, {
        get: (row, kind) => {
          cells.add(`${String(failure)} ${String(kind)}`)
          return (row as Partial<Record<RequestClass, unknown>>)[kind as RequestClass]
        }
      })
  })

/** So long takes no operation, even where the processor is busy elsewhere. */
const longest = "60 seconds"

/** Runs one point. */
export const hit = (service: ServiceName, point: Point, cells: Cells): Effect.Effect<Outcome> =>
  Effect.flatMap(once(service, point, cells, 1), (outcome) =>
    // Where the processor was busy elsewhere, requests ran out of time that met no fault.
    outcome.disturbed ? once(service, point, cells, 8) : Effect.succeed(outcome))

const once = (
  service: ServiceName,
  { hit, operation }: Point,
  cells: Cells,
  patience: number
): Effect.Effect<Outcome> => {
  const start = services[service]
  let unnoticed = false
  const violations: Array<string> = []
  const wrong = (what: string) => void violations.push(what)
  const told: Array<string> = []
  const logger = Logger.make(({ message }) => void told.push(String(message)))
  const isInterruption = hit?.phase.startsWith("interrupted") === true
  return Effect.gen(function*() {
    const script = hit === undefined ? [] : [{ fault: phases[hit.phase], exchange: hit.exchange }]
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
        if (isFlip(hit?.phase) && operation.checked?.includes(service) !== true) unnoticed = true
        else wrong("it delivered bytes that are not there")
      }
      if (store.capabilities.multipart.abort === "removes") yield* checkUploads(server, told, wrong)
      return exit
    }))
    yield* checkConnections(server, wrong)
    const journal = yield* server.journal
    const met = journal.some(({ fault }) => fault !== undefined)
    const healed = Exit.isSuccess(exit)
    checkExit(operation, hit?.phase, exit, wrong)
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
      baseDelay: 2,
      throttleDelay: 2
    }),
    Random.withSeed(`${operation.name} ${hit?.exchange} ${hit?.phase}`),
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

const reasonOf = (exit: Exit.Failure<unknown, ObjectStoreError>): string => {
  const error = errorOf(exit)
  return error === undefined ? "interrupted" : `${error.reason._tag} ${error.outcome ?? ""}`
}

const errorOf = (exit: Exit.Failure<unknown, ObjectStoreError>): ObjectStoreError | undefined =>
  exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error

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

const equal = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

/** What was delivered is what was stored; what is stored is as before, or as it should be; outcomes are true. */
const checkStore = Effect.fnUntraced(function*(
  { after, objects, writes }: Operation,
  exit: Exit.Exit<Done, ObjectStoreError>,
  server: Server,
  wrong: (what: string) => void
) {
  for (const key of new Set([...Object.keys(objects), ...Object.keys(after)])) {
    const now = yield* server.stored(key)
    const wanted = key in after ? after[key] : objects[key]
    const isDone = equal(now, wanted)
    if (!isDone && !equal(now, objects[key])) wrong(`${key} is neither what it was nor what it should be`)
    if (Exit.isSuccess(exit) && !isDone) wrong(`it succeeded, and ${key} is not what it should be`)
  }
  const changes = yield* server.changes
  if (Exit.isFailure(exit)) {
    const error = errorOf(exit)
    const own = changes.filter(({ key }) => key in after)
    if (error?.outcome === "not-applied" && own.length > 0) wrong("it said that it was not applied, and it was")
    if (error?.outcome === "applied" && own.length === 0) wrong("it said that it was applied, and it was not")
    return
  }
  const { etag, listed, stat } = exit.value
  if (writes !== undefined && !changes.some((change) => change.key === writes && change.etag === etag)) {
    wrong(`it answered the etag ${etag}, which nothing has that it wrote`)
  }
  if (listed !== undefined && listed.join() !== Object.keys(objects).sort().join()) wrong(`it listed ${listed.join()}`)
  if (stat !== undefined && stat.size !== objects[stat.key]!.length) wrong(`it said a size of ${stat.size}`)
})

/** What was delivered is what is stored. */
const isExact = ({ objects }: Operation, { delivered = [] }: Done): boolean =>
  delivered.every(({ bytes, key, offset, whole }) => {
    const stored = objects[key]!
    return equal(bytes, whole ? stored : stored.subarray(offset, offset + bytes.length))
  })

/** Uploads are gone, or it was told that one may be open. */
const checkUploads = Effect.fnUntraced(function*(
  server: Server,
  told: ReadonlyArray<string>,
  wrong: (what: string) => void
) {
  const open = yield* server.openUploads
  const known = told.filter((line) => /stays? open$/.test(line)).length
  if (open > known) wrong(`${open} uploads are open, ${known} were told of: ${told.join(" / ")}`)
})

/** The store is closed, so nobody is connected any more, within a second. */
const checkConnections = Effect.fnUntraced(function*(server: Server, wrong: (what: string) => void) {
  for (let millis = 0; millis < 1000; millis += 10) {
    if ((yield* server.connections) === 0) return
    yield* Effect.sleep(10)
  }
  wrong(`${yield* server.connections} connections are left`)
})

const flipped: ReadonlySet<string> = new Set(["IntegrityFailed", "InvalidRequest", "PartialFailure"])

/** How it may end. */
const checkExit = (
  { fails = false, mayStayUnknown = false }: Operation,
  phase: Phase | undefined,
  exit: Exit.Exit<Done, ObjectStoreError>,
  wrong: (what: string) => void
): void => {
  if (Exit.isSuccess(exit)) {
    if (fails) wrong("it succeeded although its source failed")
    return
  }
  if (Cause.hasDies(exit.cause)) wrong(`it died: ${Cause.pretty(exit.cause)}`)
  const error = errorOf(exit)
  if (error === undefined) {
    if (phase?.startsWith("interrupted") !== true) wrong("it was interrupted by nobody")
    return
  }
  if (fails && error.reason._tag === "SourceFailed") return
  // It is told, and nothing came of it.
  if (isFlip(phase) && flipped.has(error.reason._tag) && error.outcome !== "applied") return
  if (mayStayUnknown && error.reason._tag === "OutcomeUnknown") return
  if (phase?.startsWith("interrupted") === true) wrong(`it failed before it was interrupted: ${error.message}`)
  wrong(`it was not healed: ${error.message} (${error.outcome})`)
}
