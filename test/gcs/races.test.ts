import { assert, layer as withLayer } from "@effect/vitest"
import { Effect, Layer, Random, Result } from "effect"
import { ObjectStore, type ObjectStoreError } from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { gcsModel } from "effect-objectstore/testing"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { onServer } from "../servers/onServer.ts"
import { makeBucket, uniqueBucket } from "./GcsTest.ts"

const creators = 64

const describeRaces = <E>(
  name: string,
  layer: Layer.Layer<ObjectStore, E>,
  { fibers, increments }: { readonly fibers: number; readonly increments: number }
) =>
  withLayer(layer, { excludeTestServices: true, timeout: 60_000 })(name, (it) => {
    for (
      const [what, options, size] of [
        ["with one request", {}, 100],
        ["with a session", { partSize: 256 * 1024 }, 256 * 1024 + 1]
      ] as const
    ) {
      it.effect(
        `of ${creators} who create one key ${what} one succeeds, and all others are told that it exists`,
        () =>
          Effect.gen(function*() {
            const store = yield* ObjectStore
            const key = `created ${what}`
            const results = yield* Effect.forEach(
              Array.from({ length: creators }, (_, i) => i),
              (i) => Effect.result(store.put(key, new Uint8Array(size).fill(i), { ...options, mode: "create" })),
              { concurrency: "unbounded" }
            )
            const failed = results.filter(Result.isFailure)
            assert.strictEqual(failed.length, creators - 1)
            for (const { failure } of failed) {
              assert.deepStrictEqual([failure.reason._tag, failure.outcome], ["AlreadyExists", "not-applied"])
            }
            const winner = results.findIndex(Result.isSuccess)
            assert.isTrue((yield* store.get(key)).every((byte) => byte === winner))
          }),
        120_000
      )
    }

    it.effect(`${fibers} fibers lose none of ${increments} increments each`, () =>
      Effect.gen(function*() {
        const store = yield* ObjectStore
        yield* store.put("counter", "0")
        const increment: Effect.Effect<void, ObjectStoreError> = Effect.gen(function*() {
          const target = new Uint8Array(16)
          const { bytes, info } = yield* store.getInto("counter", target)
          const next = String(Number(Buffer.from(target.subarray(0, bytes)).toString()) + 1)
          yield* store.put("counter", next, { mode: { update: info.etag! } })
        }).pipe(Effect.catchIf(
          // Another one was quicker, here or between the size and the bytes: wait a while, and read again.
          (error) => error.reason._tag === "PreconditionFailed" || error.reason._tag === "ObjectChanged",
          () =>
            Effect.andThen(Effect.flatMap(Random.next, (n) => Effect.sleep(n * 100)), Effect.suspend(() => increment))
        ))
        yield* Effect.forEach(
          Array.from({ length: fibers }),
          () => Effect.forEach(Array.from({ length: increments }), () => increment, { discard: true }),
          { concurrency: fibers, discard: true }
        )
        assert.strictEqual(Buffer.from(yield* store.get("counter")).toString(), String(fibers * increments))
      }), 300_000)
  })

onServer(fakeGcs, (server) => {
  const bucket = uniqueBucket("races")
  describeRaces(
    "races on fake-gcs-server",
    Layer.unwrap(Effect.gen(function*() {
      const { endpoint } = yield* server
      yield* makeBucket(endpoint, bucket)
      return Gcs.layer({ endpoint, base: `gs://${bucket}/` })
    })),
    { fibers: 32, increments: 100 }
  )
})

describeRaces(
  "races on the model of GCS",
  Layer.unwrap(
    Effect.map(gcsModel({ buckets: ["races"] }), ({ origin }) => Gcs.layer({ endpoint: origin, base: "gs://races/" }))
  ),
  { fibers: 8, increments: 50 }
)
