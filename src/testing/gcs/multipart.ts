/**
 * Bodies in several parts, as the model of GCS reads them: `multipart/related` uploads and `multipart/mixed` batches.
 *
 * @internal
 */

/** One part: headers with lower-case names, and bytes. */
export interface BodyPart {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Reads lines of headers. */
export const parseHeaders = (text: string): Record<string, string> => {
  const headers: Record<string, string> = Object.create(null)
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":")
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  return headers
}

/** Cuts bytes at their first empty line. */
export const cutHead = (bytes: Buffer): readonly [head: string, rest: Buffer] => {
  for (const gap of ["\r\n\r\n", "\n\n"]) {
    const at = bytes.indexOf(gap)
    if (at !== -1) return [bytes.subarray(0, at).toString(), bytes.subarray(at + gap.length)]
  }
  return [bytes.toString(), Buffer.alloc(0)]
}

/** The boundary of a `content-type` of several parts. */
export const boundaryOf = (contentType: string | undefined): string | undefined => {
  const match = /^multipart\/[a-z]+\s*;.*?boundary=(?:"([^"]+)"|'([^']+)'|([^\s;]+))/i.exec(contentType ?? "")
  return match?.[1] ?? match?.[2] ?? match?.[3]
}

/** Cuts a body into its parts; `undefined` if it does not end as it should. */
export const parseParts = (body: Uint8Array, boundary: string): ReadonlyArray<BodyPart> | undefined => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  const mark = Buffer.from(`--${boundary}`)
  const parts: Array<BodyPart> = []
  let at = bytes.indexOf(mark)
  while (at !== -1) {
    const start = at + mark.length
    if (bytes.subarray(start, start + 2).toString() === "--") return parts
    const lineEnd = bytes.indexOf("\n", start) + 1
    const next = bytes.indexOf(mark, lineEnd)
    if (lineEnd === 0 || next === -1) return undefined
    // The line end before a boundary belongs to it.
    const end = bytes[next - 2] === 13 ? next - 2 : next - 1
    const [head, rest] = cutHead(bytes.subarray(lineEnd, end))
    parts.push({ headers: parseHeaders(head), body: rest })
    at = next
  }
  return undefined
}
