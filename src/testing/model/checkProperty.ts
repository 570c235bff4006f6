/**
 * The model-based property: any sequence of commands shows the same on the store under test as on the model.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { isDeepStrictEqual } from "node:util"
import type { ObjectStoreOperations } from "../../ObjectStore.ts"
import { smallestPart } from "../conformance/suite.ts"
import { type Command, printCommands } from "./Command.ts"
import { execute, type Observation } from "./execute.ts"
import { type Abilities, generate } from "./generate.ts"
import { shrink } from "./shrink.ts"

/**
 * What the property is checked on.
 *
 * @category models
 * @since 0.1.0
 */
export interface PropertyCheck {
  readonly store: ObjectStoreOperations
  /** The reference: a store that is known to be right, with the same `hierarchical` and conditions. */
  readonly model: ObjectStoreOperations
  /** The seeds of the sequences, each a sequence. */
  readonly seeds: ReadonlyArray<number>
  /** Most commands a sequence; 16 without it. */
  readonly length?: number | undefined
  /** Sequences side by side; 4 without it. */
  readonly concurrency?: number | undefined
  /** What every key begins with; `"property/"` without it. */
  readonly prefix?: string | undefined
  /** Bytes a part; the smallest that both stores take without it. */
  readonly partSize?: number | undefined
  /** Keys that the service of the store cannot hold, without the prefix; others stand in for them. */
  readonly refusedKeys?: ReadonlyArray<string> | undefined
  /** Uses no keys of which one lies below another, for services with known defects there. */
  readonly apart?: boolean | undefined
  /** Does not compare the uploads left open: for services that bring back by chance what was aborted. */
  readonly uploadsByChance?: boolean | undefined
}

/**
 * Where store and model differ.
 *
 * @category models
 * @since 0.1.0
 */
export interface Difference {
  /** The step, from 0; the number of commands for the state after them. */
  readonly step: number
  readonly store: Observation
  readonly model: Observation
}

/**
 * What came of the check.
 *
 * @category models
 * @since 0.1.0
 */
export type PropertyResult =
  | { readonly _tag: "Passed"; readonly sequences: number }
  | {
    readonly _tag: "Falsified"
    readonly seed: number
    /** The smallest sequence found that shows a difference. */
    readonly commands: ReadonlyArray<Command>
    readonly difference: Difference
    /** How many commands the sequence of the seed has. */
    readonly original: number
  }

const abilitiesOf = ({ apart, model, refusedKeys, store }: PropertyCheck): Abilities => {
  const [a, b] = [store.capabilities, model.capabilities]
  return {
    create: a.conditionalCreate && b.conditionalCreate && a.multipart.conditionalComplete,
    update: a.conditionalUpdate && b.conditionalUpdate && a.multipart.conditionalComplete,
    conditionalDelete: a.conditionalDelete && b.conditionalDelete,
    conditionalCopy: a.conditionalCopy && b.conditionalCopy,
    metadata: a.metadata && b.metadata,
    startAfter: a.sortedList && b.sortedList,
    hierarchical: a.hierarchical,
    isolated: a.multipart.isolated,
    refusedKeys: new Set(refusedKeys),
    apart: apart === true
  }
}

const compare = Effect.fnUntraced(function*(
  check: PropertyCheck,
  name: string,
  commands: ReadonlyArray<Command>
): Effect.fn.Return<Difference | undefined> {
  const prefix = `${check.prefix ?? "property/"}${name}/`
  const partSize = check.partSize ??
    Math.max(smallestPart(check.store.capabilities), smallestPart(check.model.capabilities))
  const ordered = check.store.capabilities.sortedList && check.model.capabilities.sortedList
  const remote = check.store.capabilities.io === "http" || check.model.capabilities.io === "http"
  const place = { prefix, partSize, ordered, remote, uploads: check.uploadsByChance !== true }
  const [store, model] = yield* Effect.all([
    execute(check.store, place, commands),
    execute(check.model, place, commands)
  ])
  const step = store.findIndex((one, i) => !isDeepStrictEqual(one, model[i]))
  return step === -1 ? undefined : { step, store: store[step], model: model[step] }
})

/**
 * Checks the property for every seed; the first that falsifies it is shrunk.
 *
 * @category testing
 * @since 0.1.0
 */
export const checkProperty = Effect.fnUntraced(function*(check: PropertyCheck): Effect.fn.Return<PropertyResult> {
  const can = abilitiesOf(check)
  const length = check.length ?? 16
  let failed: { readonly seed: number; readonly difference: Difference } | undefined
  yield* Effect.forEach(check.seeds, (seed) =>
    Effect.suspend(() =>
      failed !== undefined
        ? Effect.void
        : Effect.map(compare(check, String(seed), generate(seed, length, can)), (difference) => {
          if (difference !== undefined) failed ??= { seed, difference }
        })
    ), { concurrency: check.concurrency ?? 4, discard: true })
  if (failed === undefined) return { _tag: "Passed", sequences: check.seeds.length }
  const { difference, seed }: { readonly seed: number; readonly difference: Difference } = failed
  const original = generate(seed, length, can)
  let run = 0
  const again = (commands: ReadonlyArray<Command>) => compare(check, `${seed}-${run++}`, commands)
  const smallest = yield* shrink(original, again)
  return smallest === undefined
    // It differed once, and not when it was run again.
    ? { _tag: "Falsified", seed, commands: original, original: original.length, difference }
    : { _tag: "Falsified", seed, original: original.length, ...smallest }
})

/**
 * Tells what falsified the property: the smallest sequence, the step, and what the two stores showed.
 *
 * @category testing
 * @since 0.1.0
 */
export const printFalsified = (result: Extract<PropertyResult, { readonly _tag: "Falsified" }>): string => {
  const { commands, difference, original, seed } = result
  const where = difference.step < commands.length ? `command ${difference.step + 1}` : "the state after all commands"
  return [
    `seed ${seed} falsifies the property (${original} commands, shrunk to ${commands.length}):`,
    printCommands(commands),
    `at ${where}`,
    `  the store shows ${JSON.stringify(difference.store)}`,
    `  the model shows ${JSON.stringify(difference.model)}`
  ].join("\n")
}
