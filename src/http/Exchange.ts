/**
 * One request and its reply over one connection: what undici tells of it, as effects.
 *
 * undici calls back from inside its parser, where no other request may be sent and no connection resumed; so nothing that
 * waits for this exchange runs in such a call, but in the microtask after it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Dispatcher } from "undici"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { Connection, ConnectionHandler } from "./Connection.ts"
import type { ConnectionPool, Waiter } from "./ConnectionPool.ts"
import { ReplyBytes } from "./ReplyBytes.ts"
import { parseSize } from "./replyStat.ts"
import type { TimeWatch, Watched } from "./TimeWatch.ts"
import type { TransportReply, TransportRequest } from "./Transport.ts"
import { outcomeOf, type Progress, toTransportError } from "./transportError.ts"

/** Times in milliseconds, and who speaks. */
export interface ExchangeOptions {
  readonly backend: string
  readonly connectTimeout: number
  readonly headersTimeout: number
  readonly stallTimeout: number
}

/** A body is written in pieces of this size: a larger one on TLS is encrypted at once, which doubles its memory. */
const sliceSize = { plain: 16 * 1024 * 1024, secure: 256 * 1024 }

type Resume<A> = (effect: Effect.Effect<A, ObjectStoreError>) => void

export class Exchange implements ConnectionHandler, Waiter, Watched {
  readonly #request: TransportRequest
  readonly #pool: ConnectionPool
  readonly #watch: TimeWatch
  readonly #options: ExchangeOptions

  #connection: Connection | undefined
  #controller: Dispatcher.DispatchController | undefined
  /** Changes whenever something moves. */
  #moved = 0
  /** undici has begun to write the request. */
  #started = false
  /** undici has handed over the whole request. */
  #given = false
  #reply: TransportReply | undefined
  /** The reply has come whole. */
  #ended = false
  /** Makes the error, once it is known how many bytes were delivered. */
  #failure: ((received: number) => ObjectStoreError) | undefined
  /** The connection broke, and had been idle before. */
  #wasDead = false
  #closed = false

  readonly #bytes = new ReplyBytes()
  #onReply: Resume<TransportReply> | undefined
  #onBytes: Resume<number> | undefined
  #settling = false

  constructor(request: TransportRequest, pool: ConnectionPool, watch: TimeWatch, options: ExchangeOptions) {
    this.#request = request
    this.#pool = pool
    this.#watch = watch
    this.#options = options
  }

  /** Sends the request and answers with the head of the reply. */
  readonly head: Effect.Effect<TransportReply, ObjectStoreError> = Effect.callback((resume) => {
    this.#onReply = resume
    this.#watch.add(this)
    this.#pool.acquire(this)
    return Effect.sync(() => this.close())
  })

  /** Ends the exchange: resets the connection unless everything was said. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (!this.#ended) this.#fail(closed)
    this.#onReply = undefined
    this.#onBytes = undefined
    this.#bytes.drop()
    if (this.#connection === undefined) this.#pool.leave(this)
    this.#giveBack()
    this.#watch.delete(this)
  }

  // What the pool and the watch say.

  begin(connection: Connection): void {
    this.#connection = connection
    const { body, headers, method, path } = this.#request
    const fields: Array<string> = []
    for (const name in headers) if (name !== "content-length") fields.push(name, headers[name]!)
    const pieces = body === undefined ? [] : body instanceof Uint8Array ? [body] : body
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const slice = connection.secure ? sliceSize.secure : sliceSize.plain
    const single = pieces.length === 1 && size <= slice
    // undici counts a body against this header.
    if (size > 0 || method === "PUT" || method === "POST") fields.push("content-length", String(size))
    connection.dispatch(
      {
        method,
        path,
        headers: fields,
        // undici would close after HEAD, for servers that send a body all the same.
        reset: false,
        body: size === 0 ? null : single ? pieces[0]! : slicesOf(pieces, slice) as unknown as Uint8Array
      },
      this
    )
  }

  limit(): number | undefined {
    const { connectTimeout, headersTimeout, stallTimeout } = this.#options
    if (this.#connection === undefined) return undefined
    if (!this.#started) return connectTimeout
    if (this.#reply === undefined) return this.#uploading ? stallTimeout : headersTimeout
    return this.#onBytes === undefined ? undefined : stallTimeout
  }

  moved(): number {
    const connection = this.#connection
    return connection === undefined ? this.#moved : this.#moved + connection.writes - connection.unsent
  }

  timeOut(): void {
    const phase = this.#reply !== undefined ? "stall" : this.#started && !this.#uploading ? "headers" : "request"
    const limit = this.limit()
    const progress = this.#progress()
    this.#failure ??= (received) =>
      makeError("Timeout", {
        operation: "request",
        backend: progress.backend,
        status: progress.status,
        phase,
        received: phase === "stall" ? received : undefined,
        outcome: outcomeOf(progress),
        description: `nothing moved for ${limit} ms`
      })
    this.#settle()
  }

  abandon(): void {
    this.#fail(new Error("the store was closed"))
    this.#settle()
  }

  get #uploading(): boolean {
    return !this.#given || (this.#connection?.pendingWrites ?? 0) > 0
  }

  #progress(): Progress {
    const connection = this.#connection
    return {
      backend: this.#options.backend,
      mutation: this.#request.mutation,
      connecting: this.#started ? undefined : connection?.connecting,
      sent: this.#reply !== undefined || (this.#started && connection?.wrote === true),
      uploading: this.#uploading,
      writeError: connection?.writeError,
      reused: this.#wasDead,
      status: this.#reply?.status
    }
  }

  #fail(cause: Error): void {
    const progress = this.#progress()
    this.#failure ??= (received) => toTransportError(progress, cause, received)
  }

  // What undici says.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#started = true
    this.#moved++
  }

  onRequestSent(): void {
    this.#given = true
    this.#moved++
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  ): void {
    // The real one follows; to promise it is not to send it.
    if (status < 200) return
    this.#moved++
    this.#reply = {
      status,
      headers: joined(headers),
      length: this.#request.method === "HEAD" || status === 204 || status === 304
        ? 0
        : headers["transfer-encoding"] === undefined
        ? parseSize(headers["content-length"] as string | undefined)
        : undefined,
      into: (target) => this.#into(target)
    }
    if (this.#uploading) this.#afterWrites(controller, status)
    else this.#changed()
  }

  /**
   * Judges an answer that came while something is still to be sent. Node tells that TLS has written after what came meanwhile
   * was read, so a quick server seems to answer too early: a turn later it is known, and nothing is read before.
   */
  #afterWrites(controller: Dispatcher.DispatchController, status: number): void {
    controller.pause()
    setImmediate(() => {
      if (this.#closed || this.#failure !== undefined) return
      // What has not come whole cannot have been done, whatever is said of it.
      if (status < 300 && this.#uploading) this.#fail(hasty)
      else controller.resume()
      this.#settle()
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#moved++
    if (this.#bytes.push(chunk)) this.#changed()
    if (this.#bytes.ample && this.#bytes.came !== this.#reply?.length) controller.pause()
  }

  place(): Uint8Array | undefined {
    const length = this.#reply?.length
    return length === undefined ? undefined : this.#bytes.place(length)
  }

  onResponseEnd(): void {
    this.#ended = true
    // undici would close in order, and the server might take the half for the whole.
    if (this.#uploading) this.#connection?.resetSocket()
    this.#changed()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#closed || this.#ended) return
    this.#wasDead = this.#connection?.silent === true
    this.#fail(error)
    this.#changed()
  }

  /** Lets those who wait go on, once undici has returned. */
  #changed(): void {
    if (this.#settling) return
    this.#settling = true
    queueMicrotask(() => {
      this.#settling = false
      this.#settle()
    })
  }

  #settle(): void {
    if (this.#closed) return
    if (this.#ended && this.#connection?.surplus === true) {
      const progress = this.#progress()
      this.#failure ??= (received) => toTransportError(progress, surplus, received)
    }
    if (this.#ended || this.#failure !== undefined) {
      this.#giveBack()
      this.#watch.delete(this)
    }
    const [onReply, onBytes] = [this.#onReply, this.#onBytes]
    if (onReply !== undefined) {
      if (this.#failure !== undefined) {
        this.#onReply = undefined
        onReply(Effect.fail(this.#failure(0)))
      } else if (this.#reply !== undefined) {
        this.#onReply = undefined
        onReply(Effect.succeed(this.#reply))
      }
    } else if (onBytes !== undefined) {
      const { full } = this.#bytes
      if (full || this.#ended || this.#failure !== undefined) {
        this.#onBytes = undefined
        onBytes(this.#deliver(full))
      }
    }
  }

  /** Gives the connection back if everything was said, else resets it. */
  #giveBack(): void {
    const connection = this.#connection
    if (connection === undefined) return
    this.#connection = undefined
    // What is left of an upload that was answered early must not reach the next request's answer.
    if (this.#ended && this.#failure === undefined && this.#given && connection.pendingWrites === 0) {
      this.#pool.release(connection)
    } else this.#pool.discard(connection, this.#wasDead)
  }

  /** Answers what came into a target that is full, or will not be. */
  #deliver(full: boolean): Effect.Effect<number, ObjectStoreError> {
    const count = this.#bytes.deliver()
    return full || this.#failure === undefined
      ? Effect.succeed(count)
      : Effect.fail(this.#failure(this.#bytes.delivered))
  }

  #into(target: Uint8Array): Effect.Effect<number, ObjectStoreError> {
    return Effect.suspend(() => {
      if (this.#closed && this.#bytes.delivered < this.#bytes.came) this.#fail(closed)
      const full = this.#bytes.aim(target)
      return full || this.#ended || this.#failure !== undefined ? this.#deliver(full) : this.#more
    })
  }

  /** Waits for bytes. */
  readonly #more: Effect.Effect<number, ObjectStoreError> = Effect.callback((resume) => {
    this.#onBytes = resume
    this.#moved++
    if (this.#controller?.paused === true) this.#controller.resume()
    return Effect.sync(() => this.close())
  })
}

const closed = new Error("the reply was closed")

const hasty = Object.assign(new Error("bad answer: a success before the request was sent"), { code: "UND_ERR_SOCKET" })

const surplus = Object.assign(new Error("bad answer: it goes on after its end"), { code: "UND_ERR_SOCKET" })

/** Values of a name that comes more than once, as one. */
const joined = (
  headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
): Readonly<Record<string, string | undefined>> => {
  for (const name in headers) {
    if (typeof headers[name] !== "string") {
      return Object.assign(
        Object.create(null),
        Object.fromEntries(
          Object.entries(headers).map(([key, value]) => [key, typeof value === "string" ? value : value?.join(", ")])
        )
      )
    }
  }
  return headers as Readonly<Record<string, string>>
}

function* slicesOf(pieces: ReadonlyArray<Uint8Array>, size: number): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += size) yield piece.subarray(at, at + size)
  }
}
