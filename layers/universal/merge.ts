/**
 * Options that are given, over what the environment says. Who asks is one answer: credentials that are given replace those
 * of the environment as a whole, and credentials for one place are not sent to another.
 *
 * @internal
 */
import type { AzureOptions } from "../Azure.ts"
import type { GcsOptions } from "../Gcs.ts"
import type { S3Options } from "../S3.ts"

/** Options without those that say nothing, which would hide what the environment says. */
export const known = <A extends object>(options: A | undefined): A => {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options ?? {})) if (value !== undefined) kept[name] = value
  return kept as A
}

/** Options without some of them. */
const without = <A extends object>(options: A, names: ReadonlyArray<keyof A & string>): A =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !(names as ReadonlyArray<string>).includes(name))) as A

/** Options of an account on Azure. Variables that name another account say nothing of this one. */
export const azureOptions = (account: string, found: AzureOptions, options: AzureOptions): AzureOptions => {
  const given = known(options)
  const own = found.account === undefined || found.account === account ? found : {}
  const secrets = ["accountKey", "connectionString", "credential", "sasToken"] as const
  return {
    ...(secrets.some((name) => given[name] !== undefined) ? without(own, secrets) : own),
    ...given,
    account
  }
}

/** Options of GCS. Credentials that the environment has for its own endpoint do not go to one that is given. */
export const gcsOptions = (found: GcsOptions, options: GcsOptions): GcsOptions => {
  const given = known(options)
  const elsewhere = given.endpoint !== undefined && typeof found.credentials === "string"
  return { ...(elsewhere ? without(found, ["credentials"]) : found), ...given }
}

/** Options of S3. A profile that is given, or credentials, are all there is to say of who asks. */
export const s3Options = (found: S3Options, options: S3Options): S3Options => {
  const given = known(options)
  const replaced = given.credentials !== undefined || given.profile !== undefined
  return { ...(replaced ? without(found, ["credentials", "profile"]) : found), ...given }
}
