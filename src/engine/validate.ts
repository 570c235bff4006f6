/**
 * Options are checked before anything is touched: one line that names what is wrong.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type { BackendRange, ObjectOptions } from "../Backend.ts"
import type { Capabilities } from "../Capabilities.ts"
import * as Checksum from "../codec/Checksum.ts"
import { markName } from "../codec/compressionMark.ts"
import { compressLimits } from "../codec/ZstdOptions.ts"
import { attributeNames, type Attributes, type Metadata, type Tags } from "../ObjectInfo.ts"
import { isObjectStoreError, makeError, type ObjectStoreError, printable } from "../ObjectStoreError.ts"
import type { ByteRange, ReadConditions, TransferOptions, WriteMode, WriteOptions } from "../ObjectStoreOptions.ts"
import { writeIdName } from "./identity.ts"

/** Where a check belongs to. */
export interface Subject {
  readonly backend: string
  readonly capabilities: Capabilities
}

/** `InvalidRequest` for an option. */
export const invalid = (subject: Subject, description: string): ObjectStoreError =>
  makeError("InvalidRequest", {
    operation: "validate",
    backend: subject.backend,
    description,
    outcome: "not-applied"
  })

/** `Unsupported` for a capability that is missing. */
export const unsupported = (subject: Subject, capability: string): ObjectStoreError =>
  makeError("Unsupported", {
    operation: "validate",
    backend: subject.backend,
    capability,
    description: `this ${subject.backend} store has no ${capability}`,
    outcome: "not-applied"
  })

const show = (value: unknown): string => printable(String(value).slice(0, 80))

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const transferNames = ["partSize", "concurrency", "onProgress"]

const conditionNames = ["ifMatch", "ifNoneMatch", "ifModifiedSince", "ifUnmodifiedSince", "version"]

/** The options that there are. */
const optionNames = {
  conditions: conditionNames,
  container: ["location"],
  containers: ["prefix"],
  copy: ["mode", "ifMatch"],
  delete: ["ifMatch"],
  deleteMany: ["concurrency"],
  list: ["startAfter", "pageSize"],
  presign: ["method", "expiresIn"],
  ranges: [...transferNames, ...conditionNames, "coalesce", "decompress"],
  read: [...transferNames, ...conditionNames, "range", "expected", "maxSize", "decompress"],
  reader: [...transferNames, "expected", "maxSize"],
  open: [...conditionNames, "decompress"],
  write: [...transferNames, "mode", "attributes", "metadata", "storageClass", "tags", "verify", "size", "compression"]
}

/** An option that does not exist would do nothing, which its writer did not mean. */
export const checkOptions = (
  subject: Subject,
  kind: keyof typeof optionNames,
  options: unknown
): ObjectStoreError | undefined => {
  if (options === undefined) return undefined
  if (!Predicate.isObject(options)) return invalid(subject, `the options are ${show(options)}, which is no object`)
  for (const name of Object.keys(options)) {
    if (!optionNames[kind].includes(name)) return invalid(subject, `there is no option "${show(name)}"`)
  }
  return undefined
}

/** Checks part size, concurrency and progress of a read. */
export const checkTransfer = (subject: Subject, options: TransferOptions | undefined): ObjectStoreError | undefined => {
  if (options === undefined) return undefined
  const { concurrency, onProgress, partSize } = options
  if (partSize !== undefined && (!isCount(partSize) || partSize === 0)) {
    return invalid(subject, `partSize ${show(partSize)} is not a positive integer`)
  }
  if (concurrency !== undefined && (!isCount(concurrency) || concurrency === 0)) {
    return invalid(subject, `concurrency ${show(concurrency)} is not a positive integer`)
  }
  return onProgress === undefined || typeof onProgress === "function"
    ? undefined
    : invalid(subject, "onProgress is not a function")
}

/** Hexadecimal that happens to be as long is none: a CRC of 4 bytes has 8 characters both ways. */
const isBase64Of = (bytes: number, value: string): boolean => {
  const decoded = Buffer.from(value, "base64")
  return decoded.length === bytes && decoded.toString("base64") === value
}

/** Checks the checksums that a read is to have. */
export const checkExpected = (subject: Subject, expected: unknown): ObjectStoreError | undefined => {
  if (expected === undefined) return undefined
  if (!Predicate.isObject(expected)) return invalid(subject, `expected is ${show(expected)}, which is no object`)
  const given = Object.entries(expected).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    const bytes = Checksum.sizeOf(name)
    if (bytes === undefined) return invalid(subject, `expected: there is no checksum "${show(name)}"`)
    if (typeof value !== "string" || !isBase64Of(bytes, value)) {
      return invalid(subject, `expected: ${name} is not the base64 of ${bytes} bytes`)
    }
  }
  // Nothing to compare with would let everything pass.
  return given.length === 0 ? invalid(subject, "expected holds no checksum") : undefined
}

/** Checks the conditions of a read. */
export const checkConditions = (
  subject: Subject,
  conditions: ReadConditions | undefined
): ObjectStoreError | undefined => {
  if (conditions === undefined) return undefined
  const { ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince, version } = conditions
  const conditional = ifMatch ?? ifNoneMatch ?? ifModifiedSince ?? ifUnmodifiedSince
  if (conditional !== undefined && !subject.capabilities.conditionalRead) return unsupported(subject, "conditionalRead")
  if (version !== undefined && !subject.capabilities.versions) return unsupported(subject, "versions")
  for (const [name, value] of [["ifMatch", ifMatch], ["ifNoneMatch", ifNoneMatch], ["version", version]] as const) {
    const wrong = checkToken(subject, name, value)
    if (wrong !== undefined) return wrong
  }
  for (const [name, time] of Object.entries({ ifModifiedSince, ifUnmodifiedSince })) {
    if (time !== undefined && !DateTime.isDateTime(time)) return invalid(subject, `${name} is no DateTime`)
  }
  return undefined
}

// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f]/

const checkToken = (subject: Subject, name: string, value: string | undefined): ObjectStoreError | undefined =>
  value === undefined || (typeof value === "string" && value !== "" && !unprintable.test(value))
    ? undefined
    : invalid(subject, `${name} is empty or holds control characters`)

/** Checks a range and answers it in the form that the backend takes, or `"empty"`. */
export const checkRange = (subject: Subject, range: ByteRange): BackendRangeOrEmpty | ObjectStoreError => {
  if (!Predicate.isObject(range)) return invalid(subject, "the range is no object")
  if ("suffix" in range) {
    if ("offset" in range || "length" in range) return invalid(subject, "a range has an offset or a suffix, not both")
    if (!isCount(range.suffix)) return invalid(subject, `suffix ${show(range.suffix)} is not a non-negative integer`)
    return range.suffix === 0 ? "empty" : { suffix: range.suffix }
  }
  if (!isCount(range.offset)) return invalid(subject, `offset ${show(range.offset)} is not a non-negative integer`)
  const { length } = range
  if (length === undefined) return { offset: range.offset, length: Number.MAX_SAFE_INTEGER - range.offset }
  if (!isCount(length)) return invalid(subject, `length ${show(length)} is not a non-negative integer`)
  return length === 0
    ? "empty"
    : { offset: range.offset, length: Math.min(length, Number.MAX_SAFE_INTEGER - range.offset) }
}

/** A checked range. */
export type BackendRangeOrEmpty = BackendRange | "empty"

/** Checks the mode of a write, a copy or a rename. */
export const checkMode = (
  subject: Subject,
  mode: WriteMode | undefined,
  needs: { readonly create: boolean; readonly update: boolean; readonly name?: string }
): ObjectStoreError | undefined => {
  if (mode === undefined || mode === "overwrite") return undefined
  if (mode === "create") return needs.create ? undefined : unsupported(subject, needs.name ?? "conditionalCreate")
  if (!Predicate.isObject(mode) || typeof mode.update !== "string") {
    return invalid(subject, "mode is not \"overwrite\", \"create\" or { update: etag }")
  }
  return checkToken(subject, "mode.update", mode.update) ??
    (needs.update ? undefined : unsupported(subject, needs.name ?? "conditionalUpdate"))
}

const checkAttributes = (subject: Subject, attributes: Attributes): Attributes | ObjectStoreError => {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (!(attributeNames as ReadonlyArray<string>).includes(name)) {
      return invalid(subject, `unknown attribute "${show(name)}"`)
    }
    if (value === undefined) continue
    if (typeof value !== "string" || value === "" || unprintable.test(value) || !value.isWellFormed()) {
      return invalid(subject, `attribute ${name} is empty or holds control characters`)
    }
    if (!subject.capabilities.attributes) return unsupported(subject, "attributes")
    kept[name] = value
  }
  return kept
}

// Names that are a token in every service's header form; values that fit a header as they are.
const metadataNames = {
  token: { pattern: /^[a-z0-9_][a-z0-9_.-]*$/, rule: "letters, digits and \"-_.\"" },
  identifier: { pattern: /^[a-z_][a-z0-9_]*$/, rule: "letters, digits and \"_\", the first one no digit" }
} as const
const metadataValue = /^[\u0020-\u007e\u0080-\uffff]*$/

/** Checks user metadata and makes its names lower case. */
const checkMetadata = (subject: Subject, metadata: Metadata): Metadata | ObjectStoreError => {
  const kept: Record<string, string> = Object.create(null)
  const { maxMetadataBytes } = subject.capabilities
  const names = metadataNames[subject.capabilities.metadataNames]
  let bytes = 0
  for (const [given, value] of Object.entries(metadata)) {
    const name = given.toLowerCase()
    if (!names.pattern.test(name)) {
      return invalid(subject, `metadata name "${show(given)}" is not made of ${names.rule}`)
    }
    if (Object.hasOwn(kept, name)) return invalid(subject, `metadata name "${name}" is given twice`)
    if (name === writeIdName) return invalid(subject, `metadata name "${name}" is the library's own`)
    if (typeof value !== "string") return invalid(subject, `metadata "${name}" is no text`)
    if (!metadataValue.test(value) || !value.isWellFormed() || value.trim() !== value) {
      return invalid(subject, `metadata "${name}" holds control characters, or spaces at an end`)
    }
    bytes += name.length + Buffer.byteLength(value)
    if (bytes > maxMetadataBytes) return invalid(subject, `metadata has more than ${maxMetadataBytes} bytes`)
    if (!subject.capabilities.metadata) return unsupported(subject, "metadata")
    kept[name] = value
  }
  return kept
}

const maxTags = 10
const maxTagName = 128
const maxTagValue = 256

/** Checks tags (docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html; Azure's blob index tags are the same). */
const checkTags = (subject: Subject, tags: Tags | undefined): ObjectStoreError | undefined => {
  if (tags === undefined) return undefined
  if (!subject.capabilities.tags) return unsupported(subject, "tags")
  const entries = Object.entries(tags)
  if (entries.length > maxTags) return invalid(subject, `${entries.length} tags are more than ${maxTags}`)
  for (const [name, value] of entries) {
    if (name === "" || name.length > maxTagName) {
      return invalid(subject, `tag name "${show(name)}" is not 1 to ${maxTagName} characters`)
    }
    if (typeof value !== "string" || value.length > maxTagValue || !`${name}${value}`.isWellFormed()) {
      return invalid(subject, `tag "${show(name)}" is no text of at most ${maxTagValue} characters`)
    }
  }
  return undefined
}

const checkStorageClass = (subject: Subject, storageClass: string | undefined): ObjectStoreError | undefined => {
  if (storageClass === undefined) return undefined
  if (!subject.capabilities.storageClass) return unsupported(subject, "storageClass")
  return typeof storageClass === "string" && /^[A-Za-z0-9_-]+$/.test(storageClass)
    ? undefined
    : invalid(subject, `storageClass "${show(storageClass)}" is not made of letters, digits, "_" and "-"`)
}

const isCompression = (name: string): name is keyof typeof compressLimits => Object.hasOwn(compressLimits, name)

/** Checks how a write compresses. */
const checkCompression = (subject: Subject, compression: unknown, metadata: Metadata): ObjectStoreError | undefined => {
  if (compression === undefined) return undefined
  if (!Predicate.isObject(compression)) {
    return invalid(subject, `compression is ${show(compression)}, which is no object`)
  }
  for (const [name, value] of Object.entries(compression)) {
    if (name === "mark" && (value === undefined || typeof value === "boolean")) continue
    if (!isCompression(name)) return invalid(subject, `compression: there is no option "${show(name)}"`)
    if (value === undefined) continue
    const { least, most } = compressLimits[name]
    if (!isCount(value) || value < least || value > most) {
      return invalid(subject, `compression: ${name} ${show(value)} is not a whole number from ${least} to ${most}`)
    }
  }
  return Object.hasOwn(metadata, markName)
    ? invalid(subject, `metadata name "${markName}" is the library's own where it compresses`)
    : undefined
}

/** Checks how a read treats what is compressed, and the most that it may deliver. */
export const checkDecompress = (
  subject: Subject,
  options: { readonly decompress?: unknown; readonly maxSize?: unknown } | undefined
): ObjectStoreError | undefined => {
  const { decompress, maxSize } = options ?? {}
  if (maxSize !== undefined && !isCount(maxSize)) {
    return invalid(subject, `maxSize ${show(maxSize)} is not a non-negative integer`)
  }
  return decompress === undefined || typeof decompress === "boolean" || decompress === "auto"
    ? undefined
    : invalid(subject, `decompress ${show(decompress)} is not true, false or "auto"`)
}

/** Checks the options of a write and completes them. */
export const checkWrite = (subject: Subject, options: WriteOptions | undefined): ObjectOptions | ObjectStoreError => {
  const { capabilities } = subject
  const wrong = checkOptions(subject, "write", options) ??
    checkTransfer(subject, options) ??
    checkMode(subject, options?.mode, {
      create: capabilities.conditionalCreate,
      update: capabilities.conditionalUpdate
    })
  if (wrong !== undefined) return wrong
  const { size } = options ?? {}
  if (size !== undefined && !isCount(size)) return invalid(subject, `size ${show(size)} is not a non-negative integer`)
  if (options?.verify !== undefined && options.verify !== "head") return invalid(subject, "verify is not \"head\"")
  const attributes = checkAttributes(subject, options?.attributes ?? {})
  if (isObjectStoreError(attributes)) return attributes
  const metadata = checkMetadata(subject, options?.metadata ?? {})
  if (isObjectStoreError(metadata)) return metadata
  const unfit = checkStorageClass(subject, options?.storageClass) ?? checkTags(subject, options?.tags) ??
    checkCompression(subject, options?.compression, metadata)
  if (unfit !== undefined) return unfit
  return {
    mode: options?.mode ?? "overwrite",
    attributes,
    metadata,
    storageClass: options?.storageClass,
    tags: options?.tags
  }
}

/** Checks a number that must be a positive integer, if it is given. */
export const checkPositive = (
  subject: Subject,
  name: string,
  value: number | undefined
): ObjectStoreError | undefined =>
  value === undefined || (isCount(value) && value > 0)
    ? undefined
    : invalid(subject, `${name} ${show(value)} is not a positive integer`)

/** Checks where a listing begins, if that is given. */
export const checkStartAfter = (subject: Subject, value: unknown): ObjectStoreError | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== "string") return invalid(subject, `startAfter ${show(value)} is no text`)
  return value.isWellFormed() ? undefined : invalid(subject, "startAfter holds a lone surrogate")
}

/** Checks an optional etag. */
export const checkEtag = (subject: Subject, value: string | undefined): ObjectStoreError | undefined =>
  checkToken(subject, "ifMatch", value)

/** Checks how long a signed URL is to work. */
export const checkExpiry = (subject: Subject, input: Duration.Input): Duration.Duration | ObjectStoreError => {
  const duration = Duration.fromInput(input)
  const millis = duration._tag === "Some" ? Duration.toMillis(duration.value) : Number.NaN
  return Number.isFinite(millis) && millis >= 1000 && duration._tag === "Some"
    ? duration.value
    : invalid(subject, `expiresIn ${show(input)} is not a time of at least one second`)
}
