import { Clock, Context, Effect, type Scope } from "effect"
import {
  type Backend,
  type Location,
  makeError,
  type ObjectStoreError,
  type ReadReply,
  type WriteMode,
  type WriteReply
} from "effect-objectstore"
import type { Draw } from "./Draw.ts"
import type { Watch } from "./Watch.ts"

/** The operation of a client that a request belongs to. */
export const CurrentOperation = Context.Reference<number>("simulation/CurrentOperation", { defaultValue: () => -1 })

/** Runs inside every request: what a test waits for to see that requests are under way together. */
export const Probe = Context.Reference<(primitive: string) => Effect.Effect<void>>("simulation/Probe", {
  defaultValue: () => () => Effect.void
})

/** Interrupts the operation that a request belongs to. */
export const Interruption = Context.Reference<Effect.Effect<void>>("simulation/Interruption", {
  defaultValue: () => Effect.void
})

/** One version that was published, or one removal. */
export interface Applied {
  readonly operation: number
  readonly primitive: string
  readonly key: string
  readonly time: number
  readonly etag?: string | undefined
  readonly body?: Uint8Array | undefined
  /** What was removed. */
  readonly removed?: string | undefined
  /** What the request was held to: what may be there before it. */
  readonly held?: "overwrite" | "create" | "update" | undefined
}

/** What really happened. */
export interface Journal {
  readonly applied: Array<Applied>
  readonly trace: Array<string>
  /** Rules that the engine broke while it ran. */
  readonly violations: Array<string>
  /** Operations in which a request died. */
  readonly died: Set<number>
  /** Requests by operation, primitive and what they are about. */
  readonly requests: Map<string, number>
  /** Opened by requests whose answer was lost, so that nobody can close them. */
  orphans: number
}

export const makeJournal = (): Journal => ({
  applied: [],
  trace: [],
  violations: [],
  died: new Set(),
  requests: new Map(),
  orphans: 0
})

/** How bad the weather is. */
export interface Weather {
  /** How likely a request fails. */
  readonly faults: number
  /** How likely the backend has a defect in a request. */
  readonly defects: number
  /** Most milliseconds before a request has an effect, and again before its answer comes. */
  readonly delay: number
  /** Whether the store lets a commit be done twice, which makes two versions; late requests do not come then. */
  readonly lax: boolean
  calm: boolean
  /** What some requests of all meet, by their numbers from 0; chance has no say then. */
  readonly script?: ReadonlyArray<Scripted> | undefined
}

/** What can become of a request. */
export const fates = [
  "refused",
  "throttled",
  "unavailable",
  "lost before",
  "timed out",
  "lost after",
  "late",
  "broken",
  "interrupted before",
  "interrupted after",
  "dead"
] as const

export type Fate = (typeof fates)[number]

/** The request of a number, and what it meets. */
export interface Scripted {
  readonly at: number
  readonly fate: Fate
}

interface Call {
  readonly primitive: string
  readonly key: string
  readonly mutation: boolean
  /** What the number of requests is counted by. */
  readonly about?: string | undefined
  /** Whether the effect may come long after the answer was given up, without harm to anybody. */
  readonly late?: boolean | undefined
  /** Whether somebody has to take note when the answer is lost. */
  readonly opens?: boolean | undefined
}

const context = { operation: "simulated", backend: "memory" }

const refusals = (mutation: boolean): ReadonlyArray<() => ObjectStoreError> => [
  // In the order of `fates`.
  () => makeError("ConnectionFailed", { ...context, phase: "connect", outcome: mutation ? "not-applied" : undefined }),
  () => makeError("Throttled", { ...context, retryAfter: 700, outcome: mutation ? "not-applied" : undefined }),
  () => makeError("Unavailable", { ...context, outcome: mutation ? "unknown" : undefined }),
  () => makeError("ConnectionFailed", { ...context, phase: "headers", outcome: mutation ? "unknown" : undefined }),
  () => makeError("Timeout", { ...context, phase: "headers", outcome: mutation ? "unknown" : undefined })
]

const losses: ReadonlyArray<() => ObjectStoreError> = [
  () => makeError("Unavailable", { ...context, outcome: "unknown" }),
  () => makeError("ConnectionFailed", { ...context, phase: "headers", outcome: "unknown" }),
  () => makeError("ConnectionFailed", { ...context, phase: "request", outcome: "unknown" }),
  () => makeError("Timeout", { ...context, phase: "headers", outcome: "unknown" }),
  () => makeError("Timeout", { ...context, phase: "request", outcome: "unknown" }),
  () => makeError("Timeout", { ...context, phase: "stall", outcome: "unknown" }),
  () => makeError("BodyInterrupted", { ...context, outcome: "unknown", received: 0 }),
  () => makeError("ProtocolViolation", { ...context, outcome: "unknown" })
]

/** The number by which chance names the fates. */
const kindOf = (fate: Fate | undefined, { mutation }: Call): number => {
  if (fate === undefined || fate === "broken" || fate === "dead" || fate.startsWith("interrupted")) return -1
  if (fate === "lost after") return mutation ? 1 : -1
  if (fate === "late") return mutation ? 2 : -1
  return 0
}

/** Wraps a memory backend: chance decides when requests have their effect, when they are answered, and whether. */
export const simulatedBackend = (
  memory: Backend,
  draw: Draw,
  weather: Weather,
  journal: Journal,
  watch: Watch
): Backend => {
  const note = (call: Call, operation: number, what: string, now: number) =>
    journal.trace.push(`${now} ${operation} ${call.primitive} ${call.key} ${what}`)

  let number = 0
  const fateOf = (request: number): Fate | undefined => weather.script?.find(({ at }) => at === request)?.fate
  /** Ends the operation that a request belongs to, now. */
  const interrupt = Effect.flatMap(Interruption, (end) => Effect.andThen(end, Effect.sleep(1)))

  const pause = Effect.suspend(() => {
    const millis = draw.below(weather.delay + 1)
    return weather.calm || millis === 0 ? Effect.void : Effect.sleep(millis)
  })

  const simulated = <A, R>(
    call: Call,
    effect: Effect.Effect<A, ObjectStoreError, R>,
    applied?: (answer: A, operation: number, time: number) => Effect.Effect<void>
  ): Effect.Effect<A, ObjectStoreError, R> => counted(unwatched(call, effect, applied))

  /** Counts a request while it is under way. */
  const counted = <A, R>(request: Effect.Effect<A, ObjectStoreError, R>): Effect.Effect<A, ObjectStoreError, R> =>
    Effect.flatMap(CurrentOperation, (operation) =>
      Effect.acquireUseRelease(
        Effect.sync(() => watch.begins(operation)),
        () => request,
        () => Effect.sync(() => watch.ends(operation))
      ))

  const unwatched = <A, R>(
    call: Call,
    effect: Effect.Effect<A, ObjectStoreError, R>,
    applied?: (answer: A, operation: number, time: number) => Effect.Effect<void>
  ): Effect.Effect<A, ObjectStoreError, R> =>
    Effect.gen(function*() {
      yield* (yield* Probe)(call.primitive)
      const operation = yield* CurrentOperation
      const name = `${operation} ${call.primitive} ${call.about ?? call.key}`
      journal.requests.set(name, (journal.requests.get(name) ?? 0) + 1)
      yield* pause
      const scripted = weather.calm ? undefined : fateOf(number++)
      const bad = weather.script === undefined && !weather.calm && draw.chance(weather.faults)
      const kind = bad ? draw.below(call.mutation ? 3 : 1) : kindOf(scripted, call)
      if (scripted === "interrupted before") yield* interrupt
      if (scripted === "dead" || (weather.defects > 0 && !weather.calm && draw.chance(weather.defects))) {
        journal.died.add(operation)
        return yield* Effect.die("a defect of the backend")
      }
      const start = yield* Clock.currentTimeMillis
      // What has its effect cannot be interrupted halfway; only its answer can.
      const happen = Effect.uninterruptible(Effect.tap(
        effect,
        (answer) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            note(call, operation, "applied", now)
            return applied === undefined ? Effect.void : applied(answer, operation, now)
          })
      ))
      if (kind === 0) {
        note(call, operation, "refused", start)
        const all = refusals(call.mutation)
        return yield* (scripted === undefined ? draw.one(all) : all[fates.indexOf(scripted)]!)()
      }
      if (kind === 1) {
        yield* happen
        note(call, operation, "answer lost", start)
        if (call.opens === true) journal.orphans++
        yield* pause
        return yield* draw.one(losses)()
      }
      if (kind === 2) {
        if (call.late !== true) return yield* draw.one(refusals(true))()
        note(call, operation, "late", start)
        const later = Effect.andThen(Effect.sleep(draw.below(20_000)), Effect.ignore(happen))
        yield* Effect.forkDetach(later)
        return yield* makeError("Timeout", { ...context, phase: "headers", outcome: "unknown" })
      }
      const answer = yield* happen
      if (scripted === "interrupted after") yield* interrupt
      yield* pause
      return answer
    })

  const whole = (at: Location): Effect.Effect<Uint8Array> =>
    Effect.orDie(Effect.scoped(Effect.gen(function*() {
      const reply = yield* memory.read(at, { conditions: {} })
      const body = new Uint8Array(reply.length)
      yield* reply.into(body)
      return body
    })))

  const published =
    (primitive: string, at: Location, mode: WriteMode) => (reply: WriteReply, operation: number, time: number) =>
      Effect.map(whole(at), (body) => {
        const held = typeof mode === "object" ? "update" : mode
        journal.applied.push({ operation, primitive, key: at.key, time, etag: reply.etag, body, held })
      })

  const broken = (call: Call, reply: ReadReply): ReadReply => {
    const scripted = fateOf(number - 1) === "broken"
    const bad = weather.script === undefined ? draw.chance(weather.faults) : scripted
    const breaks = !weather.calm && bad ? draw.below(reply.length + 1) : Infinity
    // Some connections end as if all had come.
    const silent = breaks < Infinity && draw.chance(0.3)
    let delivered = 0
    return {
      ...reply,
      into: (target) =>
        Effect.gen(function*() {
          yield* pause
          const left = Math.min(target.length, breaks - delivered)
          const count = left === 0 ? 0 : yield* reply.into(target.subarray(0, left))
          delivered += count
          if (left < target.length) {
            note(call, yield* CurrentOperation, "broken", yield* Clock.currentTimeMillis)
            if (silent) return count
            return yield* makeError("BodyInterrupted", { ...context, received: delivered })
          }
          return count
        })
    }
  }

  const completed = new Map<string, string | undefined>()
  const inUpload = <A, R>(id: string, bytes: number, part: Effect.Effect<A, ObjectStoreError, R>) =>
    Effect.flatMap(CurrentOperation, (operation) => watch.part(id, bytes, operation, part))

  return {
    ...memory,
    head: (at, conditions) =>
      Effect.flatMap(CurrentOperation, (operation) => {
        watch.looks(operation)
        const look = simulated({ primitive: "head", key: at.key, mutation: false }, memory.head(at, conditions))
        return Effect.tap(look, ({ etag }) => Effect.sync(() => watch.answers(operation, at.key, etag)))
      }),
    read: (at, request): Effect.Effect<ReadReply, ObjectStoreError, Scope.Scope> =>
      Effect.gen(function*() {
        const call = { primitive: "read", key: at.key, mutation: false }
        const operation = yield* CurrentOperation
        watch.asksFor(operation, at.key, request.conditions.ifMatch)
        // A body is under way until its scope closes.
        yield* Effect.acquireRelease(
          Effect.sync(() => watch.begins(operation)),
          () => Effect.sync(() => watch.ends(operation))
        )
        const reply = yield* unwatched(call, memory.read(at, request))
        watch.answers(operation, at.key, reply.stat.etag)
        return broken(call, reply)
      }),
    write: (at, body, options) =>
      simulated(
        { primitive: "write", key: at.key, mutation: true, late: typeof options.mode === "object" },
        memory.write(at, body, options),
        published("write", at, options.mode)
      ),
    openUpload: (at, options) =>
      simulated(
        { primitive: "openUpload", key: at.key, mutation: true, opens: true },
        memory.openUpload(at, options)
      ),
    uploadPart: (upload, part) =>
      inUpload(
        upload.id,
        part.body.length,
        simulated(
          { primitive: "uploadPart", key: upload.key, mutation: true, about: `${upload.id} ${part.number}` },
          // The bytes are read when they are sent, not when the request is asked for.
          Effect.suspend(() => memory.uploadPart(upload, part))
        )
      ),
    completeUpload: (upload, request) => {
      // A store that lets a commit be done twice makes a second version of it, while nothing came between.
      const again = Effect.gen(function*() {
        const now = yield* memory.head(upload, {})
        if (now.etag !== completed.get(upload.id)) {
          return yield* makeError("UploadNotFound", { ...context, outcome: "not-applied" })
        }
        return yield* memory.write(upload, yield* whole(upload), { ...upload.options, mode: "overwrite" })
      })
      const complete = Effect.suspend(() =>
        weather.lax && completed.has(upload.id) ? again : memory.completeUpload(upload, request)
      )
      const completion = simulated(
        { primitive: "completeUpload", key: upload.key, mutation: true, about: upload.id, late: !weather.lax },
        Effect.tap(complete, (reply) => Effect.sync(() => completed.set(upload.id, reply.etag))),
        published("completeUpload", upload, upload.options.mode)
      )
      return Effect.flatMap(CurrentOperation, (operation) => watch.complete(upload.id, operation, completion))
    },
    abortUpload: (upload) =>
      watch.abort(
        upload.id,
        simulated(
          { primitive: "abortUpload", key: upload.key, mutation: true, about: upload.id },
          memory.abortUpload(upload)
        )
      ),
    copyPart: memory.copyPart === undefined ? undefined : (upload, part) =>
      inUpload(
        upload.id,
        part.length,
        simulated(
          { primitive: "copyPart", key: upload.key, mutation: true, about: `${upload.id} ${part.number}` },
          memory.copyPart!(upload, part)
        )
      ),
    copy: (from, to, options) =>
      simulated(
        { primitive: "copy", key: to.key, mutation: true },
        memory.copy(from, to, options),
        published("copy", to, options.mode)
      ),
    rename: undefined,
    deleteBatch: (container, entries) =>
      Effect.suspend(() => {
        let before: ReadonlyArray<string | undefined> = []
        const stat = (key: string) =>
          Effect.match(memory.head({ container, key }, {}), {
            onSuccess: ({ etag }) => etag,
            onFailure: () => undefined
          })
        return simulated(
          {
            primitive: "deleteBatch",
            key: entries.map(({ key }) => key).join(","),
            mutation: true,
            late: entries.every(({ ifMatch }) => ifMatch !== undefined)
          },
          Effect.tap(Effect.forEach(entries, ({ key }) => stat(key)), (etags) => Effect.sync(() => before = etags))
            .pipe(
              Effect.andThen(memory.deleteBatch(container, entries))
            ),
          (answers, operation, time) =>
            Effect.sync(() => {
              for (const [index, { ifMatch, key }] of entries.entries()) {
                if (answers[index] !== undefined || before[index] === undefined) continue
                const held = ifMatch === undefined ? "overwrite" : "update"
                journal.applied.push({ operation, primitive: "delete", key, time, removed: before[index], held })
              }
            })
        )
      }),
    listPage: (request) =>
      simulated({ primitive: "listPage", key: request.prefix, mutation: false }, memory.listPage(request))
  }
}
