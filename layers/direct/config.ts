/**
 * What is wrong with the options of a direct store, and what holds without them.
 *
 * @internal
 */
import type { Tuning } from "../../src/Capabilities.ts"
import { maxAlignment } from "../../src/filesystem/AlignedMemory.ts"
import { checkDirectoryOptions, directoryOptionNames, type DirectoryOptions } from "../../src/filesystem/options.ts"
import type { OptionNames } from "../../src/optionNames.ts"

/**
 * Options of a direct store.
 *
 * @category models
 * @since 0.1.0
 */
export interface DirectOptions extends DirectoryOptions {
  /** Use the page cache where the file system does not take O_DIRECT, and log a warning. Without it that is `Unsupported`. */
  readonly fallback?: "buffered" | undefined
  /** Slots of page-aligned memory that are reserved at most, which is calls in flight on ordinary memory; 8 without it. */
  readonly slots?: number | undefined
  /** Bytes of a slot and of the largest system call: a multiple of 64 KiB up to 1 GiB; 4 MiB without it. */
  readonly slotSize?: number | undefined
}

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
  streamPartSize: 8 * MiB,
  writePartSize: 8 * MiB,
  writeConcurrency: 2,
  multipartThreshold: 16 * MiB,
  alignedBuffers: true
}

const directOptionNames: OptionNames<DirectOptions> = {
  ...directoryOptionNames,
  fallback: true,
  slots: true,
  slotSize: true
}

/** What is wrong with options, in one line. */
export const checkOptions = (options: DirectOptions): string | undefined => {
  const wrong = checkDirectoryOptions(options, directOptionNames)
  if (wrong !== undefined) return wrong
  const { fallback, slots, slotSize } = options
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
