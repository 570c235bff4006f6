import { Effect, Layer } from "effect"
import * as Direct from "effect-objectstore/layers/Direct"
import { describeObjectStore } from "effect-objectstore/testing"
import { temporaryRoot } from "./temporaryRoot.ts"

// Few small slots, so that transfers wait for each other and cross many of them.
const small = { slots: 2, slotSize: 64 * 1024, durability: "none", fallback: "buffered" } as const

// The temporary directory of some systems is in memory, which takes no O_DIRECT; the suite then runs on the fallback.
describeObjectStore(
  "direct",
  Layer.unwrap(Effect.map(temporaryRoot, (root) => Direct.layer({ ...small, root }))),
  {
    backend: Effect.flatMap(
      temporaryRoot,
      (root) => Direct.makeBackend({ ...small, root })
    )
  }
)
