/**
 * What failures of compression are to a program.
 *
 * @internal
 */
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { TaskFailure } from "./zstdProtocol.ts"

/** Where it failed; the store that asked says its own name and location. */
const at = (operation: string) => ({ operation, backend: "zstd" })

export const corrupt = (operation: string, description: string): ObjectStoreError =>
  makeError("IntegrityFailed", { ...at(operation), description })

export const exceeded = (operation: string, limit: string, description: string): ObjectStoreError =>
  makeError("LimitExceeded", { ...at(operation), limit, description })

export const invalid = (operation: string, description: string): ObjectStoreError =>
  makeError("InvalidRequest", { ...at(operation), description })

/** What is wrong with a chunk of a program without types, which is to be bytes. */
export const notBytes = (operation: string, chunks: ReadonlyArray<unknown>): ObjectStoreError | undefined =>
  chunks.every((chunk) => chunk instanceof Uint8Array)
    ? undefined
    : invalid(operation, "what is given is no Uint8Array")

export const unsupported = (operation: string, capability: string, description: string): ObjectStoreError =>
  makeError("Unsupported", { ...at(operation), capability, description })

export const misconfigured = (operation: string, description: string): ObjectStoreError =>
  makeError("Configuration", { ...at(operation), description })

/** The error of a task that failed. */
export const taskError = (operation: string, { kind, message }: TaskFailure): ObjectStoreError => {
  switch (kind) {
    case "corrupt":
      return corrupt(operation, message)
    case "memory":
      return exceeded(operation, "memory", message)
    case "window":
      return exceeded(operation, "maxWindow", message)
    case "library":
      return misconfigured(operation, message)
    case "abandoned":
    case "lost":
      return makeError("Unavailable", { ...at(operation), description: message })
  }
}
