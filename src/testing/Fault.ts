/**
 * What can be made to go wrong with an operation, as plain data.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { ErrorReasonTag, Outcome } from "../ErrorReason.ts"
import type { ReasonFields } from "../ObjectStoreError.ts"

/**
 * One fault.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = Fail | FailAfter | Delay | Truncate | Corrupt

/**
 * Fails before anything happens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fail {
  readonly _tag: "Fail"
  readonly reason: ErrorReasonTag
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * Fails after everything has happened: the change is applied, its answer is lost.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailAfter {
  readonly _tag: "FailAfter"
  readonly reason: ErrorReasonTag
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * Waits before anything happens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delay {
  readonly _tag: "Delay"
  readonly millis: number
}

/**
 * Delivers some bytes of a body, and then breaks off.
 *
 * @category models
 * @since 0.1.0
 */
export interface Truncate {
  readonly _tag: "Truncate"
  readonly bytes: number
}

/**
 * Flips a bit of a body.
 *
 * @category models
 * @since 0.1.0
 */
export interface Corrupt {
  readonly _tag: "Corrupt"
  readonly offset: number
}

type Fields<Tag extends ErrorReasonTag> = Omit<ReasonFields<Tag>, "operation" | "backend" | "outcome"> & {
  readonly outcome?: Outcome | undefined
}

type FieldArguments<Tag extends ErrorReasonTag> = {} extends Fields<Tag> ? [fields?: Fields<Tag>]
  : [fields: Fields<Tag>]

/**
 * Fails with the reason `tag` before anything happens. A change then says `outcome: "not-applied"`, unless the fields say
 * something else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = <Tag extends ErrorReasonTag>(tag: Tag, ...[fields]: FieldArguments<Tag>): Fail => ({
  _tag: "Fail",
  reason: tag,
  fields: { ...fields }
})

/**
 * Fails with the reason `tag` after the operation has succeeded: what it changed is changed. A change then says
 * `outcome: "unknown"`, unless the fields say something else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failAfter = <Tag extends ErrorReasonTag>(tag: Tag, ...[fields]: FieldArguments<Tag>): FailAfter => ({
  _tag: "FailAfter",
  reason: tag,
  fields: { ...fields }
})

/**
 * Waits for a time of the `Clock` before anything happens.
 *
 * @category constructors
 * @since 0.1.0
 */
export const delay = (duration: Duration.Input): Delay => ({
  _tag: "Delay",
  millis: Duration.toMillis(Duration.fromInputUnsafe(duration))
})

/**
 * Delivers the first `bytes` of a body, and then fails with `BodyInterrupted`. A body that is not longer is left as it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const truncate = (bytes: number): Truncate => ({ _tag: "Truncate", bytes })

/**
 * Flips a bit of the byte at `offset` of a body. A body that is shorter is left as it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const corrupt = (offset: number): Corrupt => ({ _tag: "Corrupt", offset })
