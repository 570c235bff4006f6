/**
 * 10,000 concurrent gets of small objects with default options: descriptors stay within the request budget.
 */
import { Effect } from "effect"
import * as NodePath from "node:path"
import { makeFile, type Workload } from "../harness.ts"
import { descriptors, peakOf, rss } from "../memory.ts"
import { openFile } from "../stores.ts"

const count = 10_000
const objects = 100
const size = 4096
const name = (index: number): string => `objects/${index % objects}`

/** Requests that a store has under way with default options, and a directory or two on the way. */
const cap = 64

const title = "10,000 concurrent gets"

export const workload: Workload = {
  title: "10,000 concurrent gets of 4 KiB from file://",
  prepare: (directory) => {
    for (let index = 0; index < objects; index++) makeFile(NodePath.join(directory, name(index)), size)
  },
  rounds: 3,
  runs: 1,
  warmups: 0,
  cases: {
    [title]: {
      setup: async (directory) => {
        const store = await openFile({ root: directory })
        return async () => {
          const before = descriptors()
          const memory = rss()
          let peakRss = 0
          const { peak } = await peakOf(
            () => {
              peakRss = Math.max(peakRss, rss() - memory)
              return descriptors()
            },
            () =>
              Effect.runPromise(
                Effect.forEach(Array.from({ length: count }, (_, index) => index), (index) => store.get(name(index)), {
                  concurrency: "unbounded",
                  discard: true
                })
              )
          )
          return {
            bytes: count * size,
            figures: {
              "peak descriptors": peak - before,
              "descriptors left": descriptors() - before,
              "peak MiB above base": peakRss
            }
          }
        }
      }
    }
  },
  targets: [
    { name: "descriptors", value: (medians) => medians[title]?.figures["peak descriptors"], atMost: 2 * cap, unit: "" },
    { name: "descriptors left", value: (medians) => medians[title]?.figures["descriptors left"], atMost: 0, unit: "" }
  ]
}
