import { Effect } from "effect"
import * as NodeNet from "node:net"
import * as NodeTls from "node:tls"

/** One request as it came. */
export interface Received {
  /** The first line and the headers, as sent. */
  readonly head: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly contentLength: number
  /** The body so far. */
  readonly body: () => Buffer
  readonly chunks: Array<Buffer>
  readonly peer: Peer
}

/** One connection, from the server's side. */
export interface Peer {
  readonly socket: NodeNet.Socket
  /** How the client ended it. */
  ended: "fin" | "reset" | undefined
  readonly reply: (head: string, body?: string | Uint8Array) => void
}

/** What a server does; the number of the request counts over all connections from 0. */
export interface Script {
  readonly onHead?: (request: Received, number: number) => void
  readonly onBody?: (request: Received, number: number) => void
  readonly onConnection?: (peer: Peer) => void
}

export interface RawServer {
  readonly origin: string
  readonly port: number
  readonly peers: ReadonlyArray<Peer>
  readonly requests: ReadonlyArray<Received>
  /** Connections that are open now. */
  readonly open: () => number
}

const response = (head: string, body: string | Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 ${head.split("\n").map((line) => line.trim()).join("\r\n")}\r\n\r\n`, "latin1"),
    typeof body === "string" ? Buffer.from(body) : body
  ])

/** A server on bare sockets, which does to the bytes what the script says. */
export const rawServer = (script: Script, tls?: { readonly key: string; readonly cert: string }) =>
  Effect.acquireRelease(
    Effect.callback<RawServer & { readonly close: () => void }>((resume) => {
      const peers: Array<Peer> = []
      const requests: Array<Received> = []
      const sockets = new Set<NodeNet.Socket>()
      const onConnection = (socket: NodeNet.Socket): void => {
        sockets.add(socket)
        const peer: Peer = {
          socket,
          ended: undefined,
          reply: (head, body = "") => socket.write(response(head, body))
        }
        peers.push(peer)
        socket.on("close", () => sockets.delete(socket))
        socket.on("end", () => peer.ended ??= "fin")
        socket.on("error", (error: NodeJS.ErrnoException) => {
          if (error.code === "ECONNRESET") peer.ended ??= "reset"
        })
        let pending: Buffer = Buffer.alloc(0)
        let current: Received | undefined
        let left = 0
        socket.on("data", (chunk) => {
          pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
          while (pending.length > 0) {
            if (current === undefined) {
              const end = pending.indexOf("\r\n\r\n")
              if (end < 0) return
              const head = pending.subarray(0, end).toString("latin1")
              const [line = "", ...lines] = head.split("\r\n")
              const [method = "", path = ""] = line.split(" ")
              const headers = Object.fromEntries(lines.map((text) => text.split(/: (.*)/s).slice(0, 2)))
              pending = pending.subarray(end + 4)
              const chunks: Array<Buffer> = []
              current = {
                head,
                method,
                path,
                headers,
                contentLength: Number(headers["content-length"] ?? 0),
                body: () => Buffer.concat(chunks),
                chunks,
                peer
              }
              left = current.contentLength
              requests.push(current)
              script.onHead?.(current, requests.length - 1)
            }
            const part = pending.subarray(0, left)
            current.chunks.push(part)
            left -= part.length
            pending = pending.subarray(part.length)
            if (left > 0) return
            const whole = current
            current = undefined
            script.onBody?.(whole, requests.length - 1)
          }
        })
        script.onConnection?.(peer)
      }
      const server = tls === undefined
        ? NodeNet.createServer({ allowHalfOpen: true }, onConnection)
        : NodeTls.createServer({ ...tls, allowHalfOpen: true }, onConnection)
      server.on("tlsClientError", () => {})
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as NodeNet.AddressInfo
        resume(Effect.succeed({
          origin: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
          port,
          peers,
          requests,
          open: () => sockets.size,
          close: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
        }))
      })
    }),
    (server) => Effect.sync(server.close)
  )
