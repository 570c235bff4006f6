/**
 * fio as a peer, where it is installed.
 */
import { type Case, hasProgram, type Sample } from "./harness.ts"

interface FioSide {
  readonly io_bytes: number
  readonly runtime: number
}

interface FioOutput {
  readonly jobs: ReadonlyArray<{
    readonly job_runtime: number
    readonly read: FioSide
    readonly usr_cpu: number
    readonly sys_cpu: number
    readonly write: FioSide
  }>
}

const parse = (side: "read" | "write") => (output: string): Sample => {
  const job = (JSON.parse(output) as FioOutput).jobs[0]!
  const { io_bytes, runtime } = job[side]
  return {
    seconds: runtime / 1000,
    bytes: io_bytes,
    cpu: (job.usr_cpu + job.sys_cpu) / 100 * job.job_runtime / 1000
  }
}

/** Sequential O_DIRECT with a block size in MiB and a depth, of one file; nothing where there is no fio. */
export const fioCase = (
  side: "read" | "write",
  options: { readonly file: string; readonly block: number; readonly depth: number; readonly size: number }
): Readonly<Record<string, Case>> =>
  hasProgram("fio")
    ? {
      [`fio direct, ${options.block} MiB x ${options.depth}`]: {
        command: (directory) => ({
          argv: [
            "fio",
            "--name=peer",
            `--filename=${directory}/${options.file}`,
            `--rw=${side}`,
            "--direct=1",
            "--ioengine=libaio",
            `--bs=${options.block}m`,
            `--iodepth=${options.depth}`,
            `--size=${options.size}`,
            ...(side === "write" ? ["--create_on_open=1", "--unlink=1", "--end_fsync=1", "--fallocate=none"] : []),
            "--output-format=json"
          ],
          bytes: options.size,
          parse: parse(side)
        })
      }
    }
    : {}
