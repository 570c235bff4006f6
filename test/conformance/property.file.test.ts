import { Effect, Layer } from "effect"
import * as File from "effect-objectstore/layers/File"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { temporaryRoot } from "./temporaryRoot.ts"

describeProperty(
  "file",
  Layer.unwrap(Effect.map(temporaryRoot, (root) => File.layer({ root, durability: "none" }))),
  {
    model: Memory.layer({ capabilities: { hierarchical: true } }),
    failingSeeds: fileURLToPath(new URL("failing-seeds.json", import.meta.url))
  }
)
