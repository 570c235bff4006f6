import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Scope } from "effect"
import { defaultRetryPolicy, type ObjectStoreError, type ObjectStoreOperations, RetryPolicy } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import { TestClock } from "effect/testing"

const silent = (): Promise<never> => Effect.runPromise(Effect.never)

/** Stores whose source of credentials never answers; nobody is asked for anything else. */
const stores: Readonly<
  Record<string, Effect.Effect<ObjectStoreOperations, ObjectStoreError, Scope.Scope>>
> = {
  S3: S3.make({
    base: "s3://bucket/",
    endpoint: "http://127.0.0.1:1",
    region: "us-east-1",
    vendor: "aws",
    credentials: silent
  }),
  Azure: Azure.make({
    base: "az://account/container/",
    account: "account",
    endpoint: "https://127.0.0.1:1",
    credential: { getToken: silent }
  }),
  GCS: Gcs.make({ base: "gs://bucket/", endpoint: "http://127.0.0.1:1", credentials: { token: Effect.never } })
}

describe("credentials that never come", () => {
  for (const [name, make] of Object.entries(stores)) {
    it.effect(`are given up: ${name}`, () =>
      Effect.gen(function*() {
        const store = yield* make
        const fiber = yield* Effect.forkChild(Effect.flip(store.put("a", "hello")), { startImmediately: true })
        yield* TestClock.adjust("1 minute")
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["Timeout", "not-applied"])
      }).pipe(Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 1 }), Effect.scoped))
  }
})
