/**
 * The reads of a store with `decompress`.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ReadResult } from "../ObjectInfo.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { DecompressOption, ReadOptions } from "../ObjectStoreOptions.ts"
import { held, intoMemory, intoTarget } from "./delivery.ts"
import { type Engine, toInfo } from "./engine.ts"
import { type Mode, openRange, openWhole } from "./original.ts"
import type { Place } from "./resolve.ts"
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
  options: Decompressing<ReadOptions>
) =>
  Effect.flatMap(
    range === undefined
      ? openWhole(engine, place, options.decompress, options)
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
  Effect.scoped(Effect.flatMap(open(engine, place, range, options), (delivery) => intoMemory(engine, delivery)))

/** `getInto`. */
export const getOriginalInto = (
  engine: Engine,
  place: Place,
  target: Uint8Array,
  range: BackendRangeOrEmpty | undefined,
  options: Decompressing<ReadOptions>
): Effect.Effect<ReadResult, ObjectStoreError> =>
  Effect.scoped(
    Effect.flatMap(open(engine, place, range, options), (delivery) =>
      Effect.map(intoTarget(engine, delivery, target), (bytes) => ({
        bytes,
        info: toInfo(place, place.key, delivery.stat)
      })))
  )

/** `stream`. */
export const streamOriginal = (
  engine: Engine,
  place: Place,
  range: BackendRangeOrEmpty | undefined,
  options: Decompressing<ReadOptions>
): Stream.Stream<Uint8Array, ObjectStoreError> =>
  Stream.scoped(Stream.unwrap(Effect.map(open(engine, place, range, options), ({ content }) => content)))
