/**
 * Registers the model-based property test with vitest.
 *
 * @since 0.1.0
 */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AssertionError } from "node:assert"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { ObjectStore } from "../../ObjectStore.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import { propertyName, setNote } from "../conformance/note.ts"
import { checkProperty, printFalsified } from "./checkProperty.ts"

/**
 * Options of `describeProperty`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PropertyOptions {
  /**
   * The reference: a store that is known to be right. The memory layer, with `hierarchical` as the store under test has
   * it.
   */
  readonly model: Layer.Layer<ObjectStore, ObjectStoreError>
  /** How many sequences are run; 2,000 without it. */
  readonly sequences?: number | undefined
  /** The seed of the first sequence; the others count on from it. 1 without it. */
  readonly seed?: number | undefined
  /** Most commands a sequence; 16 without it. */
  readonly length?: number | undefined
  /** Sequences side by side; 4 without it. */
  readonly concurrency?: number | undefined
  /** Bytes a part; the smallest that both stores take without it. */
  readonly partSize?: number | undefined
  /** What every key begins with; `"property/"` without it. */
  readonly prefix?: string | undefined
  /** Keys that the service of the store cannot hold, without the prefix; others stand in for them. */
  readonly refusedKeys?: ReadonlyArray<string> | undefined
  /** Uses no keys of which one lies below another, for services with known defects there. */
  readonly apart?: boolean | undefined
  /** Does not compare the uploads left open: for services that bring back by chance what was aborted. */
  readonly uploadsByChance?: boolean | undefined
  /** A JSON file where failing seeds are kept by the name of the store; they are run before all others. */
  readonly failingSeeds?: string | undefined
  /** Most milliseconds of the test; five minutes without it. */
  readonly timeout?: number | undefined
}

type Kept = Record<string, ReadonlyArray<number>>

const readKept = (file: string | undefined): Kept =>
  file === undefined || !existsSync(file) ? {} : JSON.parse(readFileSync(file, "utf8")) as Kept

const keep = (file: string, name: string, seed: number): void => {
  const kept = readKept(file)
  const seeds = kept[name] ?? []
  if (seeds.includes(seed)) return
  writeFileSync(file, `${JSON.stringify({ ...kept, [name]: [...seeds, seed] }, null, 2)}\n`)
}

/**
 * Registers the property test: random sequences of commands show the same on the store of a layer as on a model. A
 * failing sequence is shrunk and printed with its seed, and the seed is kept.
 *
 * **Example** (A store against the memory model)
 *
 * ```ts
 * import { layer } from "effect-objectstore/layers/Memory"
 * import { describeProperty } from "effect-objectstore/testing"
 *
 * describeProperty("my memory", layer(), { model: layer(), sequences: 200 })
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const describeProperty = <E>(
  name: string,
  layer: Layer.Layer<ObjectStore, E>,
  options: PropertyOptions
): void => {
  const sequences = options.sequences ?? 2000
  const first = options.seed ?? 1
  describe(name, () => {
    it.live(
      `${sequences} random sequences of commands show the same as the model`,
      ({ task }) =>
        Effect.gen(function*() {
          const note = { store: name, case: propertyName, reason: undefined }
          setNote(task, { ...note, verdict: "failed" })
          const store = Context.get(yield* Layer.build(Layer.fresh(layer)), ObjectStore)
          const model = Context.get(yield* Layer.build(Layer.fresh(options.model)), ObjectStore)
          if (store.capabilities.hierarchical !== model.capabilities.hierarchical) {
            throw new AssertionError({
              message: "store and model differ in `hierarchical`, so they cannot be compared"
            })
          }
          const kept = readKept(options.failingSeeds)[name] ?? []
          const seeds = [...kept, ...Array.from({ length: sequences }, (_, i) => first + i)]
          const result = yield* checkProperty({ ...options, store, model, seeds })
          if (result._tag === "Falsified") {
            if (options.failingSeeds !== undefined) keep(options.failingSeeds, name, result.seed)
            throw new AssertionError({ message: printFalsified(result) })
          }
          setNote(task, { ...note, verdict: "passed" })
        }),
      options.timeout ?? 300_000
    )
  })
}
