/**
 * `npm run soak -- [L05 L12 ...] [--minutes N] [--directory PATH]`: runs workloads under load, each in a process of its own with its server
 * in another, and holds what they find against bounds. The exit code is 1 if a bound was missed.
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as NodeUtil from "node:util"
import { type Finding, isMet, type Workload } from "./Workload.ts"

const folder = fileURLToPath(new URL("workloads/", import.meta.url))
const known = NodeFs.readdirSync(folder).filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -3)).sort()

const { positionals: names, values } = NodeUtil.parseArgs({
  allowPositionals: true,
  strict: false,
  options: { directory: { type: "string" }, minutes: { type: "string" } }
})

const minutes = Number(values["minutes"] ?? 10)

/** No workload takes longer: what does not end is a finding, too. */
const longest = (minutes + 20) * 60_000

/** Runs a workload once; answers nothing if its process failed or did not end. */
const runOnce = (
  file: string,
  directory: string,
  descriptors: number | undefined,
  environment: Readonly<Record<string, string>> | undefined
): ReadonlyArray<Finding> | undefined => {
  NodeFs.rmSync(directory, { recursive: true, force: true })
  NodeFs.mkdirSync(directory, { recursive: true })
  const node = [
    process.execPath,
    "--expose-gc",
    fileURLToPath(new URL("child.ts", import.meta.url)),
    file,
    directory,
    String(minutes)
  ]
  const [program, ...args] = descriptors === undefined
    ? node
    : ["/bin/sh", "-c", `ulimit -n ${descriptors} && exec "$0" "$@"`, ...node]
  const { status, stdout } = NodeChildProcess.spawnSync(program!, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    timeout: longest,
    killSignal: "SIGKILL",
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const lines = stdout.trimEnd().split("\n")
  for (const line of lines.slice(0, -1)) if (line !== "") console.log(`  ${line}`)
  return status === 0 ? JSON.parse(lines.at(-1)!) as ReadonlyArray<Finding> : undefined
}

const show = (value: number): string => Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toFixed(2)))

/** More is asked of the processors than there are. */
const isBusy = (): boolean => NodeOs.loadavg()[0]! > NodeOs.availableParallelism() + 1

const print = (finding: Finding, busy: boolean): void => {
  const { atLeast, atMost, baseline, name, shared, unit, value } = finding
  const bound = atMost !== undefined ? `<= ${atMost}` : atLeast !== undefined ? `>= ${atLeast}` : ""
  const verdict = bound === "" ? "      " : busy && shared === true ? "busy  " : isMet(finding) ? "met   " : "MISSED"
  const notes = [
    ...(baseline === undefined ? [] : [`baseline: ${baseline}`]),
    ...(shared === true ? ["not judged on a busy machine"] : [])
  ]
  console.log(
    `  ${verdict} ${name}: ${show(value)} ${unit}${bound === "" ? "" : ` (${bound})`}${
      notes.length === 0 ? "" : ` [${notes.join("; ")}]`
    }`
  )
}

const isUsage = names.every((name) => known.includes(name)) && minutes > 0 &&
  Object.entries(values).every(([name, value]) => ["directory", "minutes"].includes(name) && typeof value === "string")
if (!isUsage) {
  console.error(`usage: npm run soak -- [${known.join(" ")}] [--minutes N] [--directory PATH]`)
  process.exitCode = 2
} else {
  const root = fileURLToPath(new URL("..", import.meta.url))
  const directory = NodePath.join(String(values["directory"] ?? NodePath.join(root, ".cache")), `soak-${process.pid}`)
  const missed: Array<string> = []
  for (const name of names.length === 0 ? known : names) {
    const file = pathToFileURL(NodePath.join(folder, `${name}.ts`)).href
    const { workload } = await import(file) as { readonly workload: Workload }
    for (const descriptors of workload.descriptors ?? [undefined]) {
      const title = `${name} ${workload.title}${descriptors === undefined ? "" : `, with ulimit -n ${descriptors}`}`
      console.log(`\n${title}`)
      const start = performance.now()
      const findings = runOnce(file, NodePath.join(directory, name), descriptors, workload.environment)
      const busy = isBusy()
      for (const finding of findings ?? []) {
        print(finding, busy)
        if (!isMet(finding) && !(busy && finding.shared === true)) missed.push(`${title}: ${finding.name}`)
      }
      if (findings === undefined) missed.push(`${title}: did not end well`)
      console.log(
        `         ${((performance.now() - start) / 1000).toFixed(0)} s, load ${NodeOs.loadavg()[0]!.toFixed(1)}`
      )
    }
  }
  NodeFs.rmSync(directory, { recursive: true, force: true })
  console.log(missed.length === 0 ? "\nall bounds met" : `\nmissed:\n${missed.map((line) => `  ${line}`).join("\n")}`)
  if (missed.length > 0) process.exitCode = 1
}
