import { Effect, Layer, Random } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import { describeObjectStore } from "effect-objectstore/testing"
import { azuriteTls } from "../servers/azurite.ts"
import { onServer } from "../servers/onServer.ts"
import { azuriteDefects } from "./azuriteDefects.ts"
import { makeCredential } from "./credential.ts"
import { refusedKeys } from "./refusedKeys.ts"

onServer(azuriteTls, (server) => {
  /** The options of a store in a container of its own, over https and with tokens. */
  const options = Effect.gen(function*() {
    const { account, ca, endpoint } = yield* server
    const container = `conformance-${yield* Random.nextIntBetween(0, 1e9)}`
    const common: Azure.AzureOptions = { endpoint, ca, credential: makeCredential() }
    const backend = yield* Azure.makeBackend(common)
    yield* backend.createContainer(container, {})
    return { ...common, base: `az://${account}/${container}/` }
  })

  describeObjectStore("Azurite with tokens", Layer.unwrap(Effect.map(options, Azure.layer)), {
    backend: Effect.flatMap(options, Azure.makeBackend),
    refusedKeys,
    skip: azuriteDefects
  })
})
