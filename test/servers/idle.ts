import { Effect } from "effect"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"

const program: Program = { name: "node", version: "24", from: { _tag: "System" } }

/** A server of one line, for the tests of servers themselves; `before` runs first. */
export const makeIdle = (before = ""): ServerDefinition<{ readonly endpoint: string; readonly data: string }> => ({
  name: "idle",
  title: "a server that only answers",
  program,
  launch: ({ data, port }) => {
    const endpoint = `http://127.0.0.1:${port}`
    const serve = `require("node:http").createServer((_, reply) => reply.end()).listen(${port}, "127.0.0.1")`
    return Effect.succeed({ args: ["-e", `${before};${serve}`], ready: endpoint, address: { endpoint, data } })
  },
  variables: () => ({})
})

/** That server, well behaved. */
export const idle = makeIdle()
