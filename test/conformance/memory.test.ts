import * as Memory from "effect-objectstore/layers/Memory"
import { describeObjectStore } from "effect-objectstore/testing"

describeObjectStore("memory", Memory.layer(), { backend: Memory.makeBackend() })

const hierarchical = { capabilities: { hierarchical: true } }
describeObjectStore("memory, where a key and a key below it cannot both exist", Memory.layer(hierarchical), {
  backend: Memory.makeBackend(hierarchical)
})
