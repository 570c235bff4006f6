import { Effect } from "effect"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { over } from "../universal/over.ts"
import { temporaryRoot } from "./temporaryRoot.ts"

const failingSeeds = fileURLToPath(new URL("failing-seeds.json", import.meta.url))

describeProperty(
  "universal over memory",
  over(Effect.succeed({ base: "mem://universal/", schemes: ["mem"] as const })),
  { model: Memory.layer(), failingSeeds, sequences: 500 }
)

describeProperty(
  "universal over file",
  over(Effect.map(temporaryRoot, (root) => ({
    base: `file://${root}/`,
    schemes: ["file"] as const,
    file: { root, durability: "none" as const }
  }))),
  { model: Memory.layer({ capabilities: { hierarchical: true } }), failingSeeds, sequences: 500 }
)
