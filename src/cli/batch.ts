/**
 * Many copies: what is planned, what came of each, and the summary.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import { ratioOf, ratioText, type Sizes } from "./compression.ts"
import { Incomplete } from "./exit.ts"
import { type CommandName } from "./help.ts"
import { complain, count, failureLine, type Format, type Line, print } from "./output.ts"
import { formatSize } from "./size.ts"
import { type Ref, show } from "./stores.ts"
import { type Compared, type Copied, copyObject, type CopySettings } from "./transfer.ts"

/** One copy to make, or why it is not made. */
export interface Job {
  readonly from: Ref
  readonly to: Ref
  readonly size: number
  readonly refused?: string | undefined
}

/** Numbers of a batch. */
interface Totals {
  succeeded: number
  failed: number
  bytes: number
  readonly compared: Map<Compared, number>
  /** Of what was compressed or decompressed, if anything was. */
  sizes: Sizes | undefined
}

const ways: ReadonlyArray<Compared> = ["checksum", "crc32", "crc32c", "size"]

const verifiedText = ({ compared, succeeded }: Totals): string => {
  const used = ways.filter((way) => compared.has(way))
  if (succeeded === 0) return "nothing to verify"
  return `verified by ${used.length === 1 ? used[0] : used.map((way) => `${way} (${compared.get(way)})`).join(", ")}`
}

const sizesJson = (sizes: Sizes | undefined) => sizes === undefined ? {} : { ...sizes, ratio: ratioOf(sizes) }

const summary = (command: CommandName, totals: Totals, skipped: number, dryRun: boolean): Line => {
  const objects = `${count(totals.succeeded, "object")}, ${count(totals.bytes, "byte")}`
  const rest = `${totals.failed === 0 ? "" : `, ${totals.failed} failed`}${skipped === 0 ? "" : `, ${skipped} skipped`}`
  return {
    json: {
      type: "summary",
      command,
      dryRun,
      succeeded: totals.succeeded,
      failed: totals.failed,
      skipped,
      bytes: totals.bytes,
      verified: Object.fromEntries(totals.compared),
      ...sizesJson(totals.sizes)
    },
    text: dryRun
      ? `would copy ${objects}${rest}`
      : `copied ${objects}, ${totals.sizes === undefined ? "" : `${ratioText(totals.sizes)}, `}${
        verifiedText(totals)
      }${rest}`
  }
}

const refusal = (command: CommandName, job: Job, description: string): ObjectStoreError =>
  makeError("InvalidKey", {
    operation: command,
    backend: "cli",
    uri: show(job.from),
    description: `the key ${description}`,
    outcome: "not-applied"
  })

/** The line of a copy that was made. */
export const copiedLine = (from: string, to: string, copied: Copied): Line => ({
  json: {
    type: "copied",
    from,
    to,
    size: copied.size,
    etag: copied.etag,
    verified: copied.compared,
    ...sizesJson(copied.sizes)
  }
})

/** The summary of one copy, after which there is nothing more to say. */
export const singleSummary = (command: CommandName, copied: Copied): Line =>
  summary(
    command,
    { succeeded: 1, failed: 0, bytes: copied.size, compared: new Map([[copied.compared, 1]]), sizes: copied.sizes },
    0,
    false
  )

/** Makes the copies. Every failure is reported, and the others go on. */
export const runJobs = Effect.fnUntraced(function*(
  command: CommandName,
  jobs: ReadonlyArray<Job>,
  options: {
    readonly settings: CopySettings
    readonly format: Format
    readonly dryRun: boolean
    readonly skipped: number
  }
) {
  const { dryRun, format, settings } = options
  const totals: Totals = { succeeded: 0, failed: 0, bytes: 0, compared: new Map(), sizes: undefined }

  const fail = Effect.fnUntraced(function*(job: Job, error: ObjectStoreError) {
    totals.failed++
    yield* complain(error.message)
    yield* print(format, [failureLine({ from: show(job.from), to: show(job.to) }, error)])
  })

  const plan = (job: Job) => {
    totals.succeeded++
    totals.bytes += job.size
    const from = show(job.from)
    const to = show(job.to)
    return print(format, [{
      json: { type: "plan", from, to, size: job.size },
      text: `${from} -> ${to} (${formatSize(job.size)})`
    }])
  }

  const copy = Effect.fnUntraced(function*(job: Job) {
    const result = yield* Effect.result(copyObject(job.from, job.to, settings))
    if (Result.isFailure(result)) return yield* fail(job, result.failure)
    const copied = result.success
    totals.succeeded++
    totals.bytes += copied.size
    if (copied.sizes !== undefined) {
      const { original = 0, stored = 0 } = totals.sizes ?? {}
      totals.sizes = { original: original + copied.sizes.original, stored: stored + copied.sizes.stored }
    }
    totals.compared.set(copied.compared, (totals.compared.get(copied.compared) ?? 0) + 1)
    yield* print(format, [copiedLine(show(job.from), show(job.to), copied)])
  })

  yield* Effect.forEach(
    jobs,
    (job) =>
      job.refused !== undefined
        ? fail(job, refusal(command, job, job.refused))
        : dryRun
        ? plan(job)
        : copy(job),
    { concurrency: dryRun ? 1 : settings.concurrency ?? 4, discard: true }
  )
  yield* print(format, [summary(command, totals, options.skipped, dryRun)])
  if (totals.failed > 0) {
    return yield* new Incomplete({ command, succeeded: totals.succeeded, failed: totals.failed })
  }
})
