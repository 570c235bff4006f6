/**
 * Copy and rename inside one store.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { CopyRequest, ObjectStat, WriteReply } from "../Backend.ts"
import type { PutResult } from "../ObjectInfo.ts"
import { makeError, type ObjectStoreError, withContext } from "../ObjectStoreError.ts"
import type { At, CopyOptions } from "../ObjectStoreOptions.ts"
import { type Engine, onObject, request } from "./engine.ts"
import { withoutWriteId } from "./identity.ts"
import { toPutResult } from "./put.ts"
import { deleteAt } from "./remove.ts"
import type { Place } from "./resolve.ts"
import { checkReceipt, inOwnScope, openUpload, planUpload } from "./upload.ts"
import { checkEtag, checkMode, checkOptions, unsupported } from "./validate.ts"
import { findCopy, findRename } from "./verify.ts"

const checkCopy = (engine: Engine, options: CopyOptions | undefined): ObjectStoreError | undefined => {
  const { conditionalCopy, conditionalCopySource } = engine.backend.capabilities
  return checkOptions(engine.subject, "copy", options) ?? checkMode(engine.subject, options?.mode, {
    create: conditionalCopy,
    update: conditionalCopy,
    name: "conditionalCopy"
  }) ??
    checkEtag(engine.subject, options?.ifMatch) ??
    (options?.ifMatch !== undefined && !conditionalCopySource
      ? unsupported(engine.subject, "conditionalCopySource")
      : undefined)
}

/** Runs `move` between two places that are not the same; onto itself, an object stays as it is. */
const between = (
  engine: Engine,
  name: string,
  from: At,
  to: At,
  options: CopyOptions | undefined,
  move: (from: Place, to: Place, options: CopyRequest) => Effect.Effect<WriteReply, ObjectStoreError>
): Effect.Effect<PutResult, ObjectStoreError> =>
  onObject(engine, name, to, true, (target) => {
    const resolved = engine.resolver.object(from)
    if (Result.isFailure(resolved)) return Effect.fail(resolved.failure)
    const source = resolved.success
    const wrong = checkCopy(engine, options)
    if (wrong !== undefined) return Effect.fail(wrong)
    const same = source.container === target.container && source.key === target.key
    const moved = same
      ? ontoItself(engine, target, options)
      : move(source, target, { mode: options?.mode ?? "overwrite", ifMatch: options?.ifMatch })
    return moved.pipe(
      // Only the source can be missing, so it is the one to be named.
      Effect.mapError((error) =>
        error.reason._tag === "NotFound" ? withContext(error, { uri: source.names.uri(source.key) }) : error
      ),
      Effect.map((reply) => toPutResult(target, reply))
    )
  })

const ontoItself = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  options: CopyOptions | undefined
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const stat = yield* request(engine, "read", engine.backend.head(place, { ifMatch: options?.ifMatch }))
  const mode = options?.mode ?? "overwrite"
  if (mode === "create") {
    return yield* makeError("AlreadyExists", {
      operation: "copy",
      backend: engine.backend.name,
      description: "the target is the source, which exists",
      outcome: "not-applied"
    })
  }
  if (mode !== "overwrite" && mode.update !== stat.etag) {
    return yield* makeError("PreconditionFailed", {
      operation: "copy",
      backend: engine.backend.name,
      description: "the target has another etag",
      outcome: "not-applied"
    })
  }
  return { etag: stat.etag, version: stat.version, size: stat.size, verified: "size" }
})

/** Copies an object. */
export const copy = (engine: Engine, from: At, to: At, options: CopyOptions | undefined) =>
  between(
    engine,
    "copy",
    from,
    to,
    options,
    (source, target, copyRequest) => copyBetween(engine, source, target, copyRequest)
  )

const copyBetween = (
  engine: Engine,
  source: Place,
  target: Place,
  copyRequest: CopyRequest
): Effect.Effect<WriteReply, ObjectStoreError> => {
  const { backend } = engine
  const { maxCopySize, maxObjectSize, serverCopy } = backend.capabilities
  if (!serverCopy) return Effect.fail(unsupported(engine.subject, "serverCopy"))
  const whole = (options: CopyRequest) =>
    request(engine, "copy", backend.copy(source, target, options), {
      verify: findCopy(engine, source, target, options)
    })
  if (maxCopySize >= maxObjectSize || backend.copyPart === undefined) return whole(copyRequest)
  const bySize = Effect.flatMap(
    request(engine, "read", backend.head(source, { ifMatch: copyRequest.ifMatch })),
    (stat) => stat.size <= maxCopySize ? whole(copyRequest) : copyParts(engine, source, target, copyRequest, stat)
  )
  // A source that has grown since it was looked at is looked at again.
  return Effect.retry(bySize, {
    times: growths,
    while: ({ reason }) => reason._tag === "LimitExceeded" && reason.limit === "maxCopySize"
  })
}

/** So often a source may outgrow one request between a look at it and its copy. */
const growths = 2

/** Copies an object that is too large for one request, part by part, all of one version. */
const copyParts = (
  engine: Engine,
  source: Place,
  target: Place,
  { ifMatch, mode }: CopyRequest,
  stat: ObjectStat
): Effect.Effect<WriteReply, ObjectStoreError> =>
  inOwnScope((left) =>
    Effect.gen(function*() {
      const { backend } = engine
      const plan = planUpload(engine, undefined, stat.size)
      if (!("partSize" in plan)) return yield* plan
      const partSize = Math.min(plan.partSize, backend.capabilities.maxCopySize)
      const carried = {
        mode,
        attributes: stat.attributes ?? {},
        metadata: withoutWriteId(stat.metadata),
        copiedFrom: { container: source.container, key: source.key, stat }
      }
      const upload = yield* openUpload(engine, target, carried, left)
      const count = Math.ceil(stat.size / partSize)
      const parts = yield* Effect.forEach(Array.from({ length: count }, (_, index) => index), (index) => {
        const offset = index * partSize
        const part = {
          number: index + 1,
          offset,
          length: Math.min(partSize, stat.size - offset),
          from: source,
          ifMatch: backend.capabilities.conditionalCopySource ? stat.etag : undefined
        }
        return Effect.mapError(
          checkReceipt(engine, part, request(engine, "part", backend.copyPart!(upload.upload, part))),
          (error) =>
            error.reason._tag === "PreconditionFailed" && ifMatch === undefined
              ? sourceChanged(engine, error)
              : withContext(error, { outcome: "not-applied" })
        )
      }, { concurrency: plan.concurrency })
      return yield* upload.complete(parts, stat.size)
    })
  )

const sourceChanged = (engine: Engine, cause: ObjectStoreError): ObjectStoreError =>
  makeError("ObjectChanged", {
    operation: "copy",
    backend: engine.backend.name,
    description: "the source changed while it was copied",
    outcome: "not-applied",
    cause
  })

/** Moves an object. */
export const rename = (engine: Engine, from: At, to: At, options: CopyOptions | undefined) =>
  between(engine, "rename", from, to, options, (source, target, copyRequest) => {
    const { backend } = engine
    return backend.rename === undefined
      ? copyAndDelete(engine, source, target, copyRequest)
      : request(engine, "copy", backend.rename(source, target, copyRequest), {
        verify: findRename(engine, source, target, copyRequest)
      })
  })

const copyAndDelete = Effect.fnUntraced(function*(
  engine: Engine,
  source: Place,
  target: Place,
  copyRequest: CopyRequest
): Effect.fn.Return<WriteReply, ObjectStoreError> {
  const { backend } = engine
  // What is removed is what was copied, where the store can promise that.
  const pinned = backend.capabilities.conditionalCopySource && backend.capabilities.conditionalDelete
  const etag = pinned
    ? (yield* request(engine, "read", backend.head(source, { ifMatch: copyRequest.ifMatch }))).etag
    : undefined
  const reply = yield* copyBetween(engine, source, target, { ...copyRequest, ifMatch: etag ?? copyRequest.ifMatch })
  yield* Effect.mapError(deleteAt(engine, source, etag), (error) =>
    makeError("PartialFailure", {
      operation: "rename",
      backend: backend.name,
      description: `the object was copied, but the source could not be removed: ${error.message}`,
      succeeded: 1,
      failed: 1,
      failures: [{ uri: source.names.uri(source.key), reason: error.reason._tag, message: error.message }],
      outcome: "applied",
      cause: error
    }))
  return reply
})
