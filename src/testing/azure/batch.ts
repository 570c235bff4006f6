/**
 * Blob Batch: requests inside of a request, each authorized and answered by itself.
 *
 * @internal
 */
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import { refuse } from "./replies.ts"

const maxRequests = 256

/** Answers the requests of a batch. */
export const answerBatch = (
  { body, headers }: ServerRequest,
  answer: (inner: ServerRequest) => ServerReply
): ServerReply => {
  const boundary = /boundary=([^\s;]+)/.exec(headers["content-type"] ?? "")?.[1]
  if (boundary === undefined) return refuse(400, "InvalidHeaderValue")
  const sections = Buffer.from(body).toString().split(`--${boundary}`)
  if (sections.at(-1)?.startsWith("--") !== true) return refuse(400, "InvalidInput")
  const inside = sections.slice(1, -1)
  if (inside.length === 0 || inside.length > maxRequests) return refuse(400, "InvalidInput")
  const requests = inside.map(parseSection)
  const own = `batchresponse_${boundary}`
  let text = ""
  for (const parsed of requests) {
    if (parsed === undefined) return refuse(400, "InvalidInput")
    text += printReply(own, parsed.id, answer(parsed.request))
  }
  return {
    status: 202,
    headers: { "content-type": `multipart/mixed; boundary=${own}` },
    body: `${text}--${own}--\r\n`
  }
}

const parseSection = (
  section: string
): { readonly id: string | undefined; readonly request: ServerRequest } | undefined => {
  const [outer = "", head = ""] = section.replace(/^\r\n/, "").split("\r\n\r\n")
  const [line = "", ...lines] = head.split("\r\n")
  const matched = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(line)
  if (matched === null) return undefined
  const [, method = "", url = ""] = matched
  const mark = url.indexOf("?")
  const rawQuery = mark === -1 ? "" : url.slice(mark + 1)
  return {
    id: /content-id: *(\S+)/i.exec(outer)?.[1],
    request: {
      method,
      rawPath: mark === -1 ? url : url.slice(0, mark),
      rawQuery,
      query: new Map(new URLSearchParams(rawQuery.replaceAll("+", "%2B"))),
      headers: Object.fromEntries(
        lines.filter((one) => one.includes(":")).map((one) => {
          const colon = one.indexOf(":")
          return [one.slice(0, colon).toLowerCase(), one.slice(colon + 1).trim()]
        })
      ),
      body: new Uint8Array()
    }
  }
}

const printReply = (boundary: string, id: string | undefined, reply: ServerReply): string =>
  [
    `--${boundary}`,
    "Content-Type: application/http",
    ...(id === undefined ? [] : [`Content-ID: ${id}`]),
    "",
    `HTTP/1.1 ${reply.status} Model`,
    ...Object.entries(reply.headers ?? {}).flatMap(([name, value]) => value === undefined ? [] : [`${name}: ${value}`]),
    "",
    String(reply.body ?? "")
  ].join("\r\n") + "\r\n"
