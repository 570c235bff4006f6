/**
 * What a workload is, and what it finds.
 */

/** Something that was measured; with a bound it is met or missed. */
export interface Finding {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly atMost?: number | undefined
  readonly atLeast?: number | undefined
  /** What clients do that take no care of it, or what was measured before this library. */
  readonly baseline?: string | undefined
  /** Depends on who else uses the machine, so it is judged only where nobody does. */
  readonly shared?: boolean | undefined
}

/** Where a workload runs. */
export interface Place {
  /** Its own, and empty. */
  readonly directory: string
  /** How long one runs that has no end of its own. */
  readonly minutes: number
}

export interface Workload {
  readonly title: string
  /** Runs it in the process that called, which is its own. */
  readonly run: (place: Place) => Promise<ReadonlyArray<Finding>>
  /** `ulimit -n` values: it runs once for each; once as it is without them. */
  readonly descriptors?: ReadonlyArray<number | undefined> | undefined
  /** Variables that its process has besides. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** Whether a finding is within its bound. */
export const isMet = ({ atLeast, atMost, value }: Finding): boolean =>
  (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost)
