import { Effect, Layer } from "effect"
import { fromBackend, ObjectStore } from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { onServer } from "../servers/onServer.ts"
import { makeBucket, uniqueBucket } from "./GcsTest.ts"

/**
 * What fake-gcs-server does not do is switched off, so that the property is about the rest: conditions on anything but
 * uploads and reads, and suffixes of empty objects (the engine asks for the size then).
 */
const without = { conditionalDelete: false, conditionalCopy: false, conditionalCopySource: false, suffixRange: false }

onServer(fakeGcs, (server) => {
  const bucket = uniqueBucket("property")
  const store = Layer.effect(
    ObjectStore,
    Effect.gen(function*() {
      const { endpoint, projectId } = yield* server
      yield* makeBucket(endpoint, bucket)
      const backend = yield* Gcs.makeBackend({ endpoint, projectId })
      const capabilities = { ...backend.capabilities, ...without }
      return yield* fromBackend({ ...backend, capabilities }, { base: `gs://${bucket}/` })
    })
  )
  describeProperty("GCS on fake-gcs-server", store, {
    model: Memory.layer(),
    sequences: 200,
    failingSeeds: fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))
  })
})
