import { Effect, Layer, type Scope } from "effect"
import { ObjectStore, type ObjectStoreError } from "effect-objectstore"
import * as Universal from "effect-objectstore/layers/Universal"

/**
 * A universal store whose relative keys belong to one store, and which tells that store's capabilities: a suite that decides
 * by them what to ask then asks all that the store can do, through the routing.
 */
export const over = <E>(
  options: Effect.Effect<Universal.UniversalOptions, E, Scope.Scope>
): Layer.Layer<ObjectStore, ObjectStoreError | E> =>
  Layer.effect(
    ObjectStore,
    Effect.gen(function*() {
      const { store, storeOf } = yield* Universal.makeStores(yield* options)
      const { capabilities } = yield* storeOf("")
      return ObjectStore.of({ ...store, capabilities })
    })
  )
