/**
 * The arguments and flags that commands share, each defined once.
 *
 * @internal
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { compressLimits } from "../codec/ZstdOptions.ts"
import { parseEndpoint } from "./connection.ts"
import { type CommandName, commands, type FlagName, flags } from "./help.ts"
import { parseAge, parseRange, parseSize } from "./size.ts"

const describe = (name: FlagName) => <A>(flag: Flag.Flag<A>): Flag.Flag<A> => {
  const { alias, text } = flags[name]
  const described = Flag.withDescription(flag, text)
  return alias === "" ? described : Flag.withAlias(described, alias)
}

const boolean = (name: FlagName): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, describe(name), Flag.withDefault(false))

/** A flag of text that `parse` understands; `undefined` without it. */
const parsed = <A>(
  name: FlagName,
  parse: (text: string) => A | undefined,
  expected: string
): Flag.Flag<A | undefined> =>
  Flag.String(name).pipe(
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(parse(text)),
      (text) => `${expected}, got "${text}"`
    ),
    describe(name),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

const positive = (n: number | undefined): number | undefined => n !== undefined && n > 0 ? n : undefined

const count = (text: string): number | undefined => /^[0-9]{1,6}$/.test(text) ? positive(Number(text)) : undefined

const allowHttp = boolean("allow-http")
const anonymous = boolean("anonymous")
const text = (name: FlagName): Flag.Flag<string | undefined> =>
  parsed(name, (value) => value === "" ? undefined : value, "Expected some text")
const endpoint = Flag.String("endpoint").pipe(
  Flag.filterMap(
    (value) => Option.fromUndefinedOr(parseEndpoint(value)),
    () => "Expected the URL of a service, such as http://127.0.0.1:9000, or s3=http://127.0.0.1:9000"
  ),
  describe("endpoint"),
  Flag.atLeast(0)
)

/** How services are reached; every command has these. */
export const connection = {
  "allow-http": allowHttp,
  anonymous,
  endpoint,
  profile: text("profile"),
  region: text("region")
}

export const algorithm = Flag.Literals("algorithm", ["crc32c", "crc32", "crc64nvme", "sha256"]).pipe(
  describe("algorithm"),
  Flag.withDefault("crc32c" as const)
)
export const concurrency = parsed("concurrency", count, "Expected a whole number from 1 to 999999")
const maxLevel = compressLimits.level.most

export const compress = parsed("compress", (text) => {
  const level = count(text)
  return level !== undefined && level <= maxLevel ? level : undefined
}, `Expected a level from 1 to ${maxLevel}`)
export const decompress = boolean("decompress")
export const dryRun = boolean("dry-run")
export const exact = boolean("exact")
const defaultExpiry = 3600 * 1000

export const expiresIn = parsed(
  "expires-in",
  (text) => positive(parseAge(text)),
  "Expected a time such as 15m or 12h"
).pipe(Flag.map((time) => time ?? defaultExpiry))
export const json = boolean("json")
export const location = text("location")
export const method = Flag.Literals("method", ["GET", "PUT", "HEAD", "DELETE"]).pipe(
  describe("method"),
  Flag.withDefault("GET" as const)
)
export const names = Flag.Literals("names", ["portable", "native"]).pipe(
  describe("names"),
  Flag.withDefault("portable" as const)
)
export const olderThan = parsed("older-than", parseAge, "Expected an age such as 30m, 12h or 7d")
export const partSize = parsed(
  "part-size",
  (text) => positive(parseSize(text)),
  "Expected a size above 0 such as 65536, 512KiB or 8MiB"
)
export const range = parsed("range", parseRange, "Expected bytes such as 0-99, 100- or -100")
export const recursive = boolean("recursive")
export const verify = Flag.Literals("verify", ["checksum", "size"]).pipe(
  describe("verify"),
  Flag.withDefault("checksum" as const)
)
export const yes = boolean("yes")

/** One location or path, or more. */
export const locations = Argument.String("LOCATION").pipe(Argument.variadic({ min: 1 }))

/** What the help says of a command in one line. */
export const summary = (name: CommandName): string => commands[name].summary
