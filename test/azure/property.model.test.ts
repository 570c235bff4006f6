import { Effect, Layer } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Memory from "effect-objectstore/layers/Memory"
import { azureModel, describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { refusedKeys } from "./refusedKeys.ts"

const failingSeeds = fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))

const model = Layer.unwrap(Effect.gen(function*() {
  const { account, connectionString } = yield* azureModel()
  const backend = yield* Azure.makeBackend({ connectionString })
  yield* backend.createContainer("data", {})
  return Azure.layer({ connectionString, base: `az://${account}/data/` })
}))

describeProperty("Azure model", model, {
  model: Memory.layer(),
  sequences: 150,
  refusedKeys: [...refusedKeys, "c/../d"],
  failingSeeds
})
