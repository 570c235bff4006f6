/**
 * The names of the options that a layer has. One that does not exist would do nothing, which its writer did not mean.
 *
 * @internal
 */
import * as Predicate from "effect/Predicate"
import { printable } from "./ObjectStoreError.ts"
import type { StoreOptions } from "./ObjectStoreOptions.ts"

/** The name of every option: a table that lacks one, or has one too many, does not compile. */
export type OptionNames<Options> = { readonly [Name in keyof Required<Options>]: true }

/** The options of every store. */
export const storeOptionNames: OptionNames<StoreOptions> = {
  adaptiveRate: true,
  base: true,
  memory: true,
  requests: true
}

/**
 * What is wrong with the options as a whole, in one line; their values are checked by who knows them. `within` is the option
 * whose own fields they are.
 */
export const wrongOptions = (
  names: object,
  options: unknown,
  within?: string
): string | undefined => {
  if (!Predicate.isObject(options)) {
    const what = options === null ? "null" : Array.isArray(options) ? "an array" : typeof options
    return within === undefined ? `the options are ${what}, which is no object` : `${within} is ${what} and no object`
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name))
  if (unknown === undefined) return undefined
  return `there is no option "${within === undefined ? "" : `${within}.`}${printable(unknown.slice(0, 80))}"`
}
