import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"

const failingSeeds = fileURLToPath(new URL("failing-seeds.json", import.meta.url))

// Memory against itself finds what depends on chance, and what interruption leaves.
describeProperty("memory", Memory.layer(), { model: Memory.layer(), failingSeeds })

const hierarchical = Memory.layer({ capabilities: { hierarchical: true } })
describeProperty("memory, hierarchical", hierarchical, { model: hierarchical, failingSeeds })
