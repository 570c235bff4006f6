/**
 * Servers of workloads: processes that tell their port first, and end with their standard input.
 */
import * as NodeChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"

/** What `server.ts` counted. */
export interface Counted {
  readonly accepted: number
  readonly refused: number
  readonly received: number
  readonly sent: number
  /** Connections that are open, the asking one included. */
  readonly open: number
  readonly mostOpen: number
  readonly began: number
}

/** A server that runs. */
export interface Running {
  readonly origin: string
  readonly port: number
  readonly counted: () => Promise<Counted>
  readonly stop: () => Promise<void>
}

/** Starts a script of this folder with options. */
export const startServer = async (
  options: Readonly<Record<string, number>> = {},
  script: "server.ts" | "faults.ts" = "server.ts"
): Promise<Running> => {
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  const child = NodeChildProcess.spawn(
    process.execPath,
    [fileURLToPath(new URL(script, import.meta.url)), ...args],
    { stdio: ["pipe", "pipe", "inherit"] }
  )
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once("data", (text) => resolve(Number(String(text).trim())))
    child.once("exit", (code) => reject(new Error(`${script} ended with ${code}`)))
  })
  const origin = `http://127.0.0.1:${port}`
  return {
    origin,
    port,
    counted: async () => {
      const reply = await fetch(`${origin}/_/`, { headers: { connection: "close" } })
      return await reply.json() as Counted
    },
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve())
        child.stdin.end()
      })
  }
}
