/**
 * The options of a universal store.
 *
 * @internal
 */
import type { ObjectUri, Scheme } from "../../src/ObjectUri.ts"
import type { OptionNames } from "../../src/optionNames.ts"
import type { AzureOptions } from "../Azure.ts"
import type { DirectOptions } from "../Direct.ts"
import type { FileOptions } from "../File.ts"
import type { GcsOptions } from "../Gcs.ts"
import type { MemoryOptions } from "../Memory.ts"
import type { S3Options } from "../S3.ts"

/** Options of an account on Azure; which one it is, the location says. */
type AccountOptions = Omit<AzureOptions, "account" | "base">

/**
 * What a universal store is built with. Every store has the options of its own layer, but for the base, which there is one
 * of.
 *
 * @category models
 * @since 0.1.0
 */
export interface UniversalOptions {
  /** The location that relative keys are relative to; without it every place is an absolute location. */
  readonly base?: string | ObjectUri | undefined
  /**
   * The schemes of the locations that the store answers to; all without it. A location of another one is `InvalidUri`,
   * so give them where locations come from somebody else.
   */
  readonly schemes?: ReadonlyArray<Scheme> | undefined
  /**
   * Whether what is not given here comes from the usual variables of the environment, which are read when a store is
   * first used; `false` without it.
   */
  readonly environment?: boolean | undefined
  /** Options of the accounts on Azure, for all of them or by the account's name. */
  readonly azure?: AccountOptions | ((account: string) => AccountOptions) | undefined
  /** Options of `direct://`; its root is `/` without them. */
  readonly direct?: Partial<Omit<DirectOptions, "base">> | undefined
  /** Options of `file://`; its root is `/` without them. */
  readonly file?: Partial<Omit<FileOptions, "base">> | undefined
  /** Options of `gs://`. */
  readonly gcs?: Omit<GcsOptions, "base"> | undefined
  /** Options of `mem://`. */
  readonly memory?: Omit<MemoryOptions, "base"> | undefined
  /** Options of `s3://`. */
  readonly s3?: Omit<S3Options, "base"> | undefined
}

/** The names of the options; those of each store are checked by its layer, when it is opened. */
export const optionNames: OptionNames<UniversalOptions> = {
  azure: true,
  base: true,
  direct: true,
  environment: "flag",
  file: true,
  gcs: true,
  memory: true,
  s3: true,
  schemes: true
}
