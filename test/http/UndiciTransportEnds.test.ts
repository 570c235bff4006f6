import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import * as NodeNet from "node:net"
import * as NodeTimers from "node:timers"
import { withClockAhead } from "../support/skewedClock.ts"
import { certificate } from "./certificate.ts"
import { type RawServer, rawServer } from "./RawServer.ts"
import { bytes, exchange, fieldsOf, makeTransport, ok, readAll, request, until } from "./TransportTest.ts"

const large = bytes(32 * 1024 * 1024)

/** Every connection is gone, and each was reset by the client and not closed in order. */
const allReset = Effect.fnUntraced(function*(server: RawServer) {
  yield* until("no connection is open", () => server.open() === 0)
  for (const peer of server.peers) assert.strictEqual(peer.ended, "reset")
})

/** A server that takes a connection and says nothing, without TLS. */
const silent = rawServer({})

describe("UndiciTransport", () => {
  describe("time-outs", () => {
    it.live("of a connection: nothing was sent", () =>
      Effect.gen(function*() {
        const server = yield* silent
        const transport = yield* makeTransport({ connectTimeout: 100, headersTimeout: 60_000 })
        const secure = { ...server, origin: server.origin.replace("http:", "https:") }
        const error = yield* Effect.flip(exchange(transport, request(secure, { method: "PUT" })))
        assert.deepStrictEqual(fieldsOf(error), ["Timeout", "request", "not-applied"])
        yield* allReset(server)
      }))

    it.live("of the first byte, from when the request is sent", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ path, peer }) => path === "/half" && peer.socket.write("HTTP/1.1 2")
        })
        const transport = yield* makeTransport({ headersTimeout: 100, stallTimeout: 60_000 })
        for (const path of ["/none", "/half"]) {
          const error = yield* Effect.flip(exchange(transport, request(server, { path, method: "PUT", body: large })))
          assert.deepStrictEqual(fieldsOf(error), ["Timeout", "headers", "unknown"])
        }
        yield* allReset(server)
      }))

    it.live("of the first byte, however often the server says that it will come", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) => {
            const hints = NodeTimers.setInterval(() => peer.reply("103 Early Hints"), 20)
            peer.socket.on("close", () => NodeTimers.clearInterval(hints))
          }
        })
        const transport = yield* makeTransport({ headersTimeout: 200, stallTimeout: 60_000 })
        const error = yield* Effect.flip(exchange(transport, request(server)))
        assert.deepStrictEqual(fieldsOf(error), ["Timeout", "headers", undefined])
        yield* allReset(server)
      }), { timeout: 10_000 })

    it.live("come although the clock is set back meanwhile", () => {
      let ahead = 0
      return Effect.gen(function*() {
        const server = yield* rawServer({ onBody: () => void NodeTimers.setTimeout(() => ahead = -3_600_000, 50) })
        const transport = yield* makeTransport({ headersTimeout: 200, stallTimeout: 60_000 })
        const error = yield* Effect.flip(exchange(transport, request(server)))
        assert.deepStrictEqual(fieldsOf(error), ["Timeout", "headers", undefined])
      }).pipe(withClockAhead(() => ahead))
    }, { timeout: 10_000 })

    it.live("of an upload that stands still, and not of one that moves", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onConnection: ({ socket }) => {
            if (server.peers.length === 1) {
              NodeTimers.setTimeout(() => socket.pause(), 5)
              return
            }
            // About a megabyte in far less than the time that stands for a stall, so that all takes longer than that.
            let taken = 0
            socket.on("data", (chunk) => {
              taken += chunk.length
              if (taken > 1024 * 1024) socket.pause()
            })
            const slow = NodeTimers.setInterval(() => {
              taken = 0
              socket.resume()
            }, 40)
            socket.on("close", () => NodeTimers.clearInterval(slow))
          },
          onBody: ({ peer }) => peer.reply("200 OK\ncontent-length: 0")
        })
        const transport = yield* makeTransport({ stallTimeout: 300, headersTimeout: 60_000 })
        const error = yield* Effect.flip(exchange(transport, request(server, { method: "PUT", body: large })))
        assert.deepStrictEqual(fieldsOf(error), ["Timeout", "request", "unknown"])
        server.peers[0]!.socket.resume()
        yield* allReset(server)
        const start = performance.now()
        const reply = yield* exchange(transport, request(server, { method: "PUT", body: large }))
        assert.strictEqual(reply.status, 200)
        assert.isAbove(performance.now() - start, 600)
      }))

    it.live("of a body that stands still: what came is counted", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({ onBody: ({ peer }) => peer.reply("200 OK\ncontent-length: 10", "12345") })
        const transport = yield* makeTransport({ stallTimeout: 100, headersTimeout: 60_000 })
        yield* Effect.scoped(Effect.gen(function*() {
          const reply = yield* transport.send(request(server))
          const target = new Uint8Array(10)
          const error = yield* Effect.flip(reply.into(target))
          assert.deepStrictEqual(fieldsOf(error), ["Timeout", "stall", undefined])
          assert.deepStrictEqual(error.status, 200)
          assert.strictEqual(error.reason._tag === "Timeout" ? error.reason.received : -1, 5)
          assert.deepStrictEqual(target.subarray(0, 5), Buffer.from("12345"))
        }))
        yield* allReset(server)
      }))

    it.live("cannot be switched off by nonsense", () =>
      Effect.gen(function*() {
        for (
          const options of [{ connections: 0 }, { connections: 1.5 }, { stallTimeout: -1 }, {
            headersTimeout: Number.NaN
          }]
        ) {
          const error = yield* Effect.flip(makeTransport(options))
          assert.strictEqual(error.reason._tag, "Configuration")
        }
      }))
  })

  describe("connections that are not made", () => {
    it.live("are told apart, and nothing was sent", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok(""))
        const transport = yield* makeTransport()
        const free = yield* Effect.callback<number>((resume) => {
          const probe = NodeNet.createServer().listen(0, "127.0.0.1", () => {
            const { port } = probe.address() as NodeNet.AddressInfo
            probe.close(() => resume(Effect.succeed(port)))
          })
        })
        const failing = [
          [`http://127.0.0.1:${free}`, "connect"],
          [`https://127.0.0.1:${free}`, "connect"],
          ["http://nowhere.invalid", "dns"],
          ["https://nowhere.invalid", "dns"]
        ] as const
        for (const [origin, phase] of failing) {
          const error = yield* Effect.flip(exchange(transport, request({ ...server, origin }, { method: "PUT" })))
          assert.deepStrictEqual(fieldsOf(error), ["ConnectionFailed", phase, "not-applied"], origin)
          const read = yield* Effect.flip(exchange(transport, request({ ...server, origin })))
          assert.deepStrictEqual(fieldsOf(read), ["ConnectionFailed", phase, undefined])
        }
      }))

    it.live("use the lookup that they are given", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok("x"))
        const asked: Array<string> = []
        const transport = yield* makeTransport({
          lookup: (host) => {
            asked.push(host)
            return "127.0.0.1"
          }
        })
        yield* exchange(transport, request({ ...server, origin: `http://bucket.nowhere.invalid:${server.port}` }))
        assert.deepStrictEqual(asked, ["bucket.nowhere.invalid"])
        assert.strictEqual(server.requests[0]?.headers["host"], `bucket.nowhere.invalid:${server.port}`)
      }))
  })

  describe("TLS", () => {
    it.live("sends and receives large bodies, and keeps connections", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) => peer.reply(`200 OK\ncontent-length: ${large.length}`, large)
        }, certificate)
        const transport = yield* makeTransport({ ca: certificate.cert })
        for (let i = 0; i < 2; i++) {
          const reply = yield* exchange(transport, request(server, { method: "PUT", body: large }), large.length)
          assert.isTrue(reply.body.equals(large))
          assert.isTrue(server.requests.at(-1)?.body().equals(large))
        }
        assert.strictEqual(server.peers.length, 1)
      }))

    it.live("refuses a certificate that it does not trust, or of another host", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok(""), certificate)
        const untrusting = yield* makeTransport()
        const trusting = yield* makeTransport({ ca: [certificate.cert], lookup: () => "127.0.0.1" })
        const at = (host: string) => request({ ...server, origin: `https://${host}:${server.port}` }, { method: "PUT" })
        for (const failing of [exchange(untrusting, at("127.0.0.1")), exchange(trusting, at("other.test"))]) {
          const error = yield* Effect.flip(failing)
          assert.deepStrictEqual(fieldsOf(error), ["ConnectionFailed", "tls", "not-applied"])
          assert.include(JSON.stringify(error.reason), error.reason.code!)
        }
        assert.strictEqual(server.requests.length, 0)
        assert.strictEqual((yield* exchange(trusting, at("store.test"))).status, 200)
        assert.strictEqual((yield* exchange(trusting, at("127.0.0.1"))).status, 200)
      }))

    it.live("says so where the server breaks off the handshake", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onConnection: ({ socket }) => void socket.once("data", () => socket.resetAndDestroy())
        })
        const transport = yield* makeTransport()
        const origin = server.origin.replace("http:", "https:")
        const error = yield* Effect.flip(exchange(transport, request({ ...server, origin }, { method: "PUT" })))
        assert.deepStrictEqual(fieldsOf(error), ["ConnectionFailed", "tls", "not-applied"])
      }))

    it.live("is reset below when it is interrupted", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({ onHead: ({ peer }) => void peer.socket.pause() }, certificate)
        const transport = yield* makeTransport({ ca: certificate.cert })
        const fiber = yield* Effect.forkChild(exchange(transport, request(server, { method: "PUT", body: large })))
        yield* until("a request", () => server.requests.length === 1)
        yield* Fiber.interrupt(fiber)
        server.peers[0]!.socket.resume()
        yield* allReset(server)
      }))
  })

  describe("an answer before the end of the upload", () => {
    const refusal = "403 Forbidden\ncontent-length: 6"
    const manners: Record<string, (socket: NodeNet.Socket) => void> = {
      "and goes on reading": () => {},
      "and reads no more": (socket) => void socket.pause(),
      "and closes": (socket) => void socket.pause().end(),
      "and is gone": (socket) => void NodeTimers.setImmediate(() => socket.destroy()),
      "and resets a moment later": (socket) => void NodeTimers.setTimeout(() => socket.pause().resetAndDestroy(), 20)
    }
    for (const [name, manner] of Object.entries(manners)) {
      it.live(`is the answer, if the server gives it ${name}`, () =>
        Effect.gen(function*() {
          const server = yield* rawServer({
            onHead: ({ peer }) => {
              peer.reply(refusal, "denied")
              manner(peer.socket)
            }
          })
          for (let i = 0; i < 10; i++) {
            const transport = yield* makeTransport()
            const body = i % 2 === 0 ? large : large.subarray(0, 900_000)
            const reply = yield* exchange(transport, request(server, { method: "PUT", body }))
            assert.deepStrictEqual([reply.status, reply.body.toString()], [403, "denied"])
          }
          assert.strictEqual(server.requests.length, 10)
        }))
    }

    it.live("is not made up where the server only closes", () =>
      Effect.gen(function*() {
        for (const end of ["end", "destroy", "resetAndDestroy"] as const) {
          const server = yield* rawServer({
            onHead: ({ peer }) => void NodeTimers.setTimeout(() => peer.socket.pause()[end](), 5)
          })
          const transport = yield* makeTransport()
          const error = yield* Effect.flip(exchange(transport, request(server, { method: "PUT", body: large })))
          assert.deepStrictEqual(fieldsOf(error), ["ConnectionFailed", "request", "unknown"], end)
        }
      }))
  })

  describe("interruption", () => {
    it.live("resets the connection wherever it comes, and leaves none", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ path, peer }) => {
            if (path === "/head") peer.reply("200 OK\ncontent-length: 10")
            if (path === "/half") peer.reply(`200 OK\ncontent-length: ${large.length}`, large.subarray(0, 1_000_000))
          },
          onHead: ({ path, peer }) => path === "/upload" && void peer.socket.pause()
        })
        const transport = yield* makeTransport()
        const cases = [
          request(server, { path: "/upload", method: "PUT", body: large }),
          request(server, { path: "/never", method: "PUT", body: bytes(10) }),
          request(server, { path: "/head" }),
          request(server, { path: "/half" })
        ]
        for (const one of cases) {
          const before = server.requests.length
          const fiber = yield* Effect.forkChild(exchange(transport, one))
          yield* until("the request", () => server.requests.length > before)
          yield* Effect.sleep(20)
          yield* Fiber.interrupt(fiber)
          server.peers.at(-1)!.socket.resume()
          yield* until(`${one.path} is reset`, () => server.peers.at(-1)!.ended === "reset")
        }
        assert.strictEqual(server.peers.length, cases.length)
        yield* allReset(server)
      }))

    it.live("of the scope before the body was read resets too", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) => peer.reply(`200 OK\ncontent-length: ${large.length}`, large)
        })
        const transport = yield* makeTransport()
        const reply = yield* Effect.scoped(transport.send(request(server)))
        yield* allReset(server)
        const error = yield* Effect.flip(reply.into(new Uint8Array(1_000_000)))
        assert.strictEqual(error.reason._tag, "BodyInterrupted")
      }))

    it.live("of the scope before the body was taken out loses it, and says so", () =>
      Effect.gen(function*() {
        const server = yield* rawServer(ok("body"))
        const transport = yield* makeTransport()
        const reply = yield* Effect.scoped(transport.send(request(server)))
        const error = yield* Effect.flip(reply.into(new Uint8Array(4)))
        assert.strictEqual(error.reason._tag, "BodyInterrupted")
      }))

    it.live("while a connection is made, or waited for, leaves nothing behind", () =>
      Effect.gen(function*() {
        const hanging = yield* silent
        const server = yield* rawServer(ok("x"))
        const transport = yield* makeTransport({ connections: 1 })
        const secure = { ...hanging, origin: hanging.origin.replace("http:", "https:") }
        const first = yield* Effect.forkChild(exchange(transport, request(secure)))
        yield* until("a connection", () => hanging.open() === 1)
        const second = yield* Effect.forkChild(exchange(transport, request(secure)), { startImmediately: true })
        yield* Fiber.interrupt(second)
        yield* Fiber.interrupt(first)
        yield* until("no connection", () => hanging.open() === 0)
        yield* exchange(transport, request(server))
      }))

    it.live("at any moment leaves no socket and no place taken", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) => {
            NodeTimers.setTimeout(() => peer.reply(`200 OK\ncontent-length: 300000`, large.subarray(0, 100_000)), 1)
            NodeTimers.setTimeout(() => peer.socket.write(large.subarray(100_000, 300_000)), 3)
          }
        })
        const transport = yield* makeTransport({ connections: 2 })
        const body = large.subarray(0, 2_000_000)
        for (let round = 0; round < 60; round++) {
          const fibers = yield* Effect.forEach(
            [1, 2, 3],
            () =>
              Effect.forkChild(exchange(transport, request(server, { method: "PUT", body })), {
                startImmediately: true
              })
          )
          yield* round < 20
            ? Effect.callback<void>((resume) => {
              let turns = round
              const turn = (): void => turns-- > 0 ? void NodeTimers.setImmediate(turn) : resume(Effect.void)
              turn()
            })
            : Effect.sleep((round - 20) / 4)
          for (const fiber of fibers) yield* Fiber.interrupt(fiber)
          yield* until("at most 2 connections", () => server.open() <= 2)
        }
        for (const peer of server.peers) assert.notStrictEqual(peer.ended, "fin")
        const reply = yield* exchange(transport, request(server, { method: "PUT", body }))
        assert.strictEqual(reply.body.length, 300_000)
      }))

    it.live("ends what may be done to the buffers", () =>
      Effect.gen(function*() {
        const server = yield* rawServer({
          onBody: ({ peer }) => {
            peer.reply(`200 OK\ncontent-length: ${large.length}`, large)
          }
        })
        const transport = yield* makeTransport()
        const target = new Uint8Array(large.length)
        const fiber = yield* Effect.forkChild(Effect.scoped(
          Effect.flatMap(transport.send(request(server)), (reply) => reply.into(target))
        ))
        yield* until("bytes", () => target[100_000] !== 0)
        yield* Fiber.interrupt(fiber)
        const copy = target.slice()
        yield* Effect.sleep(50)
        assert.isTrue(Buffer.from(target.buffer).equals(copy))
        const exit = yield* Fiber.await(fiber)
        assert.isTrue(Exit.isFailure(exit))
      }))
  })

  it.live("reads a body while another request of the same fiber goes on", () =>
    Effect.gen(function*() {
      const server = yield* rawServer({
        onBody: ({ path, peer }) =>
          peer.reply(`200 OK\ncontent-length: ${large.length}`, path === "/a" ? large : large.toReversed())
      })
      const transport = yield* makeTransport()
      yield* Effect.scoped(Effect.gen(function*() {
        const a = yield* transport.send(request(server, { path: "/a" }))
        const b = yield* transport.send(request(server, { path: "/b" }))
        const [targetA, targetB] = [new Uint8Array(large.length), new Uint8Array(large.length)]
        for (let at = 0; at < large.length; at += 77_777) {
          yield* a.into(targetA.subarray(at, at + 77_777))
          yield* b.into(targetB.subarray(at, at + 77_777))
        }
        assert.isTrue(Buffer.from(targetA.buffer).equals(large))
        assert.isTrue(Buffer.from(targetB.buffer).equals(large.toReversed()))
        assert.strictEqual((yield* readAll(a)).length, 0)
      }))
      assert.strictEqual(server.peers.length, 2)
    }))
})
