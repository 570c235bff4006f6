import { Effect, Layer, Random } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import { describeObjectStore } from "effect-objectstore/testing"
import { azurite } from "../servers/azurite.ts"
import { onServer } from "../servers/onServer.ts"
import { azuriteDefects } from "./azuriteDefects.ts"
import { refusedKeys } from "./refusedKeys.ts"

onServer(azurite, (server) => {
  /** The options of a store in a container of its own. */
  const options = Effect.gen(function*() {
    const { account, connectionString } = yield* server
    const container = `conformance-${yield* Random.nextIntBetween(0, 1e9)}`
    const backend = yield* Azure.makeBackend({ connectionString })
    yield* backend.createContainer(container, {})
    return { connectionString, base: `az://${account}/${container}/` }
  })

  describeObjectStore("Azurite", Layer.unwrap(Effect.map(options, Azure.layer)), {
    backend: Effect.flatMap(options, Azure.makeBackend),
    refusedKeys,
    skip: azuriteDefects
  })
})
