import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Duration, Effect } from "effect"
import { defaultRetryPolicy, RetryPolicy } from "effect-objectstore"
import { FaultServer, on, WireFault } from "effect-objectstore/testing"
import * as NodeNet from "node:net"
import { limits, services } from "./services.ts"

const policy = { ...defaultRetryPolicy, baseDelay: 1, throttleDelay: 1 }

interface Seen {
  readonly text: string
  readonly error: string | undefined
  readonly millis: number
}

/** What a bare socket sees of an answer, until the server ends, resets, or is silent for a while. */
const look = (port: number, request: string): Effect.Effect<Seen> =>
  Effect.map(
    Effect.timed(Effect.callback<Omit<Seen, "millis">>((resume) => {
      const chunks: Array<Buffer> = []
      let error: string | undefined
      const text = () => Buffer.concat(chunks).toString("latin1")
      const socket = NodeNet.connect(port, "127.0.0.1", () => socket.write(request))
      socket.setTimeout(100, () => socket.destroy(Object.assign(new Error(), { code: "silent" })))
      socket.on("data", (chunk) => chunks.push(chunk))
      socket.on("error", (cause: NodeJS.ErrnoException) => {
        error = cause.code
      })
      socket.on("close", () => resume(Effect.succeed({ text: text(), error })))
    })),
    ([duration, seen]) => ({ ...seen, millis: Duration.toMillis(duration) })
  )

const get = "GET /storage/v1/b/data/o/a?alt=media HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
const put =
  "POST /upload/storage/v1/b/data/o?uploadType=media&name=b HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nconnection: close\r\n\r\nworld"

/** What each fault looks like on the wire of a read of "0123456789" and of a write, and whether the write was carried out. */
const appearances: Readonly<
  Record<string, {
    readonly fault: WireFault.WireFault
    readonly read: (seen: Seen) => boolean
    readonly wrote: boolean
  }>
> = {
  refuse: { fault: WireFault.refuse(0), read: (seen) => seen.text === "" && seen.error === "ECONNRESET", wrote: false },
  resetInRequest: { fault: WireFault.resetInRequest, read: (seen) => seen.error === "ECONNRESET", wrote: false },
  resetBeforeApply: { fault: WireFault.resetBeforeApply, read: (seen) => seen.error === "ECONNRESET", wrote: false },
  resetAfterApply: { fault: WireFault.resetAfterApply, read: (seen) => seen.error === "ECONNRESET", wrote: true },
  hangupBeforeApply: {
    fault: WireFault.hangupBeforeApply,
    read: (seen) => seen.text === "" && seen.error === undefined,
    wrote: false
  },
  hangupAfterApply: {
    fault: WireFault.hangupAfterApply,
    read: (seen) => seen.text === "" && seen.error === undefined,
    wrote: true
  },
  stallInRequest: { fault: WireFault.stallInRequest, read: (seen) => seen.error === "silent", wrote: false },
  stallBeforeApply: { fault: WireFault.stallBeforeApply, read: (seen) => seen.error === "silent", wrote: false },
  stallAfterApply: { fault: WireFault.stallAfterApply, read: (seen) => seen.error === "silent", wrote: true },
  stallInBody: {
    fault: WireFault.stallInBody,
    read: (seen) => seen.error === "silent" && seen.text.endsWith("\r\n\r\n01234"),
    wrote: true
  },
  status: { fault: WireFault.status(503), read: (seen) => seen.text.startsWith("HTTP/1.1 503 "), wrote: false },
  "status, applied": {
    fault: WireFault.status(500, { applied: true }),
    read: (seen) => seen.text.startsWith("HTTP/1.1 500 "),
    wrote: true
  },
  throttle: {
    fault: WireFault.throttle(7),
    read: (seen) => /^HTTP\/1.1 429 [^]*retry-after: 7\r/.test(seen.text),
    wrote: false
  },
  expiredCredentials: { fault: WireFault.expiredCredentials, read: (seen) => / 401 /.test(seen.text), wrote: false },
  skewedClock: { fault: WireFault.skewedClock, read: (seen) => / 401 /.test(seen.text), wrote: false },
  errorInSuccess: {
    fault: WireFault.errorInSuccess(),
    read: (seen) => / 200 [^]*"error":\{"code":503/.test(seen.text),
    wrote: false
  },
  "errorInSuccess, with headers": {
    fault: WireFault.errorInSuccess({ headers: true }),
    read: (seen) => / 200 [^]*x-goog-generation[^]*"error":\{"code":503/.test(seen.text),
    wrote: true
  },
  cutBody: { fault: WireFault.cutBody(), read: (seen) => /length: 10\r\n[^]*\r\n01234$/.test(seen.text), wrote: true },
  "cutBody, reset": { fault: WireFault.cutBody(3, "reset"), read: (seen) => seen.error === "ECONNRESET", wrote: true },
  surplus: {
    fault: WireFault.surplus(4),
    read: (seen) => /length: 10\r\n[^]*\r\n0123456789surp$/.test(seen.text),
    wrote: true
  },
  slow: {
    fault: WireFault.slow(200, "30 millis"),
    read: (seen) => seen.millis >= 90 && seen.text.endsWith("789"),
    wrote: true
  },
  flipReplyBit: { fault: WireFault.flipReplyBit(0), read: (seen) => seen.text.endsWith("1123456789"), wrote: true },
  contentRange: {
    fault: WireFault.contentRange("bytes 1-2/3"),
    read: (seen) => seen.text.includes("content-range: bytes 1-2/3\r"),
    wrote: true
  },
  changedEtag: {
    fault: WireFault.changedEtag,
    read: (seen) => seen.text.includes("x-goog-generation: 1234567890\r"),
    wrote: true
  },
  "change, invented": {
    fault: WireFault.change({ status: 206, body: "xyz" }, { applied: false }),
    read: (seen) => /^HTTP\/1.1 206 [^]*xyz$/.test(seen.text),
    wrote: false
  },
  redirect: {
    fault: WireFault.redirect("http://127.0.0.1:1/"),
    read: (seen) => /^HTTP\/1.1 307 [^]*location: http:\/\/127.0.0.1:1\/\r/.test(seen.text),
    wrote: false
  },
  early: { fault: WireFault.early(201), read: (seen) => seen.text.startsWith("HTTP/1.1 201 "), wrote: false },
  raw: { fault: WireFault.raw("no\0http"), read: (seen) => seen.text === "no\0http", wrote: false }
}

describe("the fault server", () => {
  for (const [name, { fault, read, wrote }] of Object.entries(appearances)) {
    it.live(`on the wire: ${name}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* FaultServer.gcs({
          objects: { a: "0123456789" },
          script: [on(undefined, undefined, [1, 2], fault)]
        })
        const port = Number(new URL(server.endpoint).port)
        const seen = yield* look(port, get)
        assert.isTrue(read(seen), JSON.stringify(seen))
        yield* look(port, put)
        const written = yield* server.stored("b")
        assert.strictEqual(
          written === undefined ? undefined : Buffer.from(written).toString(),
          wrote ? "world" : undefined
        )
        assert.deepStrictEqual(
          (yield* server.changes).map(({ exchange, key }) => [exchange, key]),
          wrote ? [[1, "b"]] : []
        )
        const journal = yield* server.journal
        assert.deepStrictEqual(
          journal.map(({ changed, fault, operation }) => [operation, fault, changed]),
          [["read", fault, false], ["write", fault, wrote]]
        )
        // What comes after is served as if nothing had been.
        assert.include((yield* look(port, get)).text, "0123456789")
      })))
  }

  it.live("on the wire: a bit of a request flips, and the service refuses it by its checksum", () =>
    Effect.scoped(Effect.gen(function*() {
      const { connect, server } = yield* services.S3(
        { script: [on("write", "a", 1, WireFault.flipRequestBit())] },
        limits
      )
      const store = yield* connect
      yield* store.put("a", "hello")
      assert.deepStrictEqual((yield* server.journal).map(({ status }) => status), [400, 200])
      assert.strictEqual(Buffer.from((yield* server.stored("a"))!).toString(), "hello")
    })).pipe(Effect.provideService(RetryPolicy, policy)))

  const connecting = {
    refuse: [WireFault.refuse("300 millis"), "ECONNRESET"],
    resetConnections: [WireFault.resetConnections("300 millis"), "ECONNRESET"],
    silentConnections: [WireFault.silentConnections("300 millis"), "silent"]
  } as const
  for (const [name, [fault, error]] of Object.entries(connecting)) {
    it.live(`on the wire of what connects for a while: ${name}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* FaultServer.gcs({ script: [on(undefined, undefined, 1, fault)] })
        const port = Number(new URL(server.endpoint).port)
        assert.strictEqual((yield* look(port, get)).error, "ECONNRESET")
        assert.strictEqual((yield* look(port, get)).error, error)
        assert.lengthOf(yield* server.journal, 1)
        yield* Effect.sleep("350 millis")
        assert.include((yield* look(port, get)).text, "HTTP/1.1 404")
      })))
  }

  it.live("answers first, where that is asked for", () =>
    Effect.scoped(Effect.gen(function*() {
      const fault = WireFault.refuse("300 millis", { answered: true })
      const server = yield* FaultServer.gcs({ objects: { a: "a" }, script: [on(undefined, undefined, 1, fault)] })
      const port = Number(new URL(server.endpoint).port)
      const seen = yield* look(port, get)
      assert.strictEqual(seen.error, undefined)
      assert.include(seen.text, "HTTP/1.1 200")
      assert.strictEqual((yield* look(port, get)).error, "ECONNRESET")
    })))

  for (const clockAhead of ["1 hour", "-1 hour"] as const) {
    it.live.each(["S3", "Azure"] as const)(
      `has a clock of its own (${clockAhead}), which %s stores follow`,
      (name) =>
        Effect.gen(function*() {
          const { connect, server } = yield* services[name]({ clockAhead, objects: { a: "hello" } }, limits)
          const store = yield* connect
          yield* store.get("a")
          yield* store.put("b", "hello", { mode: "create" })
          const journal = yield* server.journal
          assert.deepStrictEqual(
            journal.map(({ operation, status }) => [operation, status! < 300]),
            [["read", false], ["read", true], ["write", true]]
          )
          const { lastModified } = yield* store.stat("b")
          const ahead = DateTime.toEpochMillis(lastModified!) - (yield* Clock.currentTimeMillis)
          assert.closeTo(ahead, Duration.toMillis(clockAhead), 60_000)
        }).pipe(Effect.provideService(RetryPolicy, policy), Effect.scoped)
    )
  }

  it.live("does not play a rule that can never be met", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* FaultServer.s3()
      for (const hits of [0, -1, 1.5, Number.NaN, [1, 0], { every: 0 }]) {
        const script = [on("read", "a", 1, WireFault.status(500)), on("read", "a", hits, WireFault.status(500))]
        for (const played of [Effect.asVoid(FaultServer.s3({ script })), server.setScript(script)]) {
          const exit = yield* Effect.exit(played)
          assert.match(String(exit), /RangeError: rule 1: hit \S+ is not a positive integer/)
        }
      }
      const refused = (rule: FaultServer.WireRule) => Effect.map(Effect.exit(server.setScript([rule])), String)
      const misspelt = on(["read", "raed" as never], "a", 1, WireFault.status(500))
      assert.include(yield* refused(misspelt), "rule 0: there is no operation \"raed\"; there are head, read, ")
      assert.include(yield* refused(on("read", "a", 1, "reset" as never)), "rule 0: its fault is none of WireFault")
      assert.include(yield* refused({ operation: "read" } as never), "rule 0: its fault is none of WireFault")
    })))

  it.live("shows another authority's certificate for a while", () =>
    Effect.gen(function*() {
      const script = [on("head", undefined, 1, WireFault.impostor("1 minute"))]
      const { connect, server } = yield* services.S3({ tls: true, objects: { a: "a" }, script }, limits)
      const store = yield* connect
      const error = yield* Effect.flip(store.stat("a"))
      assert.strictEqual(error.reason._tag === "ConnectionFailed" && error.reason.phase, "tls")
      assert.include(error.message, "certificate")
      assert.lengthOf(yield* server.journal, 1)
    }).pipe(Effect.provideService(RetryPolicy, policy), Effect.scoped))

  for (const name of ["S3", "Azure"] as const) {
    it.live(`tells another time, by which ${name} is signed from then on`, () =>
      Effect.gen(function*() {
        const script = [on(undefined, undefined, 1, WireFault.skewedClock)]
        const { connect, server } = yield* services[name]({ objects: { a: "a" }, script }, limits)
        const store = yield* connect
        yield* store.get("a")
        yield* store.put("b", "b")
        assert.deepStrictEqual((yield* server.journal).map(({ status }) => status === undefined), [true, false, false])
      }).pipe(Effect.provideService(RetryPolicy, policy), Effect.scoped))
  }

  for (const [name, start] of Object.entries(services)) {
    it.live(`selects by operation, key and hit, on ${name} over https`, () =>
      Effect.gen(function*() {
        const { connect, server } = yield* start({ tls: true, objects: { a: "a", b: "b" } }, limits)
        const store = yield* connect
        yield* server.setScript([
          on("read", "b", [2, 3], WireFault.status(500)),
          on("delete", /^a/, undefined, WireFault.status(403)),
          on(["head", "copy"], undefined, { every: 5 }, WireFault.resetBeforeApply)
        ])
        for (const key of ["a", "b", "b"]) yield* store.get(key)
        assert.strictEqual((yield* Effect.flip(store.delete("a"))).reason._tag, "PermissionDenied")
        yield* store.copy("b", "c")
        for (let i = 0; i < 5; i++) yield* store.stat("c")
        yield* store.delete("c")
        const journal = yield* server.journal
        assert.deepStrictEqual(
          journal.filter(({ operation }) => operation === "read").map(({ fault, key }) => [key, fault?._tag]),
          [["a", undefined], ["b", undefined], ["b", "Refusal"], ["b", "Refusal"], ["b", undefined]]
        )
        assert.isTrue(journal.some(({ fault }) => fault?._tag === "Reset"))
        assert.deepStrictEqual(
          (yield* server.changes).map((
            { body, key }
          ) => [key, body === undefined ? undefined : Buffer.from(body).toString()]),
          [["c", "b"], ["c", undefined]]
        )
        yield* server.store("b", "behind your back")
        assert.strictEqual(Buffer.from(yield* store.get("b")).toString(), "behind your back")
      }).pipe(Effect.provideService(RetryPolicy, policy), Effect.scoped))
  }
})
