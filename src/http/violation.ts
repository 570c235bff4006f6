/**
 * An answer that does not fit what was asked, as an error.
 *
 * @internal
 */
import type { Outcome } from "../ErrorReason.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import { requestIdOf } from "./requestId.ts"
import type { TransportReply } from "./Transport.ts"

/** Who asked, for errors. */
export interface Asked {
  readonly backend: string
  readonly operation: string
  /** For mutations: what is known of the change once there is an answer. */
  readonly outcome?: Outcome | undefined
}

/** Makes a `ProtocolViolation`. */
export const violation = (
  asked: Asked,
  description: string,
  reply?: Pick<TransportReply, "status" | "headers">
): ObjectStoreError =>
  makeError("ProtocolViolation", {
    operation: asked.operation,
    backend: asked.backend,
    outcome: asked.outcome,
    status: reply?.status,
    requestId: reply === undefined ? undefined : requestIdOf(reply.headers),
    description
  })
