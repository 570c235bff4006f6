import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Metric, Random } from "effect"
import { type Backend, fromBackend, makeError, type ObjectStoreError, type StoreOptions } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { TestClock } from "effect/testing"
import { Pace } from "../../src/engine/Pace.ts"

/** What a service says to a request at a time: does it, or refuses it for the number of requests. */
type Limit = (now: number) => boolean

/** Accepts so many requests a second, and so many more that were not made before. */
const bucket = (perSecond: number, burst: number): Limit => {
  let tokens = burst
  let last = 0
  return (now) => {
    tokens = Math.min(burst, tokens + (now - last) * perSecond / 1000)
    last = now
    if (tokens < 1) return false
    tokens--
    return true
  }
}

/** Accepts the first so many requests of every second. */
const eachSecond = (most: number): Limit => {
  let second = -1
  let count = 0
  return (now) => {
    if (Math.floor(now / 1000) !== second) {
      second = Math.floor(now / 1000)
      count = 0
    }
    return ++count <= most
  }
}

/** Refuses one of so many, however few there are. */
const oneOf = (n: number): Limit => {
  let count = 0
  return () => ++count % n !== 0
}

/** Two thirds of all requests are wanted as they come; of the others, to one hot prefix, so many a second are. */
const hotPrefix = (perSecond: number): Limit => {
  const hot = bucket(perSecond, perSecond)
  let count = 0
  return (now) => ++count % 3 !== 0 || hot(now)
}

/** Fails for a time. */
const downUntil = (time: number): Limit => (now) => now >= time

/** One client with 64 requests in flight that never runs out of work, and a service that takes some time. */
const play = (limit: Limit, latency: number, seconds = 60) => {
  const pace = new Pace()
  const seen = { accepted: 0, refused: 0 }
  let flying: ReadonlyArray<{ readonly end: number; readonly accepted: boolean }> = []
  for (let now = 0; now < seconds * 1000; now++) {
    for (const { accepted, end } of flying) {
      if (end > now) continue
      if (accepted) pace.accepted(now)
      else pace.refused(now, 0)
    }
    const left = flying.filter(({ end }) => end > now)
    while (left.length < 64 && pace.delay(now) === 0) {
      pace.sent(now)
      const accepted = limit(now)
      left.push({ end: now + latency, accepted })
      if (now >= 10_000) seen[accepted ? "accepted" : "refused"]++
    }
    flying = left
  }
  return {
    rate: pace.rate,
    freezes: pace.freezes,
    perSecond: seen.accepted / (seconds - 10),
    refused: seen.refused / (seen.accepted + seen.refused)
  }
}

/** A store whose requests take 5 ms, and the times at which the service had them. */
const storeOn = Effect.fnUntraced(function*(limit: Limit, options?: StoreOptions & { readonly endpoint?: string }) {
  const memory = yield* makeBackend()
  const requests: Array<{ readonly time: number; readonly accepted: boolean; readonly key: string }> = []
  const backend: Backend = {
    ...memory,
    endpoint: options?.endpoint,
    head: (at, conditions) =>
      Effect.flatMap(Clock.currentTimeMillis, (time) => {
        const accepted = limit(time)
        requests.push({ time, accepted, key: at.key })
        const answer: Effect.Effect<unknown, ObjectStoreError> = accepted
          ? memory.head(at, conditions)
          : Effect.fail(makeError("Throttled", { operation: "test", backend: "memory" }))
        return Effect.delay(answer as ReturnType<Backend["head"]>, 5)
      })
  }
  const store = yield* fromBackend(backend, { ...options, base: "mem://memory/" })
  yield* store.put("a", "x")
  return { store, requests }
})

/** Goes on in small steps, so that what is ready at a time runs before the next time. */
const advance = (milliseconds: number) =>
  Effect.forEach(Array.from({ length: milliseconds / 50 }), () => TestClock.adjust("50 millis"), { discard: true })

const gauge = (name: string, endpoint: string) =>
  Effect.map(
    Metric.snapshot,
    (all) =>
      all.find((one) => one.id === name && one.attributes?.["endpoint"] === endpoint)?.state as
        | { readonly value?: number; readonly count?: number }
        | undefined
  )

describe("the pace of requests", () => {
  it.each<readonly [string, Limit, number, number]>([
    ["200 a second, and 20 at once", bucket(200, 20), 5, 200],
    ["200 a second, and 200 at once", bucket(200, 200), 5, 200],
    ["200 a second, and 1000 at once", bucket(200, 1000), 5, 200],
    ["200 a second of slow answers", bucket(200, 20), 100, 200],
    ["the first 200 of every second", eachSecond(200), 5, 200],
    ["20 a second", bucket(20, 5), 5, 20],
    ["3500 a second", bucket(3500, 100), 5, 3500]
  ])("finds what a service allows: %s", (_, limit, latency, allowed) => {
    const { freezes, perSecond, refused } = play(limit, latency)
    assert.isAtLeast(perSecond, 0.95 * allowed)
    assert.isAtMost(refused, 0.1)
    assert.isAtLeast(freezes, 1)
    assert.isAtMost(freezes, 10)
  })

  it.each<readonly [string, Limit]>([
    ["one of a hundred", oneOf(100)],
    ["every fifth", oneOf(5)],
    ["a third of all requests", oneOf(3)],
    ["what goes to a hot prefix", hotPrefix(20)]
  ])("does not hold back what is refused for another reason than the rate: %s", (_, limit) => {
    assert.deepInclude(play(limit, 5), { rate: undefined, freezes: 0 })
  })

  it("stops for longer and longer while nothing is accepted, and then finds its way back", () => {
    const sent: Array<number> = []
    const pace = new Pace()
    for (let now = 0; now < 9000; now++) {
      if (pace.delay(now) > 0) continue
      pace.sent(now)
      sent.push(now)
      pace.refused(now, 0)
    }
    assert.isAtMost(sent.length, 100)
    assert.isAtMost(sent.filter((time) => time >= 1000).length, 60)
    assert.isAtLeast(play(downUntil(5000), 5).perSecond, 1000)
  })

  it("stops as long as the service asks for when nothing is accepted, but not for ever", () => {
    for (const [asked, waits] of [[7000, 7000], [1e12, 20_000]] as const) {
      const pace = new Pace()
      for (let count = 0; count < 30; count++) pace.refused(0, asked)
      assert.strictEqual(pace.delay(0), 1000)
      assert.strictEqual(pace.delay(1000), waits)
    }
  })

  it("is not frozen for an hour by a clock that is set back by one", () => {
    const pace = new Pace()
    const hour = 3_600_000
    for (let count = 0; count < 50; count++) pace.refused(hour + 10, 0)
    assert.isAbove(pace.delay(hour + 11), 0)
    assert.isAtMost(pace.delay(11), 20_000)
    pace.sent(11)
    assert.isAtMost(pace.delay(12), 1000)
    for (let now = 1000; now <= 40_000; now += 500) pace.accepted(now)
    assert.strictEqual(pace.delay(40_000), 0)
    assert.isUndefined(pace.rate)
  })

  it("raises the rate when the service allows more, and lets go when nothing is refused any more", () => {
    let now = 0
    const slow = bucket(200, 20)
    const quick = bucket(1000, 20)
    assert.isAtLeast(play((time) => (now = time) < 30_000 ? slow(time) : quick(time), 5, 90).perSecond, 700)
    assert.strictEqual(now, 89_999)
    const short = bucket(200, 20)
    assert.strictEqual(play((time) => time >= 10_000 || short(time), 5, 90).rate, undefined)
  })

  it.effect("spares a service most refusals, is fair, and lets nothing fail: 30 fibers where 40 a second are allowed", () =>
    Effect.gen(function*() {
      const refused: Array<number> = []
      for (const adaptiveRate of [true, false]) {
        const { requests, store } = yield* storeOn(bucket(40, 5), { adaptiveRate })
        const begin = yield* Clock.currentTimeMillis
        const done = Array.from({ length: 30 }, () => 0)
        let failed = 0
        const fibers = yield* Effect.forEach(
          done,
          (_, index) =>
            Effect.forkChild(Effect.forever(Effect.match(store.stat("a"), {
              onFailure: () => failed++,
              onSuccess: () => done[index]!++
            })))
        )
        yield* advance(6000)
        yield* Fiber.interruptAll(fibers)
        refused.push(requests.filter(({ accepted }) => !accepted).length)
        if (!adaptiveRate) continue
        const late = requests.filter(({ accepted, time }) => accepted && time >= begin + 2000)
        assert.isAtLeast(late.length / 4, 34)
        assert.isAtMost(Math.max(...done) / Math.min(...done), 3)
        assert.strictEqual(failed, 0)
      }
      const [on, off] = refused
      assert.isAtMost(on!, 150)
      assert.isAtLeast(off!, 4 * on!)
    }).pipe(Random.withSeed("pace")))

  /** Refuses everything until it has refused so many; then accepts everything. */
  const refusing = (count: number): Limit => {
    let left = count
    return () => left-- <= 0
  }

  it.effect("sends nothing while it is frozen, then in the order of arrival, and shows it", () =>
    Effect.gen(function*() {
      const { requests, store } = yield* storeOn(refusing(20), { endpoint: "https://a.example", requests: 64 })
      const first = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => Effect.exit(store.stat("a")), { concurrency: 20 })
      )
      yield* TestClock.adjust(10)
      assert.strictEqual(requests.length, 20)
      // The 20 refusals came at 5 ms; the window, which began with the put at 0, ends at 1000. Nothing was accepted in it.
      const names = Array.from({ length: 12 }, (_, index) => `b${index}`)
      const next = yield* Effect.forEach(names, (name) => Effect.forkChild(Effect.exit(store.stat(name))))
      assert.strictEqual((yield* gauge("objectstore_freezes_total", "https://a.example"))?.count, 1)
      yield* advance(950)
      assert.strictEqual(requests.length, 20)
      yield* TestClock.adjust(40)
      assert.isAbove(requests.length, 20)
      yield* advance(10_000)
      yield* Fiber.awaitAll([first, ...next])
      const times = requests.slice(20)
      assert.deepStrictEqual(times.filter(({ key }) => key !== "a").map(({ key }) => key), names)
      assert.isAtLeast((yield* gauge("objectstore_request_rate_limit", "https://a.example"))?.value ?? 0, 1)
      assert.isAtMost((yield* gauge("objectstore_retry_tokens", "https://a.example"))?.value ?? 500, 500)
    }).pipe(Random.withSeed("pace")))

  it.effect("is shared by the stores of one endpoint, and by no others", () =>
    Effect.gen(function*() {
      const { store } = yield* storeOn(refusing(20), { endpoint: "https://b.example" })
      const same = yield* storeOn(refusing(0), { endpoint: "https://b.example" })
      const other = yield* storeOn(refusing(0), { endpoint: "https://c.example" })
      const own = yield* storeOn(refusing(0))
      const unheld = yield* storeOn(refusing(0), { endpoint: "https://b.example", adaptiveRate: false })
      const fiber = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => Effect.exit(store.stat("a")), { concurrency: 20 })
      )
      yield* TestClock.adjust(10)
      for (const each of [same, other, own, unheld]) yield* Effect.forkChild(each.store.stat("a"))
      yield* TestClock.adjust(100)
      assert.deepStrictEqual([same, other, own, unheld].map(({ requests }) => requests.length), [0, 1, 1, 1])
      yield* advance(5000)
      assert.strictEqual(same.requests.length, 1)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("loses no turn to those who are interrupted while they wait", () =>
    Effect.gen(function*() {
      const { requests, store } = yield* storeOn(refusing(20), { endpoint: "https://d.example", requests: 20 })
      const first = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 20 }), () => Effect.exit(store.stat("a")), { concurrency: 20 })
      )
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(first)
      for (let round = 0; round < 10; round++) {
        const waiting = yield* Effect.forEach(
          Array.from({ length: 60 }),
          (_, index) => Effect.forkChild(index % 2 === 0 ? Effect.exit(store.stat("b")) : Effect.exit(store.get("b")))
        )
        yield* TestClock.adjust(50)
        yield* Fiber.interruptAll(waiting)
      }
      assert.strictEqual(requests.length, 20)
      const last = yield* Effect.forkChild(store.stat("a"))
      yield* advance(1000)
      assert.strictEqual((yield* Fiber.join(last)).size, 1)
      assert.strictEqual(requests.length, 21)
    }))
})
