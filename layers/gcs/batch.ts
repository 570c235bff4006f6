/**
 * Several requests in one, and their replies: the batch endpoint (cloud.google.com/storage/docs/batch).
 *
 * @since 0.1.0
 */

/** One request of a batch, without a body. */
export interface BatchEntry {
  readonly method: "DELETE"
  readonly path: string
}

/** One reply of a batch. */
export interface BatchReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** Writes a batch; replies name the requests by `response-` and their ids, which are their numbers. */
export const printBatch = (boundary: string, entries: ReadonlyArray<BatchEntry>): string =>
  entries
    .map(({ method, path }, index) =>
      `--${boundary}\r\ncontent-type: application/http\r\ncontent-transfer-encoding: binary\r\n` +
      `content-id: <${index}>\r\n\r\n${method} ${path} HTTP/1.1\r\n\r\n\r\n`
    )
    .join("") + `--${boundary}--\r\n`

const headersOf = (lines: ReadonlyArray<string>): Record<string, string> => {
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(":")
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  return headers
}

/** Cuts text at its first empty line. */
const cut = (text: string): readonly [head: ReadonlyArray<string>, rest: string] => {
  const match = /\r?\n\r?\n/.exec(text)
  return match === null
    ? [text.split(/\r?\n/), ""]
    : [text.slice(0, match.index).split(/\r?\n/), text.slice(match.index + match[0].length)]
}

/** The boundary that a `content-type` names. */
export const boundaryOf = (contentType: string | undefined): string | undefined => {
  const match = /^multipart\/mixed\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? "")
  return match?.[1] ?? match?.[2]
}

/** Reads the replies of a batch of `count` requests, each in the place of its request; one that is left out is `undefined`. */
export const parseBatch = (boundary: string, text: string, count: number): ReadonlyArray<BatchReply | undefined> => {
  const replies = Array.from({ length: count }, (): BatchReply | undefined => undefined)
  const parts = `\r\n${text}`.split(new RegExp(`\\r?\\n--${boundary.replace(/[^A-Za-z0-9]/g, "\\$&")}`)).slice(1)
  for (const part of parts) {
    if (part.startsWith("--")) break
    const [head, http] = cut(part.replace(/^[ \t]*\r?\n/, ""))
    const index = /response-.*?(\d+)>?$/.exec(headersOf(head)["content-id"] ?? "")?.[1]
    const [lines, body] = cut(http)
    const status = /^HTTP\/\d(?:\.\d)? (\d{3})/.exec(lines[0] ?? "")?.[1]
    if (index === undefined || status === undefined || Number(index) >= count) continue
    replies[Number(index)] = { status: Number(status), headers: headersOf(lines.slice(1)), body }
  }
  return replies
}
