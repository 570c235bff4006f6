/**
 * The process of one case: sets it up, runs it, and prints the samples as JSON.
 */
import { type Sample, seconds, type Workload } from "./harness.ts"

const runChild = async (file: string, name: string, directory: string): Promise<ReadonlyArray<Sample>> => {
  const { workload } = (await import(file)) as { readonly workload: Workload }
  const one = workload.cases[name]!
  if (!("setup" in one)) throw new Error(`${name} is another program`)
  const run = await one.setup(directory)
  const samples: Array<Sample> = []
  const { runs = 3, warmups = 3 } = workload
  for (let index = 0; index < warmups + runs; index++) {
    const before = process.cpuUsage()
    const start = process.hrtime.bigint()
    const { bytes, figures } = await run()
    const elapsed = seconds(start)
    const { system, user } = process.cpuUsage(before)
    if (index >= warmups) samples.push({ seconds: elapsed, cpu: (user + system) / 1e6, bytes, figures })
  }
  return samples
}

const [file, name, directory] = process.argv.slice(2)
console.log(JSON.stringify(await runChild(file!, name!, directory!)))
