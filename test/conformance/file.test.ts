import { Effect, Layer } from "effect"
import * as File from "effect-objectstore/layers/File"
import { describeObjectStore } from "effect-objectstore/testing"
import { temporaryRoot } from "./temporaryRoot.ts"

describeObjectStore(
  "file",
  Layer.unwrap(Effect.map(temporaryRoot, (root) => File.layer({ root, durability: "none" }))),
  { backend: Effect.flatMap(temporaryRoot, (root) => File.makeBackend({ root, durability: "none" })) }
)
