import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { certificate } from "./certificate.ts"
import { rawServer, type Script } from "./RawServer.ts"
import { bytes, exchange, fieldsOf, makeTransport, request, until } from "./TransportTest.ts"

const body = bytes(3_000_000, 7)

/** A generator of numbers below a bound, the same for the same seed. */
const numbers = (seed: number) => {
  let state = seed * 2654435761
  return (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

describe.each([["http", undefined], ["https", certificate]] as const)(
  "bytes read into memory that waits, over %s",
  (_, tls) => {
    const serverOf = (script: Script) => rawServer(script, tls)
    const transportOf = (connections?: number) =>
      makeTransport({ ca: certificate.cert, ...(connections === undefined ? undefined : { connections }) })

    it.live("come whole and in order, however they are sent, asked for and waited for", () =>
      Effect.gen(function*() {
        const server = yield* serverOf({
          onBody: ({ path, peer }) => {
            const next = numbers(Number(path.slice(1)))
            peer.reply(`200 OK\ncontent-length: ${body.length}`, "")
            const send = (at: number): void => {
              if (at >= body.length || peer.socket.destroyed) return
              const end = Math.min(body.length, at + 1 + next(next(2) === 0 ? 2000 : 700_000))
              peer.socket.write(body.subarray(at, end))
              if (next(3) === 0) setTimeout(() => send(end), next(4))
              else setImmediate(() => send(end))
            }
            send(0)
          }
        })
        const transport = yield* transportOf(4)
        yield* Effect.forEach(
          Array.from({ length: 24 }, (_, seed) => seed + 1),
          (seed) =>
            Effect.scoped(Effect.gen(function*() {
              const next = numbers(seed + 1000)
              const reply = yield* transport.send(request(server, { path: `/${seed}` }))
              const all = new Uint8Array(body.length)
              for (let at = 0; at < body.length;) {
                const target = all.subarray(at, at + 1 + next(next(2) === 0 ? 30_000 : 1_500_000))
                assert.strictEqual(yield* reply.into(target), target.length)
                at += target.length
                if (next(3) === 0) yield* Effect.sleep(next(5))
              }
              assert.isTrue(Buffer.from(all.buffer).equals(body), `seed ${seed}`)
            })),
          { concurrency: 8, discard: true }
        )
        assert.strictEqual(server.peers.length, 4)
      }))

    it.live("touch nothing beside the body, though more is sent than was said", () =>
      Effect.gen(function*() {
        const surplus = bytes(100_000, 99)
        const server = yield* serverOf({
          onBody: ({ peer }) => {
            peer.reply(`200 OK\ncontent-length: ${body.length}`, "")
            setTimeout(() => peer.socket.write(Buffer.concat([body, surplus])), 10)
          }
        })
        const transport = yield* transportOf()
        const memory = new Uint8Array(body.length + 400_000).fill(255)
        const exit = yield* Effect.exit(Effect.scoped(Effect.flatMap(
          transport.send(request(server)),
          (reply) => reply.into(memory.subarray(100_000, 100_000 + body.length + 200_000))
        )))
        if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, body.length)
        assert.isTrue(memory.subarray(0, 100_000).every((byte) => byte === 255))
        assert.isTrue(memory.subarray(100_000 + body.length).every((byte) => byte === 255))
        assert.isTrue(Buffer.from(memory.buffer, 100_000, body.length).equals(body))
        yield* until("the connection is closed", () => server.peers[0]!.socket.destroyed)
      }))

    it.live("come into memory that may be resized or is shared, too", () =>
      Effect.gen(function*() {
        const server = yield* serverOf({
          onBody: ({ peer }) => {
            peer.reply(`200 OK\ncontent-length: ${body.length}`, body)
          }
        })
        const transport = yield* transportOf()
        const resizable = new ArrayBuffer(body.length, { maxByteLength: body.length * 2 })
        for (const memory of [resizable, new SharedArrayBuffer(body.length)]) {
          const target = new Uint8Array(memory)
          yield* Effect.scoped(Effect.flatMap(transport.send(request(server)), (reply) => reply.into(target)))
          assert.isTrue(Buffer.from(target).equals(body))
        }
      }))

    it.live("of one connection do not show in the body of another", () =>
      Effect.gen(function*() {
        const server = yield* serverOf({
          onBody: ({ path, peer }) => {
            peer.reply("200 OK\ncontent-length: 60000", bytes(60_000, Number(path.slice(1))))
          }
        })
        const transport = yield* transportOf(3)
        // What is not asked for at once is kept, while the connection goes on to read.
        yield* Effect.forEach(Array.from({ length: 60 }, (_, index) => index), (index) =>
          Effect.scoped(Effect.gen(function*() {
            const reply = yield* transport.send(request(server, { path: `/${index}` }))
            yield* Effect.sleep(3)
            const first = new Uint8Array(10)
            yield* reply.into(first)
            yield* exchange(transport, request(server, { path: `/${index + 100}` }))
            const rest = new Uint8Array(59_990)
            yield* reply.into(rest)
            assert.isTrue(Buffer.concat([first, rest]).equals(bytes(60_000, index)), String(index))
          })), { concurrency: 2, discard: true })
      }))

    it.live("are not lost where the reader waits in the middle of what was read", () =>
      Effect.gen(function*() {
        const chunked = Buffer.concat([
          ...Array.from({ length: 3000 }, (_, index) =>
            Buffer.concat([
              Buffer.from("3e8\r\n"),
              body.subarray(index * 1000, index * 1000 + 1000),
              Buffer.from("\r\n")
            ])),
          Buffer.from("0\r\n\r\n")
        ])
        const server = yield* serverOf({
          onBody: ({ peer }) => {
            peer.reply("200 OK\ntransfer-encoding: chunked", chunked)
          }
        })
        const transport = yield* transportOf()
        yield* Effect.scoped(Effect.gen(function*() {
          const reply = yield* transport.send(request(server))
          const all = new Uint8Array(body.length)
          for (let at = 0; at < body.length; at += 150_000) {
            yield* reply.into(all.subarray(at, at + 150_000))
            yield* Effect.sleep(2)
          }
          assert.isTrue(Buffer.from(all.buffer).equals(body))
        }))
      }))

    it.live("that are cut off are counted", () =>
      Effect.gen(function*() {
        const server = yield* serverOf({
          onBody: ({ peer }) => {
            peer.reply(`200 OK\ncontent-length: ${body.length}`, body.subarray(0, 1_234_567))
            peer.socket.end()
          }
        })
        const transport = yield* transportOf()
        const target = new Uint8Array(body.length)
        const error = yield* Effect.flip(Effect.scoped(Effect.gen(function*() {
          const reply = yield* transport.send(request(server))
          yield* reply.into(target.subarray(0, 1_000_000))
          return yield* reply.into(target.subarray(1_000_000))
        })))
        assert.deepStrictEqual(fieldsOf(error), ["BodyInterrupted", undefined, undefined])
        assert.strictEqual("received" in error.reason ? error.reason.received : undefined, 1_234_567)
        assert.isTrue(Buffer.from(target.buffer, 0, 1_234_567).equals(body.subarray(0, 1_234_567)))
      }))
  }
)
