/**
 * One connection to an origin: the only place that touches sockets.
 *
 * It is an undici client with one socket at a time, which it makes when a request comes and none is open. The socket is made
 * here and not by undici, because interruption has to reset it and because writes have to be watched: how far they came
 * tells "nothing was sent" from "sent", and an answer that came before a write failed must be read first.
 *
 * @internal
 */
import * as NodeNet from "node:net"
import * as NodeTls from "node:tls"
import type { buildConnector, Client, Dispatcher } from "undici"
import { SocketReads } from "./SocketReads.ts"

/** How far a connection came that was not made. */
export type ConnectPhase = "dns" | "connect" | "tls"

/** Where connections go, and how they are made. */
export interface Origin {
  readonly url: string
  readonly client: typeof Client
  /** Certificates of authorities, PEM, beside those that Node trusts. */
  readonly ca: ReadonlyArray<string> | undefined
  /** What all connections agree on: made with the first of them, because a hundred certificates take a while to read. */
  context: NodeTls.SecureContext | undefined
  readonly lookup: ((host: string) => string | undefined) | undefined
  /** The last TLS session, so that the next connection need not agree anew. */
  session: Buffer | undefined
}

/**
 * What TLS is done with. An authority of one's own is one more; nobody is trusted without proof, whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` and `--tls-min-v1.0` say.
 */
const contextOf = (origin: Origin): NodeTls.SecureContext =>
  origin.context ??= NodeTls.createSecureContext({
    minVersion: "TLSv1.2",
    ...(origin.ca === undefined ? undefined : { ca: [...NodeTls.getCACertificates("default"), ...origin.ca] })
  })

/** Longest head of a reply, in bytes. */
const maxHeaderSize = 64 * 1024

/** Idle connections are closed after this long unless the server says otherwise: servers of Node close after 5 s. */
const keepAliveTimeout = 4000

/** A connection on which nothing moves is asked after this long whether it is still there. */
const keepAliveDelay = 60_000

const noop = (): void => {}

/** Who sends a request over a connection. */
export interface ConnectionHandler extends Dispatcher.DispatchHandler {
  /** Memory for the bytes that come next, if they can be nothing but those of the body that belong there. */
  readonly place: () => Uint8Array | undefined
}

export class Connection {
  readonly secure: boolean
  readonly #origin: Origin
  readonly #client: Client
  #socket: NodeNet.Socket | undefined
  #reads: SocketReads | undefined
  /** What was read over the socket when it went to rest after a whole exchange; -1 before. */
  #cameBeforeRest = -1
  #handler: ConnectionHandler | undefined
  /** Whether a byte of the present request was handed to the system. */
  wrote = false
  /** Writes that the system has not taken whole. */
  pendingWrites = 0
  /** Counts writes that the system took. */
  writes = 0
  /** A write that failed while an answer may still be there to be read. */
  writeError: Error | undefined
  /** The turn of its pool at which it was last taken or given back. */
  turn = 0
  /** How far the present attempt to connect came; `undefined` once connected. */
  connecting: ConnectPhase | undefined

  constructor(origin: Origin) {
    this.#origin = origin
    this.secure = origin.url.startsWith("https:")
    this.#client = new origin.client(origin.url, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize,
      keepAliveTimeout,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => this.#connect(options, callback)
    })
  }

  /** Sends a request. The one before has ended. */
  dispatch(request: Dispatcher.DispatchOptions, handler: ConnectionHandler): void {
    this.wrote = false
    this.writeError = undefined
    this.#handler = handler
    this.#client.dispatch(request, handler)
  }

  /** The exchange is over: what it holds is not kept with an idle connection. */
  rest(): void {
    this.#handler = undefined
    this.#cameBeforeRest = this.#reads?.came ?? -1
  }

  /** Whether the connection is the one of an earlier exchange, and nothing has come over it since. */
  get silent(): boolean {
    return this.#reads?.came === this.#cameBeforeRest
  }

  /** Whether bytes came that belong to no request. */
  get surplus(): boolean {
    const error = this.#socket?.errored
    return error != null && (error.message === "bad response" || error.name === "HTTPParserError")
  }

  /** Bytes of the present write that the system has not taken, where it tells. */
  get unsent(): number {
    // Node has no public name for it; without it, progress is only seen where a write ends.
    return (this.#socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null })?._handle
      ?.writeQueueSize ?? 0
  }

  /** Resets the connection at once: the server sees no orderly end, and nothing touches the request's bytes any more. */
  resetSocket(): void {
    const socket = this.#socket
    if (socket === undefined || socket.destroyed) return
    if (socket.connecting) socket.destroy()
    else if (this.secure) resetBelow(socket)
    else socket.resetAndDestroy()
  }

  /** Closes an idle connection. Resolves when nothing of it is left. */
  destroy(): Promise<void> {
    return this.#client.destroy()
  }

  #connect(options: buildConnector.Options, callback: buildConnector.Callback): void {
    const { hostname } = options
    const port = options.port === "" || options.port == null ? (this.secure ? 443 : 80) : Number(options.port)
    const host = this.#origin.lookup?.(hostname) ?? hostname
    let connected = (error: Error | null): void => {
      connected = noop
      if (error === null) {
        this.connecting = undefined
        watchWrites(socket, this)
        callback(null, socket)
      } else callback(error, null)
    }
    this.connecting = NodeNet.isIP(host) === 0 ? "dns" : "connect"
    const reads = new SocketReads(() => this.#handler?.place())
    this.#reads = reads
    this.#cameBeforeRest = -1
    const target = { host, port, onread: reads.onread }
    const socket = this.secure ? this.#secured(target, options.servername ?? hostname) : NodeNet.connect(target)
    this.#socket = socket
    reads.attach(socket)
    socket.on("error", (error) => connected(error))
    socket.once("close", () => connected(new Error("closed while connecting")))
    socket.once("lookup", (error) => {
      if (error === null) this.connecting = "connect"
    })
    socket.once("connect", () => {
      socket.setNoDelay(true)
      socket.setKeepAlive(true, keepAliveDelay)
      if (this.secure) this.connecting = "tls"
      else connected(null)
    })
    socket.once("secureConnect", () => connected(null))
  }

  /** Opens TLS to an address that is to prove it is `name`. */
  #secured(target: NodeTls.ConnectionOptions & NodeNet.TcpNetConnectOpts, name: string): NodeTls.TLSSocket {
    const { session } = this.#origin
    const socket = NodeTls.connect({
      ...target,
      servername: NodeNet.isIP(name) === 0 ? name : "",
      // The address may be another one than the name's.
      checkServerIdentity: (_, certificate) => NodeTls.checkServerIdentity(name, certificate),
      ALPNProtocols: ["http/1.1"],
      secureContext: contextOf(this.#origin),
      rejectUnauthorized: true,
      ...(session === undefined ? undefined : { session })
    })
    socket.on("session", (session) => {
      this.#origin.session = session
    })
    return socket
  }
}

/**
 * Has the connection below TLS closed by a reset: Node has a public way for plain sockets alone. Where a later Node does not
 * let us, TLS itself still tells the server that the end is none, because its last word (close_notify) is missing.
 */
const resetBelow = (socket: NodeNet.Socket): void => {
  const tcp = (socket as unknown as { readonly _handle?: { readonly _parent?: Tcp | null } | null })._handle?._parent
  if (typeof tcp?.reset === "function") tcp.close = tcp.reset
  socket.destroy()
}

interface Tcp {
  close: unknown
  readonly reset: unknown
}

/** Errors of a write after which the server's answer may still be there: it has said no and closed. */
const closedByPeer: ReadonlySet<string | undefined> = new Set(["EPIPE", "ECONNRESET", "ECONNABORTED"])

/**
 * Has every write of a socket noted. One that fails because the peer has closed is not reported: Node would destroy the
 * socket and drop an answer that is still to be read, and the reading side ends in a moment by itself.
 */
const watchWrites = (socket: NodeNet.Socket, connection: Connection): void => {
  const noted = (callback: (error?: Error | null) => void) => {
    connection.wrote = true
    connection.pendingWrites++
    return (error?: Error | null): void => {
      if (error == null) {
        connection.pendingWrites--
        connection.writes++
        callback()
      } else if (closedByPeer.has((error as NodeJS.ErrnoException).code)) {
        connection.writeError = error
      } else {
        callback(error)
      }
    }
  }
  const { _write: write, _writev: writev } = socket
  connection.pendingWrites = 0
  socket._write = (chunk, encoding, callback) => write.call(socket, chunk, encoding, noted(callback))
  if (writev != null) socket._writev = (chunks, callback) => writev.call(socket, chunks, noted(callback))
}
