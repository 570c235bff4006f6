/**
 * Copy and rename from one store to another: a bounded stream of one version of the source, compared on the way and
 * afterwards.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { compared } from "../../src/codec/Sum.ts"
import { carriedTo } from "../../src/labels.ts"
import type { ObjectInfo, PutResult } from "../../src/ObjectInfo.ts"
import type { ObjectStore } from "../../src/ObjectStore.ts"
import { isObjectStoreError, makeError, type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import type { At, CopyOptions } from "../../src/ObjectStoreOptions.ts"
import { backendName } from "./errors.ts"
import { explain, type Router } from "./stores.ts"

type Name = "copy" | "rename"
type Store = ObjectStore["Service"]

interface Moved {
  readonly written: PutResult
  readonly info: ObjectInfo
}

/** A failure of one of the two stores, as one of the operation that was asked. */
const asOne = (name: Name, outcome?: "not-applied") => (error: ObjectStoreError): ObjectStoreError =>
  withContext(error, { operation: name, outcome })

const failed = (name: Name, uri: string, description: string, outcome: "applied" | "not-applied"): ObjectStoreError =>
  makeError("IntegrityFailed", { operation: name, backend: backendName, uri, description, outcome })

const isPath = (uri: string): boolean => /^(?:file|direct):/.test(uri)
const pathOf = (uri: string): string => uri.slice(uri.indexOf(":"))

/** Whether source and target are one file, by `file://` and by `direct://`. */
const isSameFile = (target: Store, info: ObjectInfo, to: At): Effect.Effect<boolean, ObjectStoreError> =>
  isPath(info.uri)
    ? target.stat(to).pipe(
      Effect.map(({ uri }) => isPath(uri) && pathOf(uri) === pathOf(info.uri)),
      Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(false))
    )
    : Effect.succeed(false)

const transfer = Effect.fnUntraced(
  function*(name: Name, source: Store, from: At, target: Store, to: At, options: CopyOptions | undefined) {
    const ifMatch = options?.ifMatch
    const reader = yield* Effect.mapError(
      source.open(from, ifMatch === undefined ? undefined : { ifMatch }),
      asOne(name, "not-applied")
    )
    const { info } = reader
    if (yield* Effect.mapError(isSameFile(target, info, to), asOne(name, "not-applied"))) {
      const written = yield* Effect.mapError(target.copy(to, to, options), asOne(name))
      return { written, info, same: true }
    }
    const body = compared(
      reader.stream(),
      info.checksums,
      (description) => failed(name, info.uri, description, "not-applied")
    )
    const written = yield* target.put(to, body, {
      ...(yield* carriedTo(target.capabilities, info)),
      mode: options?.mode,
      size: info.size
    }).pipe(
      Effect.mapError((error) => {
        const { _tag, cause } = error.reason
        // The source's own failure says more than that there was one.
        return _tag === "SourceFailed" && isObjectStoreError(cause)
          ? withContext(cause, { operation: name, uri: cause.uri ?? info.uri, outcome: error.outcome })
          : asOne(name)(error)
      })
    )
    const stored = written.verified === "none"
      ? yield* Effect.mapError(target.stat(to), (error) => withContext(error, { operation: name, outcome: "applied" }))
      : written
    if (stored.size !== info.size) {
      return yield* failed(name, written.uri, `the copy has ${stored.size} bytes, the source ${info.size}`, "applied")
    }
    return { written, info, same: false }
  },
  Effect.scoped
)

const removeSource = (source: Store, from: At, { info }: Moved): Effect.Effect<void, ObjectStoreError> => {
  const pin = source.capabilities.conditionalDelete ? info.etag : undefined
  return Effect.mapError(
    source.delete(from, pin === undefined ? undefined : { ifMatch: pin }),
    (error) =>
      makeError("PartialFailure", {
        operation: "rename",
        backend: backendName,
        uri: info.uri,
        description: `the object was copied, but the source could not be removed: ${error.message}`,
        succeeded: 1,
        failed: 1,
        failures: [{ uri: info.uri, reason: error.reason._tag, message: error.message }],
        outcome: "applied",
        cause: error
      })
  )
}

const between = (
  router: Router,
  name: Name,
  from: At,
  to: At,
  options: CopyOptions | undefined
): Effect.Effect<PutResult, ObjectStoreError> =>
  Effect.gen(function*() {
    const [source, target] = yield* Effect.all([
      Effect.mapError(router.storeOf(from), (error) => explain(error, name, from, true)),
      Effect.mapError(router.storeOf(to), (error) => explain(error, name, to, true))
    ])
    if (source === target) return yield* source[name](from, to, options)
    return yield* Effect.withSpan(
      Effect.gen(function*() {
        const moved = yield* transfer(name, source, from, target, to, options)
        if (name === "rename" && !moved.same) yield* removeSource(source, from, moved)
        return moved.written
      }),
      `ObjectStore.${name}`,
      { kind: "client", attributes: { "objectstore.backend": backendName } }
    )
  })

/** Copies an object: by its store, or from one store to another. */
export const copy = (router: Router, from: At, to: At, options: CopyOptions | undefined) =>
  between(router, "copy", from, to, options)

/** Moves an object: by its store, or as a copy to another store and the removal of the version that was copied. */
export const rename = (router: Router, from: At, to: At, options: CopyOptions | undefined) =>
  between(router, "rename", from, to, options)
