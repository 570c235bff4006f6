/**
 * A backend whose primitives fail as a plan says: what the engine above it does then is what is tested.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Backend, DeleteEntry, ReadReply } from "../Backend.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { BackendOperation, DecidedFault, FaultPlan } from "./FaultPlan.ts"
import { before, failureOf, flip, inject, type InjectedCall, interrupted } from "./inject.ts"

/** A backend with nothing left out: a primitive that is not wrapped here does not compile. */
type Complete = { readonly [Name in keyof Backend]-?: Backend[Name] }

/**
 * Wraps every primitive of a backend in a plan.
 *
 * **Example** (A lost answer)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { fromBackend } from "effect-objectstore"
 * import * as Memory from "effect-objectstore/layers/Memory"
 * import { Fault, faultyBackend, makeFaultPlan } from "effect-objectstore/testing/doubles"
 *
 * const program = Effect.gen(function*() {
 *   const plan = yield* makeFaultPlan({
 *     rules: [{ operation: "write", hits: 1, fault: Fault.failAfter("ConnectionFailed", { phase: "headers" }) }]
 *   })
 *   const backend = faultyBackend(yield* Memory.makeBackend(), plan)
 *   const store = yield* fromBackend(backend, { base: "mem://memory/" })
 *   const { size } = yield* store.put("a", "hello")
 *   return size
 * })
 *
 * Effect.runPromise(program).then((size) => console.log(size)) // 5
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const faultyBackend = (backend: Backend, plan: FaultPlan): Backend => {
  const call = (
    operation: BackendOperation,
    keys: InjectedCall["keys"],
    mutation: boolean,
    bytes?: InjectedCall["bytes"]
  ): InjectedCall => ({ operation, keys, backend: backend.name, mutation, bytes })

  const reading = <A, R>(
    operation: BackendOperation,
    key: string,
    effect: () => Effect.Effect<A, ObjectStoreError, R>
  ): Effect.Effect<A, ObjectStoreError, R> => inject(plan, call(operation, [key], false), effect)

  const changing = <A, R>(
    operation: BackendOperation,
    keys: InjectedCall["keys"],
    effect: () => Effect.Effect<A, ObjectStoreError, R>
  ): Effect.Effect<A, ObjectStoreError, R> => inject(plan, call(operation, keys, true), effect)

  const sending = <A, R>(
    operation: BackendOperation,
    key: string,
    body: Uint8Array,
    effect: (body: Uint8Array) => Effect.Effect<A, ObjectStoreError, R>
  ): Effect.Effect<A, ObjectStoreError, R> =>
    inject(plan, call(operation, [key], true, "taken"), (fault) => {
      if (fault?.fault._tag !== "Corrupt" || fault.fault.offset >= body.length) return effect(body)
      const sent = new Uint8Array(body)
      flip(sent, fault.fault.offset)
      return Effect.andThen(fault.record, effect(sent))
    })

  const { copyPart, rename } = backend
  const faulty: Complete = {
    name: backend.name,
    capabilities: backend.capabilities,
    address: backend.address,
    endpoint: backend.endpoint,
    head: (at, conditions) => reading("head", at.key, () => backend.head(at, conditions)),
    read: (at, request) => {
      const read = call("read", [at.key], false, "delivered")
      return inject(
        plan,
        read,
        (fault) =>
          Effect.map(
            backend.read(at, request),
            (reply) => withIntoFaults(plan, call("readInto", [at.key], false), spoil(read, fault, reply))
          )
      )
    },
    write: (at, body, options) => sending("write", at.key, body, (sent) => backend.write(at, sent, options)),
    openUpload: (at, options) => changing("openUpload", [at.key], () => backend.openUpload(at, options)),
    uploadPart: (upload, part) =>
      sending("uploadPart", upload.key, part.body, (body) => backend.uploadPart(upload, { ...part, body })),
    copyPart: copyPart === undefined
      ? undefined
      : (upload, part) => changing("copyPart", [upload.key, part.from.key], () => copyPart(upload, part)),
    completeUpload: (upload, request) =>
      changing("completeUpload", [upload.key], () => backend.completeUpload(upload, request)),
    abortUpload: (upload) => changing("abortUpload", [upload.key], () => backend.abortUpload(upload)),
    listUploads: (request) => reading("listUploads", request.prefix, () => backend.listUploads(request)),
    listPage: (request) => reading("listPage", request.prefix, () => backend.listPage(request)),
    deleteBatch: (container, entries) =>
      changing(
        "deleteBatch",
        // A batch without entries is one call all the same.
        entries.length === 0 ? [""] : [entries[0]!.key, ...entries.slice(1).map(({ key }) => key)],
        () => deleteEntries(container, entries)
      ),
    copy: (from, to, options) => changing("copy", [to.key, from.key], () => backend.copy(from, to, options)),
    rename: rename === undefined
      ? undefined
      : (from, to, options) => changing("rename", [to.key, from.key], () => rename(from, to, options)),
    createContainer: (name, options) =>
      changing("createContainer", [name], () => backend.createContainer(name, options)),
    deleteContainer: (name) => changing("deleteContainer", [name], () => backend.deleteContainer(name)),
    listContainers: reading("listContainers", "", () => backend.listContainers),
    presign: (at, options) => reading("presign", at.key, () => backend.presign(at, options))
  }

  /** Lets single keys of a batch fail: before, so that they are not sent, or after. */
  const deleteEntries = Effect.fnUntraced(function*(container: string, entries: ReadonlyArray<DeleteEntry>) {
    const answers: Array<ObjectStoreError | undefined> = entries.map(() => undefined)
    const sent: Array<number> = []
    const lost = new Map<number, DecidedFault>()
    for (const [index, entry] of entries.entries()) {
      const one = call("deleteEntry", [entry.key], true)
      const decision = yield* plan.decide(one)
      const refused = yield* Effect.result(before(one, decision))
      if (refused._tag === "Failure") {
        answers[index] = refused.failure
        continue
      }
      sent.push(index)
      if (decision.fault?.fault._tag === "FailAfter") lost.set(index, decision.fault)
    }
    if (sent.length === entries.length && lost.size === 0) return yield* backend.deleteBatch(container, entries)
    if (sent.length === 0) return answers
    const received = yield* backend.deleteBatch(container, sent.map((index) => entries[index]!))
    for (const [position, index] of sent.entries()) {
      const fault = lost.get(index)
      answers[index] = received[position]
      if (answers[index] === undefined && fault?.fault._tag === "FailAfter") {
        yield* fault.record
        answers[index] = failureOf(call("deleteEntry", [entries[index]!.key], true), fault.fault)
      }
    }
    return answers
  })

  return faulty
}

/** Lets a body meet a fault. */
const spoil = (call: InjectedCall, fault: DecidedFault | undefined, reply: ReadReply): ReadReply => {
  if (fault?.fault._tag === "Truncate") return truncated(call, fault, fault.fault.bytes, reply)
  if (fault?.fault._tag === "Corrupt") return corrupted(fault, fault.fault.offset, reply)
  return reply
}

const truncated = (call: InjectedCall, fault: DecidedFault, bytes: number, reply: ReadReply): ReadReply => {
  if (bytes >= reply.length) return reply
  let delivered = 0
  const end = reply.offset + bytes
  const breakOff = Effect.andThen(fault.record, Effect.fail(interrupted(call, bytes)))
  const { handle } = reply
  return {
    ...reply,
    into: (target) =>
      Effect.suspend(() => {
        const left = bytes - delivered
        return Effect.tap(reply.into(target.subarray(0, Math.min(left, target.length))), (count) => {
          delivered += count
          return left < target.length ? breakOff : Effect.void
        })
      }),
    handle: handle === undefined ? undefined : {
      verify: handle.verify,
      readInto: (offset, target) => {
        const left = Math.max(0, end - offset)
        return left >= target.length
          ? handle.readInto(offset, target)
          : Effect.andThen(left === 0 ? Effect.void : handle.readInto(offset, target.subarray(0, left)), breakOff)
      }
    }
  }
}

const corrupted = (fault: DecidedFault, offset: number, reply: ReadReply): ReadReply => {
  if (offset >= reply.length) return reply
  let delivered = 0
  const { handle } = reply
  const flipAt = (target: Uint8Array, index: number) =>
    Effect.andThen(fault.record, Effect.sync(() => flip(target, index)))
  return {
    ...reply,
    into: (target) =>
      Effect.tap(reply.into(target), (count) => {
        const index = offset - delivered
        delivered += count
        return index >= 0 && index < count ? flipAt(target, index) : Effect.void
      }),
    handle: handle === undefined ? undefined : {
      verify: handle.verify,
      readInto: (from, target) =>
        Effect.tap(handle.readInto(from, target), () => {
          const index = reply.offset + offset - from
          return index >= 0 && index < target.length ? flipAt(target, index) : Effect.void
        })
    }
  }
}

/** Lets every taking of bytes be a call of its own. */
const withIntoFaults = (plan: FaultPlan, call: InjectedCall, reply: ReadReply): ReadReply => {
  const { handle } = reply
  return {
    ...reply,
    into: (target) => inject(plan, call, () => reply.into(target)),
    handle: handle === undefined ? undefined : {
      verify: handle.verify,
      readInto: (offset, target) => inject(plan, call, () => handle.readInto(offset, target))
    }
  }
}
