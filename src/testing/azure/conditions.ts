/**
 * Conditions, as "Specifying conditional headers for Blob service operations" has them.
 *
 * @internal
 */
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import { refuse } from "./replies.ts"
import type { Blob } from "./state.ts"

type Headers = ServerRequest["headers"]

const seconds = (millis: number): number => Math.floor(millis / 1000)

const secondsOf = (text: string | undefined): number | undefined => {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : seconds(time)
}

/** Which of the conditions fails: of those that ask for something, or of those that ask for a change. */
const failing = (headers: Headers, blob: Blob, prefix = ""): "match" | "none" | undefined => {
  const match = headers[`${prefix}if-match`]
  const none = headers[`${prefix}if-none-match`]
  const unmodified = secondsOf(headers[`${prefix}if-unmodified-since`])
  const modified = secondsOf(headers[`${prefix}if-modified-since`])
  if (match !== undefined && match !== "*" && match !== blob.etag) return "match"
  if (match === undefined && unmodified !== undefined && seconds(blob.lastModified) > unmodified) return "match"
  if (none !== undefined && (none === "*" || none === blob.etag)) return "none"
  if (none === undefined && modified !== undefined && seconds(blob.lastModified) <= modified) return "none"
  return undefined
}

/** The refusal of a read. */
export const checkRead = (headers: Headers, blob: Blob): ServerReply | undefined => {
  const failed = failing(headers, blob)
  if (failed === undefined) return undefined
  return failed === "match" ? refuse(412, "ConditionNotMet") : refuse(304, "ConditionNotMet")
}

/** The refusal of a change. */
export const checkWrite = (headers: Headers, blob: Blob | undefined): ServerReply | undefined => {
  if (blob === undefined) {
    return headers["if-match"] === undefined ? undefined : refuse(412, "ConditionNotMet")
  }
  const failed = failing(headers, blob)
  if (failed === undefined) return undefined
  return failed === "none" && headers["if-none-match"] === "*"
    ? refuse(409, "BlobAlreadyExists")
    : refuse(412, "ConditionNotMet")
}

/** The refusal of a copy by its source. */
export const checkSource = (headers: Headers, blob: Blob): ServerReply | undefined =>
  failing(headers, blob, "x-ms-source-") === undefined ? undefined : refuse(412, "SourceConditionNotMet")
