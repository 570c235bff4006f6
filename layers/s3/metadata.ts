/**
 * User metadata as headers. What is no ASCII travels as an encoded word (RFC 2047), which S3 itself decodes before it keeps
 * a value and sends again (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html); other services keep the
 * word as it is, and it is decoded here.
 *
 * @since 0.1.0
 */
import type { Attributes, Metadata } from "../../src/ObjectInfo.ts"

const prefix = "x-amz-meta-"
const ascii = /^[\u0020-\u007e]*$/
const encodedWord = /=\?([A-Za-z0-9-]+)\?([BbQq])\?([^?]*)\?=/g

/** What is wrong with attributes and metadata as headers. */
export const checkHeaders = (attributes: Attributes, metadata: Metadata): string | undefined => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && !ascii.test(value)) return `attribute ${name} holds characters that are no ASCII`
  }
  for (const [name, value] of Object.entries(metadata)) {
    // The service would decode it, and another value would come back.
    if (value.includes("=?") && value.includes("?=")) return `metadata "${name}" looks like an encoded word (RFC 2047)`
  }
  return undefined
}

/** Headers of metadata that was checked. */
export const metadataHeaders = (metadata: Metadata): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(metadata)) {
    headers[prefix + name] = ascii.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`
  }
  return headers
}

/** Metadata of a reply's headers, whose text is Latin-1. */
export const decodeMetadata = (metadata: Metadata): Metadata => {
  let decoded: Record<string, string> | undefined
  for (const name in metadata) {
    const value = metadata[name]!
    const text = decodeValue(value)
    if (text !== value) {
      decoded ??= Object.assign(Object.create(null) as Record<string, string>, metadata)
      decoded[name] = text
    }
  }
  return decoded ?? metadata
}

const decodeValue = (value: string): string =>
  value.includes("=?")
    ? value.replace(/(\?=)\s+(?==\?)/g, "$1").replace(encodedWord, decodeWord)
    : ascii.test(value)
    ? value
    // Some services send bytes of UTF-8 as they were given.
    : decodeUtf8(Buffer.from(value, "latin1")) ?? value

const decodeWord = (word: string, charset: string, encoding: string, text: string): string => {
  const bytes = encoding.toUpperCase() === "B"
    ? Buffer.from(text, "base64")
    : Buffer.from(
      text.replaceAll("_", " ").replace(
        /=([0-9A-Fa-f]{2})/g,
        (_, hex: string) => String.fromCharCode(parseInt(hex, 16))
      ),
      "latin1"
    )
  return /^(utf-8|us-ascii)$/i.test(charset)
    ? decodeUtf8(bytes) ?? word
    : /^iso-8859-1$/i.test(charset)
    ? bytes.toString("latin1")
    : word
}

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  return text.includes("\ufffd") ? undefined : text
}
