/**
 * Conditions of reads, writes and copies (docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html).
 *
 * @internal
 */
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import { refuse } from "./replies.ts"
import type { Version } from "./state.ts"

type Headers = ServerRequest["headers"]

const seconds = (millis: number): number => Math.floor(millis / 1000)

const secondsOf = (text: string | undefined): number | undefined => {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : seconds(time)
}

const bare = (etag: string): string => etag.trim().replace(/^"|"$/g, "")

const names = (list: string, etag: string): boolean =>
  list.trim() === "*" || list.split(",").some((one) => bare(one) === bare(etag))

/** RFC 9110, section 13.2.2. */
const failing = (headers: Headers, version: Version, prefix: string): "match" | "none" | undefined => {
  const match = headers[`${prefix}if-match`]
  const none = headers[`${prefix}if-none-match`]
  const modified = seconds(version.lastModified)
  if (match !== undefined) {
    if (!names(match, version.etag)) return "match"
  } else {
    const before = secondsOf(headers[`${prefix}if-unmodified-since`])
    if (before !== undefined && modified > before) return "match"
  }
  if (none !== undefined) return names(none, version.etag) ? "none" : undefined
  const since = secondsOf(headers[`${prefix}if-modified-since`])
  return since !== undefined && modified <= since ? "none" : undefined
}

/** The refusal of a read. */
export const checkRead = (headers: Headers, version: Version): ServerReply | undefined => {
  const failed = failing(headers, version, "")
  if (failed === undefined) return undefined
  return failed === "match"
    ? refuse(412, "PreconditionFailed")
    : refuse(304, "NotModified", { headers: { etag: version.etag } })
}

/** The refusal of a write, an upload's completion or a copy by its target. */
export const checkWrite = (headers: Headers, current: Version | undefined): ServerReply | undefined => {
  const { "if-match": match, "if-none-match": none } = headers
  if (none !== undefined && none !== "*") return refuse(501, "NotImplemented")
  if (none !== undefined && current !== undefined) return refuse(412, "PreconditionFailed")
  if (match === undefined) return undefined
  if (current === undefined) return refuse(404, "NoSuchKey")
  return names(match, current.etag) ? undefined : refuse(412, "PreconditionFailed")
}

/** The refusal of a removal. */
export const checkDelete = ({ "if-match": match }: Headers, current: Version | undefined): ServerReply | undefined =>
  match === undefined || (current !== undefined && names(match, current.etag))
    ? undefined
    : refuse(412, "PreconditionFailed")

/** The refusal of a copy by its source. */
export const checkSource = (headers: Headers, source: Version): ServerReply | undefined =>
  failing(headers, source, "x-amz-copy-source-") === undefined ? undefined : refuse(412, "PreconditionFailed")
