/**
 * Whether the engine has its budgets back when everything is over: all of them can be used at once, and no more.
 */
import { Deferred, Effect, Fiber, Latch, Stream } from "effect"
import type { ObjectStoreError, ObjectStoreOperations } from "effect-objectstore"
import { type Journal, Probe } from "./SimulatedBackend.ts"
import type { Rules } from "./Watch.ts"

/** Long enough for all that can happen, and in steps, because the clock may go on while somebody still has to take his. */
const patience = Effect.repeat(Effect.sleep("1 second"), { times: 20 })

type Wrong = (what: string) => void

/** As many requests as the budget allows are under way at once, or some were never given back. */
const checkRequests = Effect.fnUntraced(function*(store: ObjectStoreOperations, requests: number, wrong: Wrong) {
  let running = 0
  const all = yield* Deferred.make<void>()
  const together = () =>
    Effect.suspend(() => ++running === requests ? Effect.asVoid(Deferred.succeed(all, undefined)) : Deferred.await(all))
  const probes = Effect.forEach(
    Array.from({ length: requests }),
    () => store.exists(`probe-${requests}`),
    { concurrency: "unbounded", discard: true }
  )
  const whole = yield* Effect.raceFirst(
    Effect.as(Effect.provideService(probes, Probe, together), true),
    Effect.as(patience, false)
  )
  if (!whole) wrong("permits of the request budget were not given back")
})

/** A stream that nobody takes from reads ahead as far as the byte budget goes. */
const checkReadAhead = Effect.fnUntraced(function*(
  store: ObjectStoreOperations,
  plain: ObjectStoreOperations,
  memory: number,
  journal: Journal,
  wrong: Wrong
) {
  const fit = 4
  const partSize = memory / fit
  yield* plain.put("probe-read", new Uint8Array(partSize * 3 * fit))
  const read = (): number => journal.requests.get("-1 read probe-read") ?? 0
  let taken = 0
  yield* Stream.runForEach(
    store.stream("probe-read", { partSize, concurrency: fit + 2 }),
    () =>
      Effect.gen(function*() {
        if (++taken !== 2) return
        yield* patience
        // What comes first needs no share, and neither does what is waited for when there was none for it.
        if (read() < 1 + fit) wrong("bytes of the budget were not given back to a stream")
        if (read() > 2 + fit) wrong("more is read ahead than the byte budget allows")
      })
  )
})

/** Parts that nobody answers: a stream is taken from as far as the byte budget goes. */
const checkWriteBehind = Effect.fnUntraced(function*(store: ObjectStoreOperations, memory: number, wrong: Wrong) {
  const partSize = memory % 10 === 0 ? 10 : 8
  const fit = memory / partSize
  const answered = yield* Latch.make(false)
  let taken = 0
  const source = Stream.range(1, fit + 6).pipe(
    Stream.rechunk(1),
    Stream.map(() => {
      taken++
      return new Uint8Array(partSize)
    })
  )
  const probe = (primitive: string) => primitive === "uploadPart" ? answered.await : Effect.void
  const writing = yield* Effect.forkChild(
    Effect.provideService(store.put("probe-write", source, { partSize, concurrency: fit + 4 }), Probe, probe)
  )
  yield* patience
  const behind = taken
  yield* answered.open
  yield* Fiber.join(writing)
  // One part more goes without a share, and then the next one is at hand; one chunk may have been taken ahead of it.
  const most = fit + 3
  if (behind < fit + 2) wrong(`bytes of the budget were not given back: ${behind} parts of a stream were taken`)
  if (behind > most) wrong(`more is taken of a stream than the byte budget allows: ${behind} parts`)
})

export const checkBudgets = Effect.fnUntraced(function*(
  store: ObjectStoreOperations,
  plain: ObjectStoreOperations,
  { memory, ordered, requests }: Rules,
  journal: Journal
): Effect.fn.Return<void, ObjectStoreError> {
  const wrong = (what: string) => void journal.violations.push(what)
  yield* checkRequests(store, requests, wrong)
  yield* checkReadAhead(store, plain, memory, journal, wrong)
  // A store that takes one part at a time has no use for the budget.
  if (!ordered) yield* checkWriteBehind(store, memory, wrong)
})
