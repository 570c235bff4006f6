import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ObjectStore } from "effect-objectstore"
import { cases, nameOf, runCase } from "effect-objectstore/testing"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { keepVersions, storeOf } from "./S3Test.ts"

const ofVersions = cases.filter((one) => nameOf(one) === "conditional reads: an old version is read by its id")

for (const definition of [minio, versitygw]) {
  onServer(definition, (server) => {
    const layer = storeOf(server, {}, keepVersions)

    describe("a bucket that keeps versions", () => {
      it.live("passes the suite's case", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          assert.lengthOf(ofVersions, 1)
          const result = yield* runCase({ store }, ofVersions[0]!)
          assert.strictEqual(result._tag, "Passed", JSON.stringify(result))
        }).pipe(Effect.provide(layer)))

      it.live("reads on in the version that it began with, and reports which version a write made", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const first = yield* store.put("x", "first, and longer")
          yield* Effect.scoped(Effect.gen(function*() {
            const reader = yield* store.open("x")
            yield* store.put("x", "second")
            assert.strictEqual(reader.info.version, first.version)
            assert.strictEqual(Buffer.from(yield* reader.read({ offset: 7, length: 3 })).toString(), "and")
          }))
          const parts = yield* store.putMultipart("x", new Uint8Array(6 * 1024 * 1024))
          assert.isString(parts.version)
          assert.strictEqual((yield* store.stat("x")).version, parts.version)
          const copied = yield* store.copy("x", "y")
          assert.strictEqual((yield* store.stat("y", { version: copied.version })).size, 6 * 1024 * 1024)
          yield* store.delete("x")
          assert.isFalse(yield* store.exists("x"))
          assert.strictEqual((yield* store.get("x", { version: first.version })).length, 17)
        }).pipe(Effect.provide(Layer.fresh(layer))))
    })
  })
}
