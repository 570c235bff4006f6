import { PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3"
import { Effect, Layer, Random } from "effect"
import { fromBackend, ObjectStore } from "effect-objectstore"
import * as S3 from "effect-objectstore/layers/S3"
import type { S3Address } from "../servers/address.ts"
import type { Server } from "../servers/Server.ts"

export type Running = Effect.Effect<Server<S3Address>>

/** How the tests' server is reached. */
export const optionsOf = ({ accessKeyId, ca, endpoint, region, secretAccessKey }: S3Address): S3.S3Options => ({
  endpoint,
  region,
  credentials: { accessKeyId, secretAccessKey },
  ca
})

export const freshName = Effect.map(
  Random.nextIntBetween(0, 36 ** 8),
  (n) => `test-${n.toString(36).padStart(8, "0")}`
)

/** The store of a new bucket. */
export const storeOf = (
  server: Running,
  options: S3.S3Options = {},
  prepare: (bucket: string, address: S3Address) => Effect.Effect<void> = () => Effect.void
): Layer.Layer<ObjectStore> =>
  Layer.effect(
    ObjectStore,
    Effect.orDie(Effect.gen(function*() {
      const address = yield* server
      const bucket = yield* freshName
      const all: S3.S3Options = { ...optionsOf(address), base: `s3://${bucket}/`, ...options }
      const backend = yield* S3.makeBackend(all)
      yield* backend.createContainer(bucket, {})
      yield* prepare(bucket, address)
      return yield* fromBackend(backend, all)
    }))
  )

/** The primitives, of a store of the same kind. */
export const backendOf = (server: Running, options: S3.S3Options = {}) =>
  Effect.flatMap(server, (address) => S3.makeBackend({ ...optionsOf(address), ...options }))

/** The vendor's own client. */
export const sdkOf = ({ accessKeyId, endpoint, region, secretAccessKey }: S3Address): S3Client =>
  new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1
  })

/** Makes a bucket keep the versions of its objects. */
export const keepVersions = (bucket: string, address: S3Address): Effect.Effect<void> =>
  Effect.promise(() =>
    sdkOf(address).send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } })
    )
  )

/** Why a case of the suite is skipped that `versions.test.ts` runs. */
export const noVersions = "the suite's bucket keeps no versions; the case runs in one that does"
