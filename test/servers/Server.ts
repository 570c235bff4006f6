import { Effect, Exit, Schedule, Scope } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { env } from "node:process"
import { ask } from "./ask.ts"
import { locate, missingOf } from "./locate.ts"
import { freePort } from "./ports.ts"
import type { Program } from "./Program.ts"
import { ServerError } from "./ServerError.ts"
import { spawnServer } from "./ServerProcess.ts"

/** A kind of server: how it is started, and what a client must know of it. */
export interface ServerDefinition<Address extends object> {
  /** What people call it: `npm run servers -- NAME`. */
  readonly name: string
  /** What tests are named by. */
  readonly title: string
  /** The program that is run. */
  readonly program: Program
  /** Other programs that it cannot do without. */
  readonly needs?: ReadonlyArray<Program> | undefined
  readonly launch: (place: Place) => Effect.Effect<Launch<Address>, ServerError>
  /** Variables that make a client of people's own use it. */
  readonly variables: (address: Address) => Readonly<Record<string, string>>
}

/** Where a server is to live. */
export interface Place {
  readonly port: number
  /** A new directory for its data: exists, is empty, and goes when the server stops. */
  readonly data: string
  /** Lives as long as the server may be reset. */
  readonly directory: string
}

/** How it is started in one place. */
export interface Launch<Address> {
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Asked until it answers 200, or anything at all if `anyAnswer`. */
  readonly ready: string
  readonly anyAnswer?: boolean | undefined
  /** The authority of its certificate. */
  readonly ca?: string | undefined
  /** The request that empties it; without one it is started again on empty directories. */
  readonly reset?: { readonly method: string; readonly url: string } | undefined
  readonly address: Address
}

/** A server that runs. */
export type Server<Address extends object> = Address & {
  /** The program and its first arguments, for what else it can do. */
  readonly command: ReadonlyArray<string>
  /** What it printed. */
  readonly log: Effect.Effect<string>
  /** Forgets all objects; the address stays. */
  readonly reset: Effect.Effect<void, ServerError>
}

const answers = ({ anyAnswer, ca, ready }: Launch<object>) =>
  ask("GET", ready, ca).pipe(
    Effect.filterOrFail(
      (status) => anyAnswer === true || status === 200,
      (status) => new ServerError({ message: `${ready} answered ${status}` })
    ),
    Effect.retry(Schedule.spaced("30 millis"))
  )

const lastLines = (file: string): string =>
  NodeFs.existsSync(file) ? NodeFs.readFileSync(file, "utf8").split("\n").slice(-20).join("\n") : ""

/** A directory of the system's temporary ones, which goes with the scope. */
const temporaryDirectory = (name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), `objectstore-${name}-`))),
    (directory) => Effect.sync(() => NodeFs.rmSync(directory, { recursive: true, force: true }))
  )

/** Starts a server on a free port of the loopback address, and waits until it is ready; it stops with the scope. */
export const startServer = <Address extends object>(
  definition: ServerDefinition<Address>
): Effect.Effect<Server<Address>, ServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const missing = missingOf([definition.program, ...definition.needs ?? []])
    const location = locate(definition.program)
    if (missing.length > 0 || location._tag === "Missing") {
      return yield* new ServerError({ message: `${definition.title} is not here; to get it: ${missing.join("; ")}` })
    }
    const directory = yield* temporaryDirectory(definition.name)
    const log = NodePath.join(directory, "log")
    const data = NodePath.join(directory, "data")
    const scope = yield* Effect.scope

    /** Runs it on an empty directory, in a scope of its own. */
    const run = Effect.fnUntraced(function*(port: number) {
      NodeFs.rmSync(data, { recursive: true, force: true })
      NodeFs.mkdirSync(data)
      const launch = yield* definition.launch({ port, data, directory })
      const own = yield* Scope.fork(scope)
      const failed = (what: string) =>
        new ServerError({ message: `${definition.title} ${what}; it printed:\n${lastLines(log)}` })
      yield* spawnServer({
        command: [...location.command, ...launch.args],
        env: { PATH: env["PATH"] ?? "", HOME: data, TMPDIR: data, ...launch.env },
        directory: data,
        log
      }).pipe(
        Scope.provide(own),
        Effect.flatMap(({ ended }) =>
          Effect.raceFirst(answers(launch), Effect.flatMap(ended, (how) => Effect.fail(failed(`ended with ${how}`))))
        ),
        Effect.timeoutOrElse({ duration: "90 seconds", orElse: () => Effect.fail(failed("did not get ready")) }),
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
      return { launch, own }
    })

    // Somebody may take the port before the server does.
    let running = yield* Effect.retry(Effect.flatMap(freePort, run), { times: 2 })
    const { port } = new URL(running.launch.ready)
    const again = Effect.suspend(() => Scope.close(running.own, Exit.void)).pipe(
      Effect.andThen(run(Number(port))),
      Effect.map((next) => {
        running = next
      })
    )
    const { address, ca, reset } = running.launch
    return {
      ...address,
      command: location.command,
      log: Effect.sync(() => NodeFs.readFileSync(log, "utf8")),
      reset: reset === undefined ? again : Effect.asVoid(ask(reset.method, reset.url, ca))
    }
  })
