/**
 * An HTTP server on the loopback interface that lives as long as its scope: what the models of services are built upon.
 *
 * It speaks over bare sockets, so that an answer can be anything, malformed HTTP too. The path reaches the handler as it was
 * sent (`..`, `//` and `%2F` survive), a request whose body did not arrive whole never reaches it, and a handler whose client
 * has gone is interrupted.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as NodeNet from "node:net"
import * as NodeTls from "node:tls"
import { toImfFixdate } from "../../http/conditionHeaders.ts"
import type { ConnectManner } from "../WireFault.ts"
import { RequestReader, type ServerHead, type ServerReply, type ServerRequest } from "./ServerRequest.ts"
import { printReply, replySteps, type WireReply, type WireStep } from "./wire.ts"

export type { ServerHead, ServerReply, ServerRequest } from "./ServerRequest.ts"

/** A server that listens. */
export interface Server {
  readonly port: number
  /** `http://127.0.0.1:PORT`, or `https://…`. */
  readonly origin: string
  /** How many connections are open now. */
  readonly connections: () => number
}

/** What a server is started with. */
export interface ServerOptions {
  /** The port; a free one without it. */
  readonly port?: number | undefined
  /** PEM texts; with them the server speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Sees the head of every request, and may answer before the body has come: then nobody else does. */
  readonly early?: ((head: ServerHead) => WireReply | undefined) | undefined
  /** What becomes of connections that are made now, if they are not served. */
  readonly manner?: (() => ConnectManner | undefined) | undefined
  /** PEM texts that an impostor shows. */
  readonly impostor?: { readonly cert: string; readonly key: string } | undefined
}

const host = "127.0.0.1"

type Run = (effect: Effect.Effect<void>) => Fiber.Fiber<void>

/** Starts a server; its scope stops it, with all its connections. A handler that dies is answered with a bare 500. */
export const serve = Effect.fnUntraced(function*(
  handle: (request: ServerRequest) => Effect.Effect<ServerReply | WireReply>,
  options: ServerOptions = {}
): Effect.fn.Return<Server, never, Scope.Scope> {
  const run: Run = yield* FiberSet.makeRuntime()
  const sockets = new Set<NodeNet.Socket>()
  const connected = (socket: NodeNet.Socket): void => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    // A connection that breaks has nobody to tell; its close interrupts what works for it.
    socket.on("error", () => undefined)
    const manner = options.manner?.()
    if (manner === "refused") socket.resetAndDestroy()
    else if (manner === "reset") socket.once("data", () => socket.resetAndDestroy())
    else if (manner === "silent") socket.once("end", () => socket.end()).resume()
    else if (options.tls === undefined) converse(socket, socket, run, handle, options)
  }
  const settings = { allowHalfOpen: true, noDelay: true }
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => NodeNet.createServer(settings, connected)),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )
  const { tls } = options
  if (tls !== undefined) {
    const own = NodeTls.createSecureContext(tls)
    const foreign = options.impostor === undefined ? own : NodeTls.createSecureContext(options.impostor)
    server.on("connection", (raw: NodeNet.Socket) => {
      const manner = options.manner?.()
      if (raw.destroyed || manner === "silent" || manner === "reset") return
      const context = manner === "impostor" ? foreign : own
      const secure = new NodeTls.TLSSocket(raw, { isServer: true, secureContext: context })
      secure.on("error", () => raw.destroy())
      secure.once("close", () => raw.destroy())
      // Who leaves before the handshake is over has nobody who listens yet.
      secure.once("end", () => secure.end())
      secure.resume()
      secure.once("secure", () => converse(secure, raw, run, handle, options))
    })
  }
  yield* Effect.callback<void>((resume) => {
    server.once("error", (error) => resume(Effect.die(error)))
    server.listen(options.port ?? 0, host, () => resume(Effect.void))
  })
  const { port } = server.address() as NodeNet.AddressInfo
  return {
    port,
    origin: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
    connections: () => sockets.size
  }
})

/** Speaks with one client: one request after another. */
const converse = (
  socket: NodeNet.Socket,
  raw: NodeNet.Socket,
  run: Run,
  handle: (request: ServerRequest) => Effect.Effect<ServerReply | WireReply>,
  { early }: ServerOptions
): void => {
  const reader = new RequestReader()
  let current: Fiber.Fiber<void> | undefined
  /** The request whose body is being read was answered before. */
  let answered = false
  /** A head has come, and its body not all of it. */
  let reading = false
  let closing = false
  const start = (effect: Effect.Effect<void>): void => {
    const fiber = run(effect)
    if (fiber.pollUnsafe() !== undefined) return proceed()
    current = fiber
    fiber.addObserver(() => {
      current = undefined
      proceed()
    })
  }
  const proceed = (): void => {
    if (current !== undefined) return
    while (!socket.destroyed) {
      const found = reader.next()
      if (found === undefined) {
        if (closing && !reading) socket.end()
        return
      }
      if (found._tag === "Nonsense") {
        socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        return
      }
      reading = found._tag === "Head"
      if (found._tag === "Head") {
        closing = found.head.headers["connection"]?.toLowerCase() === "close"
        const reply = early?.(found.head)
        answered = reply !== undefined
        if (reply !== undefined) return start(carryOut(socket, raw, reply.steps))
        if (found.head.headers["expect"] !== undefined) socket.write("HTTP/1.1 100 Continue\r\n\r\n")
      } else if (!answered) {
        return start(answer(socket, raw, found.request, handle))
      }
    }
  }
  socket.on("data", (chunk: Buffer) => {
    reader.push(chunk)
    proceed()
  })
  // Who has said all it will is gone: no client of a store sends half a connection's worth and waits.
  socket.on("end", () => {
    current?.interruptUnsafe()
    socket.end()
  })
  raw.on("close", () => current?.interruptUnsafe())
}

const answer = Effect.fnUntraced(function*(
  socket: NodeNet.Socket,
  raw: NodeNet.Socket,
  request: ServerRequest,
  handle: (request: ServerRequest) => Effect.Effect<ServerReply | WireReply>
): Effect.fn.Return<void> {
  const exit = yield* Effect.exit(Effect.suspend(() => handle(request)))
  const reply: ServerReply | WireReply = Exit.isSuccess(exit) ? exit.value : { status: 500 }
  if ("steps" in reply) return yield* carryOut(socket, raw, reply.steps)
  const date = toImfFixdate(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
  return yield* carryOut(socket, raw, replySteps(printReply(request.method, reply, date)))
})

/** Does what steps say. */
const carryOut = (
  socket: NodeNet.Socket,
  raw: NodeNet.Socket,
  steps: ReadonlyArray<WireStep>
): Effect.Effect<void> =>
  Effect.forEach(steps, (step) => {
    switch (step._tag) {
      case "Bytes":
        return write(socket, step.bytes)
      case "Wait":
        return Effect.sleep(step.millis)
      case "Stall":
        return Effect.never
      case "End":
        return Effect.sync(() => void socket.end())
      case "Reset":
        return Effect.sync(() => void raw.resetAndDestroy())
    }
  }, { discard: true })

const write = (socket: NodeNet.Socket, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (socket.destroyed || socket.writableEnded) resume(Effect.void)
    else socket.write(bytes, () => resume(Effect.void))
  })
