/**
 * A store whose operations fail as a plan says: what a program does then is what is tested.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import { type ObjectReader, ObjectStore, type ObjectStoreOperations, type ObjectWriter } from "../ObjectStore.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { At } from "../ObjectStoreOptions.ts"
import * as ObjectUri from "../ObjectUri.ts"
import type { DecidedFault, FaultPlan, StoreOperation } from "./FaultPlan.ts"
import { after, before, flip, inject, type InjectedCall, interrupted } from "./inject.ts"

/** Nothing left out: an operation that is not forwarded here does not compile. */
type Complete<A> = { readonly [Name in keyof A]-?: A[Name] }

const textOf = (at: At): string => typeof at === "string" ? at : ObjectUri.print(at)

const makeCall = (
  operation: StoreOperation,
  places: readonly [At, ...Array<At>],
  mutation: boolean,
  bytes?: InjectedCall["bytes"]
): InjectedCall => {
  const [first, ...rest] = places
  const key = textOf(first)
  return {
    operation,
    keys: [key, ...rest.map(textOf)],
    backend: "faults",
    uri: ObjectUri.isAbsolute(key) ? ObjectUri.redact(key) : undefined,
    mutation,
    bytes
  }
}

/**
 * Wraps every operation of a store in a plan, also those of its readers and writers.
 *
 * **Example** (A put whose answer is lost)
 *
 * ```ts
 * import { Effect } from "effect"
 * import * as Memory from "effect-objectstore/layers/Memory"
 * import { Fault, faults, makeFaultPlan } from "effect-objectstore/testing/doubles"
 *
 * const program = Effect.gen(function*() {
 *   const plan = yield* makeFaultPlan({ rules: [{ operation: "put", fault: Fault.failAfter("Unavailable") }] })
 *   const store = faults(yield* Memory.make(), plan)
 *   const error = yield* Effect.flip(store.put("a", "hello"))
 *   return [error.outcome, yield* store.exists("a")]
 * })
 *
 * Effect.runPromise(program).then((result) => console.log(result)) // [ 'unknown', true ]
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const faults: {
  (plan: FaultPlan): (store: ObjectStoreOperations) => ObjectStoreOperations
  (store: ObjectStoreOperations, plan: FaultPlan): ObjectStoreOperations
} = dual(2, (store: ObjectStoreOperations, plan: FaultPlan): ObjectStoreOperations => {
  const reading = <A, R>(operation: StoreOperation, at: At, effect: () => Effect.Effect<A, ObjectStoreError, R>) =>
    inject(plan, makeCall(operation, [at], false), effect)

  const changing = <A, R>(
    operation: StoreOperation,
    places: readonly [At, ...Array<At>],
    effect: () => Effect.Effect<A, ObjectStoreError, R>
  ) => inject(plan, makeCall(operation, places, true), effect)

  const delivering = <A, R>(
    operation: StoreOperation,
    at: At,
    effect: () => Effect.Effect<A, ObjectStoreError, R>,
    bodies: (result: A) => ReadonlyArray<Uint8Array>
  ) => {
    const call = makeCall(operation, [at], false, "delivered")
    return inject(plan, call, (fault) => Effect.tap(effect(), (result) => spoil(call, fault, bodies(result))))
  }

  const streaming = <A>(call: InjectedCall, stream: () => Stream.Stream<A, ObjectStoreError>) =>
    injectStream(plan, call, stream)

  const bodyStream = (operation: StoreOperation, at: At, stream: () => Stream.Stream<Uint8Array, ObjectStoreError>) => {
    const call = makeCall(operation, [at], false, "delivered")
    return injectStream(plan, call, (fault) => spoilStream(call, fault, stream()))
  }

  const faultyReader = (at: At, reader: ObjectReader): Complete<ObjectReader> => ({
    info: reader.info,
    read: (range, options) => delivering("reader.read", at, () => reader.read(range, options), (body) => [body]),
    readInto: (target, range, options) =>
      delivering("reader.readInto", at, () => reader.readInto(target, range, options), (bytes) => [
        target.subarray(0, bytes)
      ]),
    stream: (range, options) => bodyStream("reader.stream", at, () => reader.stream(range, options))
  })

  const faultyWriter = (at: At, writer: ObjectWriter): Complete<ObjectWriter> => ({
    write: (chunk) => changing("writer.write", [at], () => writer.write(chunk)),
    finish: changing("writer.finish", [at], () => writer.finish)
  })

  const faulty: Complete<ObjectStoreOperations> = {
    capabilities: store.capabilities,
    get: (at, options) => delivering("get", at, () => store.get(at, options), (body) => [body]),
    getRange: (at, range, options) =>
      delivering("getRange", at, () => store.getRange(at, range, options), (body) => [body]),
    getRanges: (at, ranges, options) =>
      delivering("getRanges", at, () => store.getRanges(at, ranges, options), (bodies) => bodies),
    getInto: (at, target, options) =>
      delivering("getInto", at, () => store.getInto(at, target, options), ({ bytes }) => [target.subarray(0, bytes)]),
    stream: (at, options) => bodyStream("stream", at, () => store.stream(at, options)),
    open: (at, options) =>
      reading("open", at, () => Effect.map(store.open(at, options), (reader) => faultyReader(at, reader))),
    stat: (at, options) => reading("stat", at, () => store.stat(at, options)),
    exists: (at, options) => reading("exists", at, () => store.exists(at, options)),
    put: (at, body, options) => changing("put", [at], () => store.put(at, body, options)),
    putMultipart: (at, body, options) => changing("putMultipart", [at], () => store.putMultipart(at, body, options)),
    sink: (at, options) => {
      const call = makeCall("sink", [at], true)
      return Sink.unwrap(Effect.flatMap(plan.decide(call), (decision) =>
        Effect.as(
          before(call, decision),
          Sink.mapEffect(store.sink(at, options), (result) => Effect.as(after(call, decision), result))
        )))
    },
    writer: (at, options) =>
      changing("writer", [at], () => Effect.map(store.writer(at, options), (writer) => faultyWriter(at, writer))),
    list: (prefix, options) => streaming(makeCall("list", [prefix ?? ""], false), () => store.list(prefix, options)),
    listDirectory: (prefix, options) =>
      streaming(makeCall("listDirectory", [prefix ?? ""], false), () => store.listDirectory(prefix, options)),
    delete: (at, options) => changing("delete", [at], () => store.delete(at, options)),
    deleteMany: (keys, options) => streaming(makeCall("deleteMany", [""], true), () => store.deleteMany(keys, options)),
    deletePrefix: (prefix, options) => changing("deletePrefix", [prefix], () => store.deletePrefix(prefix, options)),
    copy: (from, to, options) => changing("copy", [to, from], () => store.copy(from, to, options)),
    rename: (from, to, options) => changing("rename", [to, from], () => store.rename(from, to, options)),
    createContainer: (name, options) => changing("createContainer", [name], () => store.createContainer(name, options)),
    deleteContainer: (name) => changing("deleteContainer", [name], () => store.deleteContainer(name)),
    listContainers: (options) =>
      streaming(makeCall("listContainers", [""], false), () => store.listContainers(options)),
    presign: (at, options) => reading("presign", at, () => store.presign(at, options)),
    listUploads: (prefix) => streaming(makeCall("listUploads", [prefix ?? ""], false), () => store.listUploads(prefix)),
    abortUpload: (upload) => changing("abortUpload", [upload.key], () => store.abortUpload(upload))
  }
  return faulty
})

/**
 * Layer that wraps the store it is given in a plan.
 *
 * **Example** (A program on a store that is sometimes not available)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { MemoryLive } from "effect-objectstore/layers/Memory"
 * import { Fault, layerFaults, makeFaultPlan } from "effect-objectstore/testing/doubles"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   return yield* store.put("a", "hello")
 * })
 *
 * const test = Effect.gen(function*() {
 *   const plan = yield* makeFaultPlan({ rules: [{ hits: { every: 3 }, fault: Fault.fail("Unavailable") }] })
 *   yield* Effect.provide(program, Layer.provide(layerFaults(plan), MemoryLive))
 * })
 *
 * Effect.runPromise(test)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFaults = (plan: FaultPlan): Layer.Layer<ObjectStore, never, ObjectStore> =>
  Layer.effect(ObjectStore, Effect.map(ObjectStore, (store) => ObjectStore.of(faults(store, plan))))

const injectStream = <A>(
  plan: FaultPlan,
  call: InjectedCall,
  stream: (fault: DecidedFault | undefined) => Stream.Stream<A, ObjectStoreError>
): Stream.Stream<A, ObjectStoreError> =>
  Stream.unwrap(Effect.flatMap(plan.decide(call), (decision) =>
    Effect.map(before(call, decision), () =>
      Stream.concat(
        Stream.suspend(() => stream(decision.fault)),
        Stream.fromEffectDrain(after(call, decision))
      ))))

/** Lets bytes that were delivered meet a fault; they count as one body. */
const spoil = (
  call: InjectedCall,
  fault: DecidedFault | undefined,
  bodies: ReadonlyArray<Uint8Array>
): Effect.Effect<void, ObjectStoreError> => {
  if (fault?.fault._tag === "Truncate") {
    const { bytes } = fault.fault
    const length = bodies.reduce((sum, body) => sum + body.length, 0)
    return bytes < length ? Effect.andThen(fault.record, Effect.fail(interrupted(call, bytes))) : Effect.void
  }
  if (fault?.fault._tag !== "Corrupt") return Effect.void
  let { offset } = fault.fault
  for (const body of bodies) {
    if (offset < body.length) {
      flip(body, offset)
      return fault.record
    }
    offset -= body.length
  }
  return Effect.void
}

const spoilStream = (
  call: InjectedCall,
  fault: DecidedFault | undefined,
  stream: Stream.Stream<Uint8Array, ObjectStoreError>
): Stream.Stream<Uint8Array, ObjectStoreError> => {
  if (fault?.fault._tag === "Truncate") return truncateStream(call, fault, fault.fault.bytes, stream)
  if (fault?.fault._tag !== "Corrupt") return stream
  const { offset } = fault.fault
  let delivered = 0
  return Stream.mapEffect(stream, (chunk) => {
    const index = offset - delivered
    delivered += chunk.length
    if (index < 0 || index >= chunk.length) return Effect.succeed(chunk)
    const changed = new Uint8Array(chunk)
    flip(changed, index)
    return Effect.as(fault.record, changed)
  })
}

const truncateStream = (
  call: InjectedCall,
  fault: DecidedFault,
  bytes: number,
  stream: Stream.Stream<Uint8Array, ObjectStoreError>
): Stream.Stream<Uint8Array, ObjectStoreError> => {
  let left = bytes
  let cut = false
  const kept = stream.pipe(
    Stream.map((chunk) => {
      const body = chunk.subarray(0, left)
      left -= body.length
      return { body, last: body.length < chunk.length }
    }),
    Stream.takeUntil(({ last }) => (cut = last)),
    Stream.map(({ body }) => body),
    Stream.filter((body) => body.length > 0)
  )
  return Stream.concat(
    kept,
    Stream.suspend(() =>
      cut
        ? Stream.fromEffectDrain(Effect.andThen(fault.record, Effect.fail(interrupted(call, bytes))))
        : Stream.empty
    )
  )
}
