/**
 * What objects may hold while answers are lost, and what was seen that may not be: reads and listings are held against what
 * changes said of themselves, and so is the store itself in the end.
 */
import { Effect, Stream } from "effect"
import type { ObjectStore, ObjectStoreError } from "effect-objectstore"

/** How an operation may fail where only the network and the service are to blame. */
const blameless: ReadonlySet<string> = new Set([
  "BodyInterrupted",
  "ConnectionFailed",
  "OutcomeUnknown",
  "PartialFailure",
  "ProtocolViolation",
  "Throttled",
  "Timeout",
  "Unavailable"
])

/**
 * What is wrong: bytes or a listing that cannot be, a failure that nobody is to blame for, a refusal that is not true, or an object
 * that cannot be what it is by what its changes said.
 */
type Kind = "corrupt" | "unclassified" | "untrue" | "outcome"

/** A ledger. `State` stands for what an object holds; there may be none. */
export interface Ledger<State> {
  readonly violations: ReadonlyArray<{ readonly kind: Kind; readonly text: string }>
  /** Operations that succeeded, or were refused as they had to be; and that failed. */
  readonly counts: { readonly done: number; readonly failed: number }
  /** What an object holds, where that is certain. */
  readonly certain: (key: string) => State | undefined
  /** Runs a change of objects: each of `to` becomes what is said, or stays. One that only `creates` may be refused. */
  readonly change: (
    what: string,
    effect: Effect.Effect<unknown, ObjectStoreError>,
    to: Readonly<Record<string, State | undefined>>,
    creates?: boolean
  ) => Effect.Effect<void>
  /** Runs a read of an object, or of the part of it that `part` cuts out. */
  readonly look: (
    what: string,
    key: string,
    effect: Effect.Effect<Uint8Array, ObjectStoreError>,
    part?: (whole: Uint8Array) => Uint8Array
  ) => Effect.Effect<void>
  /** Runs a listing that has to hold those of `keys` that are there, each once, and no other. */
  readonly list: (
    listing: Stream.Stream<{ readonly key: string }, ObjectStoreError>,
    keys: ReadonlyArray<string>
  ) => Effect.Effect<void>
  /** Runs anything else. */
  readonly run: (what: string, effect: Effect.Effect<unknown, ObjectStoreError>) => Effect.Effect<void>
  /** Looks at what a store really holds, past the trouble. */
  readonly audit: (store: ObjectStore["Service"]) => Effect.Effect<void, ObjectStoreError>
}

const show = (bytes: Uint8Array | undefined): string => bytes === undefined ? "nothing" : `${bytes.length} bytes`

/** Makes a ledger; `bytesOf` tells what a state stands for. */
export const makeLedger = <State>(bytesOf: (state: State) => Uint8Array): Ledger<State> => {
  const states = new Map<string, ReadonlyArray<State | undefined>>()
  const violations: Array<{ readonly kind: Kind; readonly text: string }> = []
  const counts = { done: 0, failed: 0 }
  const wrong = (kind: Kind, text: string): void => void violations.push({ kind, text })
  const of = (key: string): ReadonlyArray<State | undefined> => states.get(key) ?? [undefined]
  const mayBeThere = (key: string): boolean => of(key).some((state) => state !== undefined)

  const check = (
    kind: Kind,
    what: string,
    key: string,
    found: Uint8Array | undefined,
    part: (whole: Uint8Array) => Uint8Array = (whole) => whole
  ): void => {
    const possible = of(key).map((state) => state === undefined ? undefined : part(bytesOf(state)))
    const fits = possible.some((bytes) =>
      bytes === undefined || found === undefined ? bytes === found : Buffer.compare(bytes, found) === 0
    )
    if (!fits) wrong(kind, `${what} of ${key} told ${show(found)}, and it may be ${possible.map(show).join(" or ")}`)
  }

  const noteFailure = (what: string, error: ObjectStoreError): void => {
    counts.failed++
    if (!blameless.has(error.reason._tag)) wrong("unclassified", `${what} failed: ${error.message}`)
  }

  const counted = <A>(
    effect: Effect.Effect<A, ObjectStoreError>,
    onSuccess: (value: A) => void,
    onFailure: (error: ObjectStoreError) => void
  ): Effect.Effect<void> =>
    Effect.match(effect, {
      onSuccess: (value) => {
        counts.done++
        onSuccess(value)
      },
      onFailure
    })

  return {
    violations,
    counts,
    certain: (key) => of(key).length === 1 ? of(key)[0] : undefined,
    change: (what, effect, to, creates = false) =>
      counted(
        effect,
        () => {
          for (const [key, state] of Object.entries(to)) states.set(key, [state])
        },
        (error) => {
          const keys = Object.keys(to)
          if (creates && error.reason._tag === "AlreadyExists") {
            counts.done++
            if (!keys.some(mayBeThere)) wrong("untrue", `${what} of ${keys.join(", ")} failed: ${error.message}`)
            else for (const key of keys) states.set(key, of(key).filter((state) => state !== undefined))
          } else noteFailure(`${what} of ${keys.join(", ")}`, error)
          if (error.outcome === "not-applied") return
          for (const [key, state] of Object.entries(to)) {
            // Of a change that was done by half, any half may be.
            const isDone = error.outcome === "applied" && error.reason._tag !== "PartialFailure"
            states.set(key, isDone ? [state] : [...of(key), state])
          }
        }
      ),
    look: (what, key, effect, part) =>
      counted(
        effect,
        (found) => check("corrupt", what, key, found, part),
        (error) => {
          if (error.reason._tag === "NotFound") check("corrupt", what, key, undefined)
          else noteFailure(`${what} of ${key}`, error)
        }
      ),
    list: (listing, keys) =>
      counted(
        Stream.runCollect(listing),
        (found) => {
          const names = found.map(({ key }) => key)
          for (const key of keys) {
            const times = names.filter((name) => name === key).length
            const possible = times === 0 ? of(key).includes(undefined) : mayBeThere(key)
            if (times > 1 || !possible) wrong("corrupt", `the listing told ${key} ${times} times`)
          }
          const strange = names.find((name) => !keys.includes(name))
          if (strange !== undefined) wrong("corrupt", `the listing told ${strange}, which nobody wrote`)
        },
        (error) => noteFailure("the listing", error)
      ),
    run: (what, effect) => counted(effect, () => {}, (error) => noteFailure(what, error)),
    audit: Effect.fnUntraced(function*(store) {
      for (const key of states.keys()) {
        const found = yield* Effect.catchReason(store.get(key), "ObjectStoreError", "NotFound", () => Effect.undefined)
        check("outcome", "the audit", key, found)
      }
      for (const { key } of yield* Stream.runCollect(store.list())) {
        if (!states.has(key)) wrong("outcome", `nobody wrote ${key}`)
      }
    })
  }
}
