/**
 * One case of the conformance suite, as data: it can be registered with a test runner, or run by a program.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Backend } from "../../Backend.ts"
import type { Capabilities } from "../../Capabilities.ts"
import type { ObjectStoreOperations } from "../../ObjectStore.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"

/**
 * What a case works with.
 *
 * @category models
 * @since 0.1.0
 */
export interface CaseContext {
  readonly store: ObjectStoreOperations
  readonly capabilities: Capabilities
  /** A prefix of this case alone; it ends in `/`. */
  readonly prefix: string
  /** A key of this case alone. */
  readonly key: (name: string) => string
  /** The smallest part size at which the suite cuts objects. */
  readonly partSize: number
  /** Names of keys that the store has to refuse with `InvalidKey`, because its service cannot hold them as they are. */
  readonly refusedKeys: ReadonlySet<string>
}

/**
 * What a case of the backend contract works with.
 *
 * @category models
 * @since 0.1.0
 */
export interface ContractContext extends CaseContext {
  readonly backend: Backend
  /** The container that the case may use; `""` for paths. */
  readonly container: string
}

/**
 * What a case needs of a store.
 *
 * @category models
 * @since 0.1.0
 */
export interface Need {
  readonly name: string
  readonly met: (capabilities: Capabilities) => boolean
}

/**
 * The body of a case: it succeeds, or fails, or dies of an `AssertionError`.
 *
 * @category models
 * @since 0.1.0
 */
export type CaseBody<Context> = (context: Context) => Effect.Effect<void, ObjectStoreError, Scope.Scope>

/**
 * A case: what it asserts, what it needs, and how it is run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Case {
  /** The row of the design, the operation or the primitive that the case belongs to. */
  readonly subject: string
  /** What it asserts. */
  readonly name: string
  readonly needs: ReadonlyArray<Need>
  /** Runs on the store. Absent for a case of the backend contract. */
  readonly run?: CaseBody<CaseContext> | undefined
  /** Runs on the primitives. */
  readonly contract?: CaseBody<ContractContext> | undefined
  /** Runs instead where a need is not met: asserts how the operation is refused. */
  readonly without?: CaseBody<CaseContext> | undefined
}

type Body<Context> = (context: Context) => Effect.fn.Return<void, ObjectStoreError, Scope.Scope>

interface CaseOptions {
  readonly needs?: ReadonlyArray<Need> | undefined
  readonly without?: Body<CaseContext> | undefined
}

type Unplaced = Omit<Case, "subject">

/**
 * Makes a case of the store's operations.
 *
 * @category constructors
 * @since 0.1.0
 */
export const test = (name: string, body: Body<CaseContext>, options: CaseOptions = {}): Unplaced => ({
  name,
  needs: options.needs ?? [],
  run: Effect.fnUntraced(body),
  without: options.without === undefined ? undefined : Effect.fnUntraced(options.without)
})

/**
 * Makes a case of the backend's primitives.
 *
 * @category constructors
 * @since 0.1.0
 */
export const contract = (
  name: string,
  body: Body<ContractContext>,
  options: { readonly needs?: ReadonlyArray<Need> | undefined } = {}
): Unplaced => ({ name, needs: options.needs ?? [], contract: Effect.fnUntraced(body) })

/**
 * Puts cases under a subject.
 *
 * @category constructors
 * @since 0.1.0
 */
export const subject = (name: string, cases: ReadonlyArray<Unplaced>): ReadonlyArray<Case> =>
  cases.map((one) => ({ ...one, subject: name }))

type Flag =
  & {
    readonly [K in keyof Capabilities]-?: Capabilities[K] extends boolean ? K : never
  }[keyof Capabilities]
  & string

/**
 * Needs a flag of the capabilities.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flag = (name: Flag): Need => ({ name, met: (capabilities) => capabilities[name] })

/**
 * Needs that a flag is not set.
 *
 * @category constructors
 * @since 0.1.0
 */
export const not = (need: Need): Need => ({ name: `no ${need.name}`, met: (capabilities) => !need.met(capabilities) })

/**
 * Needs what a predicate says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const need = (name: string, met: (capabilities: Capabilities) => boolean): Need => ({ name, met })
