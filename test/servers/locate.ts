import * as NodeFs from "node:fs"
import { createRequire } from "node:module"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { env, execPath } from "node:process"
import { howToGet, installationOf, type Program, variableOf } from "./Program.ts"

/** Where a program was looked for and found, or what to do about it. */
export type Location =
  | { readonly _tag: "Found"; readonly command: readonly [string, ...Array<string>]; readonly by: string }
  | { readonly _tag: "Missing"; readonly how: string }

type Variables = Readonly<Record<string, string | undefined>>

/** The folder of installed servers: it is outside of the repository, so that all checkouts share it. */
export const cacheFolder = (variables: Variables = env): string =>
  variables["OBJECTSTORE_SERVERS_CACHE"] ??
    NodePath.join(
      variables["XDG_CACHE_HOME"] ?? NodePath.join(NodeOs.homedir(), ".cache"),
      "effect-objectstore",
      "servers"
    )

/** The folder of one version of one program, so that a new pin never runs an old binary. */
export const folderOf = (program: Program, variables: Variables = env): string =>
  NodePath.join(cacheFolder(variables), `${installationOf(program)}@${program.version}`)

/** Written last by the installer: without it the folder is what an interrupted installation left. */
export const stampOf = (program: Program, variables: Variables = env): string =>
  NodePath.join(folderOf(program, variables), "installed")

/** The program's file in the cache. */
export const cachedFile = (program: Program, variables: Variables = env): string | undefined => {
  const folder = folderOf(program, variables)
  switch (program.from._tag) {
    case "Go":
      return NodePath.join(folder, "bin", NodePath.basename(program.from.package))
    case "Pip":
      return NodePath.join(folder, "bin", program.from.command)
    case "Npm":
    case "System":
      return undefined
  }
}

const isExecutable = (file: string): boolean => {
  try {
    NodeFs.accessSync(file, NodeFs.constants.X_OK)
    return NodeFs.statSync(file).isFile()
  } catch {
    return false
  }
}

const onPath = (name: string, variables: Variables): string | undefined =>
  (variables["PATH"] ?? "").split(NodePath.delimiter)
    .filter((directory) => NodePath.isAbsolute(directory))
    .map((directory) => NodePath.join(directory, name))
    .find(isExecutable)

const inModules = (script: string): string | undefined => {
  try {
    return createRequire(import.meta.url).resolve(script)
  } catch {
    return undefined
  }
}

const commandOf = (file: string): readonly [string, ...Array<string>] =>
  /\.[cm]?js$/.test(file) ? [execPath, file] : [file]

const found = (file: string | undefined, by: string): Location | undefined =>
  file === undefined ? undefined : { _tag: "Found", command: commandOf(file), by }

/**
 * Looks for a program: the file that the environment variable names, the pinned version in the cache folder (or among the
 * dependencies), then whatever version is on PATH.
 */
export const locate = (program: Program, variables: Variables = env): Location => {
  const variable = variableOf(program)
  const named = variables[variable]
  if (named !== undefined && named !== "") {
    return NodeFs.existsSync(named)
      ? { _tag: "Found", command: commandOf(named), by: variable }
      : { _tag: "Missing", how: `${variable} names ${named}, which does not exist` }
  }
  const { from } = program
  const cached = cachedFile(program, variables)
  const name = from._tag === "Go" || from._tag === "Pip" ? from.onPath : program.name
  return found(cached !== undefined && NodeFs.existsSync(stampOf(program, variables)) ? cached : undefined, "cache") ??
    found(from._tag === "Npm" ? inModules(from.script) : undefined, "node_modules") ??
    found(name === undefined ? undefined : onPath(name, variables), "PATH") ??
    { _tag: "Missing", how: howToGet(program) }
}

/** What to do about those of the programs that are missing. */
export const missingOf = (programs: ReadonlyArray<Program>): ReadonlyArray<string> => [
  ...new Set(programs.map((program) => locate(program)).flatMap((one) => one._tag === "Missing" ? [one.how] : []))
]
