/**
 * Answers as the bytes that go over the wire, with what may go wrong between them.
 *
 * @internal
 */
import type { ServerReply } from "./ServerRequest.ts"

/** One thing that is done to a connection. */
export type WireStep =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Wait"; readonly millis: number }
  /** Nothing more until the client leaves. */
  | { readonly _tag: "Stall" }
  /** An orderly end. */
  | { readonly _tag: "End" }
  /** RST. */
  | { readonly _tag: "Reset" }

/** An answer, step by step. A connection that was neither ended nor reset serves the next request. */
export interface WireReply {
  readonly steps: ReadonlyArray<WireStep>
}

/** The bytes of a reply: its head, and its body. */
export interface PrintedReply {
  readonly head: Uint8Array
  readonly body: Uint8Array
}

const bodiless = new Set([204, 304])

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  304: "Not Modified",
  308: "Resume Incomplete",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  412: "Precondition Failed",
  416: "Range Not Satisfiable",
  500: "Internal Server Error",
  503: "Service Unavailable"
}

/** Prints a reply; nothing in it is checked, so that what is wrong can be sent too. */
export const printReply = (method: string, reply: ServerReply, date: string): PrintedReply => {
  const { body = "", headers = {}, status } = reply
  const bytes = typeof body === "string" ? Buffer.from(body) : body
  const named: Record<string, string | undefined> = {
    date,
    ...(bodiless.has(status) ? {} : { "content-length": String(bytes.length) }),
    ...headers
  }
  const lines = [`HTTP/1.1 ${status} ${reasons[status] ?? "Answer"}`]
  for (const [name, value] of Object.entries(named)) if (value !== undefined) lines.push(`${name}: ${value}`)
  return {
    head: Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"),
    body: method === "HEAD" || bodiless.has(status) ? new Uint8Array() : bytes
  }
}

/** Bytes as a step. */
export const bytesStep = (bytes: Uint8Array): WireStep => ({ _tag: "Bytes", bytes })

/** A whole reply as steps. */
export const replySteps = ({ body, head }: PrintedReply): ReadonlyArray<WireStep> =>
  body.length === 0 ? [bytesStep(head)] : [bytesStep(head), bytesStep(body)]
