/**
 * What all operations of one store share: its backend, its budgets, and the way a request is made.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { Backend, Location, ObjectStat, ReadReply, ReadRequest } from "../Backend.ts"
import type { ObjectInfo } from "../ObjectInfo.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { At } from "../ObjectStoreOptions.ts"
import { type Budget } from "./budget.ts"
import { type Endpoint, learn, waitForTurn } from "./endpoint.ts"
import { withoutWriteId } from "./identity.ts"
import { type Observer, spanned } from "./observe.ts"
import type { Place, Resolver } from "./resolve.ts"
import { type Begun, type RetryHooks, retrying, type RetryQuota } from "./retry.ts"
import type { RequestClass } from "./retryMatrix.ts"
import { checkPolicy, RetryPolicy } from "./retryPolicy.ts"
import type { Subject } from "./validate.ts"

/** One store. */
export interface Engine {
  readonly backend: Backend
  readonly subject: Subject
  readonly resolver: Resolver
  readonly requests: Budget
  readonly bytes: Budget
  readonly endpoint: Endpoint
  readonly quota: RetryQuota
  /** Whether requests are sent more slowly where the endpoint refuses many. */
  readonly adaptiveRate: boolean
  readonly observer: Observer
}

/** Makes one request: within the request budget, and repeated by the policy. */
export const request = <A, R>(
  engine: Engine,
  kind: RequestClass,
  effect: Effect.Effect<A, ObjectStoreError, R>,
  hooks?: RetryHooks<A>
): Effect.Effect<A, ObjectStoreError, R> =>
  Effect.withFiber((fiber) => {
    const begun: Begun = { at: undefined }
    return checkPolicy(engine.backend.name, fiber.getRef(RetryPolicy)) ?? retrying(
      engine.backend.name,
      kind,
      engine.quota,
      engine.requests.withShare(1, inTurn(engine, Effect.andThen(begins(begun), attempt(engine, kind, effect)))),
      { ...hooks, begun }
    )
  })

/** Notes when a request is made for the first time. */
const begins = (begun: Begun): Effect.Effect<void> =>
  Effect.clockWith((clock) => {
    begun.at ??= clock.currentTimeMillisUnsafe()
    return Effect.void
  })

/** Waits first, while requests to the endpoint are held back. */
const inTurn = <A, E, R>(engine: Engine, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => isHeld(engine) ? Effect.andThen(waitForTurn(engine.endpoint), effect) : effect)

const isHeld = (engine: Engine): boolean => engine.endpoint.pace.holds && engine.adaptiveRate

/** One attempt, with its span and its place in the gauge. */
const attempt = <A, R>(
  engine: Engine,
  kind: RequestClass,
  effect: Effect.Effect<A, ObjectStoreError, R>
): Effect.Effect<A, ObjectStoreError, R> =>
  Effect.acquireUseRelease(
    engine.observer.requestStarted,
    () => inSpan(kind, effect),
    (_, exit) => learned(engine, exit, engine.observer.requestEnded)
  )

/** Lets the endpoint's pace know how a request ended, before `then`. */
const learned = (
  engine: Engine,
  exit: Exit.Exit<unknown, ObjectStoreError>,
  then: Effect.Effect<void>
): Effect.Effect<void> => engine.adaptiveRate ? learn(engine.endpoint, exit, then) : then

/** The span of an attempt. */
const inSpan = <A, E, R>(kind: RequestClass, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  spanned(effect, "ObjectStore.request", () => ({ kind: "client", attributes: { "objectstore.request": kind } }))

/** A body with its permit; `close` gives both back, and is safe to run again. */
export interface OpenBody {
  readonly reply: ReadReply
  readonly close: Effect.Effect<void>
}

/**
 * Opens a body. The permit is held until `close`, or else until the scope closes: read the body at once, and wait for
 * nothing else while it is open.
 */
export const openBody = (
  engine: Engine,
  at: Location,
  readRequest: ReadRequest
): Effect.Effect<OpenBody, ObjectStoreError, Scope.Scope> =>
  Effect.suspend(() => {
    const begun: Begun = { at: undefined }
    return retrying(engine.backend.name, "read", engine.quota, openBodyOnce(engine, at, readRequest, begun), { begun })
  })

/** The same with one request: for those who repeat opening and reading together. */
export const openBodyOnce = (
  engine: Engine,
  at: Location,
  readRequest: ReadRequest,
  begun: Begun
): Effect.Effect<OpenBody, ObjectStoreError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) => openRestored(engine, at, readRequest, begun, restore))

const openRestored = Effect.fnUntraced(function*(
  engine: Engine,
  at: Location,
  readRequest: ReadRequest,
  begun: Begun,
  restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
): Effect.fn.Return<OpenBody, ObjectStoreError, Scope.Scope> {
  const outer = yield* Effect.scope
  const refused = checkPolicy(engine.backend.name, yield* RetryPolicy)
  if (refused !== undefined) return yield* refused
  yield* restore(engine.requests.take(1))
  if (isHeld(engine)) {
    yield* restore(waitForTurn(engine.endpoint)).pipe(Effect.onError(() => engine.requests.release(1)))
  }
  yield* begins(begun)
  const inner = yield* Scope.fork(outer)
  yield* engine.observer.requestStarted
  yield* Scope.addFinalizer(inner, Effect.andThen(engine.observer.requestEnded, engine.requests.release(1)))
  const reply = yield* restore(inSpan("read", Scope.provide(engine.backend.read(at, readRequest), inner))).pipe(
    Effect.onExit((exit) => learned(engine, exit, Exit.isSuccess(exit) ? Effect.void : Scope.close(inner, exit)))
  )
  return { reply, close: Scope.close(inner, Exit.void) }
})

/** Runs an operation on an object: resolved, observed, its errors explained. */
export const onObject = <A, R>(
  engine: Engine,
  name: string,
  at: At,
  mutation: boolean,
  run: (place: Place) => Effect.Effect<A, ObjectStoreError, R>
): Effect.Effect<A, ObjectStoreError, R> =>
  Effect.suspend(() => {
    const resolved = engine.resolver.object(at)
    if (Result.isFailure(resolved)) {
      return engine.observer.operation(name, undefined, mutation, Effect.fail(resolved.failure))
    }
    const place = resolved.success
    return engine.observer.operation(name, place.names.uri(place.key), mutation, run(place))
  })

/** What a program sees of an object. */
export const toInfo = (place: Pick<Place, "names">, key: string, stat: ObjectStat): ObjectInfo => ({
  _tag: "ObjectInfo",
  uri: place.names.uri(key),
  key: place.names.key(key),
  size: stat.size,
  etag: stat.etag,
  version: stat.version,
  lastModified: stat.lastModified,
  attributes: stat.attributes ?? {},
  metadata: withoutWriteId(stat.metadata),
  checksums: stat.checksums ?? {},
  storageClass: stat.storageClass
})
