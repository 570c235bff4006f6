import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as NodeNet from "node:net"
import { serve, type ServerRequest } from "../../src/testing/protocol/Server.ts"

/** What the server sends to raw bytes; the client ends when the server does. */
const exchange = (port: number, text: string) =>
  Effect.callback<string>((resume) => {
    const chunks: Array<Buffer> = []
    const socket = NodeNet.connect(port, "127.0.0.1", () => socket.write(text))
    socket.on("data", (chunk) => chunks.push(chunk))
    socket.on("close", () => resume(Effect.succeed(Buffer.concat(chunks).toString("latin1"))))
    socket.on("error", () => undefined)
    return Effect.sync(() => socket.destroy())
  })

describe("the server of the models", () => {
  it.live("hands paths, queries and bodies on as they were sent", () =>
    Effect.scoped(Effect.gen(function*() {
      const seen: Array<ServerRequest> = []
      const { port } = yield* serve((request) => {
        seen.push(request)
        return Effect.succeed({ status: 201, headers: { "x-a": "1", "x-none": undefined }, body: "done" })
      })
      const reply = yield* exchange(
        port,
        "PUT /a/../b//%2F?x=a%2Bb+c&y&x=%zz HTTP/1.1\r\nhost: h\r\nX-Twice: 1\r\nx-twice: 2\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc"
      )
      assert.match(reply, /^HTTP\/1.1 201 /)
      assert.include(reply.toLowerCase(), "x-a: 1")
      assert.isTrue(reply.endsWith("\r\n\r\ndone"))
      const [request] = seen
      assert.strictEqual(request?.method, "PUT")
      assert.strictEqual(request?.rawPath, "/a/../b//%2F")
      assert.strictEqual(request?.rawQuery, "x=a%2Bb+c&y&x=%zz")
      assert.deepStrictEqual([...request!.query], [["x", "%zz"], ["y", ""]])
      assert.strictEqual(request?.headers["x-twice"], "1, 2")
      assert.strictEqual(Buffer.from(request!.body).toString(), "abc")
    })))

  it.live("answers HEAD with the length it is told and no body, and a handler that dies with 500", () =>
    Effect.scoped(Effect.gen(function*() {
      const { port } = yield* serve(({ method }) =>
        method === "HEAD"
          ? Effect.succeed({ status: 200, headers: { "content-length": "12" } })
          : Effect.die(new Error("a defect"))
      )
      const head = yield* exchange(port, "HEAD / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
      assert.include(head.toLowerCase(), "content-length: 12")
      assert.isTrue(head.endsWith("\r\n\r\n"))
      const broken = yield* exchange(port, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
      assert.match(broken, /^HTTP\/1.1 500 /)
    })))

  it.live("never hands half a body on, and interrupts a handler whose client has gone", () =>
    Effect.scoped(Effect.gen(function*() {
      const interrupted = yield* Deferred.make<void>()
      const started = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const { port } = yield* serve(({ rawPath }) => {
        seen.push(rawPath)
        return Deferred.succeed(started, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
        )
      })
      const half = "PUT /half HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nabc"
      yield* Effect.timeoutOption(exchange(port, half), "100 millis")
      yield* Effect.raceFirst(exchange(port, "GET /whole HTTP/1.1\r\nhost: h\r\n\r\n"), Deferred.await(started))
      yield* Deferred.await(interrupted)
      assert.deepStrictEqual(seen, ["/whole"])
    })))

  it.live("stops with its scope, with the connections that are kept", () =>
    Effect.gen(function*() {
      const { port } = yield* Effect.scoped(Effect.tap(
        serve(() => Effect.succeed({ status: 204 })),
        ({ port }) =>
          Effect.sync(() => {
            const socket = NodeNet.connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n"))
            socket.on("error", () => undefined)
          }).pipe(Effect.andThen(Effect.sleep("50 millis")))
      ))
      assert.strictEqual(yield* exchange(port, "GET / HTTP/1.1\r\nhost: h\r\n\r\n"), "")
    }))
})
