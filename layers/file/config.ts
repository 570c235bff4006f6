/**
 * What is wrong with the options of a file store.
 *
 * @internal
 */
import type { FileOptions } from "../File.ts"

/** What is wrong with options, in one line. */
export const checkOptions = ({ createRoot, durability, root }: FileOptions): string | undefined => {
  if (typeof root !== "string" || root === "" || root.includes("\0") || !root.isWellFormed()) {
    return `root: ${JSON.stringify(root)} is no path`
  }
  if (durability !== undefined && !["none", "file", "full"].includes(durability)) {
    return `durability: ${JSON.stringify(durability)} is not "none", "file" or "full"`
  }
  if (createRoot !== undefined && typeof createRoot !== "boolean") {
    return `createRoot: ${JSON.stringify(createRoot)} is not true or false`
  }
  return undefined
}
