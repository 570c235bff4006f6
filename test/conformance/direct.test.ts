import { Effect, Layer } from "effect"
import * as Direct from "effect-objectstore/layers/Direct"
import { describeObjectStore } from "effect-objectstore/testing"
import { temporaryRoot } from "./temporaryRoot.ts"

// The temporary directory of some systems is in memory, which takes no O_DIRECT; the suite then runs on the fallback.
describeObjectStore(
  "direct",
  Layer.unwrap(Effect.map(temporaryRoot, (root) => Direct.layer({ root, durability: "none", fallback: "buffered" }))),
  {
    backend: Effect.flatMap(
      temporaryRoot,
      (root) => Direct.makeBackend({ root, durability: "none", fallback: "buffered" })
    )
  }
)
