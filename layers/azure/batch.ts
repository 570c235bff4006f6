/**
 * The documents of Blob Batch (learn.microsoft.com/rest/api/storageservices/blob-batch): requests inside of a request, and replies inside of
 * its reply, as `multipart/mixed`.
 *
 * @internal
 */
import type { TransportReply } from "../../src/http/Transport.ts"

/** One request inside. */
export interface InnerRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

const crlf = "\r\n"

/** The body of a batch; each request is named by its place. */
export const printBatch = (boundary: string, requests: ReadonlyArray<InnerRequest>): string => {
  let text = ""
  for (const [index, { headers, method, path }] of requests.entries()) {
    text += [
      `--${boundary}`,
      "Content-Type: application/http",
      "Content-Transfer-Encoding: binary",
      `Content-ID: ${index}`,
      "",
      `${method} ${path} HTTP/1.1`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      "Content-Length: 0",
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
  const sections = `${crlf}${text}`.split(`${crlf}--${boundary}`)
  // Before the first boundary is nothing, and the last one ends in two hyphens.
  if (sections.length < 2 || !sections.at(-1)!.startsWith("--")) return undefined
  const replies: Array<InnerReply> = []
  for (const section of sections.slice(1, -1)) {
    const reply = parseSection(section.replace(/^[ \t]*\r\n/, ""))
    if (reply === undefined) return undefined
    replies.push(reply)
  }
  return replies
}

const parseSection = (section: string): InnerReply | undefined => {
  const [outer, inner] = cut(section)
  const [head, body] = cut(inner)
  const [statusLine = "", ...lines] = head.split(crlf)
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1]
  if (status === undefined) return undefined
  const id = parseHeaders(outer.split(crlf))["content-id"]
  return {
    index: id !== undefined && /^\d{1,4}$/.test(id) ? Number(id) : undefined,
    reply: { status: Number(status), headers: parseHeaders(lines) },
    body: body.trim()
  }
}

/** What stands before and after the first empty line. */
const cut = (text: string): readonly [string, string] => {
  if (text.startsWith(crlf)) return ["", text.slice(crlf.length)]
  const at = text.indexOf(crlf + crlf)
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 2 * crlf.length)]
}

const parseHeaders = (lines: ReadonlyArray<string>): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  return headers
}
