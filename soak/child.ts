/**
 * The process of one workload: runs it and prints what it found as the last line.
 */
import type { Workload } from "./Workload.ts"

const [file, directory, minutes] = process.argv.slice(2)
const { workload } = await import(file!) as { readonly workload: Workload }
const findings = await workload.run({ directory: directory!, minutes: Number(minutes) })
process.stdout.write(`\n${JSON.stringify(findings)}\n`, () => process.exit(0))
