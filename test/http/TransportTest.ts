import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { ObjectStoreError } from "effect-objectstore"
import type { Transport, TransportOptions, TransportReply, TransportRequest } from "../../src/http/Transport.ts"
import { makeUndiciTransport } from "../../src/http/UndiciTransport.ts"
import type { RawServer, Script } from "./RawServer.ts"

export const makeTransport = (options: Partial<TransportOptions> = {}) =>
  makeUndiciTransport({ backend: "test", ...options })

export const request = (server: RawServer, options: Partial<TransportRequest> = {}): TransportRequest => ({
  method: "GET",
  origin: server.origin,
  path: "/",
  headers: {},
  mutation: options.method === "PUT" || options.method === "POST",
  ...options
})

export const bytes = (size: number, seed = 1): Uint8Array => {
  const all = new Uint8Array(size)
  for (let i = 0; i < size; i++) all[i] = (i * 31 + seed + (i >>> 8)) & 255
  return all
}

/** Reads a body to its end, `step` bytes at a time. */
export const readAll = Effect.fnUntraced(function*(reply: TransportReply, step = 100_000) {
  const parts: Array<Uint8Array> = []
  while (true) {
    const target = new Uint8Array(step)
    const count = yield* reply.into(target)
    parts.push(target.subarray(0, count))
    if (count < step) break
  }
  assert.strictEqual(yield* reply.into(new Uint8Array(1)), 0)
  return Buffer.concat(parts)
})

/** One request and its whole reply. */
export const exchange = (transport: Transport, one: TransportRequest, step?: number) =>
  Effect.scoped(
    Effect.flatMap(
      transport.send(one),
      (reply) => Effect.map(readAll(reply, step), (body) => ({ status: reply.status, headers: reply.headers, body }))
    )
  )

export const fieldsOf = (error: ObjectStoreError) => {
  const { reason } = error
  return [reason._tag, "phase" in reason ? reason.phase : undefined, error.outcome]
}

export const ok = (body: string): Script => ({
  onBody: ({ method, peer }) => peer.reply(`200 OK\ncontent-length: ${body.length}`, method === "HEAD" ? "" : body)
})

/** Waits until something is so, for at most 5 seconds. */
export const until = (what: string, test: () => boolean) =>
  Effect.gen(function*() {
    for (let i = 0; i < 500; i++) {
      if (test()) return
      yield* Effect.sleep(10)
    }
    assert.fail(`not so after 5 s: ${what}`)
  })
