/**
 * What the suites tell reporters of a test, beside whether it passed.
 *
 * @internal
 */

/** What became of one case on one store. */
export interface Note {
  readonly store: string
  readonly case: string
  readonly verdict:
    | "passed"
    /** The store lacks what the case needs, and refused it as it must. */
    | "refused"
    /** The store lacks what the case needs, and there is nothing to refuse. */
    | "not applicable"
    /** It is on the list of those that are known to fail. */
    | "known defect"
    | "failed"
  /** Why it is no pass, where somebody said so. */
  readonly reason: string | undefined
  readonly refusedKeys?: ReadonlyArray<string> | undefined
}

/** Puts the note into the `meta` of a test, as `conformance`, where a reporter of vitest finds it. */
export const setNote = (task: { readonly meta: object }, note: Note): void => {
  Object.assign(task.meta, { conformance: note })
}

/** What the property test is called beside the cases of the suite. */
export const propertyName = "model: random sequences of commands show the same"
