/**
 * Removal of a batch of keys of one container: one result a key, and only the keys that failed are sent again.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { DeleteEntry } from "../Backend.ts"
import type { DeleteResult } from "../ObjectInfo.ts"
import { makeError, type ObjectStoreError, withContext } from "../ObjectStoreError.ts"
import { outcomeOf } from "../outcome.ts"
import { type Engine, request } from "./engine.ts"
import type { Place } from "./resolve.ts"
import { clampDelay } from "./retry.ts"
import { failureOf } from "./retryMatrix.ts"
import { RetryPolicy } from "./retryPolicy.ts"

/** Sends one request; a reply that leaves a key out, or names more, is no answer. */
export const deleteOnce = (
  engine: Engine,
  container: string,
  entries: ReadonlyArray<DeleteEntry>
): Effect.Effect<ReadonlyArray<ObjectStoreError | undefined>, ObjectStoreError> =>
  Effect.filterOrFail(
    engine.backend.deleteBatch(container, entries),
    (answers) => answers.length === entries.length,
    (answers) =>
      makeError("ProtocolViolation", {
        operation: "delete",
        backend: engine.backend.name,
        description: `${entries.length} keys were sent, ${answers.length} were answered`,
        outcome: "unknown"
      })
  )

/** What is known of one key. */
interface Entry {
  readonly place: Place
  /** How often it was sent. */
  attempts: number
  /** Its last failure; none if it is removed. */
  error: ObjectStoreError | undefined
  /** Whether one of its failures leaves open that it was removed. */
  lost: boolean
}

const failed = (entry: Entry, error: ObjectStoreError | undefined) => {
  entry.error = error
  if (error !== undefined && outcomeOf(error) !== "not-applied") entry.lost = true
}

/** The failure that makes a batch wait longest before it goes on. */
const worse = (one: ObjectStoreError | undefined, other: ObjectStoreError): ObjectStoreError => {
  if (one === undefined) return other
  const longer = clampDelay(other.retryAfter) - clampDelay(one.retryAfter)
  return longer > 0 || (longer === 0 && other.reason._tag === "Throttled") ? other : one
}

const repetitions = { retry: Infinity, twice: 2, once: 1, fail: 0 }

/** Removes a batch of one container: one result a key, whatever happens to the request. */
export const deleteBatch = (
  engine: Engine,
  places: ReadonlyArray<Place>
): Effect.Effect<ReadonlyArray<DeleteResult>> =>
  Effect.flatMap(RetryPolicy, (policy) => {
    const entries = places.map((place): Entry => ({ place, attempts: 0, error: undefined, lost: false }))
    // A repeated request carries only these.
    let open: ReadonlyArray<Entry> = entries
    const isRepeated = ({ attempts, error }: Entry): boolean =>
      error !== undefined && attempts <= repetitions[policy.matrix[failureOf(error.reason)]?.delete ?? "fail"]
    const attempt = Effect.suspend(() => {
      const sent = open
      for (const entry of sent) entry.attempts++
      return deleteOnce(engine, places[0]!.container, sent.map(({ place }) => ({ key: place.key }))).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            for (const entry of sent) failed(entry, error)
          })
        ),
        Effect.flatMap((answers) => {
          for (const [position, entry] of sent.entries()) failed(entry, answers[position])
          open = sent.filter(isRepeated)
          const failure = open.reduce<ObjectStoreError | undefined>(
            (found, { error }) => worse(found, error!),
            undefined
          )
          return failure === undefined ? Effect.void : Effect.fail(failure)
        })
      )
    })
    return request(engine, "delete", attempt).pipe(
      Effect.catch((error) =>
        Effect.sync(() => {
          // What was never sent has no failure of its own.
          for (const entry of open) entry.error ??= error
        })
      ),
      Effect.map(() => entries.map((entry) => resultOf(engine, entry)))
    )
  })

const resultOf = (engine: Engine, { attempts, error, lost, place }: Entry): DeleteResult => {
  const uri = place.names.uri(place.key)
  const outcome = lost && error?.outcome !== "applied" ? "unknown" : undefined
  return {
    uri,
    key: place.names.key(place.key),
    error: error === undefined
      ? undefined
      : engine.observer.explain(withContext(error, { attempts, outcome }), "deleteMany", uri, true)
  }
}
