/**
 * The documents of batches: requests inside of a request, and replies inside of its reply, as `multipart/mixed`
 * (learn.microsoft.com/rest/api/storageservices/blob-batch, cloud.google.com/storage/docs/batch).
 *
 * @internal
 */
import type { TransportReply } from "./Transport.ts"

/** One request inside, without a body. */
export interface InnerRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>> | undefined
}

const crlf = "\r\n"

/** The body of a batch; each request is named by its place, as `idOf` writes it. */
export const printBatch = (
  boundary: string,
  requests: ReadonlyArray<InnerRequest>,
  idOf: (index: number) => string = String
): string => {
  let text = ""
  for (const [index, { headers, method, path }] of requests.entries()) {
    text += [
      `--${boundary}`,
      "Content-Type: application/http",
      "Content-Transfer-Encoding: binary",
      `Content-ID: ${idOf(index)}`,
      "",
      `${method} ${path} HTTP/1.1`,
      ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
      "",
      ""
    ].join(crlf) + crlf
  }
  return `${text}--${boundary}--${crlf}`
}

/** One reply inside. */
export interface InnerReply {
  /** The place of the request that it answers, where it tells one. */
  readonly index: number | undefined
  readonly reply: Pick<TransportReply, "status" | "headers">
  readonly body: string
}

/** The boundary that the type of a reply names. */
export const boundaryOf = (contentType: string | undefined): string | undefined => {
  const matched = /^multipart\/mixed\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? "")
  return matched?.[1] ?? matched?.[2]
}

/** Reads the body of a batch's reply; `undefined` if it is none. */
export const parseBatch = (boundary: string, text: string): ReadonlyArray<InnerReply> | undefined => {
  const mark = new RegExp(`\\r?\\n--${boundary.replace(/[^A-Za-z0-9]/g, "\\$&")}`)
  const sections = `${crlf}${text}`.split(mark)
  // Before the first boundary is nothing, and the last one ends in two hyphens.
  if (sections.length < 2 || !sections.at(-1)!.startsWith("--")) return undefined
  const replies: Array<InnerReply> = []
  for (const section of sections.slice(1, -1)) {
    const reply = parseSection(section.replace(/^[ \t]*\r?\n/, ""))
    if (reply === undefined) return undefined
    replies.push(reply)
  }
  return replies
}

const parseSection = (section: string): InnerReply | undefined => {
  const [outer, inner] = cut(section)
  const [head, body] = cut(inner)
  const [statusLine = "", ...lines] = head.split(/\r?\n/)
  const status = /^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/.exec(statusLine)?.[1]
  if (status === undefined) return undefined
  // Google answers `<response-0>` to `<0>`, Azure repeats the id.
  const index = /(?:^|response-.*?)(\d{1,4})>?$/.exec(parseHeaders(outer.split(/\r?\n/))["content-id"] ?? "")?.[1]
  return {
    index: index === undefined ? undefined : Number(index),
    reply: { status: Number(status), headers: parseHeaders(lines) },
    body: body.trim()
  }
}

/** What stands before and after the first empty line. */
const cut = (text: string): readonly [string, string] => {
  const empty = /(?:^|\r?\n)\r?\n/.exec(text)
  return empty === null ? [text, ""] : [text.slice(0, empty.index), text.slice(empty.index + empty[0].length)]
}

const parseHeaders = (lines: ReadonlyArray<string>): Record<string, string> => {
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(":")
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  return headers
}
