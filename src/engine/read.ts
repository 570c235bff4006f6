/**
 * Reads into memory: the first request is already a range and tells size and version; the rest is read in parts, side by
 * side, straight into one target, all of that version.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Location } from "../Backend.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { ByteRange, ReadOptions } from "../ObjectStoreOptions.ts"
import type { Engine } from "./engine.ts"
import { fill, readPlan } from "./fill.ts"
import { openSpan, type Span } from "./span.ts"
import type { Known } from "./spanCheck.ts"
import { tooLarge } from "./upload.ts"
import {
  type BackendRangeOrEmpty,
  checkConditions,
  checkDecompress,
  checkExpected,
  checkOptions,
  checkRange,
  checkTransfer
} from "./validate.ts"

/** Checks all options of a read, and the range. */
export const checkRead = (
  engine: Engine,
  options: ReadOptions | undefined,
  range: ByteRange | undefined
): BackendRangeOrEmpty | undefined | ObjectStoreError =>
  checkOptions(engine.subject, "read", options) ?? checkTransfer(engine.subject, options) ??
    checkConditions(engine.subject, options) ?? checkExpected(engine.subject, options?.expected) ??
    checkDecompress(engine.subject, options) ??
    (range === undefined ? undefined : checkRange(engine.subject, range))

/** Refuses to deliver more than was allowed. */
export const checkSize = (
  engine: Engine,
  length: number,
  maxSize: number | undefined
): Effect.Effect<void, ObjectStoreError> =>
  maxSize === undefined || length <= maxSize
    ? Effect.void
    : Effect.fail(
      tooLarge(engine, "maxSize", `${length} bytes would be delivered, more than the ${maxSize} that are allowed`)
    )

/** Reads an object or a range of it into memory that `place` provides once the size is known. */
export const readSpan = Effect.fnUntraced(
  function*(
    engine: Engine,
    at: Location,
    range: BackendRangeOrEmpty | undefined,
    options: (ReadOptions & Known) | undefined,
    place: (span: Span) => Effect.Effect<Uint8Array, ObjectStoreError>
  ) {
    const { partSize } = readPlan(engine, options)
    const opened = yield* openSpan(engine, at, range, options, partSize)
    yield* checkSize(engine, opened.span.length, options?.maxSize)
    const target = yield* place(opened.span)
    yield* fill(engine, at, opened, target.subarray(0, opened.span.length), options)
    yield* engine.observer.read(opened.span.length)
    return { span: opened.span, target }
  },
  Effect.scoped
)
