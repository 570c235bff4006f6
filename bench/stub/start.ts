/**
 * Starts the stub in a process of its own, and tells cases where it is.
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

const server = fileURLToPath(new URL("server.ts", import.meta.url))

const fileIn = (directory: string): string => NodePath.join(directory, "port")

let running: NodeChildProcess.ChildProcess | undefined

/** For `Workload.prepare`. */
export const startStub = async (directory: string): Promise<void> => {
  const child = NodeChildProcess.spawn(process.execPath, [server], { stdio: ["pipe", "pipe", "inherit"] })
  running = child
  const port = await new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(String(text).trim())))
  NodeFs.writeFileSync(fileIn(directory), port)
}

/** For `Workload.finish`: the stub ends with its standard input. */
export const stopStub = (): void => {
  running?.stdin?.end()
}

/** Where the stub of a workload is: `http://127.0.0.1:PORT`. */
export const originIn = (directory: string): string =>
  `http://127.0.0.1:${NodeFs.readFileSync(fileIn(directory), "utf8")}`
