/**
 * The options that stores of directories share, and what is wrong with them.
 *
 * @internal
 */
import type { StoreOptions } from "../ObjectStoreOptions.ts"
import { type OptionNames, storeOptionNames, wrongOptions } from "../optionNames.ts"
import type { Durability } from "./DataPath.ts"

/**
 * Options of a store of a directory.
 *
 * @category models
 * @since 0.1.0
 */
export interface DirectoryOptions extends StoreOptions {
  /** The root: a directory. A relative path is one below the current directory. */
  readonly root: string
  /**
   * What a write waits for before it answers: `"none"`; `"file"` without it: the object's bytes are on the disk before it
   * is published, so a power cut leaves the old object or the whole new one; `"full"`: and so is its name.
   */
  readonly durability?: Durability | undefined
  /** Whether the first write makes a missing root; `true` without it. With `false`, a missing root is `Configuration`. */
  readonly createRoot?: boolean | undefined
}

/** The names of the options. */
export const directoryOptionNames: OptionNames<DirectoryOptions> = {
  ...storeOptionNames,
  createRoot: "flag",
  durability: true,
  root: true
}

/** What is wrong with options, in one line; a layer that has further ones tells their names. */
export const checkDirectoryOptions = (
  options: DirectoryOptions,
  names: OptionNames<DirectoryOptions> = directoryOptionNames
): string | undefined => {
  const wrong = wrongOptions(names, options)
  if (wrong !== undefined) return wrong
  const { durability, root } = options
  if (typeof root !== "string" || root === "" || root.includes("\0") || !root.isWellFormed()) {
    return `root: ${JSON.stringify(root)} is no path`
  }
  if (durability !== undefined && !["none", "file", "full"].includes(durability)) {
    return `durability: ${JSON.stringify(durability)} is not "none", "file" or "full"`
  }
  return undefined
}
