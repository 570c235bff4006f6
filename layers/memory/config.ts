/**
 * What a memory store can do, and how much less it can be told to do.
 *
 * @since 0.1.0
 */
import type { Capabilities, MultipartCapabilities, Tuning } from "../../src/Capabilities.ts"
import { wrongOptions } from "../../src/optionNames.ts"

type Fixed = "io" | "versions" | "presign" | "containerLocation" | "storageClass" | "tags" | "multipart" | "tuning"

/**
 * Capabilities that a memory store is given instead of its own, so that a program can be tried on the limits of another
 * service: what is switched off is refused, and limits are enforced.
 *
 * @category models
 * @since 0.1.0
 */
export type MemoryCapabilities =
  & { readonly [Name in Exclude<keyof Capabilities, Fixed>]?: Capabilities[Name] | undefined }
  & {
    readonly multipart?:
      | { readonly [Name in keyof MultipartCapabilities]?: MultipartCapabilities[Name] | undefined }
      | undefined
    readonly tuning?: { readonly [Name in keyof Tuning]?: Tuning[Name] | undefined } | undefined
  }

const MiB = 1024 * 1024

const defaults: Capabilities = {
  io: "memory",
  conditionalRead: true,
  conditionalCreate: true,
  conditionalUpdate: true,
  conditionalDelete: true,
  conditionalCopy: true,
  conditionalCopySource: true,
  suffixRange: true,
  versions: false,
  attributes: true,
  metadata: true,
  metadataNames: "token",
  metadataValues: "text",
  storageClass: false,
  tags: false,
  sortedList: true,
  listStartAfter: true,
  maxPageSize: 1000,
  maxDeleteBatch: 1000,
  serverCopy: true,
  maxCopySize: 4096 * MiB,
  atomicRename: true,
  hierarchical: false,
  containers: "explicit",
  containerLocation: false,
  presign: false,
  maxMetadataBytes: 2048,
  maxKeyBytes: 1024,
  maxObjectSize: 4096 * MiB,
  maxWriteSize: 4096 * MiB,
  multipart: {
    minPartSize: 1,
    maxPartSize: 4096 * MiB,
    maxParts: 10_000,
    partMultiple: 1,
    ordered: false,
    conditionalComplete: true,
    listed: true,
    abort: "removes",
    isolated: true
  },
  tuning: {
    readPartSize: 16 * MiB,
    readConcurrency: 4,
    streamPartSize: 16 * MiB,
    streamConcurrency: 2,
    writePartSize: 16 * MiB,
    writeConcurrency: 4,
    multipartThreshold: 64 * MiB,
    bytesThreshold: 64 * MiB,
    alignedBuffers: false
  }
}

const override = <A extends object>(
  base: A,
  changes: { readonly [K in keyof A]?: A[K] | undefined } | undefined
): A => {
  const result = { ...base }
  for (const name of Object.keys(changes ?? {}) as Array<keyof A>) {
    const value = changes![name]
    if (value !== undefined) result[name] = value
  }
  return result
}

/** The capabilities in force. */
export const toCapabilities = (changes: MemoryCapabilities | undefined): Capabilities => {
  const { multipart, tuning, ...flat } = changes ?? {}
  return {
    ...override<Omit<Capabilities, "multipart" | "tuning">>(defaults, flat),
    multipart: override(defaults.multipart, multipart),
    tuning: override(defaults.tuning, tuning)
  }
}

/** What is wrong with changes of capabilities: one that does not exist would change nothing. */
export const checkChanges = (changes: MemoryCapabilities | undefined): string | undefined =>
  changes === undefined ? undefined : wrongOptions({ ...defaults, maxSegmentBytes: true }, changes, "capabilities") ??
    (changes.multipart === undefined
      ? undefined
      : wrongOptions(defaults.multipart, changes.multipart, "capabilities.multipart")) ??
    (changes.tuning === undefined
      ? undefined
      : wrongOptions(defaults.tuning, changes.tuning, "capabilities.tuning"))

/** What is wrong with capabilities: a number that is no positive integer would make an endless page or part. */
export const checkCapabilities = (capabilities: Capabilities): string | undefined => {
  for (const group of [capabilities, capabilities.multipart, capabilities.tuning]) {
    for (const [name, value] of Object.entries(group)) {
      if (typeof value === "number" && !(Number.isSafeInteger(value) && value > 0)) {
        return `capability ${name} ${value} is not a positive integer`
      }
    }
  }
  return undefined
}
