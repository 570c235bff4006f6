/**
 * Bodies that are wrapped in chunks with their signatures, as the vendor's clients send streams
 * (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html). The signatures of chunks are not looked at.
 *
 * @internal
 */
import type { ServerRequest } from "../protocol/Server.ts"

/** A request with its body unwrapped, and with the headers that trail it; `undefined` if it is cut. */
export const unwrap = (request: ServerRequest): ServerRequest | undefined => {
  if (request.headers["x-amz-content-sha256"]?.startsWith("STREAMING-") !== true) return request
  const bytes = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.length)
  const chunks: Array<Uint8Array> = []
  let at = 0
  while (true) {
    const end = bytes.indexOf("\r\n", at)
    if (end === -1) return undefined
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16)
    at = end + 2
    if (!(size >= 0) || at + size > bytes.length) return undefined
    if (size === 0) break
    chunks.push(bytes.subarray(at, at + size))
    at += size + 2
  }
  const headers: Record<string, string | undefined> = { ...request.headers }
  for (const line of bytes.toString("latin1", at).split("\r\n")) {
    const colon = line.indexOf(":")
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const body = Buffer.concat(chunks)
  const decoded = headers["x-amz-decoded-content-length"]
  return decoded === undefined || decoded === String(body.length) ? { ...request, headers, body } : undefined
}
