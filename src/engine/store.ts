/**
 * All operations over a backend.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Backend } from "../Backend.ts"
import type { ObjectStoreOperations } from "../ObjectStore.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { At, PresignOptions, StoreOptions } from "../ObjectStoreOptions.ts"
import { makeBudget } from "./budget.ts"
import { copy, rename } from "./copy.ts"
import { endpointOf } from "./endpoint.ts"
import { type Engine, onObject, request, toInfo } from "./engine.ts"
import { getOriginal, getOriginalInto, getOriginalRanges, isDecompressing, streamOriginal } from "./getOriginal.ts"
import { explainStream, list, listContainers, listDirectory, listUploads } from "./list.ts"
import { allocateOrFail } from "./memory.ts"
import { makeObserver } from "./observe.ts"
import { put, sink, writer } from "./put.ts"
import { readRanges } from "./ranges.ts"
import { checkRead, readSpan } from "./read.ts"
import { openReader } from "./reader.ts"
import { remove, removeMany, removePrefix } from "./remove.ts"
import { makeResolver, resolveBase } from "./resolve.ts"
import { streamSpan } from "./stream.ts"
import { tooLarge } from "./upload.ts"
import {
  type BackendRangeOrEmpty,
  checkConditions,
  checkDecompress,
  checkExpiry,
  checkOptions,
  checkPositive,
  checkRange,
  checkTransfer,
  invalid,
  unsupported
} from "./validate.ts"
import { findContainer, findNoContainer } from "./verify.ts"

const defaultRequests = 64
const defaultMemory = 64 * 1024 * 1024

/** Builds the operations over a backend. */
export const makeOperations = Effect.fnUntraced(function*(
  backend: Backend,
  options?: StoreOptions
): Effect.fn.Return<ObjectStoreOperations, ObjectStoreError> {
  const subject = { backend: backend.name, capabilities: backend.capabilities }
  const wrong = checkPositive(subject, "requests", options?.requests) ??
    checkPositive(subject, "memory", options?.memory)
  if (wrong !== undefined) {
    return yield* makeError("Configuration", {
      operation: "fromBackend",
      backend: backend.name,
      description: wrong.reason.description
    })
  }
  const base = resolveBase(backend, options?.base)
  if (Result.isFailure(base)) return yield* base.failure
  const endpoint = yield* endpointOf(backend.name, backend.endpoint)
  return makeStore({
    backend,
    subject,
    resolver: makeResolver(backend, base.success),
    requests: makeBudget(options?.requests ?? defaultRequests),
    bytes: makeBudget(options?.memory ?? defaultMemory),
    endpoint,
    quota: endpoint.quota,
    adaptiveRate: options?.adaptiveRate ?? true,
    observer: makeObserver(backend.name)
  })
})

const makeStore = (engine: Engine): ObjectStoreOperations => {
  const { backend, observer, subject } = engine
  const { capabilities } = backend

  const onContainer = (
    operation: string,
    name: string,
    run: Effect.Effect<void, ObjectStoreError>
  ): Effect.Effect<void, ObjectStoreError> =>
    Effect.suspend(() => {
      const wrong = engine.resolver.checkContainer(name)
      return wrong === undefined
        ? observer.operation(operation, engine.resolver.containerUri(name), true, run)
        : observer.operation(operation, undefined, true, Effect.fail(wrong))
    })

  return {
    capabilities,

    get: (at, options) =>
      onObject(engine, "get", at, false, (place) => {
        const checked = checkRead(engine, options, undefined)
        if (isObjectStoreError(checked)) return Effect.fail(checked)
        return isDecompressing(options) ? getOriginal(engine, place, undefined, options) : Effect.map(
          readSpan(engine, place, undefined, options, (span) => allocateOrFail(engine, span.length)),
          ({ target }) => target
        )
      }),

    getRange: (at, range, options) =>
      onObject(engine, "getRange", at, false, (place) => {
        const checked = range === undefined
          ? invalid(subject, "the range is missing")
          : checkRead(engine, options, range)
        if (isObjectStoreError(checked)) return Effect.fail(checked)
        return isDecompressing(options) ? getOriginal(engine, place, checked, options) : Effect.map(
          readSpan(engine, place, checked, options, (span) => allocateOrFail(engine, span.length)),
          ({ target }) => target
        )
      }),

    getRanges: (at, ranges, options) =>
      onObject(engine, "getRanges", at, false, (place) => {
        const checked = checkOptions(subject, "ranges", options) ?? checkTransfer(subject, options) ??
          checkConditions(subject, options) ?? checkDecompress(subject, options)
        if (checked !== undefined) return Effect.fail(checked)
        const gap = options?.coalesce
        if (gap !== undefined && !(Number.isSafeInteger(gap) && gap >= 0)) {
          return Effect.fail(invalid(subject, `coalesce ${String(gap)} is not a non-negative integer`))
        }
        if (!Array.isArray(ranges)) return Effect.fail(invalid(subject, "the ranges are no array"))
        const wanted = Array.from(ranges, (range) => checkRange(subject, range))
        const wrong = wanted.find(isObjectStoreError)
        if (wrong !== undefined) return Effect.fail(wrong)
        const found = wanted.filter((range): range is BackendRangeOrEmpty => !isObjectStoreError(range))
        return isDecompressing(options)
          ? getOriginalRanges(engine, place, found, options)
          : readRanges(engine, place, found, options)
      }),

    getInto: (at, target, options) =>
      onObject(engine, "getInto", at, false, (place) => {
        const checked = checkRead(engine, options, options?.range)
        if (isObjectStoreError(checked)) return Effect.fail(checked)
        if (!(target instanceof Uint8Array)) return Effect.fail(invalid(subject, "the target is no Uint8Array"))
        if (isDecompressing(options)) return getOriginalInto(engine, place, target, checked, options)
        return Effect.map(
          readSpan(engine, place, checked, options, (span) =>
            span.length <= target.length
              ? Effect.succeed(target)
              : Effect.fail(
                tooLarge(engine, "target", `${span.length} bytes do not fit into a target of ${target.length}`)
              )),
          ({ span }) => ({ bytes: span.length, info: toInfo(place, place.key, span.stat) })
        )
      }),

    stream: (at, options) =>
      Stream.suspend(() => {
        const resolved = engine.resolver.object(at)
        if (Result.isFailure(resolved)) return explainStream(engine, "stream", undefined)(Stream.fail(resolved.failure))
        const place = resolved.success
        const checked = checkRead(engine, options, options?.range)
        return explainStream(engine, "stream", place.names.uri(place.key))(
          isObjectStoreError(checked)
            ? Stream.fail(checked)
            : isDecompressing(options)
            ? streamOriginal(engine, place, checked, options)
            : streamSpan(engine, place, checked, options)
        )
      }),

    open: (at, options) => onObject(engine, "open", at, false, (place) => openReader(engine, place, options)),

    stat: (at, options) =>
      onObject(engine, "stat", at, false, (place) => {
        const wrong = checkOptions(subject, "conditions", options) ?? checkConditions(subject, options)
        return wrong === undefined
          ? Effect.map(request(engine, "read", backend.head(place, options ?? {})), (stat) =>
            toInfo(place, place.key, stat))
          : Effect.fail(wrong)
      }),

    exists: (at, options) =>
      onObject(engine, "exists", at, false, (place) => {
        const wrong = checkOptions(subject, "conditions", options) ?? checkConditions(subject, options)
        return wrong === undefined
          ? Effect.catchReason(
            Effect.as(request(engine, "read", backend.head(place, options ?? {})), true),
            "ObjectStoreError",
            "NotFound",
            () => Effect.succeed(false)
          )
          : Effect.fail(wrong)
      }),

    put: (at, body, options) => put(engine, "put", at, body, options, false),
    putMultipart: (at, body, options) => put(engine, "putMultipart", at, body, options, true),
    sink: (at, options) => sink(engine, at, options),
    writer: (at, options) => writer(engine, "writer", at, options),

    list: (prefix = "", options) => list(engine, "list", prefix, options),
    listDirectory: (prefix = "", options) => listDirectory(engine, prefix, options),

    delete: (at, options) => remove(engine, at, options),
    deleteMany: (keys, options) => removeMany(engine, keys, options),
    deletePrefix: (prefix, options) => removePrefix(engine, prefix, options),

    copy: (from, to, options) => copy(engine, from, to, options),
    rename: (from, to, options) => rename(engine, from, to, options),

    createContainer: (name, options) =>
      onContainer(
        "createContainer",
        name,
        Effect.suspend(() => {
          const wrong = checkOptions(subject, "container", options) ??
            (options?.location !== undefined && !capabilities.containerLocation
              ? unsupported(subject, "containerLocation")
              : undefined)
          return wrong === undefined
            ? request(engine, "conditional", backend.createContainer(name, options ?? {}), {
              verify: findContainer(engine, name)
            })
            : Effect.fail(wrong)
        })
      ),
    deleteContainer: (name) =>
      onContainer(
        "deleteContainer",
        name,
        request(engine, "conditional", backend.deleteContainer(name), { verify: findNoContainer(engine, name) })
      ),
    listContainers: (options) => {
      const wrong = checkOptions(subject, "containers", options)
      return wrong === undefined
        ? listContainers(engine, options?.prefix ?? "")
        : explainStream(engine, "listContainers", undefined)(Stream.fail(wrong))
    },

    presign: (at, options) => presign(engine, at, options),

    listUploads: (prefix = "") => listUploads(engine, prefix),
    abortUpload: (upload) =>
      Effect.suspend(() => {
        const resolved = engine.resolver.place(upload.uri)
        return observer.operation(
          "abortUpload",
          upload.uri,
          true,
          Result.isFailure(resolved)
            ? Effect.fail(resolved.failure)
            : request(
              engine,
              "abort",
              backend.abortUpload({
                container: resolved.success.container,
                key: resolved.success.key,
                id: upload.id
              }),
              // Gone is gone, whoever did it.
              { onEcho: () => undefined }
            )
        )
      })
  }
}

const presign = (engine: Engine, at: At, options: PresignOptions) =>
  onObject(engine, "presign", at, false, (place) => {
    if (!engine.backend.capabilities.presign) return Effect.fail(unsupported(engine.subject, "presign"))
    const wrong = checkOptions(engine.subject, "presign", options ?? {})
    if (wrong !== undefined) return Effect.fail(wrong)
    if (!["GET", "PUT", "HEAD", "DELETE"].includes(options?.method)) {
      return Effect.fail(invalid(engine.subject, "method is not GET, PUT, HEAD or DELETE"))
    }
    const expiresIn = checkExpiry(engine.subject, options.expiresIn)
    return isObjectStoreError(expiresIn)
      ? Effect.fail(expiresIn)
      : request(engine, "read", engine.backend.presign(place, { method: options.method, expiresIn }))
  })
