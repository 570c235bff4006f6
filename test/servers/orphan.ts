// Run as a process of its own: starts a server, says where, and waits to be killed.
import { Console, Effect } from "effect"
import { idle } from "./idle.ts"
import { startServer } from "./Server.ts"

await Effect.runPromise(Effect.scoped(
  Effect.gen(function*() {
    const { data, endpoint } = yield* startServer(idle)
    yield* Console.log(JSON.stringify({ data, endpoint }))
    return yield* Effect.never
  })
))
