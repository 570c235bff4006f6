/**
 * What comes over a socket, read into memory that is there already.
 *
 * Node takes fresh memory for every read, which costs more than the read itself. Here bytes go into the memory of who
 * waits for them, or else into one buffer that the connection keeps. undici copies what it reads into its parser at once,
 * and hands on views of what it was given, so a buffer is free again as soon as it has read it; what undici does not read,
 * because it was paused, stays, and nothing more is read meanwhile.
 *
 * @internal
 */
import type * as NodeNet from "node:net"

/** As much as Node itself reads at once. */
const size = 64 * 1024

export class SocketReads {
  /** Memory of whoever waits for what comes next, where nothing else can come. */
  readonly #place: () => Uint8Array | undefined
  readonly #own = new Uint8Array(size)
  #socket: NodeNet.Socket | undefined
  /** What came and undici has not read. */
  readonly #unread: Array<Uint8Array> = []
  /** Bytes that ever came. */
  came = 0

  constructor(place: () => Uint8Array | undefined) {
    this.#place = place
  }

  /** For `NodeNet.connect` and `NodeTls.connect`. */
  readonly onread: NodeNet.OnReadOpts = {
    // TLS brings all records that it has opened, even to a socket that is to read no more.
    buffer: () => this.#unread.length > 0 ? new Uint8Array(size) : this.#place() ?? this.#own,
    callback: (count, buffer) => {
      this.came += count
      this.#unread.push((buffer as Uint8Array).subarray(0, count))
      this.#socket?.emit("readable")
      // As long as there is something unread, the socket is to read no more.
      return this.#unread.length === 0
    }
  }

  /** Has a socket that was made with `onread` give what came as if it had buffered it itself. */
  attach(socket: NodeNet.Socket): void {
    this.#socket = socket
    const read = socket.read.bind(socket)
    socket.read = (count?: number) => {
      // Starts to read again, and tells the end.
      if (this.#unread.length === 0) return read(count)
      // A listener came, and wants to be told.
      if (count === 0) {
        queueMicrotask(() => this.#unread.length > 0 && socket.emit("readable"))
        return null
      }
      return this.#unread.shift()
    }
    socket.unshift = (chunk: Uint8Array) => {
      if (chunk.length > 0) this.#unread.unshift(chunk)
    }
  }
}
