/**
 * A store on bare sockets, as quick as Node can be: what S3, Azure Blob and GCS answer to the requests of the workloads, so
 * that a client is measured and not a server. It keeps nothing. Bodies it receives it throws away.
 *
 * The size of an object is the number in its key: `/bucket/4096.bin`. It prints its port and ends with its parent.
 */
import * as NodeNet from "node:net"
import { answer, type Request } from "./answers.ts"

const block = Buffer.from(Uint8Array.from({ length: 2 ** 20 }, (_, index) => (index * 2_654_435_761) >>> 13))

/** Writes a head and `length` bytes of body. */
const send = (socket: NodeNet.Socket, head: string, length: number): void => {
  let left = length
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      const size = Math.min(left, block.length)
      left -= size
      if (!socket.write(size === block.length ? block : block.subarray(0, size))) {
        socket.once("drain", more)
        return
      }
    }
  }
  if (length <= 65_536) {
    socket.write(Buffer.concat([Buffer.from(head, "latin1"), block.subarray(0, length)]))
    return
  }
  socket.write(head, "latin1")
  more()
}

const serve = (socket: NodeNet.Socket): void => {
  socket.setNoDelay(true)
  socket.on("error", () => {})
  let head = ""
  let request: Request | undefined
  /** Bytes of the body that are still to come. */
  let left = 0
  let chunked = false
  /** The line of a chunk's size, as far as it came. */
  let line = ""
  let lastChunk = false

  const finish = (): void => {
    const done = request!
    request = undefined
    const reply = answer(done)
    const names = Object.entries(reply.headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
    if (typeof reply.body === "number") {
      send(
        socket,
        `HTTP/1.1 ${reply.status} OK\r\n${names}content-length: ${reply.body}\r\n\r\n`,
        done.method === "HEAD" ? 0 : reply.body
      )
    } else {
      const body = Buffer.from(reply.body)
      const text = `HTTP/1.1 ${reply.status} OK\r\n${names}content-length: ${body.length}\r\n\r\n`
      socket.write(Buffer.concat([Buffer.from(text, "latin1"), body]))
    }
  }

  socket.on("data", (data) => {
    let at = 0
    while (at < data.length) {
      if (request === undefined) {
        head += data.toString("latin1", at)
        const end = head.indexOf("\r\n\r\n")
        if (end < 0) return
        at = data.length - (head.length - end - 4)
        const [first = "", ...lines] = head.slice(0, end).split("\r\n")
        head = ""
        const [method = "", path = ""] = first.split(" ")
        const headers = Object.fromEntries(
          lines.map((
            text
          ) => [text.slice(0, text.indexOf(":")).toLowerCase(), text.slice(text.indexOf(":") + 1).trim()])
        )
        request = { method, path, headers, received: 0, body: "" }
        left = Number(headers["content-length"] ?? 0)
        chunked = headers["transfer-encoding"] === "chunked"
        lastChunk = false
        line = ""
        if (headers["expect"] === "100-continue") socket.write("HTTP/1.1 100 Continue\r\n\r\n")
        if (!chunked && left === 0) finish()
        continue
      }
      if (chunked && left === 0) {
        const end = data.indexOf(10, at)
        line += data.toString("latin1", at, end < 0 ? data.length : end + 1)
        at = end < 0 ? data.length : end + 1
        if (end < 0 || line === "\r\n" && !lastChunk) {
          if (end >= 0) line = ""
          continue
        }
        const size = line.trim()
        line = ""
        if (lastChunk) {
          if (size === "") {
            chunked = false
            finish()
          }
        } else {
          left = Number.parseInt(size, 16)
          lastChunk = left === 0
        }
        continue
      }
      const size = Math.min(left, data.length - at)
      if (request.received < 4096) request.body += data.toString("latin1", at, at + Math.min(size, 4096))
      request.received += size
      left -= size
      at += size
      if (left === 0 && !chunked) finish()
    }
  })
}

const server = NodeNet.createServer(serve).listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as NodeNet.AddressInfo).port}\n`)
})
process.stdin.on("end", () => process.exit()).resume()
