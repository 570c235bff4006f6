import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import type { ObjectStoreError } from "effect-objectstore"
import * as NodeHttp from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeTimers from "node:timers"
import type { TransportRequest } from "../../src/http/Transport.ts"
import { type Peer, type RawServer, rawServer } from "./RawServer.ts"
import { bytes, exchange, fieldsOf, makeTransport, ok, readAll, request, until } from "./TransportTest.ts"

/** Connections that the client has not ended. */
const open = ({ peers }: RawServer): number => peers.filter(({ ended }) => ended === undefined).length

describe("UndiciTransport", () => {
  describe("requests", () => {
    it.live("sends path, headers and body byte for byte", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok("yes"))
        const transport = yield* makeTransport()
        const paths = [
          "/a/../b/./c",
          "//",
          "/%2F%2e%2E/%zz?x=%20+&y",
          "/a//b//",
          "/?list-type=2&prefix=%C3%A4",
          "/~'()*!"
        ]
        for (const path of paths) {
          const reply = yield* exchange(
            transport,
            request(server, { path, headers: { "x-a": "1 2", host: "example.com" } })
          )
          assert.strictEqual(reply.body.toString(), "yes")
        }
        assert.deepStrictEqual(server.requests.map((one) => one.path), paths)
        for (const { headers } of server.requests) {
          assert.deepStrictEqual([headers["x-a"], headers["host"]], ["1 2", "example.com"])
          assert.isUndefined(headers["content-length"])
        }
        yield* exchange(transport, request(server))
        assert.strictEqual(server.requests.at(-1)?.headers["host"], `127.0.0.1:${server.port}`)
      }))

    it.live("counts every body: none, one piece, many, more than is written at once", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok(""))
        const transport = yield* makeTransport()
        const large = bytes(5 * 1024 * 1024 + 3)
        const bodies: ReadonlyArray<TransportRequest["body"]> = [
          undefined,
          new Uint8Array(0),
          [],
          bytes(10),
          [bytes(10, 2), new Uint8Array(0), bytes(3)],
          [bytes(20), large, bytes(7)],
          large
        ]
        for (const body of bodies) {
          for (const method of ["PUT", "POST"] as const) {
            yield* exchange(
              transport,
              request(server, { method, body, headers: { "content-length": "77" } })
            )
            const got = server.requests.at(-1)!
            const sent = Buffer.concat(body === undefined ? [] : body instanceof Uint8Array ? [body] : body)
            assert.strictEqual(got.headers["content-length"], String(sent.length))
            assert.isTrue(got.body().equals(sent))
            assert.notMatch(got.head, /transfer-encoding/i)
          }
        }
        assert.strictEqual(server.peers.length, 1)
      }))

    it.live("refuses what HTTP cannot carry, before anything is sent", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok(""))
        const transport = yield* makeTransport()
        const secret = "s3cr3t-canary"
        const wrong: ReadonlyArray<Partial<TransportRequest>> = [
          { headers: { authorization: `${secret}\r\nx: y` } },
          { headers: { "x-a": "漢" } },
          { headers: { "a b": "c" } },
          { path: "/a b" },
          { path: "/漢" },
          { path: "no-slash" }
        ]
        for (const one of wrong) {
          const error = yield* Effect.flip(exchange(transport, request(server, { ...one, method: "PUT" })))
          assert.deepStrictEqual(fieldsOf(error), ["InvalidRequest", undefined, "not-applied"])
          assert.notInclude(JSON.stringify(error) + error.message, secret)
        }
        assert.strictEqual(server.requests.length, 0)
      }))

    it.live("follows no redirect and decompresses nothing", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) =>
            peer.reply("307 Elsewhere\nlocation: /other\ncontent-encoding: gzip\ncontent-length: 3", "abc")
        })
        const transport = yield* makeTransport()
        const reply = yield* exchange(transport, request(server))
        assert.deepStrictEqual([reply.status, reply.headers["location"], reply.body.toString()], [307, "/other", "abc"])
        assert.strictEqual(server.requests.length, 1)
      }))
  })

  describe("replies", () => {
    it.live("fills any target from any division of the bytes", () =>
      Effect.gen(function*() {
        const body = bytes(300_000)
        const chunked = Buffer.concat([
          ...[1, 99, 65_536, 100_000, 300_000].reduce<Array<Buffer>>((all, end, index, ends) => {
            const start = index === 0 ? 0 : ends[index - 1]!
            return [
              ...all,
              Buffer.from(`${(end - start).toString(16)};x=y\r\n`),
              Buffer.from(body.subarray(start, end)),
              Buffer.from("\r\n")
            ]
          }, []),
          Buffer.from("0\r\nx-trailer: 1\r\n\r\n")
        ])
        const server = yield* rawServer({
          onBody: ({ path, peer }) => {
            if (path === "/length") peer.reply(`200 OK\ncontent-length: ${body.length}`, body)
            else if (path === "/chunked") peer.reply("200 OK\ntransfer-encoding: chunked", chunked)
            else {
              peer.reply("200 OK\nconnection: close", body)
              peer.socket.end()
            }
          }
        })
        const transport = yield* makeTransport()
        for (const path of ["/length", "/chunked", "/close"]) {
          for (const step of [1000, 65_536, 99_999, 300_000, 300_001, 1_000_000]) {
            const reply = yield* exchange(transport, request(server, { path }), step)
            assert.isTrue(reply.body.equals(body), `${path} ${step}`)
          }
        }
        // Those that end with the connection need one each.
        assert.strictEqual(server.peers.length, 6)
      }))

    it.live("tells the length, joins headers that come twice, and reads Latin-1", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ method, path, peer }) =>
            method === "HEAD"
              ? peer.reply("200 OK\ncontent-length: 1234\nx-a: 1\nX-A: 2\nx-b: \u00e4")
              : peer.reply(`${path.slice(1)} Status`)
        })
        const transport = yield* makeTransport()
        const head = yield* Effect.scoped(transport.send(request(server, { method: "HEAD" })))
        assert.deepStrictEqual(
          [head.length, head.headers["content-length"], head.headers["x-a"], head.headers["x-b"]],
          [0, "1234", "1, 2", "\u00e4"]
        )
        for (const status of [204, 304]) {
          const reply = yield* exchange(transport, request(server, { path: `/${status}` }))
          assert.strictEqual(reply.status, status)
        }
        assert.strictEqual(server.peers.length, 1)
      }))

    it.live("passes over interim replies", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) => {
            peer.reply("102 Processing")
            peer.reply("103 Early Hints\nlink: x")
            peer.reply("200 OK\ncontent-length: 2", "ok")
          }
        })
        const transport = yield* makeTransport()
        assert.strictEqual((yield* exchange(transport, request(server))).body.toString(), "ok")
      }))

    it.live("stops the server when nobody reads, and goes on after", () =>
      Effect.gen(function*() {
        const body = bytes(64 * 1024 * 1024)
        const server = yield* rawServer({
          onBody: ({ peer }) => peer.reply(`200 OK\ncontent-length: ${body.length}`, body)
        })
        const transport = yield* makeTransport({ stallTimeout: 200 })
        yield* Effect.scoped(Effect.gen(function*() {
          const reply = yield* transport.send(request(server))
          const target = new Uint8Array(body.length)
          assert.strictEqual(yield* reply.into(target.subarray(0, 10)), 10)
          // Longer than the time-out, which must not count against a slow reader.
          yield* Effect.sleep(1000)
          assert.isAbove(server.peers[0]!.socket.writableLength, body.length / 2)
          assert.strictEqual(yield* reply.into(target.subarray(10)), body.length - 10)
          assert.isTrue(Buffer.from(target.buffer).equals(body))
        }))
      }))

    it.live("breaks off with what was delivered, wherever the reply is cut", () =>
      Effect.gen(function*() {
        const length = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789"
        const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n"
        let cut = { text: "", end: "fin" as "fin" | "reset" }
        const server = yield* rawServer({
          onBody: ({ peer }) => {
            peer.socket.write(cut.text, () => {
              // A reset drops what the client has not read yet.
              if (cut.end === "fin") peer.socket.end()
              else NodeTimers.setTimeout(() => peer.socket.resetAndDestroy(), 20)
            })
          }
        })
        const transport = yield* makeTransport()
        for (const whole of [length, chunked]) {
          const bodyAt = whole.indexOf("\r\n\r\n") + 4
          for (let at = 0; at < whole.length; at++) {
            for (const end of ["fin", "reset"] as const) {
              if (end === "reset" && at % 5 !== 0) continue
              cut = { text: whole.slice(0, at), end }
              const delivered: Array<number> = []
              const error = yield* Effect.flip(Effect.scoped(Effect.gen(function*() {
                const reply = yield* transport.send(request(server, { method: "PUT" }))
                const target = new Uint8Array(100)
                delivered.push(yield* reply.into(target.subarray(0, 3)))
                delivered.push(yield* reply.into(target))
              })))
              const came = whole === length
                ? at - bodyAt
                : Math.min(4, Math.max(0, at - bodyAt - 3)) + Math.min(6, Math.max(0, at - bodyAt - 12))
              const name = `${JSON.stringify(cut.text)} ${end}`
              if (at < bodyAt) {
                assert.deepStrictEqual(fieldsOf(error), ["ConnectionFailed", "headers", "unknown"], name)
              } else {
                assert.deepStrictEqual(fieldsOf(error), ["BodyInterrupted", undefined, "unknown"], name)
                assert.strictEqual(error.reason._tag === "BodyInterrupted" ? error.reason.received : -1, came, name)
                assert.deepStrictEqual(delivered, came >= 3 ? [3] : [], name)
              }
            }
          }
        }
      }), 60_000)

    it.live("refuses what is no HTTP", () =>
      Effect.gen(function*() {
        let text = ""
        const server = yield* rawServer({ onBody: ({ peer }) => peer.socket.end(text) })
        const transport = yield* makeTransport()
        const wrong = [
          "SSH-2.0-OpenSSH\r\n",
          "HTTP/1.1 2x0 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345",
          "HTTP/1.1 200 OK\r\na b\r\n\r\n",
          `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n`,
          "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
          "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more"
        ]
        for (text of wrong) {
          const error = yield* Effect.flip(exchange(transport, request(server)))
          assert.deepStrictEqual(fieldsOf(error), ["ProtocolViolation", undefined, undefined], text.slice(0, 60))
        }
      }))
  })

  describe("connections", () => {
    it.live("says that https was asked of what speaks http", () =>
      Effect.gen(function*() {
        // Node's own answers 400 to what is no HTTP, as services do.
        const server = yield* Effect.acquireRelease(
          Effect.callback<NodeHttp.Server>((resume) => {
            const server = NodeHttp.createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
          }),
          (server) => Effect.sync(() => server.close())
        )
        const { port } = server.address() as AddressInfo
        const transport = yield* makeTransport()
        const error = yield* Effect.flip(
          exchange(transport, {
            method: "GET",
            origin: `https://127.0.0.1:${port}`,
            path: "/",
            headers: {},
            mutation: false
          })
        )
        assert.strictEqual(
          error.message,
          "ConnectionFailed: request: what answers speaks no TLS: is it http, not https?"
        )
      }))

    it.live("keeps a connection for the next request, HEAD too, and gives it back before the body is read", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok("body"))
        const transport = yield* makeTransport()
        yield* Effect.scoped(Effect.gen(function*() {
          const first = yield* transport.send(request(server))
          yield* exchange(transport, request(server))
          assert.strictEqual((yield* readAll(first)).toString(), "body")
        }))
        yield* Effect.scoped(transport.send(request(server, { method: "HEAD" })))
        yield* exchange(transport, request(server))
        assert.strictEqual(server.peers.length, 1)
        assert.strictEqual(server.requests.length, 4)
      }))

    it.live("has at most as many connections as it may, and serves all", () =>
      Effect.gen(function*() {
        let most = 0
        const server = yield* rawServer({
          onBody: ({ peer }) => {
            most = Math.max(most, server.open())
            NodeTimers.setTimeout(() => peer.reply("200 OK\ncontent-length: 2", "ok"), 5)
          }
        })
        const transport = yield* makeTransport()
        const replies = yield* Effect.forEach(
          Array.from({ length: 300 }, (_, i) => `/${i}`),
          (path) => exchange(transport, request(server, { path })),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(replies.length, 300)
        assert.strictEqual(most, 64)
        assert.strictEqual(server.peers.length, 64)
        assert.strictEqual(new Set(server.requests.map((one) => one.path)).size, 300)
      }))

    it.live("keeps no more idle ones over all origins than one may have, those that were used last", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok("x"))
        const transport = yield* makeTransport({ connections: 8, lookup: () => "127.0.0.1" })
        const at = (host: number) =>
          exchange(transport, request({ ...server, origin: `http://bucket-${host}.test:${server.port}` }))
        let most = 0
        for (let host = 0; host < 100; host++) {
          yield* at(host)
          most = Math.max(most, open(server))
        }
        // One that is being closed may still be counted beside the new one.
        assert.isAtMost(most, 8 + 2)
        yield* until("8 are left", () => open(server) === 8)
        assert.strictEqual(server.peers.length, 100)
        yield* Effect.forEach([92, 95, 99], at)
        assert.strictEqual(server.peers.length, 100)
        yield* at(91)
        assert.strictEqual(server.peers.length, 101)
        // 93 was idle longest, for 92 was used again.
        yield* Effect.forEach([92, 94, 95, 96, 97, 98, 99], at)
        assert.strictEqual(server.peers.length, 101)
        yield* at(93)
        assert.strictEqual(server.peers.length, 102)
      }))

    it.live("drops idle ones of other origins only, however many are busy", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) => void NodeTimers.setTimeout(() => peer.reply("200 OK\ncontent-length: 2", "ok"), 5)
        })
        const transport = yield* makeTransport({ connections: 2, lookup: () => "127.0.0.1" })
        const replies = yield* Effect.forEach(
          Array.from({ length: 60 }, (_, i) => `http://bucket-${i % 6}.test:${server.port}`),
          (origin) => exchange(transport, request({ ...server, origin })),
          { concurrency: "unbounded" }
        )
        assert.isTrue(replies.every(({ body }) => body.toString() === "ok"))
        assert.strictEqual(server.requests.length, 60)
        yield* until("2 are left", () => open(server) === 2)
      }))

    it.live("makes a new one where the server has closed an idle one", () =>
      Effect.gen(function*() {
        for (const end of ["fin", "reset"] as const) {
          const server = yield* rawServer(ok("x"))
          const transport = yield* makeTransport()
          yield* exchange(transport, request(server))
          if (end === "fin") server.peers[0]!.socket.end()
          else server.peers[0]!.socket.resetAndDestroy()
          yield* Effect.sleep(50)
          yield* exchange(transport, request(server, { method: "PUT" }))
          assert.strictEqual(server.peers.length, 2)
        }
      }))

    it.live("says that a kept connection was dead, and takes no other that was idle as long", () =>
      Effect.gen(function*() {
        let answer: "all" | "some" | "none" | "late" = "all"
        let held: Peer | undefined
        const server = yield* rawServer({
          onBody: ({ peer }) => {
            if (answer === "all") return peer.reply("200 OK\ncontent-length: 1", "x")
            if (answer === "late") held = peer
            if (answer === "late") return
            if (answer === "none") return void peer.socket.resetAndDestroy()
            peer.socket.write("HTTP/1.1 2", () => NodeTimers.setTimeout(() => peer.socket.resetAndDestroy(), 20))
          }
        })
        const closed = () => server.peers.filter(({ ended }) => ended === "fin").length
        const transport = yield* makeTransport()
        const one = exchange(transport, request(server, { method: "PUT", body: bytes(10) }))
        const reusedOf = (error: ObjectStoreError) =>
          error.reason._tag === "ConnectionFailed" ? error.reason.reused : error.reason._tag
        yield* Effect.forEach([1, 2, 3], () => one, { concurrency: 3, discard: true })
        assert.strictEqual(server.peers.length, 3)

        answer = "none"
        assert.strictEqual(reusedOf(yield* Effect.flip(one)), true)
        answer = "all"
        yield* one
        assert.strictEqual(server.peers.length, 4)
        yield* until("the idle ones are closed", () => closed() === 2)

        // Some of an answer: it was alive.
        answer = "some"
        assert.strictEqual(reusedOf(yield* Effect.flip(one)), undefined)
        // A new one that dies tells of the server.
        answer = "none"
        assert.strictEqual(reusedOf(yield* Effect.flip(one)), undefined)
        assert.strictEqual(server.peers.length, 5)

        // One that was used meanwhile is alive.
        answer = "all"
        yield* one
        answer = "late"
        const dying = yield* Effect.forkChild(Effect.flip(one), { startImmediately: true })
        yield* until("it is asked", () => held !== undefined)
        answer = "all"
        yield* one
        held?.socket.resetAndDestroy()
        assert.strictEqual(reusedOf(yield* Fiber.join(dying)), true)
        yield* one
        assert.strictEqual(server.peers.length, 7)
        assert.strictEqual(closed(), 2)
      }))

    it.live("says that nothing was sent, or that there is no answer, where an idle one is closed meanwhile", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok("x"))
        const transport = yield* makeTransport()
        const seen = new Set<string>()
        for (let i = 0; i < 30; i++) {
          yield* exchange(transport, request(server, { method: "PUT" }))
          const before = server.requests.length
          const peer = server.peers.at(-1)!
          const fiber = yield* Effect.forkChild(
            Effect.exit(exchange(transport, request(server, { method: "PUT", body: bytes(10) }))),
            { startImmediately: true }
          )
          peer.socket.resetAndDestroy()
          const exit = yield* Fiber.join(fiber)
          if (Exit.isSuccess(exit)) continue
          const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
          assert.isDefined(error)
          const [tag, phase, outcome] = fieldsOf(error)
          seen.add(`${phase} ${outcome}`)
          assert.strictEqual(tag, "ConnectionFailed")
          if (outcome === "not-applied") assert.strictEqual(server.requests.length, before)
        }
        for (const one of seen) assert.include(["request not-applied", "request unknown", "headers unknown"], one)
      }))

    it.live("closes all with its scope, and serves none after", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onHead: ({ path, peer }) => path === "/" && peer.reply("200 OK\ncontent-length: 0")
        })
        const scope = yield* Scope.make()
        const transport = yield* Scope.provide(makeTransport({ connections: 2 }), scope)
        yield* exchange(transport, request(server))
        const waiting = yield* Effect.forEach(
          [1, 2, 3],
          () => Effect.forkChild(Effect.flip(exchange(transport, request(server, { path: "/never", method: "PUT" }))))
        )
        yield* until("2 requests", () => server.requests.length === 3)
        yield* Scope.close(scope, Exit.void)
        const outcomes = yield* Effect.forEach(waiting, (fiber) =>
          Effect.map(Fiber.join(fiber), (error) => error.outcome))
        assert.deepStrictEqual(outcomes.sort(), ["not-applied", "unknown", "unknown"])
        yield* until("no connection", () =>
          server.open() === 0)
        const error = yield* Effect.flip(exchange(transport, request(server)))
        assert.strictEqual(error.reason._tag, "Configuration")
      }))
  })
})
