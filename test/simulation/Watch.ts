/**
 * Rules that hold at every moment while an engine runs, seen from below: what is asked of the store, and what has been asked
 * and answered before.
 */
import { Cause, Effect, Exit } from "effect"
import type { ObjectStoreError } from "effect-objectstore"

/** What is known of an upload. */
interface Known {
  operation: number | undefined
  /** Parts in flight. */
  parts: number
  completing: boolean
  /** Whether a completion was answered with success. */
  completed: boolean
  /** Whether the answer to a completion was lost, and its operation has not looked at the object since. */
  unsure: boolean
  aborting: boolean
  /** How often an abort was asked for, and whether the last answer was a failure. */
  aborts: number
  failed: boolean
}

/** What the requests of all operations are held to. */
export interface Watch {
  /** Counts a request while it is under way. */
  readonly begins: (operation: number) => void
  readonly ends: (operation: number) => void
  /** An operation is over, and so are all of its requests. */
  readonly over: (operation: number) => void
  /** Runs a request for a part. */
  readonly part: <A, R>(
    id: string,
    bytes: number,
    operation: number,
    effect: Effect.Effect<A, ObjectStoreError, R>
  ) => Effect.Effect<A, ObjectStoreError, R>
  readonly complete: <A, R>(
    id: string,
    operation: number,
    effect: Effect.Effect<A, ObjectStoreError, R>
  ) => Effect.Effect<A, ObjectStoreError, R>
  readonly abort: <A, R>(
    id: string,
    effect: Effect.Effect<A, ObjectStoreError, R>
  ) => Effect.Effect<A, ObjectStoreError, R>
  /** An operation looks at an object. */
  readonly looks: (operation: number) => void
  /** A read is asked for, held to a version or not. */
  readonly asksFor: (operation: number, key: string, ifMatch: string | undefined) => void
  /** A read or a look was answered with a version. */
  readonly answers: (operation: number, key: string, etag: string | undefined) => void
  /** These operations gather bytes in memory of the store's, and take from its budget for all but one part each. */
  readonly gathers: Set<number>
  /** What is wrong at the end. */
  readonly end: () => void
}

/** What the store and its weather allow. */
export interface Rules {
  /** The request budget and the byte budget. */
  readonly requests: number
  readonly memory: number
  /** The most requests for one thing. */
  readonly attempts: number
  /** Whether the store can hold a read to a version. */
  readonly conditionalRead: boolean
  /** Whether it takes the parts of an upload only one after the other. */
  readonly ordered: boolean
}

const failureIn = (exit: Exit.Exit<unknown, ObjectStoreError>): ObjectStoreError | undefined =>
  Exit.isSuccess(exit) ? undefined : exit.cause.reasons.find(Cause.isFailReason)?.error

export const makeWatch = ({ attempts, conditionalRead, memory, requests }: Rules, violations: Array<string>): Watch => {
  const wrong = (what: string) => void violations.push(what)
  const running = new Map<number, number>()
  const uploads = new Map<string, Known>()
  const versions = new Map<string, string | undefined>()
  const inMemory = new Map<number, Array<number>>()
  const gathers = new Set<number>()
  const over = new Set<number>()
  let all = 0

  const of = (id: string) => {
    const known: Known = uploads.get(id) ?? {
      operation: undefined,
      parts: 0,
      completing: false,
      completed: false,
      unsure: false,
      aborting: false,
      aborts: 0,
      failed: false
    }
    uploads.set(id, known)
    return known
  }

  const inBudget = () => {
    let sum = 0
    // Every operation has one part for nothing.
    for (const parts of inMemory.values()) sum += parts.reduce((a, b) => a + b, 0) - Math.max(0, ...parts)
    if (sum > memory) wrong(`${sum} bytes of parts are in flight beyond one an operation, ${memory} are allowed`)
  }

  return {
    begins: (operation) => {
      running.set(operation, (running.get(operation) ?? 0) + 1)
      if (over.has(operation)) wrong(`operation ${operation} makes a request after its end`)
      if (++all > requests) wrong(`${all} requests are under way, ${requests} are allowed`)
    },
    ends: (operation) => {
      running.set(operation, running.get(operation)! - 1)
      all--
    },
    over: (operation) => {
      over.add(operation)
      const left = running.get(operation) ?? 0
      if (left > 0) wrong(`operation ${operation} ended while ${left} of its requests were under way`)
    },
    part: (id, bytes, operation, effect) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const upload = of(id)
          if (upload.aborting) wrong("a part is sent to an upload that was aborted")
          if (upload.completing) wrong("a part is sent to an upload that was completed")
          upload.parts++
          if (gathers.has(operation)) {
            inMemory.set(operation, [...inMemory.get(operation) ?? [], bytes])
            inBudget()
          }
          return upload
        }),
        () => effect,
        (upload) =>
          Effect.sync(() => {
            upload.parts--
            const parts = inMemory.get(operation) ?? []
            parts.splice(parts.indexOf(bytes), 1)
          })
      ),
    complete: (id, operation, effect) =>
      Effect.suspend(() => {
        const upload = of(id)
        if (upload.parts > 0) wrong(`completion of an upload while ${upload.parts} of its parts were in flight`)
        if (upload.aborting) wrong("an upload is completed that was aborted")
        if (upload.completed) wrong("an upload is completed again after it was")
        if (upload.unsure) wrong("a completion is repeated that may have been applied, and nobody looked")
        upload.completing = true
        upload.operation = operation
        return Effect.onExit(effect, (exit) =>
          Effect.sync(() => {
            upload.completed ||= exit._tag === "Success"
            const error = failureIn(exit)
            upload.unsure = error !== undefined && error.outcome !== "not-applied"
          }))
      }),
    abort: (id, effect) =>
      Effect.suspend(() => {
        const upload = of(id)
        if (upload.parts > 0) wrong(`abort of an upload while ${upload.parts} of its parts were in flight`)
        if (upload.completed) wrong("an upload is aborted that was completed")
        upload.aborting = true
        upload.aborts++
        return Effect.onExit(effect, (exit) =>
          Effect.sync(() => {
            const error = failureIn(exit)
            upload.failed = error !== undefined && error.reason._tag !== "UploadNotFound"
          }))
      }),
    looks: (operation) => {
      for (const upload of uploads.values()) if (upload.operation === operation) upload.unsure = false
    },
    asksFor: (operation, key, ifMatch) => {
      const name = `${operation} ${key}`
      if (conditionalRead && versions.has(name) && ifMatch !== versions.get(name)) {
        wrong(`operation ${operation} reads on in ${key} without being held to the version that it began with`)
      }
    },
    answers: (operation, key, etag) => {
      const name = `${operation} ${key}`
      if (!versions.has(name)) versions.set(name, etag)
    },
    gathers,
    end: () => {
      for (const { aborts, failed } of uploads.values()) {
        if (failed && aborts === 1 && attempts > 1) wrong("an abort that failed was not repeated")
      }
      if (all > 0) wrong(`${all} requests are still under way`)
    }
  }
}
