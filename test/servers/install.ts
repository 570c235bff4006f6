import { Clock, Console, Effect, Schedule } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { env } from "node:process"
import { cachedFile, folderOf, stampOf } from "./locate.ts"
import { installationOf, type Program } from "./Program.ts"
import { ServerError } from "./ServerError.ts"

/** Runs a command to its end; what it prints is shown only if it fails. */
const run = (command: string, args: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}) =>
  Effect.callback<void, ServerError>((resume) => {
    const child = NodeChildProcess.spawn(command, args, { env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] })
    const printed: Array<string> = []
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding("utf8").on("data", (text: string) => printed.push(text))
    }
    child.once("error", (error) => resume(Effect.fail(new ServerError({ message: `${command}: ${error.message}` }))))
    child.once("close", (code, signal) => {
      const tail = printed.join("").split("\n").slice(-30).join("\n")
      const message = `${[command, ...args].join(" ")} ended with ${signal ?? code}:\n${tail}`
      resume(code === 0 ? Effect.void : Effect.fail(new ServerError({ message })))
    })
    return Effect.sync(() => child.kill())
  })

const steps = (program: Program): Effect.Effect<void, ServerError> => {
  const { from, version } = program
  const folder = folderOf(program)
  switch (from._tag) {
    case "Go":
      return run("go", ["install", "-trimpath", "-ldflags=-s -w", `${from.package}@${version}`], {
        GOBIN: NodePath.join(folder, "bin"),
        GOFLAGS: "-mod=mod",
        CGO_ENABLED: "0"
      })
    case "Pip":
      return Effect.andThen(
        run("python3", ["-m", "venv", folder]),
        run(NodePath.join(folder, "bin", "pip"), ["install", "--disable-pip-version-check", from.requirement])
      )
    case "Npm":
    case "System":
      return Effect.void
  }
}

const sizeOf = (path: string): number => {
  const stats = NodeFs.lstatSync(path)
  return stats.isDirectory()
    ? NodeFs.readdirSync(path).reduce((total, name) => total + sizeOf(NodePath.join(path, name)), 0)
    : stats.size
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

/**
 * Installs the pinned version into the cache folder, by the installer of its own ecosystem, and says what it did; nothing
 * happens if it is there.
 */
export const install = Effect.fnUntraced(function*(program: Program) {
  const name = `${installationOf(program)} ${program.version}`
  const folder = folderOf(program)
  const stamp = stampOf(program)
  if (cachedFile(program) === undefined) return yield* Console.log(`${name}: comes from elsewhere`)
  if (NodeFs.existsSync(stamp)) return yield* Console.log(`${name}: is there (${mebibytes(sizeOf(folder))})`)
  yield* Console.log(`${name}: installing into ${folder}`)
  NodeFs.rmSync(folder, { recursive: true, force: true })
  NodeFs.mkdirSync(folder, { recursive: true })
  const start = yield* Clock.currentTimeMillis
  const seconds = Effect.map(Clock.currentTimeMillis, (now) => Math.round((now - start) / 1000))
  const waiting = Effect.repeat(
    Effect.flatMap(seconds, (sofar) => Console.log(`${name}: … ${sofar} s`)),
    Schedule.spaced("30 seconds")
  )
  yield* Effect.raceFirst(steps(program), Effect.andThen(Effect.sleep("30 seconds"), waiting))
  NodeFs.writeFileSync(stamp, "")
  yield* Console.log(`${name}: installed, ${yield* seconds} s, ${mebibytes(sizeOf(folder))}`)
})
