import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { ObjectStore } from "effect-objectstore"
import { minio } from "../servers/minio.ts"
import { moto } from "../servers/moto.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { storeOf } from "./S3Test.ts"

/** Keys that a client that normalises, or encodes twice, would send as another. */
const keys = [
  "..",
  ".",
  "../up",
  "a/../b",
  "a/./b",
  "b",
  "a//b",
  "a///b",
  "/leading",
  "leading",
  "//two",
  "trailing/",
  "trailing//",
  "%2e%2e/%2F",
  "%252F",
  "+ +",
  " leading space",
  "trailing space ",
  "q?a=b&c=d#f",
  "ü/\u{1f600}",
  "e\u0301",
  "\u0001\u001f\u007f",
  "tab\tline\nreturn\r",
  "<&>\"'",
  "n".repeat(256),
  "p",
  "p/q",
  "a;b=c",
  "\\back\\slash",
  "\u202ertl"
]

// moto takes no line ends in a path; the other servers do.
const keysOfMoto = keys.map((key) => key.replaceAll(/[\r\n]/g, ""))

onServer(moto, (server) => {
  describe("every key, on a server that keeps them all", () => {
    it.live("is written, listed, read, copied and removed exactly", () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        for (const key of keysOfMoto) yield* store.put(key, key)
        for (const key of keysOfMoto) assert.strictEqual(Buffer.from(yield* store.get(key)).toString(), key)
        const listed = yield* Stream.runCollect(store.list(""))
        const sorted = [...keysOfMoto].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        assert.deepStrictEqual(listed.map(({ key }) => key).sort(), [...sorted].sort())
        for (const key of keysOfMoto) {
          yield* store.copy(key, `copy-of-${key}`)
          assert.strictEqual(Buffer.from(yield* store.get(`copy-of-${key}`)).toString(), key)
        }
        const results = yield* Stream.runCollect(store.deleteMany(keysOfMoto))
        assert.deepStrictEqual(results.filter(({ error }) => error !== undefined), [])
        const left = yield* Stream.runCollect(store.list(""))
        assert.deepStrictEqual(left.map(({ key }) => key).sort(), keysOfMoto.map((key) => `copy-of-${key}`).sort())
      }).pipe(Effect.provide(storeOf(server, { vendor: "aws" }))), 60_000)
  })
})

for (const definition of [minio, versitygw]) {
  onServer(definition, (server) => {
    describe("every key, on a server that does not keep them all", () => {
      it.live("is kept exactly, or InvalidKey before another object is touched", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const kept: Array<string> = []
          for (const key of keys.filter((key) => key !== "p/q")) {
            const put = yield* Effect.result(store.put(key, key))
            if (put._tag === "Success") kept.push(key)
            else {
              assert.strictEqual(put.failure.reason._tag, "InvalidKey", put.failure.message)
              assert.strictEqual(put.failure.outcome, "not-applied")
              const removed = yield* Effect.result(store.delete(key))
              if (removed._tag === "Failure") assert.strictEqual(removed.failure.reason._tag, "InvalidKey")
            }
          }
          for (const key of kept) assert.strictEqual(Buffer.from(yield* store.get(key)).toString(), key)
          const listed = yield* Stream.runCollect(store.list(""))
          assert.deepStrictEqual(listed.map(({ key }) => key).sort(), [...kept].sort())
          assert.isAbove(kept.length, 12, kept.join())
          const results = yield* Stream.runCollect(store.deleteMany(kept))
          assert.deepStrictEqual(results.filter(({ error }) => error !== undefined), [])
          assert.lengthOf(yield* Stream.runCollect(store.list("")), 0)
        }).pipe(Effect.provide(storeOf(server))), 60_000)
    })
  })
}
