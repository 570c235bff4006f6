import { Effect, Layer } from "effect"
import * as Memory from "effect-objectstore/layers/Memory"
import * as S3 from "effect-objectstore/layers/S3"
import { describeObjectStore, s3Model } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"

const onModel = Effect.map(
  s3Model({ buckets: ["suite"], versioning: true }),
  ({ credentials, endpoint }): S3.S3Options => ({ endpoint, credentials, vendor: "aws", base: "s3://suite/" })
)

describeObjectStore("S3 model", Layer.unwrap(Effect.map(onModel, S3.layer)), {
  backend: Effect.flatMap(onModel, S3.makeBackend),
  property: {
    model: Memory.layer(),
    sequences: 50,
    failingSeeds: fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))
  }
})
