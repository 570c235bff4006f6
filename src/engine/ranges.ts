/**
 * Several ranges of one version: near ones are read as one request.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Location } from "../Backend.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { RangesOptions } from "../ObjectStoreOptions.ts"
import { type Engine, request } from "./engine.ts"
import { readPlan } from "./fill.ts"
import { allocateOrFail } from "./memory.ts"
import { report } from "./progress.ts"
import { readSpan } from "./read.ts"
import { changed, conditionsOf, heldTo } from "./span.ts"
import type { BackendRangeOrEmpty } from "./validate.ts"

const defaultGap = 1024 * 1024

interface Wanted {
  readonly index: number
  readonly offset: number
  readonly length: number
}

interface Group {
  readonly offset: number
  end: number
  readonly members: Array<Wanted>
}

/** Joins ranges that overlap or lie at most `gap` bytes apart. */
const coalesce = (wanted: ReadonlyArray<Wanted>, gap: number): Array<Group> => {
  const groups: Array<Group> = []
  let last: Group | undefined
  for (const range of [...wanted].sort((a, b) => a.offset - b.offset)) {
    if (last !== undefined && range.offset - last.end <= gap) {
      last.end = Math.max(last.end, range.offset + range.length)
      last.members.push(range)
    } else {
      last = { offset: range.offset, end: range.offset + range.length, members: [range] }
      groups.push(last)
    }
  }
  return groups
}

/**
 * Reads ranges of `size` bytes in the order asked; each result is memory of its own. `read` is given joined ranges, and how many
 * requests it may make at a time for one.
 */
export const spread = Effect.fnUntraced(function*(
  engine: Engine,
  size: number,
  ranges: ReadonlyArray<BackendRangeOrEmpty>,
  options: RangesOptions | undefined,
  read: (
    range: { readonly offset: number; readonly length: number },
    concurrency: number
  ) => Effect.Effect<Uint8Array, ObjectStoreError>
): Effect.fn.Return<ReadonlyArray<Uint8Array>, ObjectStoreError> {
  const results: Array<Uint8Array> = Array.from({ length: ranges.length }, () => new Uint8Array(0))
  const wanted: Array<Wanted> = []
  for (const [index, range] of ranges.entries()) {
    if (range === "empty") continue
    const offset = "suffix" in range ? Math.max(0, size - range.suffix) : range.offset
    const length = "suffix" in range ? size - offset : Math.min(range.length, size - offset)
    if (length <= 0) {
      if ("suffix" in range) continue
      return yield* makeError("RangeNotSatisfiable", {
        operation: "getRanges",
        backend: engine.backend.name,
        size,
        description: `range ${index} starts at ${offset}, the object has ${size} bytes`
      })
    }
    wanted.push({ index, offset, length })
  }
  const { concurrency } = readPlan(engine, options)
  const total = wanted.reduce((sum, { length }) => sum + length, 0)
  let bytes = 0
  const groups = coalesce(wanted, options?.coalesce ?? defaultGap)
  // Groups side by side, or the parts of the only one: together no more requests than were asked for.
  const within = groups.length === 1 ? concurrency : 1
  yield* Effect.forEach(groups, (group) =>
    Effect.flatMap(
      read({ offset: group.offset, length: group.end - group.offset }, within),
      (target) =>
        Effect.suspend(() => {
          for (const { index, length, offset } of group.members) {
            const start = offset - group.offset
            results[index] = group.members.length === 1 ? target : target.slice(start, start + length)
            bytes += length
          }
          return report(options?.onProgress, { bytes, total })
        })
    ).pipe(
      Effect.mapError(changed(engine, "the object changed between its ranges"))
    ), { concurrency, discard: true })
  return results
})

/** Reads the ranges of what is stored. */
export const readRanges = (
  engine: Engine,
  at: Location,
  ranges: ReadonlyArray<BackendRangeOrEmpty>,
  options: RangesOptions | undefined
): Effect.Effect<ReadonlyArray<Uint8Array>, ObjectStoreError> =>
  // The size decides what open ranges mean and where all of them end, and the etag holds them to one version.
  Effect.flatMap(request(engine, "read", engine.backend.head(at, conditionsOf(options))), (stat) =>
    spread(engine, stat.size, ranges, options, (range, concurrency) =>
      Effect.map(
        readSpan(
          engine,
          at,
          range,
          { ...heldTo(engine, stat), partSize: options?.partSize, concurrency },
          (span) =>
            allocateOrFail(engine, span.length)
        ),
        ({ target }) => target
      )))
