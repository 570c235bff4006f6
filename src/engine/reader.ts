/**
 * A reader of one version.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ObjectReader } from "../ObjectStore.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { ByteRange, OpenOptions, ReaderReadOptions } from "../ObjectStoreOptions.ts"
import { held, intoMemory, intoTarget } from "./delivery.ts"
import { type Engine, request, toInfo } from "./engine.ts"
import { isDecompressing } from "./getOriginal.ts"
import { explainStream } from "./list.ts"
import { allocateOrFail } from "./memory.ts"
import { layoutOf, rangeOf } from "./original.ts"
import { checkRead, readSpan } from "./read.ts"
import type { Place } from "./resolve.ts"
import { conditionsOf, heldTo, type Span } from "./span.ts"
import { streamSpan } from "./stream.ts"
import { tooLarge } from "./upload.ts"
import { checkConditions, checkDecompress, checkOptions, invalid } from "./validate.ts"

/** Opens a reader on what the object is now. */
export const openReader = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  conditions: OpenOptions | undefined
): Effect.fn.Return<ObjectReader, ObjectStoreError, Scope.Scope> {
  const wrong = checkOptions(engine.subject, "open", conditions) ?? checkConditions(engine.subject, conditions) ??
    checkDecompress(engine.subject, conditions)
  if (wrong !== undefined) return yield* wrong
  const stat = yield* request(engine, "read", engine.backend.head(place, conditionsOf(conditions)))
  let open = true
  yield* Effect.addFinalizer(() => Effect.sync(() => open = false))
  const uri = place.names.uri(place.key)
  const explain = (error: ObjectStoreError) => engine.observer.explain(pinned(engine, error), "open", uri, false)
  const checked = (range: ByteRange | undefined, options: ReaderReadOptions | undefined) =>
    open
      ? checkOptions(engine.subject, "reader", options) ?? checkRead(engine, options, range)
      : invalid(engine.subject, "the reader's scope has closed")
  const pin = (options: ReaderReadOptions | undefined) => ({
    ...options,
    ...heldTo(engine, stat)
  })

  const read = (
    range: ByteRange | undefined,
    options: ReaderReadOptions | undefined,
    target: (span: Span) => Effect.Effect<Uint8Array, ObjectStoreError>
  ) =>
    Effect.suspend(() => {
      const what = checked(range, options)
      return isObjectStoreError(what) ? Effect.fail(what) : readSpan(
        engine,
        place,
        what,
        pin(options),
        target
      )
    }).pipe(Effect.mapError(explain))

  if (isDecompressing(conditions)) {
    // Looked at once; what failed is looked at again by the next read.
    const layout = yield* Effect.cachedWithTTL(
      layoutOf(engine, place, conditions.decompress, stat, new Uint8Array(0)),
      (exit) => Exit.isSuccess(exit) ? Duration.infinity : Duration.zero
    )
    const opened = Effect.fnUntraced(function*(range: ByteRange | undefined, options: ReaderReadOptions | undefined) {
      const what = checked(range, options)
      if (isObjectStoreError(what)) return yield* what
      return yield* held(
        engine,
        yield* rangeOf(engine, place, stat, yield* layout, what, options),
        options
      )
    })
    return {
      info: toInfo(place, place.key, stat),
      read: (range, options) =>
        Effect.mapError(
          Effect.flatMap(opened(range, options), (delivery) => intoMemory(engine, delivery)),
          explain
        ),
      readInto: (target, range, options) =>
        Effect.mapError(
          Effect.flatMap(opened(range, options), (delivery) => intoTarget(engine, delivery, target)),
          explain
        ),
      stream: (range, options) =>
        explainStream(engine, "open", uri)(
          Stream.unwrap(Effect.map(opened(range, options), ({ content }) => content))
        )
    }
  }

  return {
    info: toInfo(place, place.key, stat),
    read: (range, options) =>
      Effect.map(read(range, options, (span) => allocateOrFail(engine, span.length)), ({ target }) => target),
    readInto: (target, range, options) =>
      Effect.map(
        read(range, options, (span) =>
          span.length <= target.length
            ? Effect.succeed(target)
            : Effect.fail(
              tooLarge(engine, "target", `${span.length} bytes do not fit into a target of ${target.length}`)
            )),
        ({ span }) => span.length
      ),
    stream: (range, options) =>
      Stream.suspend(() => {
        const what = checked(range, options)
        return (isObjectStoreError(what) ? Stream.fail(what) : streamSpan(engine, place, what, pin(options))).pipe(
          Stream.mapError((error) => pinned(engine, error)),
          explainStream(engine, "open", uri)
        )
      })
  }
})

const replaced: ReadonlySet<string> = new Set(["PreconditionFailed", "NotFound", "ObjectChanged"])

const pinned = (engine: Engine, error: ObjectStoreError): ObjectStoreError =>
  replaced.has(error.reason._tag)
    ? makeError("ObjectChanged", {
      operation: "open",
      backend: engine.backend.name,
      description: "the object is no longer the version that was opened",
      cause: error.reason._tag === "ObjectChanged" ? error.reason.cause : error
    })
    : error
