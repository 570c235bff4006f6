import { Effect, type Scope } from "effect"
import { ask } from "./ask.ts"
import { freePort } from "./ports.ts"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"
import { ServerError } from "./ServerError.ts"

const program: Program = {
  name: "toxiproxy",
  version: "v2.5.0",
  from: { _tag: "Go", package: "github.com/Shopify/toxiproxy/v2/cmd/server", onPath: "toxiproxy-server" }
}

/** Where proxies are made. */
export interface ToxiproxyAddress {
  readonly endpoint: string
}

/** Proxies that break connections. */
export const toxiproxy: ServerDefinition<ToxiproxyAddress> = {
  name: "toxiproxy",
  title: "toxiproxy",
  program,
  launch: ({ port }) => {
    const endpoint = `http://127.0.0.1:${port}`
    return Effect.succeed({
      args: ["-host=127.0.0.1", `-port=${port}`],
      ready: `${endpoint}/version`,
      address: { endpoint }
    })
  },
  variables: ({ endpoint }) => ({ TOXIPROXY_URL: endpoint })
}

/** What a proxy does to connections: https://github.com/Shopify/toxiproxy#toxics */
export interface Toxic {
  readonly type: "latency" | "bandwidth" | "slow_close" | "timeout" | "reset_peer" | "slicer" | "limit_data"
  readonly stream: "upstream" | "downstream"
  readonly attributes: Readonly<Record<string, number>>
  /** How likely a connection has it; 1 without it. */
  readonly toxicity?: number | undefined
}

/** A proxy before a server; signatures hold, since clients sign the proxy's own host. */
export interface Proxy {
  readonly endpoint: string
  /** From now on, until the scope closes. */
  readonly poison: (toxic: Toxic) => Effect.Effect<void, ServerError, Scope.Scope>
}

const change = (method: string, url: string, body?: unknown) =>
  ask(method, url, undefined, body === undefined ? undefined : JSON.stringify(body)).pipe(
    Effect.filterOrFail(
      (status) => status >= 200 && status < 300,
      (status) => new ServerError({ message: `${method} ${url} answered ${status}` })
    ),
    Effect.asVoid
  )

/** Makes a proxy before an http endpoint; it goes with the scope. */
export const makeProxy = Effect.fnUntraced(function*({ endpoint }: ToxiproxyAddress, upstream: string) {
  const port = yield* freePort
  const name = `proxy-${port}`
  const listen = `127.0.0.1:${port}`
  const proxies = `${endpoint}/proxies`
  yield* Effect.acquireRelease(
    change("POST", proxies, { name, listen, upstream: new URL(upstream).host, enabled: true }),
    () => Effect.orDie(change("DELETE", `${proxies}/${name}`))
  )
  const proxy: Proxy = {
    endpoint: `http://${listen}`,
    poison: (toxic) =>
      Effect.acquireRelease(
        change("POST", `${proxies}/${name}/toxics`, { ...toxic, name: "toxic" }),
        () => Effect.orDie(change("DELETE", `${proxies}/${name}/toxics/toxic`))
      )
  }
  return proxy
})
