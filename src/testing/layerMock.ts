/**
 * A store of which a test gives only what it needs.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as Sink from "effect/Sink"
import type { Capabilities } from "../Capabilities.ts"
import { ObjectStore, type ObjectStoreOperations } from "../ObjectStore.ts"

const missing = (name: string): Error => new Error(`ObjectStore.${name} is used, and the mock does not have it`)

const noCapabilities = new Proxy({} as Capabilities, {
  get: (_, name) => {
    throw missing(`capabilities.${String(name)}`)
  }
})

/**
 * Layer of a store that has the operations given; every other one dies when it is used, and names itself.
 *
 * **Example** (A store that can only say whether objects exist)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import { layerMock } from "effect-objectstore/testing/doubles"
 *
 * const program = Effect.flatMap(ObjectStore, (store) => store.exists("a"))
 *
 * Effect.runPromise(program.pipe(Effect.provide(layerMock({ exists: () => Effect.succeed(true) }))))
 *   .then((exists) => console.log(exists)) // true
 * ```
 *
 * @category testing
 * @since 0.1.0
 */
export const layerMock = (operations: Partial<ObjectStoreOperations>): Layer.Layer<ObjectStore> =>
  Layer.mock(ObjectStore)({ capabilities: noCapabilities, sink: () => Sink.die(missing("sink")), ...operations })
