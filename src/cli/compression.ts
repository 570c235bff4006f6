/**
 * What `--compress` and `--decompress` make of names, and what is told of sizes.
 *
 * @internal
 */
import { suffix } from "../codec/compressionMark.ts"
import { formatSize } from "./size.ts"
import type { Ref } from "./stores.ts"

/** The flags of a copy. */
export interface CompressionFlags {
  /** The level, from 1 to 22. */
  readonly compress?: number | undefined
  /** Whether what ends in `.zst`, or is marked as compressed, is decompressed. */
  readonly decompress?: boolean | undefined
}

const compressed = (key: string, { compress }: CompressionFlags): string =>
  compress === undefined || key.endsWith(suffix) ? key : key + suffix

/** The key that a copy of `key` gets below another place. */
export const keyOf = (key: string, flags: CompressionFlags): string => {
  const name = key.slice(key.lastIndexOf("/") + 1)
  const plain = flags.decompress === true && name.length > suffix.length && name.endsWith(suffix)
    ? key.slice(0, -suffix.length)
    : key
  return compressed(plain, flags)
}

/** Where a copy goes whose place was named: what is compressed says so in its name. */
export const targetOf = (to: Ref, flags: CompressionFlags): Ref => {
  const key = compressed(to.key, flags)
  // A place may be shown as it was given.
  return key === to.key
    ? to
    : {
      tree: { ...to.tree, show: (shown) => shown === key ? to.tree.show(to.key) + suffix : to.tree.show(shown) },
      key
    }
}

/** How the content of an object is read: as its name says, or its mark. */
export const readingOf = (key: string, { decompress }: CompressionFlags): { readonly decompress?: true | "auto" } =>
  decompress === true ? { decompress: key.endsWith(suffix) ? true : "auto" } : {}

/** The level at which an object is compressed; what is compressed already is not compressed again. */
export const levelOf = (key: string, { compress, decompress }: CompressionFlags): number | undefined =>
  key.endsWith(suffix) && decompress !== true ? undefined : compress

/** Bytes of originals and of what is stored of them. */
export interface Sizes {
  readonly original: number
  readonly stored: number
}

/** The ratio of compression; 1 for what has no bytes. */
export const ratioOf = ({ original, stored }: Sizes): number => original === 0 ? 1 : stored / original

/** The ratio for people. */
export const ratioText = (sizes: Sizes): string =>
  `${formatSize(sizes.stored)} compressed, ratio ${Number(ratioOf(sizes).toPrecision(3))}`
