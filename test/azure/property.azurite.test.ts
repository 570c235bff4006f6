import { Effect, Layer, Random } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { azurite } from "../servers/azurite.ts"
import { onServer } from "../servers/onServer.ts"
import { refusedKeys } from "./refusedKeys.ts"

const failingSeeds = fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))

onServer(azurite, (server) => {
  const store = Layer.unwrap(Effect.gen(function*() {
    const { account, connectionString } = yield* server
    const container = `property-${yield* Random.nextIntBetween(0, 1e9)}`
    const backend = yield* Azure.makeBackend({ connectionString })
    yield* backend.createContainer(container, {})
    return Azure.layer({ connectionString, base: `az://${account}/${container}/` })
  }))

  describeProperty("Azurite", store, {
    model: Memory.layer(),
    sequences: 60,
    refusedKeys: [...refusedKeys, "c/../d"],
    failingSeeds
  })
})
