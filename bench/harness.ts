/**
 * Measures cases side by side: every case in a process of its own, the rounds of all cases interleaved, the median of all
 * runs. Compare the ratios; the absolute figures are those of one machine in one hour.
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

export const MiB = 2 ** 20
export const GiB = 2 ** 30

/** What one run of a case took. */
export interface Sample {
  readonly seconds: number
  /** Processor time of the process, all threads; absent where it cannot be told. */
  readonly cpu?: number | undefined
  readonly bytes: number
  /** Other figures, by name. */
  readonly figures?: Readonly<Record<string, number>> | undefined
}

/** A case: in this program, or another program. */
export type Case =
  /** `setup` gives what is run again and again; its first runs warm up and are not counted. */
  | { readonly setup: (directory: string) => Promise<() => Promise<RunResult>> }
  | { readonly command: (directory: string) => CommandCase }

/** What a run answers. */
export interface RunResult {
  readonly bytes: number
  readonly figures?: Readonly<Record<string, number>> | undefined
}

/** Another program, and how to read its figures; without `parse`, its own time from start to end. */
export interface CommandCase {
  readonly argv: readonly [string, ...Array<string>]
  readonly bytes: number
  readonly parse?: ((output: string) => Sample) | undefined
}

/** What is held against what. */
export interface Target {
  readonly name: string
  readonly value: (medians: Readonly<Record<string, Median>>) => number | undefined
  readonly atLeast?: number | undefined
  readonly atMost?: number | undefined
  readonly unit?: string | undefined
}

export interface Workload {
  readonly title: string
  /** Makes what the cases need, in an empty directory. */
  readonly prepare: (directory: string) => Promise<void> | void
  /** Ends what `prepare` began. */
  readonly finish?: (() => void) | undefined
  readonly cases: Readonly<Record<string, Case>>
  readonly targets: ReadonlyArray<Target>
  /** Rounds of all cases; 5 without it. */
  readonly rounds?: number | undefined
  /** Counted runs a process; 3 without it. */
  readonly runs?: number | undefined
  /** Runs before those; 3 without it. */
  readonly warmups?: number | undefined
}

/** The middle of all samples of a case. */
export interface Median {
  readonly seconds: number
  readonly gigabytesPerSecond: number
  /** Processor seconds a GB. */
  readonly cpu: number | undefined
  readonly figures: Readonly<Record<string, number>>
}

/** `a` is as many times as quick as `b`. */
export const speed = (a: string, b: string): Target["value"] => (medians) => {
  const [one, other] = [medians[a], medians[b]]
  return one === undefined || other === undefined ? undefined : one.gigabytesPerSecond / other.gigabytesPerSecond
}

export const middle = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

const medianOf = (samples: ReadonlyArray<Sample>): Median => {
  const cpus = samples.flatMap(({ bytes, cpu }) => cpu === undefined ? [] : [cpu / bytes * 1e9])
  const names = Object.keys(samples[0]?.figures ?? {})
  return {
    seconds: middle(samples.map(({ seconds }) => seconds)),
    gigabytesPerSecond: middle(samples.map(({ bytes, seconds }) => bytes / seconds / 1e9)),
    cpu: cpus.length === 0 ? undefined : middle(cpus),
    figures: Object.fromEntries(
      names.map((name) => [name, middle(samples.map(({ figures }) => figures?.[name] ?? Number.NaN))])
    )
  }
}

/** Seconds since a time of `process.hrtime.bigint`. */
export const seconds = (start: bigint): number => Number(process.hrtime.bigint() - start) / 1e9

const runCommand = ({ argv: [program, ...args], bytes, parse }: CommandCase): Sample => {
  const start = process.hrtime.bigint()
  const output = NodeChildProcess.execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  return parse === undefined ? { seconds: seconds(start), bytes } : parse(output)
}

/** Whether a program can be run here. */
export const hasProgram = (name: string): boolean =>
  NodeChildProcess.spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0

const spawnCase = (file: string, name: string, directory: string): ReadonlyArray<Sample> =>
  JSON.parse(
    NodeChildProcess.execFileSync(
      process.execPath,
      ["--expose-gc", fileURLToPath(new URL("child.ts", import.meta.url)), file, name, directory],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }
    )
  ) as ReadonlyArray<Sample>

const show = (value: number | undefined, digits: number): string => value === undefined ? "" : value.toFixed(digits)

const print = (workload: Workload, medians: Readonly<Record<string, Median>>): void => {
  const figures = [...new Set(Object.values(medians).flatMap((median) => Object.keys(median.figures)))]
  const rows = [
    ["case", "GB/s", "CPU-s/GB", ...figures],
    ...Object.entries(medians).map(([name, median]) => [
      name,
      show(median.gigabytesPerSecond, 2),
      show(median.cpu, 3),
      ...figures.map((figure) => show(median.figures[figure], 0))
    ])
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  console.log(`\n${workload.title}`)
  for (const row of rows) {
    console.log(`  ${row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")}`)
  }
}

/** Measures a workload and prints it; answers the targets that were missed. `rounds` counts before the workload's own. */
export const measure = async (
  file: string,
  directory: string,
  rounds?: number
): Promise<ReadonlyArray<string>> => {
  const { workload } = (await import(file)) as { readonly workload: Workload }
  NodeFs.rmSync(directory, { recursive: true, force: true })
  NodeFs.mkdirSync(directory, { recursive: true })
  await workload.prepare(directory)
  const samples: Record<string, Array<Sample>> = {}
  try {
    for (let round = 0; round < (rounds ?? workload.rounds ?? 5); round++) {
      for (const [name, one] of Object.entries(workload.cases)) {
        const found = "setup" in one
          ? spawnCase(file, name, directory)
          // As for the others, the first run only warms up: the disk, the host's cache.
          : Array.from({ length: 1 + (workload.runs ?? 3) }, () => runCommand(one.command(directory))).slice(1)
        ;(samples[name] ??= []).push(...found)
      }
    }
  } finally {
    workload.finish?.()
  }
  NodeFs.rmSync(directory, { recursive: true, force: true })
  const medians = Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, medianOf(list)]))
  print(workload, medians)
  const missed: Array<string> = []
  for (const { atLeast, atMost, name, unit = "x", value } of workload.targets) {
    const found = value(medians)
    if (found === undefined) continue
    const met = (atLeast === undefined || found >= atLeast) && (atMost === undefined || found <= atMost)
    const bound = atLeast === undefined
      ? atMost === undefined ? "" : ` (target <= ${atMost})`
      : ` (target >= ${atLeast})`
    const line = `${name}: ${found.toFixed(2)} ${unit}${bound}`
    console.log(`  ${bound === "" ? "      " : met ? "met   " : "MISSED"} ${line}`)
    if (!met) missed.push(`${workload.title}: ${line}`)
  }
  return missed
}

/** Makes a file of bytes that repeat only after a MiB; it is in the page cache afterwards. */
export const makeFile = (path: string, size: number): void => {
  NodeFs.mkdirSync(NodePath.dirname(path), { recursive: true })
  const block = Uint8Array.from({ length: MiB }, (_, index) => (index * 2_654_435_761) >>> 13)
  const fd = NodeFs.openSync(path, "w")
  for (let offset = 0; offset < size; offset += block.length) {
    NodeFs.writeSync(fd, block, 0, Math.min(block.length, size - offset), offset)
  }
  NodeFs.fsyncSync(fd)
  NodeFs.closeSync(fd)
}

/** Memory that is there already: each of its pages was written to. */
export const touched = (bytes: Uint8Array): Uint8Array => {
  for (let offset = 0; offset < bytes.length; offset += 4096) bytes[offset] = offset >>> 12
  return bytes
}
