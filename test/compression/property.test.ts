import { Layer } from "effect"
import { layerCompress } from "effect-objectstore"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"

describeProperty("compress over memory", Layer.provide(layerCompress({ level: 1 }), Memory.layer()), {
  model: Memory.layer(),
  sequences: 100,
  failingSeeds: fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))
})
