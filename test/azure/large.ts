import { assert } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { fromBackend } from "effect-objectstore"
import type { Backend } from "../../src/Backend.ts"
import { makeUndiciTransport } from "../../src/http/UndiciTransport.ts"

/** Copies an object that is larger than what one request may copy, which is made small for it. */
export const copiesInParts = Effect.fnUntraced(function*(backend: Backend, base: string) {
  const { capabilities } = backend
  const tuning = { ...capabilities.tuning, writePartSize: 3000 }
  const small: Backend = { ...backend, capabilities: { ...capabilities, maxCopySize: 5000, tuning } }
  const store = yield* fromBackend(small, { base })
  const body = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 251))
  const attributes = { contentType: "text/x-test" }
  yield* store.put("from é", body, { attributes, metadata: { a: "1" } })
  yield* store.copy("from é", "to")
  assert.isTrue(body.equals(yield* store.get("to")))
  const info = yield* store.stat("to")
  assert.deepStrictEqual([{ ...info.metadata }, info.attributes.contentType], [{ a: "1" }, "text/x-test"])
})

/** The bytes behind a signed URL. */
export const follow = (url: Redacted.Redacted<string>, ca?: string) =>
  Effect.scoped(Effect.gen(function*() {
    const transport = yield* makeUndiciTransport({ backend: "test", ca })
    const { origin } = new URL(Redacted.value(url))
    const reply = yield* transport.send({
      method: "GET",
      origin,
      path: Redacted.value(url).slice(origin.length),
      headers: {},
      mutation: false
    })
    const target = new Uint8Array(reply.length ?? 0)
    yield* reply.into(target)
    return [reply.status, Buffer.from(target).toString()] as const
  }))
