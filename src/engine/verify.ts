/**
 * Asks the store what became of a change whose answer was lost.
 *
 * A change is ours if the object carries the id of the write; where it cannot carry one, if the bytes are the same by a
 * checksum that the store tells. What is there and not ours may have come after ours or instead of it. Only its age can tell: what is older
 * than our request by more than any two clocks differ was there before, so ours was never applied.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { CopyRequest, Location, ObjectOptions, ObjectStat, WriteReply } from "../Backend.ts"
import { beginSum } from "../codec/partSums.ts"
import type { Outcome } from "../ErrorReason.ts"
import type { Checksums } from "../ObjectInfo.ts"
import { makeError, type ObjectStoreError, withContext } from "../ObjectStoreError.ts"
import type { WriteMode } from "../ObjectStoreOptions.ts"
import { type Engine, request } from "./engine.ts"
import { writeIdOf } from "./identity.ts"
import type { Finding, LostAnswer } from "./retry.ts"

/** Clocks of a program and a store differ by less, wrong time zones included. */
const clockDifference = 24 * 60 * 60 * 1000

const unclear = (description: string): Finding<never> => ({ _tag: "Unclear", description })
const notApplied: Finding<never> = { _tag: "NotApplied" }

/** What is at a place now; `undefined` if nothing is. */
export const statNow = (engine: Engine, at: Location): Effect.Effect<ObjectStat | undefined, ObjectStoreError> =>
  Effect.catchReason(
    request(engine, "read", engine.backend.head(at, {})),
    "ObjectStoreError",
    "NotFound",
    () => Effect.succeed(undefined)
  )

const toReply = (stat: ObjectStat, verified: WriteReply["verified"]): WriteReply => ({
  etag: stat.etag,
  version: stat.version,
  size: stat.size,
  verified
})

const corrupt = (engine: Engine, description: string): Finding<never> => ({
  _tag: "Refused",
  error: makeError("IntegrityFailed", {
    operation: "verify",
    backend: engine.backend.name,
    description,
    outcome: "applied"
  })
})

/** Whether a version was there before the first request of ours, by any clock. */
const isOlder = ({ lastModified }: ObjectStat, { since }: LostAnswer): boolean =>
  lastModified !== undefined && DateTime.toEpochMillis(lastModified) < since - clockDifference

/** The store holds another version than ours. */
const foreign = (
  engine: Engine,
  mode: WriteMode,
  stat: ObjectStat,
  lost: LostAnswer
): Finding<never> =>
  isOlder(stat, lost)
    ? {
      _tag: "Refused",
      error: makeError(mode === "create" ? "AlreadyExists" : "PreconditionFailed", {
        operation: "verify",
        backend: engine.backend.name,
        description: mode === "create" ? "there is an object" : "the object has another etag",
        outcome: "not-applied"
      })
    }
    : unclear("another version is there now, which may have come after this one or instead of it")

// By chance, other bytes have the same CRC-32 once in four thousand million times.
const surest = ["sha256", "md5", "crc64nvme", "crc32c", "crc32"] as const satisfies ReadonlyArray<keyof Checksums>

/** Compares what is there with bytes at hand, by the surest of the checksums that the store tells. */
const sameBytes = (checksums: Checksums | undefined, body: Uint8Array): boolean | undefined => {
  const name = surest.find((one) => checksums?.[one] !== undefined)
  if (name === undefined) return undefined
  const sum = beginSum(name)
  sum.add(0, body)
  return sum.digest() === checksums?.[name]
}

/** What became of a write: `body` where it is at hand. */
const judge = (
  engine: Engine,
  object: ObjectOptions,
  size: number,
  body: Uint8Array | undefined,
  stat: ObjectStat,
  lost: LostAnswer
): Finding<WriteReply> => {
  const { mode } = object
  const id = writeIdOf(object.metadata)
  if (id !== undefined && writeIdOf(stat.metadata) === id) {
    if (stat.size !== size) return corrupt(engine, `${size} bytes were sent, the store holds ${stat.size}`)
    const same = body === undefined ? undefined : sameBytes(stat.checksums, body)
    return same === false
      ? corrupt(engine, "the store holds other bytes than were sent")
      : { _tag: "Applied", answer: toReply(stat, same === true ? "checksum" : "size") }
  }
  if (typeof mode === "object" && stat.etag === mode.update) return notApplied
  if (id !== undefined || stat.size !== size) return foreign(engine, mode, stat, lost)
  const same = body === undefined ? undefined : sameBytes(stat.checksums, body)
  if (same === undefined) return unclear("nothing that the store tells of the object says whose it is")
  return same ? { _tag: "Applied", answer: toReply(stat, "checksum") } : foreign(engine, mode, stat, lost)
}

/**
 * Looks at what was written, with `body` where it is at hand. A version that came after it cannot tell, and is no failure.
 */
export const confirm = (
  engine: Engine,
  at: Location,
  reply: WriteReply,
  body: Uint8Array | undefined
): Effect.Effect<WriteReply, ObjectStoreError> =>
  Effect.flatMap(
    Effect.mapError(statNow(engine, at), (error) => withContext(error, { outcome: "applied" })),
    (stat) => {
      const wrong = (description: string, outcome: Outcome) =>
        Effect.fail(makeError("IntegrityFailed", {
          operation: "verify",
          backend: engine.backend.name,
          description,
          outcome
        }))
      if (stat === undefined) return wrong("the object is not there after it was written", "unknown")
      if (stat.etag !== reply.etag) return Effect.succeed(reply)
      if (stat.size !== reply.size) {
        return wrong(`${reply.size} bytes were sent, the store holds ${stat.size}`, "applied")
      }
      const same = body === undefined ? undefined : sameBytes(stat.checksums, body)
      if (same === false) return wrong("the store holds other bytes than were sent", "applied")
      return Effect.succeed(
        same === true || reply.verified === "none" ? { ...reply, verified: same === true ? "checksum" : "size" } : reply
      )
    }
  )

/** Asks for a write of a whole body. */
export const findWrite =
  (engine: Engine, at: Location, body: Uint8Array, object: ObjectOptions) =>
  (lost: LostAnswer): Effect.Effect<Finding<WriteReply>, ObjectStoreError> =>
    Effect.map(statNow(engine, at), (stat) => {
      if (stat !== undefined) return judge(engine, object, body.length, body, stat, lost)
      return typeof object.mode === "object" ? unclear("the object is not there any more") : notApplied
    })

/** Asks for the completion of an upload. */
export const findComplete =
  (engine: Engine, at: Location, size: number, object: ObjectOptions) =>
  (lost: LostAnswer): Effect.Effect<Finding<WriteReply>, ObjectStoreError> =>
    Effect.map(statNow(engine, at), (stat) => {
      const finding = stat === undefined ? notApplied : judge(engine, object, size, undefined, stat, lost)
      if (finding._tag === "Applied" || finding._tag === "Refused") return finding
      // Without its upload nothing can be repeated.
      if (lost.error.reason._tag === "UploadNotFound" || lost.error.reason._tag === "NotFound") {
        return { _tag: "Refused", error: withContext(lost.error, { outcome: "unknown" }) }
      }
      // An upload completes once, so to ask again harms nobody.
      return object.mode === "overwrite" ? notApplied : finding
    })

/** Whether two objects are alike; `undefined` if nothing that the store tells says so. */
const alike = (one: ObjectStat, other: ObjectStat): boolean | undefined => {
  if (one.size !== other.size) return false
  const [oneId, otherId] = [writeIdOf(one.metadata), writeIdOf(other.metadata)]
  if (oneId !== undefined && oneId === otherId) return true
  for (const name of ["sha256", "md5", "crc64nvme", "crc32c", "crc32"] as const) {
    const [a, b] = [one.checksums?.[name], other.checksums?.[name]]
    if (a !== undefined && b !== undefined) return a === b
  }
  return one.etag !== undefined && one.etag === other.etag ? true : undefined
}

/**
 * Asks for a copy. A target that is like the source is as good as ours, whoever made it (RFC 9110 section 13.1.1 has the
 * same rule for a change that appears to have been applied).
 */
export const findCopy =
  (engine: Engine, from: Location, to: Location, { ifMatch, mode }: CopyRequest) =>
  (lost: LostAnswer): Effect.Effect<Finding<WriteReply>, ObjectStoreError> =>
    Effect.gen(function*() {
      const target = yield* statNow(engine, to)
      if (target === undefined) {
        return typeof mode === "object" ? unclear("the target is not there any more") : notApplied
      }
      if (typeof mode === "object" && target.etag === mode.update) return notApplied
      const source = yield* statNow(engine, from)
      if (source === undefined || (ifMatch !== undefined && source.etag !== ifMatch)) {
        return unclear("the source has changed meanwhile")
      }
      const same = alike(source, target)
      if (same === true) return { _tag: "Applied", answer: toReply(target, "size") } satisfies Finding<WriteReply>
      // Copied again, an overwritten target is the same.
      if (mode === "overwrite") return notApplied
      return same === undefined
        ? unclear("nothing that the store tells of the target says what it is a copy of")
        : foreign(engine, mode, target, lost)
    })

/** Asks for a rename: while the version that was to be moved is at its source, it was not moved. */
export const findRename =
  (engine: Engine, from: Location, to: Location, { ifMatch }: CopyRequest) =>
  (lost: LostAnswer): Effect.Effect<Finding<WriteReply>, ObjectStoreError> =>
    Effect.gen(function*() {
      const source = yield* statNow(engine, from)
      if (source === undefined) {
        const target = yield* statNow(engine, to)
        return target !== undefined && ifMatch !== undefined && target.etag === ifMatch
          ? { _tag: "Applied", answer: toReply(target, "size") }
          : unclear("the source is gone, and nothing tells who took it")
      }
      if (source.etag !== ifMatch && !isOlder(source, lost)) {
        return unclear("there is a source, which may be another one")
      }
      const { error } = lost
      return error.reason._tag === "AlreadyExists" || error.reason._tag === "PreconditionFailed"
        ? { _tag: "Refused", error: withContext(error, { outcome: "not-applied" }) }
        : notApplied
    })

/**
 * Asks for the removal of one version. An object that is gone is as good as removed (RFC 9110 section 13.1.1), whoever did
 * it.
 */
export const findDelete =
  (engine: Engine, at: Location, ifMatch: string) =>
  (lost: LostAnswer): Effect.Effect<Finding<void>, ObjectStoreError> =>
    Effect.map(statNow(engine, at), (stat): Finding<void> => {
      if (stat === undefined) return { _tag: "Applied", answer: undefined }
      return stat.etag === ifMatch ? notApplied : foreign(engine, { update: ifMatch }, stat, lost)
    })

const isContainer = (engine: Engine, name: string): Effect.Effect<boolean, ObjectStoreError> =>
  Effect.map(
    request(engine, "read", engine.backend.listContainers),
    (containers) => containers.some((container) => container.name === name)
  )

/** Asks for a container that was to be made. */
export const findContainer = (engine: Engine, name: string) => (): Effect.Effect<Finding<void>, ObjectStoreError> =>
  Effect.map(
    isContainer(engine, name),
    (there) => there ? unclear("the container is there now, and nothing tells who made it") : notApplied
  )

/** Asks for a container that was to be removed. */
export const findNoContainer = (engine: Engine, name: string) => (): Effect.Effect<Finding<void>, ObjectStoreError> =>
  Effect.map(
    isContainer(engine, name),
    (there): Finding<void> => there ? notApplied : { _tag: "Applied", answer: undefined }
  )
