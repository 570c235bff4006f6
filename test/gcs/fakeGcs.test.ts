import { Effect, Layer } from "effect"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { describeObjectStore } from "effect-objectstore/testing"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { onServer } from "../servers/onServer.ts"
import { fakeGcsDefects } from "./fakeGcsDefects.ts"
import { makeBucket, refusedKeys, uniqueBucket } from "./GcsTest.ts"

onServer(fakeGcs, (server) => {
  const bucket = uniqueBucket("suite")
  const options = Effect.map(server, ({ endpoint, projectId }): Gcs.GcsOptions => ({
    endpoint,
    projectId,
    base: `gs://${bucket}/`
  }))
  const store = Layer.unwrap(Effect.gen(function*() {
    const { endpoint } = yield* server
    yield* makeBucket(endpoint, bucket, { versioning: true })
    return Gcs.layer(yield* options)
  }))
  describeObjectStore("GCS on fake-gcs-server", store, {
    backend: Effect.flatMap(options, Gcs.makeBackend),
    refusedKeys,
    skip: fakeGcsDefects
  })
})
