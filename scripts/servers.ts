/**
 * Starts the servers of the tests for people: `npm run servers` all that are here, `npm run servers -- minio azurite` those.
 * `npm run servers -- install [NAME…]` installs them into the cache folder.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { type AnyServer, servers } from "../test/servers/all.ts"
import { install } from "../test/servers/install.ts"
import { cacheFolder, missingOf } from "../test/servers/locate.ts"
import { installationOf } from "../test/servers/Program.ts"
import { ServerError } from "../test/servers/ServerError.ts"

const named = (names: ReadonlyArray<string>, nameOf: (server: AnyServer) => string) => {
  const known = [...new Set(servers.map(nameOf))]
  const unknown = names.find((name) => !known.includes(name))
  return unknown === undefined
    ? Effect.succeed(names.length === 0 ? servers : servers.filter((server) => names.includes(nameOf(server))))
    : Effect.fail(new ServerError({ message: `there is no server "${unknown}"; there are ${known.join(", ")}` }))
}

const installAll = Effect.fnUntraced(function*(names: ReadonlyArray<string>) {
  const chosen = yield* named(names, ({ programs }) => installationOf(programs[0]))
  yield* Console.log(`the cache folder is ${cacheFolder()}`)
  // One after another: each build keeps all processors busy.
  for (const program of new Set(chosen.map(({ programs }) => programs[0]))) yield* install(program)
})

const quoted = (value: string): string => /^[\w@%+:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`

const startOne = Effect.fnUntraced(function*({ name, programs, start, title }: AnyServer) {
  const missing = missingOf(programs)
  if (missing.length > 0) {
    yield* Console.log(`\n${title} is not here; to get it: ${missing.join("; ")}`)
    return false
  }
  const { endpoint, variables } = yield* start
  const lines = Object.entries(variables).map(([variable, value]) => `  export ${variable}=${quoted(value)}`)
  yield* Console.log([`\n${title} (${name}): ${endpoint}`, ...lines].join("\n"))
  return true
})

const startAll = Effect.fnUntraced(function*(names: ReadonlyArray<string>) {
  const chosen = yield* named(names, ({ name }) => name)
  const started = yield* Effect.forEach(chosen, startOne)
  if (!started.includes(true)) return yield* new ServerError({ message: "no server was started" })
  yield* Console.log("\nCtrl-C stops them and removes what they hold.")
  return yield* Effect.never
}, Effect.scoped)

const [first, ...rest] = process.argv.slice(2)

const program = (first === "install" ? installAll(rest) : startAll(process.argv.slice(2))).pipe(
  Effect.catchTag("ServerError", ({ message }) =>
    Effect.andThen(
      Console.error(message),
      Effect.sync(() => {
        process.exitCode = 1
      })
    ))
)

NodeRuntime.runMain(program)
