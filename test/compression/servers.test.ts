import { Effect, Layer } from "effect"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { azureModel, gcsModel } from "effect-objectstore/testing"
import { makeBucket, uniqueBucket } from "../gcs/GcsTest.ts"
import { storeOf } from "../s3/S3Test.ts"
import { azurite } from "../servers/azurite.ts"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { describeRoundTrip } from "./describeRoundTrip.ts"

// Above the parts of every service.
const MiB = 1024 * 1024
const options = { levels: [1, 3, 12, 19], large: [17 * MiB + 5] }

onServer(minio, (server) => describeRoundTrip("MinIO", storeOf(server), options))

onServer(versitygw, (server) => describeRoundTrip("versitygw", storeOf(server), options))

const onAzure = ({ account, connectionString }: { readonly account: string; readonly connectionString: string }) =>
  Effect.gen(function*() {
    const backend = yield* Azure.makeBackend({ connectionString })
    yield* backend.createContainer("compression", {})
    return Azure.layer({ connectionString, base: `az://${account}/compression/` })
  })

onServer(azurite, (server) => describeRoundTrip("Azurite", Layer.unwrap(Effect.flatMap(server, onAzure)), options))

describeRoundTrip("the model of Azure", Layer.unwrap(Effect.flatMap(azureModel({}), onAzure)), options)

onServer(fakeGcs, (server) => {
  const bucket = uniqueBucket("compression")
  describeRoundTrip(
    "fake-gcs-server",
    Layer.unwrap(Effect.gen(function*() {
      const { endpoint, projectId } = yield* server
      yield* makeBucket(endpoint, bucket)
      return Gcs.layer({ endpoint, projectId, base: `gs://${bucket}/` })
    })),
    options
  )
})

describeRoundTrip(
  "the model of GCS",
  Layer.unwrap(
    Effect.map(
      gcsModel({ buckets: ["compression"] }),
      ({ origin }) => Gcs.layer({ endpoint: origin, projectId: "test", base: "gs://compression/" })
    )
  ),
  options
)
