/**
 * The endpoint that a profile names in the shared AWS configuration file. The AWS SDK looks for that of `AWS_PROFILE` alone, and
 * would send a named profile's requests to AWS, or to another profile's service
 * (docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as NodeFs from "node:fs/promises"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { misconfigured } from "./errors.ts"

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Reads the file: a setting below another one (`s3 =`, and then indented lines) is named `s3.endpoint_url`. */
const parse = (text: string): Sections => {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | undefined
  let above = ""
  for (const whole of text.split(/\r?\n/)) {
    // A comment begins a line, or follows a space.
    const line = whole.replace(/(?:^|\s)[#;].*$/, "")
    const header = /^\s*\[\s*(.+?)\s*\]\s*$/.exec(line)
    if (header !== null) {
      const name = header[1]!.replace(/^(profile|services)\s+(["']?)(.*)\2$/, "$1 $3")
      section = sections.get(name) ?? new Map()
      sections.set(name, section)
      above = ""
      continue
    }
    const [, indent, name, value] = /^(\s*)([^=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section === undefined || name === undefined || value === undefined) continue
    if (value === "") above = name
    else {
      if (indent === "") above = ""
      section.set(above === "" ? name : `${above}.${name}`, value)
    }
  }
  return sections
}

/** The endpoint of S3 in a profile: that of its services section before its own. */
export const endpointOf = (text: string, profile: string): Result.Result<string | undefined, string> => {
  const sections = parse(text)
  const own = sections.get(`profile ${profile}`) ?? (profile === "default" ? sections.get("default") : undefined)
  if (own === undefined || own.get("ignore_configured_endpoint_urls")?.toLowerCase() === "true") {
    return Result.succeed(undefined)
  }
  const services = own.get("services")
  const section = services === undefined ? undefined : sections.get(`services ${services}`)
  if (services !== undefined && section === undefined) {
    return Result.fail(
      `the profile ${profile} names the services ${services}, and the shared file has none of this name`
    )
  }
  return Result.succeed(section?.get("s3.endpoint_url") ?? own.get("endpoint_url"))
}

const variables = Config.all({
  file: Config.option(Config.NonEmptyString("AWS_CONFIG_FILE")),
  ignored: Config.option(Config.NonEmptyString("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")),
  ofS3: Config.option(Config.NonEmptyString("AWS_ENDPOINT_URL_S3")),
  ofAll: Config.option(Config.NonEmptyString("AWS_ENDPOINT_URL"))
})

const isMissing = (cause: unknown): boolean => Predicate.hasProperty(cause, "code") && cause.code === "ENOENT"

/**
 * The endpoint of a profile. One of the environment comes before it: `{ environment: true }`, and the SDK reads that one.
 */
export const endpointOfProfile = Effect.fnUntraced(function*(
  profile: string
): Effect.fn.Return<{ readonly environment: boolean; readonly endpoint: string | undefined }, ObjectStoreError> {
  const found = yield* Effect.mapError(variables, (cause) => misconfigured("the environment cannot be read", cause))
  const none = { environment: false, endpoint: undefined }
  if (Option.contains(found.ignored, "true")) return none
  if (Option.isSome(found.ofS3) || Option.isSome(found.ofAll)) return { ...none, environment: true }
  const file = Option.getOrElse(found.file, () => NodePath.join(NodeOs.homedir(), ".aws", "config"))
  const text = yield* Effect.tryPromise({
    try: (signal) => NodeFs.readFile(file, { encoding: "utf8", signal }),
    catch: (cause) => misconfigured(`the shared AWS configuration file cannot be read: ${file}`, cause)
  }).pipe(Effect.catchIf(({ reason }) => isMissing(reason.cause), () => Effect.succeed("")))
  const endpoint = endpointOf(text, profile)
  return Result.isFailure(endpoint)
    ? yield* misconfigured(endpoint.failure)
    : { ...none, endpoint: endpoint.success }
})
