import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { certificate } from "./certificate.ts"
import { quickServer } from "./quickServer.ts"
import { bytes, exchange, makeTransport } from "./TransportTest.ts"

describe("answers of a quick server over TLS", () => {
  it.live(
    "are those of requests that were sent, and their connections serve the next ones",
    () =>
      Effect.gen(function*() {
        const server = yield* quickServer
        const transport = yield* makeTransport({ ca: certificate.cert, connections: 4 })
        for (const [size, count] of [[0, 200], [100, 1000], [20_000, 400], [300_000, 100]] as const) {
          const body = bytes(size)
          yield* Effect.forEach(Array.from({ length: count }), () =>
            Effect.map(
              exchange(transport, {
                method: "PUT",
                origin: server.origin,
                path: "/",
                headers: {},
                mutation: true,
                body
              }),
              (reply) => assert.strictEqual(reply.body.toString(), "ok")
            ), { concurrency: 4, discard: true })
        }
        assert.strictEqual(yield* server.connections, 4)
      }),
    60_000
  )
})
