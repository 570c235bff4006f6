import { Effect } from "effect"
import { temporaryRoot } from "../conformance/temporaryRoot.ts"
import { over } from "../universal/over.ts"
import { describeRoundTrip } from "./describeRoundTrip.ts"

// The universal store passes the options on to the store that a location belongs to.
describeRoundTrip(
  "the universal store",
  over(Effect.map(temporaryRoot, (root) => ({
    base: `file://${root}/`,
    schemes: ["file"] as const,
    file: { root, durability: "none" as const }
  }))),
  { levels: [1] }
)
