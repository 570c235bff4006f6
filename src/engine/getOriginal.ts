/**
 * The reads of a store with `decompress`.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ReadResult } from "../ObjectInfo.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { DecompressOption, RangesOptions, ReadOptions } from "../ObjectStoreOptions.ts"
import { held, intoMemory, intoTarget } from "./delivery.ts"
import { type Engine, request, toInfo } from "./engine.ts"
import { layoutOf, type Mode, openRange, openWhole, rangeOf, sizeOf } from "./original.ts"
import { spread } from "./ranges.ts"
import type { Place } from "./resolve.ts"
import { conditionsOf } from "./span.ts"
import type { BackendRangeOrEmpty } from "./validate.ts"

/** Options of a read that asks for the original. */
export type Decompressing<Options> = Options & { readonly decompress: Mode }

/** Whether a read asks for the original. */
export const isDecompressing = <Options extends DecompressOption>(
  options: Options | undefined
): options is Decompressing<Options> => options?.decompress === true || options?.decompress === "auto"

const open = (
  engine: Engine,
  place: Place,
  range: BackendRangeOrEmpty | undefined,
  options: Decompressing<ReadOptions>,
  wantsLength: boolean
) =>
  Effect.flatMap(
    range === undefined
      ? openWhole(engine, place, options.decompress, options, wantsLength)
      : openRange(engine, place, options.decompress, range, options),
    (delivery) => held(engine, delivery, options)
  )

/** `get` and `getRange`. */
export const getOriginal = (
  engine: Engine,
  place: Place,
  range: BackendRangeOrEmpty | undefined,
  options: Decompressing<ReadOptions>
): Effect.Effect<Uint8Array, ObjectStoreError> =>
  Effect.scoped(Effect.flatMap(open(engine, place, range, options, true), (delivery) => intoMemory(engine, delivery)))

/** `getInto`. */
export const getOriginalInto = (
  engine: Engine,
  place: Place,
  target: Uint8Array,
  range: BackendRangeOrEmpty | undefined,
  options: Decompressing<ReadOptions>
): Effect.Effect<ReadResult, ObjectStoreError> =>
  Effect.scoped(
    Effect.flatMap(open(engine, place, range, options, false), (delivery) =>
      Effect.map(intoTarget(engine, delivery, target), (bytes) => ({
        bytes,
        info: toInfo(place, place.key, delivery.stat)
      })))
  )

/** `getRanges`. */
export const getOriginalRanges = Effect.fnUntraced(function*(
  engine: Engine,
  place: Place,
  ranges: ReadonlyArray<BackendRangeOrEmpty>,
  options: Decompressing<RangesOptions>
): Effect.fn.Return<ReadonlyArray<Uint8Array>, ObjectStoreError> {
  const stat = yield* request(engine, "read", engine.backend.head(place, conditionsOf(options)))
  const layout = yield* layoutOf(engine, place, options.decompress, stat, new Uint8Array(0))
  const size = yield* sizeOf(engine, place, stat, layout)
  return yield* spread(engine, size, ranges, options, (range, concurrency) =>
    Effect.flatMap(
      rangeOf(engine, place, stat, layout, range, { partSize: options.partSize, concurrency }),
      (delivery) => intoMemory(engine, delivery)
    ))
})

/** `stream`. */
export const streamOriginal = (
  engine: Engine,
  place: Place,
  range: BackendRangeOrEmpty | undefined,
  options: Decompressing<ReadOptions>
): Stream.Stream<Uint8Array, ObjectStoreError> =>
  Stream.scoped(Stream.unwrap(Effect.map(open(engine, place, range, options, false), ({ content }) => content)))
