import { Effect } from "effect"
import { describeObjectStore } from "effect-objectstore/testing"
import { over } from "../universal/over.ts"
import { temporaryRoot } from "./temporaryRoot.ts"

describeObjectStore(
  "universal over memory",
  over(Effect.succeed({ base: "mem://universal/", schemes: ["mem"] as const }))
)

describeObjectStore(
  "universal over file",
  over(Effect.map(temporaryRoot, (root) => ({
    base: `file://${root}/`,
    schemes: ["file"] as const,
    file: { root, durability: "none" as const }
  })))
)

describeObjectStore(
  "universal over direct",
  over(Effect.map(temporaryRoot, (root) => ({
    base: `direct://${root}/`,
    schemes: ["direct"] as const,
    direct: { root, durability: "none" as const, fallback: "buffered" as const }
  })))
)
