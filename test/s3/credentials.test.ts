import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import {
  defaultRetryPolicy,
  fromBackend,
  type ObjectStoreError,
  RetryPolicy,
  type StoreOptions
} from "effect-objectstore"
import type * as S3 from "effect-objectstore/layers/S3"
import { TestClock } from "effect/testing"
import { makeS3Backend } from "../../layers/s3/backend.ts"
import { toSettings } from "../../layers/s3/config.ts"
import type { TransportRequest } from "../../src/http/Transport.ts"
import { answering, type Recorded, refusal } from "./ScriptedTransport.ts"

const start = Date.UTC(2026, 10, 26, 12)
const hour = 3_600_000

/** A store whose requests `answer` answers, and the requests. */
const storeOver = Effect.fnUntraced(function*(
  answer: (request: TransportRequest, index: number) => Effect.Effect<Recorded, ObjectStoreError>,
  credentials: S3.S3CredentialsOption = { accessKeyId: "KEY", secretAccessKey: "s" },
  options: StoreOptions = {}
) {
  const { requests, transport } = answering(answer)
  const settings = toSettings({ region: "us-east-1", vendor: "aws", credentials })
  assert(settings._tag === "Success")
  const backend = yield* makeS3Backend(settings.success, transport)
  return { requests, store: yield* fromBackend(backend, { base: "s3://bucket/", ...options }) }
})

const ok: Recorded = { status: 200, headers: { etag: "\"e\"" } }
const refused = (status: number, code: string, date?: number): Recorded => ({
  status,
  body: refusal(code),
  headers: date === undefined ? {} : { date: new Date(date).toUTCString() }
})

const dateOf = ({ headers }: TransportRequest): number =>
  Date.parse(headers["x-amz-date"]!.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))

/** A service whose clock is `ahead` of the machine's, and which takes signatures of 15 minutes around its time. */
const serviceAhead = (ahead: number) => (request: TransportRequest): Effect.Effect<Recorded> =>
  Effect.gen(function*() {
    yield* Effect.sleep("10 millis")
    const there = (yield* Clock.currentTimeMillis) + ahead
    return Math.abs(dateOf(request) - there) > 15 * 60_000 ? refused(403, "RequestTimeTooSkewed", there) : ok
  })

/** Runs an effect while the virtual time goes on. */
const passing = <A, E>(effect: Effect.Effect<A, E>, time: "1 minute" | "2 hours" = "1 minute") =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  })

const many = Array.from({ length: 50 }, (_, i) => `k${i}`)

/** A provider whose n-th pair has the session token `tn`, and what it was asked. */
const provider = (expiresIn?: number, tokens: (call: number) => string = (call) => `t${call}`) => {
  const asked: Array<unknown> = []
  return {
    asked,
    credentials: (options?: { readonly forceRefresh?: boolean }) => {
      asked.push(options)
      return Promise.resolve({
        accessKeyId: "KEY",
        secretAccessKey: "s",
        sessionToken: tokens(asked.length),
        expiration: expiresIn === undefined ? undefined : new Date(start + asked.length * expiresIn)
      })
    }
  }
}

const tokensOf = (requests: ReadonlyArray<TransportRequest>) =>
  requests.map(({ headers }) => headers["x-amz-security-token"])

describe("a session token that has ended", () => {
  const codes = [
    [400, "ExpiredToken"],
    [403, "ExpiredTokenException"],
    [400, "TokenRefreshRequired"],
    [400, "InvalidToken"],
    [403, "InvalidTokenId"],
    [403, "InvalidAccessKeyId"]
  ] as const

  it.effect.each(codes)(
    "%i %s: is fetched anew, once, and the request is sent once more",
    ([status, code]) =>
      Effect.gen(function*() {
        const { asked, credentials } = provider()
        const { requests, store } = yield* storeOver(
          ({ headers }) => Effect.succeed(headers["x-amz-security-token"] === "t1" ? refused(status, code) : ok),
          credentials
        )
        yield* passing(store.put("key", "x"))
        assert.deepStrictEqual(tokensOf(requests), ["t1", "t2"])
        assert.deepStrictEqual(asked, [undefined, { forceRefresh: true }])
      })
  )

  it.effect("is fetched once for all that were refused", () =>
    Effect.gen(function*() {
      const { asked, credentials } = provider()
      const { requests, store } = yield* storeOver(
        ({ headers }, index) =>
          Effect.as(
            // They come back one after the other, so the last ones after the new token was fetched.
            Effect.sleep(10 * index),
            headers["x-amz-security-token"] === "t1" ? refused(400, "ExpiredToken") : ok
          ),
        credentials
      )
      yield* passing(Effect.forEach(many, (key) => store.put(key, "x"), { concurrency: "unbounded" }))
      assert.lengthOf(asked, 2)
      assert.lengthOf(requests, 100)
    }))

  it.effect("is not asked for again and again where the provider has no other", () =>
    Effect.gen(function*() {
      const { asked, credentials } = provider(undefined, () => "same")
      const { requests, store } = yield* storeOver(
        () => Effect.delay(Effect.succeed(refused(400, "ExpiredToken")), 10),
        credentials
      )
      const errors = yield* passing(
        Effect.forEach(many, (key) => Effect.flip(store.put(key, "x")), { concurrency: "unbounded" })
      )
      assert.deepStrictEqual(
        new Set(errors.map(({ outcome, reason }) => `${reason._tag} ${outcome}`)),
        new Set(["Unauthenticated not-applied"])
      )
      assert.lengthOf(asked, 2)
      assert.isAtMost(requests.length, 100)
    }))

  it.effect("that is the program's own is refused at once", () =>
    Effect.gen(function*() {
      const { requests, store } = yield* storeOver(() => Effect.succeed(refused(400, "ExpiredToken")))
      const error = yield* Effect.flip(store.put("key", "x"))
      assert.deepStrictEqual([error.reason._tag, error.outcome, error.attempts], ["Unauthenticated", "not-applied", 1])
      assert.lengthOf(requests, 1)
    }))

  it.effect("is fetched ahead of its end, by one of many, and nobody waits", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const { asked, credentials } = provider(hour)
      const { requests, store } = yield* storeOver(() => Effect.succeed(ok), credentials)
      yield* passing(store.put("first", "x"))
      yield* TestClock.setTime(start + hour - 120_000)
      yield* Effect.forEach(many, (key) => store.put(key, "x"), { concurrency: "unbounded" })
      assert.lengthOf(asked, 2)
      yield* TestClock.adjust("1 second")
      yield* passing(store.put("last", "x"))
      assert.deepStrictEqual(tokensOf(requests).slice(0, 2), ["t1", "t1"])
      assert.strictEqual(tokensOf(requests).at(-1), "t2")
      assert.lengthOf(requests, 52)
    }))
})

describe("a clock that is wrong", () => {
  it.effect.each([[hour], [-hour], [20 * hour]])(
    "by %i ms is set by the service's, once for all requests",
    ([ahead]) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(start)
        const { requests, store } = yield* storeOver(serviceAhead(ahead!))
        yield* passing(Effect.forEach(many, (key) => store.put(key, "x"), { concurrency: "unbounded" }))
        // Those under way together are all refused, and each is repeated once.
        assert.lengthOf(requests, 100)
        yield* passing(Effect.forEach(many, (key) => store.put(key, "x"), { concurrency: "unbounded" }))
        assert.lengthOf(requests, 150)
      })
  )

  it.effect("by days is not set: the error says what the service's shows", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const { requests, store } = yield* storeOver(serviceAhead(48 * hour))
      const error = yield* passing(Effect.flip(store.put("key", "x")))
      assert.deepStrictEqual([error.reason._tag, error.outcome, error.attempts], ["Unauthenticated", "not-applied", 1])
      assert.include(error.message, "the clock of this machine is wrong: the service says that it is Sat, 28 Nov 2026")
      assert.lengthOf(requests, 1)
    }))

  it.effect("for a service that will not take any date is tried once", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const { requests, store } = yield* storeOver(() =>
        Effect.map(Clock.currentTimeMillis, (now) => refused(403, "RequestTimeTooSkewed", now + hour))
      )
      const error = yield* passing(Effect.flip(store.put("key", "x")))
      assert.deepStrictEqual([error.reason._tag, error.attempts], ["Unauthenticated", 2])
      assert.lengthOf(requests, 2)
    }))
})

describe("a request that comes late", () => {
  it.effect("is signed again, with the time of its new attempt", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const { requests, store } = yield* storeOver((request, index) =>
        // The first one waits for a connection for 20 minutes after it was signed.
        Effect.andThen(Effect.sleep(index === 0 ? "20 minutes" : 0), serviceAhead(0)(request))
      )
      yield* passing(store.put("key", "x"), "2 hours")
      assert.deepStrictEqual(requests.map((request) => Math.round((dateOf(request) - start) / 60_000)), [0, 20])
    }))

  it.effect.each([["put"], ["get"]])(
    "%s: is repeated as any other, however long it waited for its turn",
    ([what]) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(start)
        const { requests, store } = yield* storeOver(
          (_, index) =>
            index === 0
              ? Effect.delay(Effect.succeed(ok), "10 minutes")
              : Effect.succeed(index === 1 ? { status: 503, body: refusal("SlowDown") } : { ...ok, body: "" }),
          undefined,
          { requests: 1 }
        )
        const first = yield* Effect.forkChild(store.put("first", "x"), { startImmediately: true })
        yield* passing(
          what === "put" ? Effect.asVoid(store.put("second", "x")) : Effect.asVoid(store.get("second")),
          "2 hours"
        )
        yield* Fiber.join(first)
        assert.isAtLeast(requests.length, 3)
      })
  )

  it.effect("is signed with each attempt of its own, by the pair that is good then", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const { asked, credentials } = provider(hour)
      const { requests, store } = yield* storeOver(
        (request, index) =>
          index < 3
            ? Effect.succeed({ status: 503, body: refusal("SlowDown"), headers: { "retry-after": "1800" } })
            : serviceAhead(0)(request),
        credentials
      )
      const patient = { ...defaultRetryPolicy, maxDelay: 2 * hour, maxElapsed: 10 * hour }
      yield* passing(Effect.provideService(store.put("key", "x"), RetryPolicy, patient), "2 hours")
      assert.deepStrictEqual(requests.map((request) => Math.round((dateOf(request) - start) / 60_000)), [0, 30, 60, 90])
      assert.deepStrictEqual(tokensOf(requests), ["t1", "t1", "t2", "t2"])
      assert.lengthOf(asked, 2)
    }))
})
