/**
 * How a call meets what a plan has decided.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Outcome } from "../ErrorReason.ts"
import { makeError, type ObjectStoreError, type ReasonFields } from "../ObjectStoreError.ts"
import type { Fail, FailAfter } from "./Fault.ts"
import type { DecidedFault, Decision, FaultCall, FaultPlan } from "./FaultPlan.ts"

/** A call, and how its failures are told. */
export interface InjectedCall extends FaultCall {
  readonly backend: string
  readonly uri?: string | undefined
  /** Whether the operation changes the store. */
  readonly mutation: boolean
}

/** The failure that a fault asks for. */
export const failureOf = (call: InjectedCall, fault: Fail | FailAfter): ObjectStoreError => {
  const outcome: Outcome = fault._tag === "Fail" ? "not-applied" : "unknown"
  const fields = {
    operation: call.operation,
    backend: call.backend,
    uri: call.uri,
    description: "an injected fault",
    ...(call.mutation ? { outcome } : {}),
    ...fault.fields
  }
  return makeError(fault.reason, fields as ReasonFields<"Unavailable">)
}

/** Waits for the delays of a decision, and fails if it says so. */
export const before = (call: InjectedCall, { delays, fault }: Decision): Effect.Effect<void, ObjectStoreError> =>
  Effect.andThen(
    Effect.forEach(delays, (delay) => Effect.andThen(delay.record, Effect.sleep(delay.fault.millis)), {
      discard: true
    }),
    fault?.fault._tag === "Fail"
      ? Effect.andThen(fault.record, Effect.fail(failureOf(call, fault.fault)))
      : Effect.void
  )

/** Fails if a decision says so, now that the operation has succeeded. */
export const after = (call: InjectedCall, { fault }: Decision): Effect.Effect<void, ObjectStoreError> =>
  fault?.fault._tag === "FailAfter"
    ? Effect.andThen(fault.record, Effect.fail(failureOf(call, fault.fault)))
    : Effect.void

/** Runs an operation under a plan; `use` is given the fault that its bytes meet. */
export const inject = <A, R>(
  plan: FaultPlan,
  call: InjectedCall,
  use: (fault: DecidedFault | undefined) => Effect.Effect<A, ObjectStoreError, R>
): Effect.Effect<A, ObjectStoreError, R> =>
  Effect.flatMap(plan.decide(call), (decision) =>
    before(call, decision).pipe(
      Effect.andThen(Effect.suspend(() => use(decision.fault))),
      Effect.tap(() => after(call, decision))
    ))

/** A body that broke off. */
export const interrupted = (call: InjectedCall, received: number): ObjectStoreError =>
  makeError("BodyInterrupted", {
    operation: call.operation,
    backend: call.backend,
    uri: call.uri,
    received,
    description: `an injected fault: the body ended after ${received} bytes`
  })

/** Flips the lowest bit of one byte. */
export const flip = (body: Uint8Array, offset: number): void => {
  body[offset]! ^= 1
}
