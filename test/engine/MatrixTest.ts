/**
 * The matrix as it was decided, written down once more and apart from the code, and what each verdict has to look like from
 * outside.
 */
import { Clock, Effect, Fiber, Random, Result } from "effect"
import {
  defaultMatrix,
  defaultRetryPolicy,
  type ErrorReasonTag,
  makeError,
  type ObjectStoreError,
  type RequestClass,
  requestClasses,
  type RetryFailure,
  type RetryMatrix,
  RetryPolicy,
  type Verdict
} from "effect-objectstore"
import { TestClock } from "effect/testing"
import { makeRetryQuota, retrying } from "../../src/engine/retry.ts"

/** R retry, S resume, 1 once, 2 twice, V verify, E recheck (the echo of a success), D done, X fail. */
const letters = {
  R: "retry",
  S: "resume",
  1: "once",
  2: "twice",
  V: "verify",
  E: "recheck",
  D: "done",
  X: "fail"
} as const satisfies Record<string, Verdict>

const kinds = requestClasses

// One letter a kind, in the order of `requestClasses`: read body put conditional part complete initiate abort delete copy.
const table = {
  "ConnectionFailed.dns": "R S R R R R R R R R",
  "ConnectionFailed.host": "2 2 2 2 2 2 2 2 2 2",
  "ConnectionFailed.connect": "R S R R R R R R R R",
  "ConnectionFailed.tls": "R S R R R R R R R R",
  "ConnectionFailed.certificate": "X X X X X X X X X X",
  "ConnectionFailed.request": "R S R V R V R R R V",
  "ConnectionFailed.headers": "R S R V R V R R R V",
  "Timeout.request": "R S R V R V R R R V",
  "Timeout.headers": "R S R V R V R R R V",
  "Timeout.stall": "R S R V R V R R R V",
  "Timeout.deadline": "X X X X X X X X X X",
  BodyInterrupted: "R S R V R V R R R V",
  Throttled: "R S R R R R R R R R",
  Unavailable: "R S R R R V R R R V",
  "Unavailable.device": "X X X X X X X X X X",
  "Unavailable.stale": "1 1 1 1 1 1 1 1 1 1",
  "LimitExceeded.descriptors": "R S R R R R R R R R",
  Unauthenticated: "X X X X X X X X X X",
  "Unauthenticated.renewed": "1 1 1 1 1 1 1 1 1 1",
  ProtocolViolation: "1 1 1 V 1 V 1 1 1 V",
  IntegrityFailed: "1 X 1 1 1 X X X X X",
  AlreadyExists: "X X X E X E X X X E",
  PreconditionFailed: "X X X E X E X X X E",
  Conflict: "X X X E X E X X X E",
  NotFound: "X X X E X E X X X E",
  ContainerNotFound: "X X X E X X X X X X",
  UploadNotFound: "X X X X X E X D X X",
  NotModified: "X X X X X X X X X X",
  NotEmpty: "X X X X X X X X X X",
  InvalidUri: "X X X X X X X X X X",
  InvalidKey: "X X X X X X X X X X",
  InvalidRequest: "X X X X X X X X X X",
  RangeNotSatisfiable: "X X X X X X X X X X",
  PermissionDenied: "X X X X X X X X X X",
  ObjectChanged: "X X X X X X X X X X",
  SourceFailed: "X X X X X X X X X X",
  OutcomeUnknown: "X X X X X X X X X X",
  PartialFailure: "X X X X X X X X X X",
  LimitExceeded: "X X X X X X X X X X",
  StorageFull: "X X X X X X X X X X",
  Unsupported: "X X X X X X X X X X",
  Configuration: "X X X X X X X X X X"
} as const satisfies Record<RetryFailure, string>

export interface Cell {
  readonly failure: RetryFailure
  readonly kind: RequestClass
  readonly verdict: Verdict
}

/** All cells as they were decided. */
export const cells: ReadonlyArray<Cell> = Object.entries(table).flatMap(([failure, row]) =>
  row.split(" ").map((letter, index) => ({
    failure: failure as RetryFailure,
    kind: kinds[index]!,
    verdict: letters[letter as keyof typeof letters]
  }))
)

const codes: Partial<Record<RetryFailure, string>> = {
  "ConnectionFailed.host": "ENOTFOUND",
  "ConnectionFailed.certificate": "CERT_HAS_EXPIRED",
  "Unavailable.device": "EIO",
  "Unavailable.stale": "ESTALE"
}

/** An error of a row. */
export const errorOf = (failure: RetryFailure, outcome?: "unknown" | "not-applied"): ObjectStoreError => {
  const [tag, phase] = failure.split(".") as [ErrorReasonTag, string | undefined]
  return makeError(tag, {
    operation: "test",
    backend: "test",
    phase: failure === "ConnectionFailed.host" ? "dns" : failure === "ConnectionFailed.certificate" ? "tls" : phase,
    renewed: phase === "renewed" ? true : undefined,
    capability: "x",
    limit: phase ?? "x",
    succeeded: 0,
    failed: 0,
    failures: [],
    code: codes[failure],
    outcome
  } as never)
}

export const halfJitter = { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 }

/** What can be seen of a request: when it was made, when the store was asked, and how it ended. */
export interface Seen {
  readonly requests: ReadonlyArray<number>
  readonly questions: ReadonlyArray<number>
  readonly ends: string
}

/** How a request is tried: what it meets first, then for ever, and what the store says. */
export interface Trial {
  readonly name: string
  readonly first?: "lost" | undefined
  readonly outcome?: "not-applied" | "unknown" | undefined
  readonly store: "holds it" | "refuses"
}

export const trials: ReadonlyArray<Trial> = [
  { name: "the failure alone", store: "holds it" },
  { name: "the failure, certainly not applied", outcome: "not-applied", store: "holds it" },
  { name: "the failure, perhaps applied", outcome: "unknown", store: "refuses" },
  { name: "the failure after a lost answer", first: "lost", outcome: "not-applied", store: "refuses" }
]

/** A row that no cell under test has, which loses the first answer whatever the matrix says. */
const loser = (failure: RetryFailure): "SourceFailed" | "Configuration" =>
  failure === "SourceFailed" ? "Configuration" : "SourceFailed"

/** Tries a cell under a matrix. */
export const observe = Effect.fnUntraced(function*({ failure, kind }: Cell, trial: Trial, matrix: RetryMatrix) {
  const start = yield* Clock.currentTimeMillis
  const requests: Array<number> = []
  const questions: Array<number> = []
  const elapsed = Effect.map(Clock.currentTimeMillis, (now) => now - start)
  const request = Effect.flatMap(elapsed, (time) => {
    const lost = trial.first === "lost" && requests.length === 0
    requests.push(time)
    return Effect.fail(lost ? errorOf(loser(failure), "unknown") : errorOf(failure, trial.outcome))
  })
  const fiber = yield* retrying<string, never>("test", kind, makeRetryQuota("test"), request, {
    onDone: () => "done",
    verify: () =>
      Effect.map(elapsed, (time) => {
        questions.push(time)
        return trial.store === "holds it"
          ? { _tag: "Applied", answer: "applied" }
          : { _tag: "Refused", error: errorOf("NotEmpty", "not-applied") }
      })
  }).pipe(
    Effect.result,
    Effect.provideService(RetryPolicy, {
      ...defaultRetryPolicy,
      matrix: { ...matrix, [loser(failure)]: defaultMatrix.Throttled }
    }),
    Effect.provideService(Random.Random, halfJitter),
    Effect.forkChild
  )
  yield* TestClock.adjust("1 minute")
  const result = yield* Fiber.join(fiber)
  const ends = Result.isSuccess(result)
    ? result.success
    : `${result.failure.reason._tag} ${result.failure.attempts} ${result.failure.outcome ?? ""}`
  return { requests, questions, ends } satisfies Seen
})

const uncertain =
  /^(Timeout|Unavailable|BodyInterrupted|ProtocolViolation|OutcomeUnknown|ConnectionFailed\.(request|headers))/

/** What a cell has to look like, by its verdict alone. */
export const expected = ({ failure, kind, verdict }: Cell, trial: Trial): Seen => {
  const base = failure === "Throttled" ? 250 : 50
  const tag = failure.split(".")[0]!
  const changes = kind !== "read" && kind !== "body"
  const lostBefore = trial.first === "lost" && changes
  const lostNow = changes &&
    (trial.outcome === "unknown" || (trial.outcome === undefined && uncertain.test(failure)))
  const begun = trial.first === "lost" ? [0, 50] : [0]
  const answer = trial.store === "holds it" ? "applied" : undefined

  /** So many repetitions, and then an end: the store's word, where an answer to a change was lost. */
  const repeated = (times: number): Seen => {
    const requests = [...begun]
    for (let i = 0; i < times; i++) requests.push(requests.at(-1)! + base * 2 ** (requests.length - 1))
    const lost = lostBefore || lostNow
    if (lost && answer !== undefined) return { requests, questions: [requests.at(-1)!], ends: answer }
    const outcome = lost ? "unknown" : trial.outcome ?? ""
    return { requests, questions: lost ? [requests.at(-1)!] : [], ends: `${tag} ${requests.length} ${outcome}` }
  }
  /** The store is asked at once. */
  const asked: Seen = {
    requests: begun,
    questions: [begun.at(-1)!],
    ends: answer ?? `NotEmpty ${begun.length} not-applied`
  }
  const most = 5 - begun.length
  switch (verdict) {
    case "retry":
    case "resume":
      return repeated(most)
    case "once":
      return repeated(1)
    case "twice":
      return repeated(2)
    case "fail":
      return repeated(0)
    case "done":
      return { requests: begun, questions: [], ends: "done" }
    case "verify":
      return lostNow ? asked : repeated(most)
    case "recheck":
      return lostBefore || lostNow ? asked : repeated(0)
  }
}
