import { Effect, Layer } from "effect"
import * as Direct from "effect-objectstore/layers/Direct"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { temporaryRoot } from "./temporaryRoot.ts"

describeProperty(
  "direct",
  Layer.unwrap(Effect.map(temporaryRoot, (root) => Direct.layer({ root, durability: "none", fallback: "buffered" }))),
  {
    model: Memory.layer({ capabilities: { hierarchical: true } }),
    failingSeeds: fileURLToPath(new URL("failing-seeds.json", import.meta.url))
  }
)
