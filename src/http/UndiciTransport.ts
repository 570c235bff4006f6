/**
 * The transport over undici's dispatch: HTTP/1.1, one request at a time a connection, connections kept and capped.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { Origin } from "./Connection.ts"
import { ConnectionPool } from "./ConnectionPool.ts"
import { Exchange, type ExchangeOptions } from "./Exchange.ts"
import { IdleConnections } from "./IdleConnections.ts"
import { makeTimeWatch } from "./TimeWatch.ts"
import type { Transport, TransportOptions } from "./Transport.ts"

/**
 * Makes a transport. Its connections are closed with the scope. undici is imported here and not before.
 *
 * Time-outs may come late by an eighth of the shortest of them, at most a second. Fails with `Configuration` where an
 * option is no positive number, or undici is not there.
 */
export const makeUndiciTransport = Effect.fnUntraced(function*(
  options: TransportOptions
): Effect.fn.Return<Transport, ObjectStoreError, Scope.Scope> {
  const { backend, connections = 64 } = options
  const times: ExchangeOptions = {
    backend,
    connectTimeout: options.connectTimeout ?? 10_000,
    headersTimeout: options.headersTimeout ?? 60_000,
    stallTimeout: options.stallTimeout ?? 30_000
  }
  const { connectTimeout, headersTimeout, stallTimeout } = times
  for (const [name, value] of Object.entries({ connections, connectTimeout, headersTimeout, stallTimeout })) {
    if (!(value > 0) || (name === "connections" && !Number.isInteger(value))) {
      return yield* misconfigured(backend, `${name} must be positive, not ${value}`)
    }
  }
  const undici = yield* Effect.tryPromise({
    try: () => import("undici"),
    catch: (cause) => misconfigured(backend, "the package undici cannot be loaded", cause)
  })
  const watch = yield* makeTimeWatch(
    Math.min(1000, Math.max(1, Math.min(connectTimeout, headersTimeout, stallTimeout) / 8))
  )
  const pools = new Map<string, ConnectionPool>()
  const idle = new IdleConnections(connections)
  let closed = false
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      closed = true
      return closeAll(backend, pools.values())
    })
  )
  const poolOf = (url: string): ConnectionPool => {
    const known = pools.get(url)
    if (known !== undefined) return known
    const origin: Origin = {
      url,
      client: undici.Client,
      ca: options.ca === undefined ? undefined : [options.ca].flat(),
      context: undefined,
      lookup: options.lookup,
      session: undefined
    }
    const pool = new ConnectionPool(origin, connections, idle)
    pools.set(url, pool)
    return pool
  }
  return {
    send: (request) =>
      Effect.flatMap(Effect.scope, (scope) => {
        if (closed) return Effect.fail(misconfigured(backend, "the store was closed"))
        const exchange = new Exchange(request, poolOf(request.origin), watch, times)
        return Effect.andThen(Scope.addFinalizer(scope, Effect.sync(() => exchange.close())), exchange.head)
      })
  }
})

/** So many milliseconds a closed connection is waited for. */
const longestClose = 5000

/** Closes all connections. They are reset; that the system says nothing of one keeps nobody for ever. */
export const closeAll = (
  backend: string,
  pools: Iterable<Pick<ConnectionPool, "close">>
): Effect.Effect<void> =>
  Effect.promise(() => Promise.all(Array.from(pools, (pool) => pool.close()))).pipe(
    Effect.interruptible,
    Effect.timeoutOption(longestClose),
    Effect.flatMap((ended) =>
      Option.isSome(ended)
        ? Effect.void
        : Effect.logWarning(
          `${backend}: a connection was reset, and the system has not said for ${longestClose} ms that it is closed`
        )
    )
  )

const misconfigured = (backend: string, description: string, cause?: unknown): ObjectStoreError =>
  makeError("Configuration", { operation: "make", backend, description, cause })
