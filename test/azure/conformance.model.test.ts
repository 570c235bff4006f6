import { Effect, Layer } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import { azureModel, type AzureModelOptions, describeObjectStore } from "effect-objectstore/testing"
import { refusedKeys } from "./refusedKeys.ts"

/** A model with a container, and the options of a store on it. */
const started = (options: AzureModelOptions) =>
  Effect.gen(function*() {
    const { account, connectionString } = yield* azureModel(options)
    const backend = yield* Azure.makeBackend({ connectionString })
    yield* backend.createContainer("data", {})
    return { connectionString, base: `az://${account}/data/` }
  })

const describeModel = (name: string, options: AzureModelOptions): void =>
  describeObjectStore(name, Layer.unwrap(Effect.map(started(options), Azure.layer)), {
    backend: Effect.flatMap(started(options), Azure.makeBackend),
    refusedKeys
  })

describeModel("Azure model", { versioning: true })
