/**
 * What is wrong with the options of a direct store, and what holds without them.
 *
 * @internal
 */
import * as NodePath from "node:path"
import type { Tuning } from "../../src/Capabilities.ts"
import { maxAlignment } from "../../src/filesystem/AlignedMemory.ts"
import type { DirectOptions } from "../Direct.ts"

const MiB = 1024 * 1024

/** Slots of a store. */
export const defaultSlots = 8

/** Bytes of a slot, and so of a system call. */
export const defaultSlotSize = 4 * MiB

const maxSlotSize = 1024 * MiB

/** Larger parts than through the page cache, for a part opens its file twice; fewer, for each keeps two calls in flight. */
export const directTuning: Partial<Tuning> = {
  readPartSize: 8 * MiB,
  readConcurrency: 2,
  writePartSize: 8 * MiB,
  writeConcurrency: 2,
  multipartThreshold: 16 * MiB,
  alignedBuffers: true
}

/** What is wrong with options, in one line. */
export const checkOptions = ({ durability, fallback, root, slots, slotSize }: DirectOptions): string | undefined => {
  if (typeof root !== "string" || !NodePath.isAbsolute(root) || root.includes("\0")) {
    return `root: ${JSON.stringify(root)} is no absolute path`
  }
  if (durability !== undefined && !["none", "file", "full"].includes(durability)) {
    return `durability: ${JSON.stringify(durability)} is not "none", "file" or "full"`
  }
  if (fallback !== undefined && fallback !== "buffered") {
    return `fallback: ${JSON.stringify(fallback)} is not "buffered"`
  }
  if (slots !== undefined && !(Number.isSafeInteger(slots) && slots > 0)) {
    return `slots: ${slots} is not a positive integer`
  }
  if (
    slotSize !== undefined &&
    !(Number.isSafeInteger(slotSize) && slotSize > 0 && slotSize <= maxSlotSize && slotSize % maxAlignment === 0)
  ) {
    return `slotSize: ${slotSize} is not a multiple of ${maxAlignment} up to ${maxSlotSize}`
  }
  return undefined
}
