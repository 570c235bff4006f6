/**
 * The names of the options that a layer has. One that does not exist would do nothing, which its writer did not mean.
 *
 * @internal
 */
import * as Predicate from "effect/Predicate"
import { printable } from "./ObjectStoreError.ts"
import type { StoreOptions } from "./ObjectStoreOptions.ts"

/**
 * The name of every option, and which of them are `true` or `false` and nothing else: a table that lacks one, or has one too
 * many, does not compile.
 */
export type OptionNames<Options> = {
  readonly [Name in keyof Required<Options>]: Exclude<Options[Name], undefined> extends boolean ? "flag" : true
}

/** The options of every store. */
export const storeOptionNames: OptionNames<StoreOptions> = {
  adaptiveRate: "flag",
  base: true,
  memory: true,
  requests: true
}

/**
 * What is wrong with the options as a whole, in one line; values other than flags are checked by who knows them. `within` is
 * the option whose own fields they are.
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
  const prefix = within === undefined ? "" : `${within}.`
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(names, name)) return `there is no option "${prefix}${printable(name.slice(0, 80))}"`
    // Text such as "false" would count as true.
    if (Reflect.get(names, name) === "flag" && value !== undefined && typeof value !== "boolean") {
      return `${prefix}${name} is not true or false`
    }
  }
  return undefined
}
