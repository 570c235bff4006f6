import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { rawServer } from "./RawServer.ts"
import { exchange, makeTransport, readAll, request } from "./TransportTest.ts"

const paths = Array.from({ length: 20 }, (_, index) => `/${index}`)

describe("a pool of connections", () => {
  for (const most of [1, 2]) {
    it.live(
      `serves those who wait in the order that they came, also where exchanges fail: ${most} at a time`,
      () =>
        Effect.gen(function*() {
          const server = yield* rawServer({
            onBody: ({ path, peer }, number) => {
              // Every other connection is cut off: before its answer, or in the middle of it.
              if (number % 4 === 1) peer.socket.resetAndDestroy()
              else if (number % 4 === 3) {
                peer.reply("200 OK\ncontent-length: 100", "short")
                peer.socket.end()
              } else peer.reply(`200 OK\ncontent-length: ${path.length}`, path)
            }
          })
          const transport = yield* makeTransport({ connections: most })
          const exits = yield* Effect.forEach(
            paths,
            (path) => Effect.exit(exchange(transport, request(server, { path }))),
            { concurrency: "unbounded" }
          ).pipe(Effect.timeout("20 seconds"))
          const order = server.requests.map(({ path }) => path)
          // Two at a time may overtake each other on the way.
          if (most === 1) assert.deepStrictEqual(order, paths)
          else assert.deepStrictEqual(new Set(order), new Set(paths))
          const failed = exits.filter(Exit.isFailure).length
          assert.strictEqual(failed, paths.length / 2)
        }),
      { timeout: 30_000 }
    )
  }

  it.live("uses no connection again whose answer was not read to its end", () =>
    Effect.gen(function*() {
      const body = "x".repeat(1_000_000)
      const server = yield* rawServer({
        onBody: ({ path, peer }) =>
          path === "/long"
            ? peer.reply(`200 OK\ncontent-length: ${body.length}`, body)
            : peer.reply("200 OK\ncontent-length: 5", "short")
      })
      const transport = yield* makeTransport({ connections: 1 })
      for (let round = 0; round < 3; round++) {
        yield* Effect.scoped(Effect.gen(function*() {
          const reply = yield* transport.send(request(server, { path: "/long" }))
          assert.strictEqual(yield* reply.into(new Uint8Array(10)), 10)
        }))
        const next = yield* Effect.scoped(Effect.flatMap(transport.send(request(server)), (reply) => readAll(reply)))
        assert.strictEqual(next.toString(), "short")
      }
      // Each long one had to be broken off; the next one went over a new connection, and was read.
      assert.strictEqual(server.peers.length, 4)
    }))

  it.live("has room for as many as before after it dropped idle ones", () =>
    Effect.gen(function*() {
      const waiting: Array<() => void> = []
      const server = yield* rawServer({
        onBody: ({ path, peer }) => {
          if (path === "/dead") return peer.socket.resetAndDestroy()
          waiting.push(() => peer.reply("200 OK\ncontent-length: 2", "ok"))
          // Answers come only to two together.
          if (waiting.length === 2) { for (const answer of waiting.splice(0)) answer() }
        }
      })
      const transport = yield* makeTransport({ connections: 2 })
      const two = Effect.all([exchange(transport, request(server)), exchange(transport, request(server))], {
        concurrency: 2
      }).pipe(Effect.timeout("10 seconds"))
      for (let round = 0; round < 3; round++) {
        yield* two
        // The one that was used last is dead, so the other one is dropped.
        const dead = yield* Effect.exit(exchange(transport, request(server, { path: "/dead" })))
        assert.isTrue(Exit.isFailure(dead))
      }
      yield* two
    }))
})
