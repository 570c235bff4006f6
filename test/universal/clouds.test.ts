import { Effect, Random } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Memory from "effect-objectstore/layers/Memory"
import * as S3 from "effect-objectstore/layers/S3"
import type { UniversalOptions } from "effect-objectstore/layers/Universal"
import { azureModel, describeObjectStore, describeProperty, gcsModel } from "effect-objectstore/testing"
import { fileURLToPath } from "node:url"
import { azuriteDefects } from "../azure/azuriteDefects.ts"
import { refusedKeys as azureRefusedKeys } from "../azure/refusedKeys.ts"
import { fakeGcsDefects } from "../gcs/fakeGcsDefects.ts"
import { makeBucket, refusedKeys as gcsRefusedKeys, uniqueBucket } from "../gcs/GcsTest.ts"
import { minioDefects, minioRefusedKeys } from "../s3/minioDefects.ts"
import { freshName, optionsOf, type Running } from "../s3/S3Test.ts"
import { versitygwDefects, versitygwRefusedKeys, versitygwSometimes } from "../s3/versitygwDefects.ts"
import { azurite } from "../servers/azurite.ts"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { over } from "./over.ts"

const failingSeeds = fileURLToPath(new URL("../conformance/failing-seeds.json", import.meta.url))

const onS3 = (server: Running) =>
  Effect.gen(function*() {
    const s3 = optionsOf(yield* server)
    const bucket = yield* freshName
    yield* (yield* S3.makeBackend(s3)).createContainer(bucket, {})
    return { base: `s3://${bucket}/`, schemes: ["s3"], s3 } satisfies UniversalOptions
  })

onServer(minio, (server) => {
  const store = over(onS3(server))
  describeObjectStore("universal over MinIO", store, { refusedKeys: minioRefusedKeys, skip: minioDefects })
  describeProperty("universal over MinIO", store, {
    model: Memory.layer(),
    refusedKeys: ["b//c", "c/../d"],
    apart: true,
    sequences: 40,
    failingSeeds
  })
})

onServer(versitygw, (server) => {
  const store = over(onS3(server))
  describeObjectStore("universal over versitygw", store, {
    refusedKeys: versitygwRefusedKeys,
    skip: versitygwDefects,
    sometimes: versitygwSometimes
  })
  describeProperty("universal over versitygw", store, {
    model: Memory.layer({ capabilities: { hierarchical: true } }),
    refusedKeys: ["b/", "b//c", "c/../d"],
    apart: true,
    sequences: 40,
    failingSeeds
  })
})

onServer(azurite, (server) => {
  const options = Effect.gen(function*() {
    const { account, connectionString } = yield* server
    const container = `universal-${yield* Random.nextIntBetween(0, 1e9)}`
    yield* (yield* Azure.makeBackend({ connectionString })).createContainer(container, {})
    return {
      base: `az://${account}/${container}/`,
      schemes: ["az"],
      azure: { connectionString }
    } satisfies UniversalOptions
  })
  const store = over(options)
  describeObjectStore("universal over Azurite", store, { refusedKeys: azureRefusedKeys, skip: azuriteDefects })
  describeProperty("universal over Azurite", store, {
    model: Memory.layer(),
    refusedKeys: [...azureRefusedKeys, "c/../d"],
    sequences: 30,
    failingSeeds
  })
})

const onAzureModel = Effect.gen(function*() {
  const { account, connectionString } = yield* azureModel({ versioning: true })
  yield* (yield* Azure.makeBackend({ connectionString })).createContainer("data", {})
  return { base: `az://${account}/data/`, schemes: ["az"], azure: { connectionString } } satisfies UniversalOptions
})
describeObjectStore("universal over the Azure model", over(onAzureModel), { refusedKeys: azureRefusedKeys })
describeProperty("universal over the Azure model", over(onAzureModel), {
  model: Memory.layer(),
  refusedKeys: [...azureRefusedKeys, "c/../d"],
  sequences: 100,
  failingSeeds
})

const onGcsModel = Effect.map(
  gcsModel({ buckets: ["suite"], versioning: true }),
  ({ origin }): UniversalOptions => ({
    base: "gs://suite/",
    schemes: ["gs"],
    gcs: { endpoint: origin, projectId: "test" }
  })
)
describeObjectStore("universal over the GCS model", over(onGcsModel), { refusedKeys: gcsRefusedKeys })
describeProperty("universal over the GCS model", over(onGcsModel), {
  model: Memory.layer(),
  sequences: 100,
  failingSeeds
})

onServer(fakeGcs, (server) => {
  const options = Effect.gen(function*() {
    const { endpoint, projectId } = yield* server
    const bucket = uniqueBucket("universal")
    yield* makeBucket(endpoint, bucket, { versioning: true })
    return { base: `gs://${bucket}/`, schemes: ["gs"], gcs: { endpoint, projectId } } satisfies UniversalOptions
  })
  describeObjectStore("universal over fake-gcs-server", over(options), {
    refusedKeys: gcsRefusedKeys,
    skip: fakeGcsDefects
  })
})
