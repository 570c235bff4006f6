/**
 * `npm run bench -- local|http|codec [workload ...] [--directory PATH] [--rounds N]`: runs the workloads of a group and says which targets were
 * missed.
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as NodeUtil from "node:util"
import { measure } from "./harness.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const { positionals: [group, ...names], values } = NodeUtil.parseArgs({
  allowPositionals: true,
  options: { directory: { type: "string" }, rounds: { type: "string" } }
})

const groupDirectory = fileURLToPath(new URL(`${group ?? ""}/`, import.meta.url))
const known = group !== undefined && NodeFs.existsSync(groupDirectory)
  ? NodeFs.readdirSync(groupDirectory).filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -3)).sort()
  : []
const unknown = names.filter((name) => !known.includes(name))

if (known.length === 0 || unknown.length > 0) {
  console.error(
    `usage: npm run bench -- local|http|codec [${known.join("|") || "workload"} ...] [--directory PATH] [--rounds N]`
  )
  process.exitCode = 2
} else {
  const directory = NodePath.join(values.directory ?? NodePath.join(root, ".cache"), `bench-${process.pid}`)
  const missed: Array<string> = []
  for (const name of names.length === 0 ? known : names) {
    const file = pathToFileURL(NodePath.join(groupDirectory, `${name}.ts`)).href
    missed.push(
      ...await measure(
        file,
        NodePath.join(directory, name),
        values.rounds === undefined ? undefined : Number(values.rounds)
      )
    )
  }
  NodeFs.rmSync(directory, { recursive: true, force: true })
  console.log(missed.length === 0 ? "\nall targets met" : `\nmissed:\n${missed.map((line) => `  ${line}`).join("\n")}`)
}
