import { Effect } from "effect"
import type { ObjectStoreError } from "effect-objectstore"
import type { TransportReply } from "../../src/http/Transport.ts"

/** A reply whose body comes in pieces of `step` bytes, and may break off at `breakAt`. */
export const replyOf = (
  body: string | Uint8Array,
  options: {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly length?: number | undefined
    readonly step?: number
    readonly failure?: { readonly at: number; readonly error: ObjectStoreError }
  } = {}
): TransportReply & { readonly read: () => number } => {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  let at = 0
  return {
    status: options.status ?? 200,
    headers: options.headers ?? {},
    length: "length" in options ? options.length : bytes.length,
    read: () => at,
    into: (target) =>
      Effect.suspend(() => {
        const end = Math.min(bytes.length, at + target.length, options.failure?.at ?? bytes.length)
        target.set(bytes.subarray(at, end))
        const count = end - at
        at = end
        return options.failure !== undefined && at === options.failure.at
          ? Effect.fail(options.failure.error)
          : Effect.succeed(count)
      })
  }
}

export const asked = { backend: "test", operation: "read" }
