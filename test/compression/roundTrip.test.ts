import { Effect, Layer } from "effect"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as Memory from "effect-objectstore/layers/Memory"
import { temporaryRoot } from "../conformance/temporaryRoot.ts"
import { describeRoundTrip } from "./describeRoundTrip.ts"

const MiB = 1024 * 1024
const large = [4 * MiB, 4 * MiB + 1, 17 * MiB - 1]

describeRoundTrip("memory", Memory.layer(), { large: [...large, 64 * MiB] })

describeRoundTrip("memory without metadata", Memory.layer({ capabilities: { metadata: false, suffixRange: false } }))

describeRoundTrip(
  "file",
  Layer.unwrap(
    Effect.map(temporaryRoot, (root) => File.layer({ root, base: `file://${root}/`, durability: "none" }))
  ),
  { large }
)

describeRoundTrip(
  "direct",
  Layer.unwrap(
    Effect.map(
      temporaryRoot,
      (root) => Direct.layer({ root, base: `direct://${root}/`, durability: "none", fallback: "buffered" })
    )
  ),
  { large }
)
