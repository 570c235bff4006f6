import { Deferred, Effect, Exit, type Scope } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"

/** What to run. */
export interface Command {
  readonly command: readonly [string, ...Array<string>]
  readonly env: Readonly<Record<string, string>>
  /** Its working directory, removed after it. */
  readonly directory: string
  /** What it prints is added to this file. */
  readonly log: string
}

/** A process that runs until its scope closes. */
export interface ServerProcess {
  /** How it ended: an exit code, or the name of a signal. */
  readonly ended: Effect.Effect<string>
}

// Ends the server with the process that started it, however that ends: its standard input is a pipe that nobody writes to,
// and which closes even when the writer is killed. The data go with the server.
const keeper = `
directory=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ cat >/dev/null; kill "$server"; } <&3 2>/dev/null & watch=$!
exec 3<&-
wait "$server"; code=$?
kill "$watch" 2>/dev/null
cd / && rm -rf "$directory"
exit "$code"
`

const stop = (child: NodeChildProcess.ChildProcess, ended: Effect.Effect<string>) =>
  Effect.sync(() => child.stdin?.end()).pipe(
    Effect.andThen(ended),
    Effect.timeoutOrElse({
      duration: "5 seconds",
      orElse: () =>
        Effect.andThen(
          // The group has the keeper's own id, since it was made with `detached`.
          Effect.sync(() => child.pid === undefined || process.kill(-child.pid, "SIGKILL")),
          ended
        )
    })
  )

/** Starts a process; when the scope closes it gets SIGTERM, after five seconds SIGKILL, and is waited for. */
export const spawnServer = Effect.fnUntraced(
  function*({ command, directory, env, log }: Command): Effect.fn.Return<ServerProcess, never, Scope.Scope> {
    const done = yield* Deferred.make<string>()
    const ended = Deferred.await(done)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        NodeFs.mkdirSync(directory, { recursive: true })
        const output = NodeFs.openSync(log, "a")
        const child = NodeChildProcess.spawn("/bin/sh", ["-c", keeper, "keeper", directory, ...command], {
          cwd: directory,
          env,
          detached: true,
          stdio: ["pipe", output, output]
        })
        NodeFs.closeSync(output)
        const settle = (how: string) => Deferred.doneUnsafe(done, Exit.succeed(how))
        child.once("error", (error) => settle(error.message))
        child.once("exit", (code, signal) => settle(signal ?? `exit code ${code}`))
        child.stdin?.once("error", () => child.stdin?.destroy())
        return child
      }),
      (child) => stop(child, ended)
    )
    return { ended }
  }
)
