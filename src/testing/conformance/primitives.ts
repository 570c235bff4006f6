/**
 * What the cases of the backend contract share.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Backend, Location, ObjectOptions, ReadRequest } from "../../Backend.ts"
import { same } from "./assertions.ts"
import type { ContractContext } from "./Case.ts"

/**
 * A write without conditions, attributes or metadata.
 *
 * @category testing
 * @since 0.1.0
 */
export const plain: ObjectOptions = { mode: "overwrite", attributes: {}, metadata: {} }

/**
 * The location of a key of the case.
 *
 * @category testing
 * @since 0.1.0
 */
export const at = (t: ContractContext, name: string): Location => ({ container: t.container, key: t.key(name) })

/**
 * Reads through `into` in pieces of `piece` bytes, until the body ends.
 *
 * @category testing
 * @since 0.1.0
 */
export const readAll = (backend: Backend, location: Location, request: ReadRequest, piece: number) =>
  Effect.scoped(Effect.gen(function*() {
    const reply = yield* backend.read(location, request)
    const body: Array<Uint8Array> = []
    for (;;) {
      const target = new Uint8Array(piece)
      const count = yield* reply.into(target)
      if (count === 0) break
      body.push(target.subarray(0, count))
      if (count < piece) {
        same(yield* reply.into(new Uint8Array(piece)), 0, "bytes after the end")
        break
      }
    }
    return { reply, body: Buffer.concat(body) }
  }))

/**
 * Writes an object of the case.
 *
 * @category testing
 * @since 0.1.0
 */
export const write = (t: ContractContext, name: string, body: Uint8Array, options = plain) =>
  t.backend.write(at(t, name), body, options)
