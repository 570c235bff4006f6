import { Effect, Layer } from "effect"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeObjectStore, gcsModel } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { refusedKeys } from "./GcsTest.ts"

const onModel = Effect.map(
  gcsModel({ buckets: ["suite"], versioning: true }),
  ({ origin }): Gcs.GcsOptions => ({ endpoint: origin, projectId: "test", base: "gs://suite/" })
)

describeObjectStore("GCS on the model", Layer.unwrap(Effect.map(onModel, Gcs.layer)), {
  backend: Effect.flatMap(onModel, Gcs.makeBackend),
  refusedKeys,
  property: {
    model: Memory.layer(),
    sequences: 300,
    failingSeeds: fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))
  }
})
