/**
 * Failures of the routing itself; every other one is the store's that a location led to.
 *
 * @internal
 */
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import * as ObjectUri from "../../src/ObjectUri.ts"

/** The name in errors. */
export const backendName = "universal"

/** A failure that came before any store was asked. */
export const refuse = (
  tag: "Configuration" | "InvalidKey" | "InvalidRequest" | "InvalidUri",
  operation: string,
  description: string,
  at?: string
): ObjectStoreError =>
  makeError(tag, {
    operation,
    backend: backendName,
    uri: at === undefined ? undefined : ObjectUri.redact(at),
    description
  })

/** A layer that cannot be loaded: nearly always, a package that only some users install is not there. */
export const notLoaded = (scheme: string, cause: unknown): ObjectStoreError => {
  const message = cause instanceof Error ? cause.message : String(cause)
  const [, missing] = /Cannot find (?:package|module) '([^']+)'/.exec(message) ?? []
  return makeError("Configuration", {
    operation: "open",
    backend: backendName,
    description: missing === undefined
      ? `the layer of ${scheme}:// cannot be loaded: ${message.split("\n", 1)[0]}`
      : `the layer of ${scheme}:// needs the package ${missing}; install it beside effect-objectstore`,
    cause
  })
}
