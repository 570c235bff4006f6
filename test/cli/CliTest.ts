import { Effect } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

/** What came of a run of the command. */
export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Lines of `--json`. */
  readonly json: ReadonlyArray<Record<string, unknown>>
}

/** Starts the command from the sources. */
export const spawn = (
  directory: string,
  args: ReadonlyArray<string>,
  variables: Readonly<Record<string, string>> = {}
): NodeChildProcess.ChildProcessWithoutNullStreams =>
  NodeChildProcess.spawn(process.execPath, [main, ...args], {
    cwd: directory,
    stdio: "pipe",
    env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...variables }
  })

/** Waits for the end of the command. */
export const ended = (child: NodeChildProcess.ChildProcessWithoutNullStreams): Effect.Effect<Ran> =>
  Effect.callback((resume) => {
    const out: Array<Buffer> = []
    const err: Array<Buffer> = []
    child.stdout.on("data", (chunk) => out.push(chunk))
    child.stderr.on("data", (chunk) => err.push(chunk))
    child.stdin.on("error", () => undefined)
    child.on("close", (code, signal) => {
      const stdout = Buffer.concat(out).toString("utf8")
      const json = stdout.startsWith("{")
        ? stdout.trimEnd().split("\n").map((line): Record<string, unknown> => JSON.parse(line))
        : []
      resume(Effect.succeed({ code, signal, stdout, stderr: Buffer.concat(err).toString("utf8"), json }))
    })
  })

/** Runs the command in a directory. */
export const run = (
  directory: string,
  args: ReadonlyArray<string>,
  input = "",
  variables: Readonly<Record<string, string>> = {}
): Effect.Effect<Ran> =>
  Effect.suspend(() => {
    const child = spawn(directory, args, variables)
    const end = ended(child)
    child.stdin.end(input)
    return end
  })

/** An empty directory, which goes with the test. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => NodeFs.realpathSync(NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-cli-")))),
  (path) => Effect.sync(() => NodeFs.rmSync(path, { recursive: true, force: true }))
)

/** Makes files with their directories. */
export const write = (directory: string, files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [name, body] of Object.entries(files)) {
    const path = NodePath.join(directory, name)
    NodeFs.mkdirSync(NodePath.dirname(path), { recursive: true })
    NodeFs.writeFileSync(path, body)
  }
}

/** Everything below a directory: files with their bytes (latin1), directories that are empty, links. */
export const tree = (directory: string, below = ""): Record<string, string> => {
  const found: Record<string, string> = {}
  for (const entry of NodeFs.readdirSync(NodePath.join(directory, below), { withFileTypes: true })) {
    const name = NodePath.join(below, entry.name)
    const path = NodePath.join(directory, name)
    if (entry.isSymbolicLink()) found[name] = `-> ${NodeFs.readlinkSync(path)}`
    else if (entry.isFile()) found[name] = NodeFs.readFileSync(path, "latin1")
    else if (NodeFs.readdirSync(path).length === 0) found[`${name}/`] = ""
    else Object.assign(found, tree(directory, name))
  }
  return found
}

/** Ends when something in a directory has a name that begins with `prefix`. */
export const appears = (directory: string, prefix: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const look = (): void => {
      if (NodeFs.readdirSync(directory).some((name) => name.startsWith(prefix))) {
        watcher.close()
        resume(Effect.void)
      }
    }
    const watcher = NodeFs.watch(directory, look)
    look()
    return Effect.sync(() => watcher.close())
  })
