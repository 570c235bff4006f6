/**
 * A server that speaks just so much of S3 as the workloads ask for, in a process of its own so that its memory and its time do
 * not count. It keeps nothing: an object's size is the number in its key (`/bucket/4096.bin`), its bytes are told by their
 * place, and what is uploaded is counted and thrown away.
 *
 * What it does besides is told in its arguments: `rate` (requests a second that it accepts, else 503 SlowDown), `burst`, `delay` (milliseconds
 * before an answer), `slowAt` and `slowFor` (a range that begins there waits so long), `keys` (of its listing). `/_/` answers what it counted.
 *
 * It prints its port and ends with its parent.
 */
import * as NodeHttp from "node:http"
import type * as NodeNet from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as NodeUtil from "node:util"
import { contentAt, MiB } from "./content.ts"

const numbers = ["rate", "burst", "delay", "slowAt", "slowFor", "keys"] as const

const { values } = NodeUtil.parseArgs({
  options: Object.fromEntries(numbers.map((name) => [name, { type: "string" }] as const))
})
const option = (name: (typeof numbers)[number]): number => values[name] === undefined ? 0 : Number(values[name])

const [rate, burst, delay, slowAt, slowFor, keys] = numbers.map(option) as [
  number,
  number,
  number,
  number,
  number,
  number
]

const etag = "\"0123456789abcdef0123456789abcdef\""
const modified = "Thu, 20 Nov 2026 10:00:00 GMT"
const sockets = new Set<NodeNet.Socket>()
const counted = { accepted: 0, refused: 0, received: 0, sent: 0, open: 0, mostOpen: 0, began: 0 }

let tokens = burst
let last = performance.now()

/** Whether a request is within the rate. */
const allowed = (): boolean => {
  if (rate === 0) return true
  const now = performance.now()
  tokens = Math.min(burst, tokens + (now - last) * rate / 1000)
  last = now
  if (tokens < 1) return false
  tokens--
  return true
}

const keyOf = (index: number): string => `data/part-${String(index).padStart(8, "0")}-of-many.parquet`

const listPage = (after: number, limit: number): string => {
  const end = Math.min(keys, after + limit)
  let text = `<ListBucketResult><Name>bucket</Name><Prefix></Prefix><KeyCount>${end - after}</KeyCount>` +
    `<MaxKeys>${limit}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>${end < keys}</IsTruncated>` +
    (end < keys ? `<NextContinuationToken>${end}</NextContinuationToken>` : "")
  for (let index = after; index < end; index++) {
    text += `<Contents><Key>${keyOf(index)}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>` +
      `<ETag>&quot;${index.toString(16).padStart(32, "0")}&quot;</ETag><Size>${1000 + index}</Size>` +
      "<StorageClass>STANDARD</StorageClass></Contents>"
  }
  return `${text}</ListBucketResult>`
}

const uploads = new Map<string, number>()

const text = (
  reply: NodeHttp.ServerResponse,
  status: number,
  body: string,
  headers: NodeHttp.OutgoingHttpHeaders = {}
): void => {
  reply.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body)
}

/** Sends bytes of an object as quickly as they are taken. */
const sendContent = async (reply: NodeHttp.ServerResponse, start: number, end: number): Promise<void> => {
  for (let at = start; at < end && !reply.destroyed;) {
    const size = Math.min(MiB / 4, end - at)
    at += size
    if (!reply.write(contentAt(at - size, size))) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          reply.off("drain", go).off("close", go)
          resolve()
        }
        reply.on("drain", go).on("close", go)
      })
    }
  }
  reply.end()
}

const read = async (request: NodeHttp.IncomingMessage, reply: NodeHttp.ServerResponse, path: string): Promise<void> => {
  const size = Number(/(\d+)\.bin$/.exec(path)?.[1] ?? Number.NaN)
  if (Number.isNaN(size)) return text(reply, 404, "<Error><Code>NoSuchKey</Code></Error>")
  const headers = { etag, "last-modified": modified, "accept-ranges": "bytes" }
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "")
  const start = Number(asked?.[1] ?? 0)
  const end = Math.min(size, asked === null || asked[2] === "" ? size : Number(asked[2]) + 1)
  if (asked !== null && start >= size) return text(reply, 416, "", { "content-range": `bytes */${size}` })
  if (slowFor > 0 && start === slowAt) await sleep(slowFor)
  reply.writeHead(asked === null ? 200 : 206, {
    ...headers,
    "content-length": end - start,
    ...(asked === null ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` })
  })
  if (request.method === "HEAD") return void reply.end()
  await sendContent(reply, start, end)
}

const receive = async (request: NodeHttp.IncomingMessage): Promise<number> => {
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    counted.received += chunk.length
  }
  return bytes
}

const handle = async (request: NodeHttp.IncomingMessage, reply: NodeHttp.ServerResponse): Promise<void> => {
  const [path = "", query = ""] = request.url!.split("?")
  if (path === "/_/") {
    counted.sent = [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, gone)
    counted.open = sockets.size
    return text(reply, 200, JSON.stringify(counted))
  }
  if (!allowed()) {
    counted.refused++
    request.resume()
    return text(reply, 503, "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>")
  }
  counted.accepted++
  const parameters = new URLSearchParams(query)
  const bytes = await receive(request)
  if (delay > 0) await sleep(delay)
  if (request.method === "GET" && parameters.has("list-type")) {
    return text(
      reply,
      200,
      listPage(Number(parameters.get("continuation-token") ?? 0), Number(parameters.get("max-keys") ?? 1000))
    )
  }
  if (request.method === "GET" || request.method === "HEAD") return read(request, reply, path)
  if (request.method === "POST" && parameters.has("uploads")) {
    const id = `upload-${uploads.size}`
    uploads.set(id, 0)
    return text(
      reply,
      200,
      `<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`
    )
  }
  const id = parameters.get("uploadId")
  if (request.method === "POST") {
    // The size that the client says the object has is the sum of its parts.
    const size = request.headers["x-amz-mp-object-size"]
    return size === undefined || Number(size) === uploads.get(id ?? "")
      ? text(reply, 200, `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`)
      : text(reply, 400, "<Error><Code>InvalidPart</Code></Error>")
  }
  if (request.method === "DELETE") return text(reply, 204, "")
  if (id !== null) uploads.set(id, (uploads.get(id) ?? 0) + bytes)
  const checksums = Object.entries(request.headers).filter(([name]) =>
    /^x-amz-checksum-(crc32|crc32c|crc64nvme)$/.test(name)
  )
  text(reply, 200, "", { etag, ...Object.fromEntries(checksums) })
}

/** Bytes sent on connections that have closed. */
let gone = 0

const server = NodeHttp.createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, reply) => {
  handle(request, reply).catch(() => request.socket.destroy())
})
server.on("connection", (socket) => {
  sockets.add(socket)
  counted.began++
  counted.mostOpen = Math.max(counted.mostOpen, sockets.size)
  socket.on("close", () => {
    sockets.delete(socket)
    gone += socket.bytesWritten
  })
})
server.listen(0, "127.0.0.1", 4096, () => {
  process.stdout.write(`${(server.address() as NodeNet.AddressInfo).port}\n`)
})
process.stdin.on("end", () => process.exit()).resume()
