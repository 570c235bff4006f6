#!/usr/bin/env node
/**
 * The command `objectstore`. Help and version are answered at once; only work loads the rest.
 *
 * @internal
 */
import { readFileSync } from "node:fs"
import * as NodeModule from "node:module"
import { helpFor, usage } from "./help.ts"

const args = process.argv.slice(2)

const print = (stream: NodeJS.WriteStream, text: string): void => {
  stream.on("error", () => undefined)
  stream.write(text)
}

const version = (): string => {
  const path = NodeModule.findPackageJSON(import.meta.url)
  const found: { readonly version: string } = JSON.parse(readFileSync(path!, "utf8"))
  return found.version
}

const help = helpFor(args)
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  print(process.stderr, `objectstore: it needs Node 22.19 or later, this is ${process.versions.node}\n`)
  process.exitCode = 1
} else if (help !== undefined) {
  print(process.stdout, help)
} else if (args[0] === "--version") {
  print(process.stdout, `${version()}\n`)
} else if (args.length === 0) {
  print(process.stderr, usage())
  process.exitCode = 2
} else {
  const { run } = await import("./run.ts")
  run(args, version())
}
