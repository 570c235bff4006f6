import { Effect, Random, Stream } from "effect"
import { isObjectStoreError, type ObjectStore, type ObjectStoreError } from "effect-objectstore"

type Store = ObjectStore["Service"]

/** What an object may hold: bytes, or that there is none. */
type State = Uint8Array | undefined

/** How an operation may fail when only the network is to blame. */
const network = new Set([
  "BodyInterrupted",
  "ConnectionFailed",
  "OutcomeUnknown",
  "ProtocolViolation",
  "Throttled",
  "Timeout",
  "Unavailable"
])

/** What the objects of one run may hold, and what was seen that may not be. */
export interface Ledger {
  readonly states: Map<string, ReadonlyArray<State>>
  readonly violations: Array<string>
  done: number
  failed: number
}

export const makeLedger = (): Ledger => ({ states: new Map(), violations: [], done: 0, failed: 0 })

const same = (one: State, other: State): boolean =>
  one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0

const show = (state: State): string => state === undefined ? "nothing" : `${state.length} bytes`

const statesOf = (ledger: Ledger, key: string): ReadonlyArray<State> => ledger.states.get(key) ?? [undefined]

/** Holds what was read against what there may be. */
const check = (ledger: Ledger, what: string, key: string, found: State, part = (whole: Uint8Array) => whole): void => {
  const states = statesOf(ledger, key)
  if (states.some((state) => same(state === undefined ? undefined : part(state), found))) return
  ledger.violations.push(`${what} of ${key} told ${show(found)}, and it may be ${states.map(show).join(" or ")}`)
}

const failed = (ledger: Ledger, what: string, key: string, error: ObjectStoreError, allowed: boolean): void => {
  ledger.failed++
  if (!isObjectStoreError(error) || !(network.has(error.reason._tag) || allowed)) {
    ledger.violations.push(`${what} of ${key} failed: ${error.message}`)
  }
}

/** A change of objects: each of `to` becomes what is said, or stays. */
const change = <A>(
  ledger: Ledger,
  what: string,
  effect: Effect.Effect<A, ObjectStoreError>,
  to: Readonly<Record<string, State>>
) =>
  Effect.match(effect, {
    onSuccess: () => {
      ledger.done++
      for (const [key, state] of Object.entries(to)) ledger.states.set(key, [state])
    },
    onFailure: (error) => {
      const absent = Object.keys(to).some((key) => statesOf(ledger, key).includes(undefined))
      failed(ledger, what, Object.keys(to).join(", "), error, error.reason._tag === "NotFound" && absent)
      for (const [key, state] of Object.entries(to)) {
        if (error.outcome === "not-applied") continue
        const before = error.outcome === "applied" ? [] : statesOf(ledger, key)
        ledger.states.set(key, [...before, state])
      }
    }
  })

const look = (
  ledger: Ledger,
  what: string,
  key: string,
  effect: Effect.Effect<Uint8Array, ObjectStoreError>,
  part?: (whole: Uint8Array) => Uint8Array
) =>
  Effect.match(effect, {
    onSuccess: (found) => {
      ledger.done++
      check(ledger, what, key, found, part)
    },
    onFailure: (error) => {
      if (error.reason._tag === "NotFound") check(ledger, what, key, undefined)
      else failed(ledger, what, key, error, false)
    }
  })

const bytesOf = (size: number) =>
  Effect.map(Random.nextIntBetween(1, 2 ** 31 - 1), (seed) => {
    let state = seed
    return Uint8Array.from({ length: size }, () => (state = (state * 48_271) % (2 ** 31 - 1)) & 0xff)
  })

const collect = (stream: Stream.Stream<Uint8Array, ObjectStoreError>): Effect.Effect<Uint8Array, ObjectStoreError> =>
  Effect.map(Stream.runCollect(stream), (chunks) => new Uint8Array(Buffer.concat(chunks)))

const numbered = (name: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${name}${index}`)

const inFlight = { concurrency: 6, discard: true } as const

/**
 * Every kind of operation on one store, in phases: writes, reads, changes. Between two changes of one object there is `pause`, so
 * that a request which was given up does not come after the next one: no client can prevent that.
 */
export const workload = Effect.fnUntraced(function*(
  store: Store,
  ledger: Ledger,
  options: { readonly parts: boolean; readonly partSize: number; readonly pause: number }
) {
  const { partSize, pause } = options
  const put = numbered("put/", 6)
  const create = numbered("create/", 4)
  const parts = options.parts ? numbered("parts/", 1) : []
  const large = options.parts ? ["large/0"] : []
  const made = new Map<string, Uint8Array>()
  for (const key of [...put, ...create]) made.set(key, yield* bytesOf(yield* Random.nextIntBetween(0, 90_000)))
  for (const key of [...parts, ...large]) {
    made.set(key, yield* bytesOf(partSize + (yield* Random.nextIntBetween(1, 90_000))))
  }

  yield* Effect.forEach([...parts, ...large, ...put, ...create], (key) => {
    const bytes = made.get(key)!
    const pieces = Stream.fromIterable([bytes.subarray(0, 70_000), bytes.subarray(70_000)])
    return change(
      ledger,
      "the write",
      key.startsWith("put/")
        ? store.put(key, bytes)
        : key.startsWith("create/")
        ? store.put(key, bytes, { mode: "create" })
        : key.startsWith("parts/")
        ? store.putMultipart(key, pieces, { partSize, concurrency: 2 })
        : store.putMultipart(key, bytes, { partSize, concurrency: 2, mode: "create" }),
      { [key]: bytes }
    )
  }, inFlight)
  yield* Effect.sleep(pause)

  yield* Effect.forEach([...made.keys()], (key) =>
    Effect.all([
      look(ledger, "get", key, store.get(key, { partSize: 1_000_000, concurrency: 3 })),
      look(ledger, "getRange", key, store.getRange(key, { offset: 0, length: 10_000 }), (whole) =>
        whole.subarray(0, 10_000)).pipe(
          Effect.when(Effect.succeed(made.get(key)!.length > 0))
        ),
      look(ledger, "stream", key, collect(store.stream(key, { partSize: 500_000, concurrency: 2 })))
    ]), inFlight)
  const listed = yield* Effect.result(Stream.runCollect(store.list("put/", { pageSize: 2 })))
  if (listed._tag === "Failure") failed(ledger, "list", "put/", listed.failure, false)
  else {
    const names = listed.success.map(({ key }) => key)
    for (const key of put) {
      const states = statesOf(ledger, key)
      const there = names.filter((name) => name === key).length
      if (
        there > 1 || (there === 0 && !states.includes(undefined)) ||
        (there === 1 && states.every((state) => state === undefined))
      ) {
        ledger.violations.push(`the listing told ${key} ${there} times`)
      }
    }
  }

  const news = yield* bytesOf(50_000)
  const certain = (key: string): boolean => {
    const states = statesOf(ledger, key)
    return states.length === 1 && states[0] !== undefined
  }
  const source = put.filter(certain)
  yield* Effect.all([
    ...source.slice(0, 1).map((key) => change(ledger, "the overwrite", store.put(key, news), { [key]: news })),
    ...source.slice(1, 2).map((key) => change(ledger, "the delete", store.delete(key), { [key]: undefined })),
    ...source.slice(2, 4).map((key) =>
      change(ledger, "the copy", store.copy(key, `copy/${key}`), { [`copy/${key}`]: made.get(key) })
    ),
    ...create.filter(certain).slice(0, 1).map((key) =>
      change(ledger, "the rename", store.rename(key, `moved/${key}`), {
        [`moved/${key}`]: made.get(key),
        [key]: undefined
      })
    ),
    Effect.gen(function*() {
      const keys = [...source.slice(4), "never/0"]
      const results = yield* Stream.runCollect(store.deleteMany(keys))
      if (results.length !== keys.length) ledger.violations.push(`deleteMany told ${results.length} of ${keys.length}`)
      for (const result of results) {
        const { key } = result
        yield* change(
          ledger,
          "the delete of many",
          result.error === undefined ? Effect.void : Effect.fail(result.error),
          {
            [key]: undefined
          }
        )
      }
    })
  ], { concurrency: "unbounded", discard: true }).pipe(
    Effect.catch((error) => Effect.sync(() => failed(ledger, "the delete of many", "", error, false)))
  )
  yield* Effect.sleep(pause)
})

/** What the store really holds, asked past the trouble. */
export const audit = Effect.fnUntraced(function*(direct: Store, ledger: Ledger) {
  for (const key of ledger.states.keys()) {
    const found = yield* Effect.catchReason(direct.get(key), "ObjectStoreError", "NotFound", () => Effect.undefined)
    check(ledger, "the audit", key, found)
  }
  const names = new Set((yield* Stream.runCollect(direct.list())).map(({ key }) => key))
  for (const name of names) {
    if (!ledger.states.has(name)) ledger.violations.push(`nobody wrote ${name}`)
  }
})
