/**
 * What compression and decompression can be told, and what they tell of themselves.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { type OptionNames, wrongOptions } from "../optionNames.ts"
import { invalid } from "./zstdErrors.ts"
import { compressMemory } from "./zstdMemory.ts"

/** Bytes of the original in a frame, unless the program says otherwise. */
const defaultFrameSize = 4 * 1024 * 1024

/** The level that zstd itself takes by default. */
const defaultLevel = 3

/** The least and the most that a frame may be made with. @internal */
export const compressLimits = {
  level: { least: 1, most: 22 },
  frameSize: { least: 1024, most: 256 * 1024 * 1024 }
} as const

const maxConcurrency = 1024

/** The window that the `zstd` command accepts without being told: 2^27 bytes. */
const defaultMaxWindow = 2 ** 27
const minWindow = 1024
/** Of RFC 8878 a window may be larger; the library's decoder ends at 2^31. */
const largestWindow = 2 ** 31

/** What `decompress` gives at most in one piece, unless the program says otherwise. */
export const defaultMaxOutput = 2 ** 30

/**
 * How content is compressed.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompressOptions {
  /** From 1, the quickest, to 22, the smallest; 3 without it. */
  readonly level?: number | undefined
  /**
   * Bytes of the original in a frame, from 1 KiB to 256 MiB; 4 MiB without it. Frames are compressed side by side, and a
   * range is read in whole frames: small frames make short reads, large ones compress better.
   */
  readonly frameSize?: number | undefined
  /**
   * Whether a table of the frames is written behind them (the seekable format of zstd) where there is more than one, so
   * that ranges can be read. Every zstd tool skips it. `true` without it.
   */
  readonly seekable?: boolean | undefined
  /** Frames that are compressed at a time; without it as many as the pool has threads, or as its memory has room for. */
  readonly concurrency?: number | undefined
  /** Runs once, after the last byte was compressed and before the stream ends. */
  readonly onSummary?: ((summary: CompressSummary) => Effect.Effect<void>) | undefined
}

/**
 * What became of content that was compressed.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompressSummary {
  /** Bytes of the original. */
  readonly size: number
  /** Bytes of what is stored, the table with it. */
  readonly storedSize: number
  /** `storedSize / size`; 1 for an empty original. */
  readonly ratio: number
  /** Frames of content; the table is not counted. */
  readonly frames: number
  /** Whether there is a table of the frames behind them. */
  readonly seekable: boolean
  /** The CRC-32C of the original: base64, as services write it. */
  readonly crc32c: string
  /** The CRC-32C of what is stored: base64, as services write it. */
  readonly storedCrc32c: string
}

/**
 * How content is decompressed.
 *
 * @category models
 * @since 0.1.0
 */
export interface DecompressOptions {
  /**
   * The most bytes that may come out; more fails with `LimitExceeded`, before they are decompressed where a frame tells its
   * size. Without it a stream has no limit, and content in one piece is limited to 1 GiB.
   */
  readonly maxOutput?: number | undefined
  /**
   * The largest window that a frame may ask for, in bytes from 1 KiB to 2 GiB; a larger one fails with `LimitExceeded`. The
   * decoder keeps so much of its output in memory. 2^27 (128 MiB) without it, as for the `zstd` command.
   */
  readonly maxWindow?: number | undefined
  /** Frames that are decompressed at a time; as many as the pool has threads without it. A positive integer. */
  readonly concurrency?: number | undefined
  /**
   * What is known of the original from elsewhere: what differs fails with `IntegrityFailed` in place of the end. Content that
   * was cut off exactly between two frames is whole in itself, so nothing but its `size` tells that bytes are missing.
   */
  readonly expected?: {
    /** Bytes of the original. */
    readonly size?: number | undefined
    /** The CRC-32C of the original: base64, as services write it. */
    readonly crc32c?: string | undefined
  } | undefined
  /** Runs once, after the last byte was decompressed and compared and before the stream ends. */
  readonly onSummary?: ((summary: DecompressSummary) => Effect.Effect<void>) | undefined
}

/**
 * What was found in content that was decompressed.
 *
 * @category models
 * @since 0.1.0
 */
export interface DecompressSummary {
  /** Bytes of the original. */
  readonly size: number
  /** Bytes of what is stored. */
  readonly storedSize: number
  /** Frames of content; those that are skipped are not counted. */
  readonly frames: number
  /** Whether every frame had a checksum of its content; each that is there was compared. */
  readonly verified: boolean
  /** The CRC-32C of the original: base64, as services write it. */
  readonly crc32c: string
}

const check = (
  operation: string,
  name: string,
  value: number,
  least: number,
  most: number
): ObjectStoreError | undefined =>
  Number.isSafeInteger(value) && value >= least && value <= most
    ? undefined
    : invalid(operation, `${name} is ${value}; it has to be a whole number from ${least} to ${most}`)

const compressNames: OptionNames<CompressOptions> = {
  concurrency: true,
  frameSize: true,
  level: true,
  onSummary: true,
  seekable: "flag"
}

const decompressNames: OptionNames<DecompressOptions> = {
  concurrency: true,
  expected: true,
  maxOutput: true,
  maxWindow: true,
  onSummary: true
}

/** What is wrong with options as a whole: one that does not exist would do nothing. */
const checkNames = (operation: string, names: object, options: object | undefined): ObjectStoreError | undefined => {
  const wrong = options === undefined ? undefined : wrongOptions(names, options)
  return wrong === undefined ? undefined : invalid(operation, wrong)
}

/** The options with their defaults, or what is wrong with them. @internal */
export const compressPlan = (
  options: CompressOptions | undefined,
  pool: { readonly threads: number; readonly memory: number }
) => {
  const unknown = checkNames("compress", compressNames, options)
  if (unknown !== undefined) return Effect.fail(unknown)
  const { frameSize = defaultFrameSize, level = defaultLevel, seekable = true } = options ?? {}
  const limits = compressLimits
  const wrong = check("compress", "level", level, limits.level.least, limits.level.most) ??
    check("compress", "frameSize", frameSize, limits.frameSize.least, limits.frameSize.most)
  if (wrong !== undefined) return Effect.fail(wrong)
  // More of them than the pool's memory has room for would only wait, each with its original.
  const room = Math.max(1, Math.floor(pool.memory / compressMemory(level, frameSize)))
  const concurrency = options?.concurrency ?? Math.min(pool.threads, room)
  const wrongCount = check("compress", "concurrency", concurrency, 1, maxConcurrency)
  return wrongCount === undefined
    ? Effect.succeed({ concurrency, frameSize, level, seekable, onSummary: options?.onSummary })
    : Effect.fail(wrongCount)
}

/** @internal */
export type DecompressPlan = Effect.Success<ReturnType<typeof decompressPlan>>

/** The options with their defaults, or what is wrong with them. @internal */
export const decompressPlan = (options: DecompressOptions | undefined, threads: number) => {
  const unknown = checkNames("decompress", decompressNames, options)
  if (unknown !== undefined) return Effect.fail(unknown)
  const {
    concurrency = threads,
    expected,
    maxOutput = Number.MAX_SAFE_INTEGER,
    maxWindow = defaultMaxWindow
  } = options ?? {}
  const wrong = check("decompress", "maxOutput", maxOutput, 0, Number.MAX_SAFE_INTEGER) ??
    check("decompress", "maxWindow", maxWindow, minWindow, largestWindow) ??
    check("decompress", "concurrency", concurrency, 1, maxConcurrency)
  return wrong === undefined
    ? Effect.succeed({ concurrency, expected, maxOutput, maxWindow })
    : Effect.fail(wrong)
}
