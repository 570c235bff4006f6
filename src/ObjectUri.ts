/**
 * Locations: the URI of an object, a container or a directory, parsed strictly and printed exactly.
 *
 * A key is a UTF-8 string that is kept as it is: `//`, spaces, `..`, `%2F` and a trailing `/` all survive. Only the
 * `https` form of Azure Blob is percent-decoded, because it is a URL. What follows the authority of the other forms is
 * the key to the letter, also `?` and `#`.
 *
 * | form | account | container | key |
 * | --- | --- | --- | --- |
 * | `s3://bucket/key` | | bucket | key |
 * | `gs://bucket/key`, `gcs://bucket/key` | | bucket | key |
 * | `az://account/container/key` | account | container | key |
 * | `https://ACCOUNT.blob.core.windows.net/container/key` | account | container | key, percent-decoded |
 * | `file:///abs/path`, `direct:///abs/path` | | | `abs/path` |
 * | `mem://name/key` | | name | key |
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { makeError, type ObjectStoreError, printable } from "./ObjectStoreError.ts"

/**
 * Schema for the scheme of a location; `gcs` is read as `gs`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Scheme = Schema.Literals(["s3", "gs", "az", "https", "file", "direct", "mem"])

/**
 * The scheme of a location.
 *
 * @category models
 * @since 0.1.0
 */
export type Scheme = typeof Scheme.Type

/**
 * A location, taken apart. An empty `key` names the container, root or account itself.
 *
 * @category models
 * @since 0.1.0
 */
export class ObjectUri extends Schema.Class<ObjectUri>("effect-objectstore/ObjectUri")({
  scheme: Scheme,
  account: Schema.String,
  container: Schema.String,
  key: Schema.String
}) {
  override toString(): string {
    return this.key.isWellFormed() ? print(this) : print({ ...this, key: this.key.toWellFormed() })
  }
}

const azureSuffix = ".blob.core.windows.net"

/** Whether text is meant as an absolute location, not as a key relative to a store's base. */
const schemePattern = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//

/**
 * Whether `text` is an absolute location (it begins with `scheme://`) and not a relative key.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAbsolute = (text: string): boolean => schemePattern.test(text)

interface NameRule {
  readonly what: string
  readonly pattern: RegExp
  readonly rule: string
}

// S3: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
const s3Bucket: NameRule = {
  what: "bucket",
  pattern: /^[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]$/,
  rule: "3 to 63 of a-z, 0-9, '.' and '-'"
}
// GCS: cloud.google.com/storage/docs/buckets#naming
const gcsBucket: NameRule = {
  what: "bucket",
  pattern: /^[a-z0-9](?!.*\.\.)(?:[a-z0-9_-]{1,61}|[a-z0-9._-]{1,220})[a-z0-9]$/,
  rule: "3 to 63 (222 with dots) of a-z, 0-9, '_', '.' and '-'"
}
// Azure: learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name
const azureAccount: NameRule = { what: "account", pattern: /^[a-z0-9]{3,24}$/, rule: "3 to 24 of a-z and 0-9" }
// Azure: learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
const azureContainer: NameRule = {
  what: "container",
  pattern: /^(?:\$root|\$logs|\$web|[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9])$/,
  rule: "3 to 63 of a-z, 0-9 and single '-'"
}
const memoryName: NameRule = {
  what: "name",
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/,
  rule: "1 to 255 of letters, digits, '.', '_' and '-'"
}

/** A name as it may be shown: user information may stand in its place, and be a secret. */
const shown = (name: string): string =>
  printable(name.replace(/^.*@/s, "<redacted>@").replace(/:.*$/s, ":<redacted>").slice(0, 80))

const checkName = (rule: NameRule, name: string): string | undefined =>
  rule.pattern.test(name) ? undefined : `${rule.what} "${shown(name)}" is not ${rule.rule}`

/**
 * Whether a container may have this name under `scheme`; the answer is what is wrong, or `undefined`.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkContainerName = (scheme: Scheme, name: string): string | undefined => {
  switch (scheme) {
    case "s3":
      return checkName(s3Bucket, name)
    case "gs":
      return checkName(gcsBucket, name)
    case "az":
    case "https":
      return checkName(azureContainer, name)
    case "mem":
      return checkName(memoryName, name)
    case "file":
    case "direct":
      return name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")
        ? `directory name "${printable(name.slice(0, 80))}" is empty, '.', '..' or holds '/' or NUL`
        : undefined
  }
}

const cut = (text: string): readonly [head: string, tail: string] => {
  const slash = text.indexOf("/")
  return slash === -1 ? [text, ""] : [text.slice(0, slash), text.slice(slash + 1)]
}

type Parts = { readonly scheme: Scheme; readonly account: string; readonly container: string; readonly key: string }

const parseContainer = (scheme: Scheme, account: string, rest: string): Result.Result<Parts, string> => {
  const [container, key] = cut(rest)
  const wrong = checkContainerName(scheme, container)
  return wrong === undefined ? Result.succeed({ scheme, account, container, key }) : Result.fail(wrong)
}

const parseAzure = (rest: string): Result.Result<Parts, string> => {
  const [account, inside] = cut(rest)
  const wrong = checkName(azureAccount, account)
  if (wrong !== undefined) return Result.fail(wrong)
  if (inside === "") return Result.succeed({ scheme: "az", account, container: "", key: "" })
  return parseContainer("az", account, inside)
}

const parseHttps = (rest: string): Result.Result<Parts, string> => {
  if (/[?#]/.test(rest)) {
    return Result.fail("a query or fragment does not belong in a location; give a SAS token in the layer's options")
  }
  const [host, inside] = cut(rest)
  if (!host.toLowerCase().endsWith(azureSuffix)) {
    return Result.fail(`https locations are Azure Blob's, https://ACCOUNT${azureSuffix}/container/key`)
  }
  const account = host.slice(0, -azureSuffix.length).toLowerCase()
  const wrong = checkName(azureAccount, account)
  if (wrong !== undefined) return Result.fail(wrong)
  if (inside === "") return Result.succeed({ scheme: "https", account, container: "", key: "" })
  const [container, encoded] = cut(inside)
  const name = checkContainerName("https", container)
  if (name !== undefined) return Result.fail(name)
  try {
    return Result.succeed({ scheme: "https", account, container, key: decodeURIComponent(encoded) })
  } catch {
    return Result.fail("the key is not percent-encoded UTF-8")
  }
}

const parsePath = (scheme: Scheme, rest: string): Result.Result<Parts, string> =>
  rest.startsWith("/")
    ? Result.succeed({ scheme, account: "", container: "", key: rest.slice(1) })
    : Result.fail(`a path is absolute and has no host: ${scheme}:///abs/path`)

const parseParts = (text: string): Result.Result<Parts, string> => {
  if (!text.isWellFormed()) return Result.fail("it holds a lone surrogate, which UTF-8 cannot carry")
  const match = schemePattern.exec(text)
  if (match === null) return Result.fail("it has no scheme; expected s3, gs, az, https, file, direct or mem")
  const rest = text.slice(match[0].length)
  switch (match[1]) {
    case "s3":
      return parseContainer("s3", "", rest)
    case "gs":
    case "gcs":
      return parseContainer("gs", "", rest)
    case "az":
      return parseAzure(rest)
    case "https":
      return parseHttps(rest)
    case "file":
    case "direct":
      return parsePath(match[1], rest)
    case "mem":
      return parseContainer("mem", "", rest)
    default:
      return Result.fail(`unknown scheme "${match[1]}"; expected s3, gs, az, https, file, direct or mem`)
  }
}

/**
 * Parses a location; the failure says in one line what is wrong with it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parseResult = (text: string): Result.Result<ObjectUri, string> =>
  Result.map(parseParts(text), (parts) => new ObjectUri(parts))

/**
 * Checks a location that was put together from parts: it is one that `parse` could have made, or else the failure says in
 * one line what is wrong.
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (uri: ObjectUri): Result.Result<ObjectUri, string> =>
  uri.key.isWellFormed()
    ? Result.filterOrFail(
      parseResult(print(uri)),
      ({ account, container, key, scheme }) =>
        scheme === uri.scheme && account === uri.account && container === uri.container && key === uri.key,
      () => "its parts do not make a location of its scheme"
    )
    : Result.fail("it holds a lone surrogate, which UTF-8 cannot carry")

/**
 * Parses a location, or fails with `InvalidUri`.
 *
 * **Example** (A key is kept to the letter)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ObjectUri } from "effect-objectstore"
 *
 * const uri = Effect.runSync(ObjectUri.parse("s3://bucket/a//b/../c%2Fd"))
 * console.log(uri.key) // a//b/../c%2Fd
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (text: string): Effect.Effect<ObjectUri, ObjectStoreError> =>
  Result.match(parseResult(text), {
    onSuccess: Effect.succeed,
    onFailure: (description) =>
      Effect.fail(makeError("InvalidUri", { operation: "parse", backend: "uri", uri: redact(text), description }))
  })

const encodeKey = (key: string): string => key.split("/").map(encodeURIComponent).join("/")

/**
 * Prints a location; `parse` reads it back to an equal one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const print = (uri: Parts): string => printPrefix(uri) + (uri.scheme === "https" ? encodeKey(uri.key) : uri.key)

/**
 * Prints what stands before the key of a location.
 *
 * @category combinators
 * @since 0.1.0
 */
export const printPrefix = (uri: Omit<Parts, "key">): string => {
  switch (uri.scheme) {
    case "s3":
    case "gs":
    case "mem":
      return `${uri.scheme}://${uri.container}/`
    case "az":
      return `az://${uri.account}/${uri.container === "" ? "" : `${uri.container}/`}`
    case "https":
      return `https://${uri.account}${azureSuffix}/${uri.container === "" ? "" : `${uri.container}/`}`
    case "file":
    case "direct":
      return `${uri.scheme}:///`
  }
}

/**
 * Removes what may be a secret from text that should be a location: user information, and the query of a URL.
 *
 * @category combinators
 * @since 0.1.0
 */
export const redact = (text: string): string =>
  text
    .slice(0, 2048)
    // A password may hold any character, also "/".
    .replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/)(?:[^/:]*:.*|[^/]*)@/s, "$1<redacted>@")
    .replace(/^(https?:\/\/[^?#]*)[?#].*$/s, "$1?<redacted>")

/**
 * Schema that parses a location from text and prints it back.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromString = Schema.String.pipe(
  Schema.decodeTo(
    ObjectUri,
    SchemaTransformation.transformEffect({
      decode: (text: string) =>
        Result.match(parseParts(text), {
          onSuccess: (parts) => Effect.succeed(parts),
          onFailure: (message) => Effect.fail(new SchemaIssue.InvalidValue({ message }))
        }),
      encode: (parts: Parts) => Effect.succeed(print(parts))
    })
  )
)
