/**
 * Requests and replies of the servers of models, and the reader that takes requests out of a connection's bytes
 * (RFC 9112), as they were sent.
 *
 * @internal
 */

/** The head of a request: all that is known before its body has come. */
export interface ServerHead {
  readonly method: string
  /** As sent: percent-encoded, with its leading `/`, without the query. */
  readonly rawPath: string
  /** As sent, without its `?`; `""` where there is none. */
  readonly rawQuery: string
  /** The query's names and values, percent-decoded (`+` stays `+`); the last value of a name that comes twice. */
  readonly query: ReadonlyMap<string, string>
  /** Names are lower case; values of a name that comes more than once are joined by `", "`. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** A request that arrived whole. */
export interface ServerRequest extends ServerHead {
  readonly body: Uint8Array
}

/** A reply. `content-length` is the body's, unless `headers` say another one (which HEAD has to). */
export interface ServerReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  readonly body?: Uint8Array | string | undefined
}

/** What a reader found. */
export type Found =
  | { readonly _tag: "Head"; readonly head: ServerHead }
  | { readonly _tag: "Request"; readonly request: ServerRequest }
  | { readonly _tag: "Nonsense" }

const maxHead = 256 * 1024

/** Bytes of a body that have yet to come: so many, or those of a chunk, or the line that tells of the next one. */
type Expected =
  | { readonly _tag: "Head" }
  | { readonly _tag: "Bytes"; left: number }
  | { readonly _tag: "ChunkLine" }
  | { readonly _tag: "Chunk"; left: number }
  | { readonly _tag: "ChunkEnd" }
  | { readonly _tag: "Trailer" }

/** Takes the bytes of one connection, and gives heads and requests in their order. */
export class RequestReader {
  #pending: Buffer = Buffer.alloc(0)
  #expected: Expected = { _tag: "Head" }
  #head: ServerHead | undefined
  #chunks: Array<Uint8Array> = []

  /** Takes bytes. */
  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
  }

  /** What comes next of what was taken; `undefined` until more has come. */
  next(): Found | undefined {
    while (true) {
      const expected = this.#expected
      switch (expected._tag) {
        case "Head": {
          const text = this.#until("\r\n\r\n")
          if (text === undefined) return this.#pending.length > maxHead ? { _tag: "Nonsense" } : undefined
          const head = parseHead(text)
          const length = head === undefined ? undefined : expectedOf(head)
          if (head === undefined || length === undefined) return { _tag: "Nonsense" }
          this.#head = head
          this.#expected = length
          return { _tag: "Head", head }
        }
        case "Bytes":
        case "Chunk": {
          const part = this.#pending.subarray(0, expected.left)
          if (part.length > 0) this.#chunks.push(part)
          this.#pending = this.#pending.subarray(part.length)
          expected.left -= part.length
          if (expected.left > 0) return undefined
          if (expected._tag === "Bytes") return this.#whole()
          this.#expected = { _tag: "ChunkEnd" }
          break
        }
        case "ChunkLine": {
          const line = this.#until("\r\n")
          if (line === undefined) return undefined
          const size = /^([0-9a-f]{1,12})(?:;.*)?$/i.exec(line)?.[1]
          if (size === undefined) return { _tag: "Nonsense" }
          const left = Number.parseInt(size, 16)
          this.#expected = left === 0 ? { _tag: "Trailer" } : { _tag: "Chunk", left }
          break
        }
        case "ChunkEnd": {
          const line = this.#until("\r\n")
          if (line === undefined) return undefined
          if (line !== "") return { _tag: "Nonsense" }
          this.#expected = { _tag: "ChunkLine" }
          break
        }
        case "Trailer": {
          const line = this.#until("\r\n")
          if (line === undefined) return undefined
          if (line === "") return this.#whole()
        }
      }
    }
  }

  #until(end: string): string | undefined {
    const at = this.#pending.indexOf(end)
    if (at === -1) return undefined
    const text = this.#pending.toString("latin1", 0, at)
    this.#pending = this.#pending.subarray(at + end.length)
    return text
  }

  #whole(): Found {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    const request = { ...this.#head!, body }
    this.#chunks = []
    this.#head = undefined
    this.#expected = { _tag: "Head" }
    return { _tag: "Request", request }
  }
}

const expectedOf = ({ headers }: ServerHead): Expected | undefined => {
  if (headers["transfer-encoding"] !== undefined) {
    return headers["transfer-encoding"].toLowerCase() === "chunked" ? { _tag: "ChunkLine" } : undefined
  }
  const length = headers["content-length"] ?? "0"
  return /^\d{1,15}$/.test(length) ? { _tag: "Bytes", left: Number(length) } : undefined
}

const requestLine = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/

const parseHead = (text: string): ServerHead | undefined => {
  const [first = "", ...lines] = text.split("\r\n")
  const [, method, target] = requestLine.exec(first) ?? []
  if (method === undefined || target === undefined) return undefined
  const headers = Object.create(null) as Record<string, string>
  for (const line of lines) {
    const [, name, value] = field.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    const lower = name.toLowerCase()
    headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`
  }
  return headOf(method, target, headers)
}

/** The head of a request to a path and query. */
export const headOf = (method: string, target: string, headers: ServerHead["headers"]): ServerHead => {
  const mark = target.indexOf("?")
  const rawQuery = mark === -1 ? "" : target.slice(mark + 1)
  return {
    method,
    rawPath: mark === -1 ? target : target.slice(0, mark),
    rawQuery,
    query: parseQuery(rawQuery),
    headers
  }
}

/** Text as it was sent where it is no percent-encoded UTF-8. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const parseQuery = (rawQuery: string): ReadonlyMap<string, string> => {
  const query = new Map<string, string>()
  for (const pair of rawQuery.split("&")) {
    if (pair === "") continue
    const sign = pair.indexOf("=")
    query.set(decode(sign === -1 ? pair : pair.slice(0, sign)), sign === -1 ? "" : decode(pair.slice(sign + 1)))
  }
  return query
}
