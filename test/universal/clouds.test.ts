import { Effect, Random } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import * as S3 from "effect-objectstore/layers/S3"
import type { UniversalOptions } from "effect-objectstore/layers/Universal"
import { describeObjectStore } from "effect-objectstore/testing"
import { azuriteDefects } from "../azure/azuriteDefects.ts"
import { refusedKeys as azureRefusedKeys } from "../azure/refusedKeys.ts"
import { fakeGcsDefects } from "../gcs/fakeGcsDefects.ts"
import { makeBucket, refusedKeys as gcsRefusedKeys, uniqueBucket } from "../gcs/GcsTest.ts"
import { minioDefects, minioRefusedKeys } from "../s3/minioDefects.ts"
import { freshName, optionsOf } from "../s3/S3Test.ts"
import { azurite } from "../servers/azurite.ts"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { over } from "./over.ts"

onServer(minio, (server) => {
  const options = Effect.gen(function*() {
    const s3 = optionsOf(yield* server)
    const bucket = yield* freshName
    yield* (yield* S3.makeBackend(s3)).createContainer(bucket, {})
    return { base: `s3://${bucket}/`, schemes: ["s3"], s3 } satisfies UniversalOptions
  })
  describeObjectStore("universal over MinIO", over(options), { refusedKeys: minioRefusedKeys, skip: minioDefects })
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
  describeObjectStore("universal over Azurite", over(options), {
    refusedKeys: azureRefusedKeys,
    skip: azuriteDefects
  })
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
