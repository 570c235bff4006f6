/**
 * An HTTP server on the loopback interface that lives as long as its scope: what the models of services are built upon.
 *
 * It parses nothing but HTTP. The path reaches the handler as it was sent (`..`, `//` and `%2F` survive), a request whose body
 * did not arrive whole never reaches it, and a handler whose client has gone is interrupted.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import type { AddressInfo } from "node:net"

/** A request that arrived whole. */
export interface ServerRequest {
  readonly method: string
  /** As sent: percent-encoded, with its leading `/`, without the query. */
  readonly rawPath: string
  /** As sent, without its `?`; `""` where there is none. */
  readonly rawQuery: string
  /** The query's names and values, percent-decoded (`+` stays `+`); the last value of a name that comes twice. */
  readonly query: ReadonlyMap<string, string>
  /** Names are lower case; values of a name that comes more than once are joined by `", "`. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** A reply. `content-length` is the body's, unless `headers` say another one (which HEAD has to). */
export interface ServerReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  readonly body?: Uint8Array | string | undefined
}

/** A server that listens. */
export interface Server {
  readonly port: number
  /** `http://127.0.0.1:PORT`, or `https://…`. */
  readonly origin: string
}

/** What a server is started with. */
export interface ServerOptions {
  /** The port; a free one without it. */
  readonly port?: number | undefined
  /** PEM texts; with them the server speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

const host = "127.0.0.1"

/** Starts a server; its scope stops it, with all its connections. A handler that dies is answered with a bare 500. */
export const serve = Effect.fnUntraced(function*(
  handle: (request: ServerRequest) => Effect.Effect<ServerReply>,
  options: ServerOptions = {}
): Effect.fn.Return<Server, never, Scope.Scope> {
  const run = yield* FiberSet.makeRuntime()
  const listener: NodeHttp.RequestListener = (incoming, outgoing) => {
    const fiber = run(
      Effect.flatMap(receive(incoming), handle).pipe(
        Effect.exit,
        Effect.map((exit) => answer(incoming.method, outgoing, Exit.isSuccess(exit) ? exit.value : { status: 500 }))
      )
    )
    outgoing.once("close", () => fiber.interruptUnsafe())
  }
  // Kept connections stay until the client ends them: one that is closed under a request would be a fault nobody asked for.
  const settings = { keepAliveTimeout: 0, requestTimeout: 0, joinDuplicateHeaders: true }
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      options.tls === undefined
        ? NodeHttp.createServer(settings, listener)
        : NodeHttps.createServer({ ...settings, ...options.tls }, listener)
    ),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  yield* Effect.callback<void>((resume) => {
    server.once("error", (error) => resume(Effect.die(error)))
    server.listen(options.port ?? 0, host, () => resume(Effect.void))
  })
  const { port } = server.address() as AddressInfo
  return { port, origin: `${options.tls === undefined ? "http" : "https"}://${host}:${port}` }
})

/** Gathers a request; one that breaks off never ends, and is interrupted with its connection. */
const receive = (incoming: NodeHttp.IncomingMessage): Effect.Effect<ServerRequest> =>
  Effect.callback((resume) => {
    const chunks: Array<Uint8Array> = []
    incoming.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    incoming.once("end", () => {
      if (!incoming.complete) return
      const url = incoming.url ?? "/"
      const mark = url.indexOf("?")
      const rawQuery = mark === -1 ? "" : url.slice(mark + 1)
      resume(Effect.succeed({
        method: incoming.method ?? "GET",
        rawPath: mark === -1 ? url : url.slice(0, mark),
        rawQuery,
        query: parseQuery(rawQuery),
        // Cookies alone could be an array, and nobody sends them.
        headers: incoming.headers as Readonly<Record<string, string | undefined>>,
        body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      }))
    })
    // A connection that breaks is an error of its stream; the close of the reply interrupts what waits here.
    incoming.on("error", () => undefined)
  })

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

const bodiless = new Set([204, 304])

const answer = (
  method: string | undefined,
  outgoing: NodeHttp.ServerResponse,
  { body = "", headers = {}, status }: ServerReply
): void => {
  const bytes = typeof body === "string" ? Buffer.from(body) : body
  const named: Record<string, string> = bodiless.has(status) ? {} : { "content-length": String(bytes.length) }
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) named[name] = value
  }
  outgoing.writeHead(status, named)
  outgoing.end(method === "HEAD" ? undefined : bytes)
}
