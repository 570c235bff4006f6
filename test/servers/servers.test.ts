import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { ask } from "./ask.ts"
import { azurite, azuriteTls } from "./azurite.ts"
import { fakeGcs } from "./fakeGcs.ts"
import { gcpStorageEmulator } from "./gcpStorageEmulator.ts"
import { minio, minioTls } from "./minio.ts"
import { moto } from "./moto.ts"
import { onServer } from "./onServer.ts"
import type { ServerDefinition } from "./Server.ts"
import { versitygw } from "./versitygw.ts"

/** `status` is what it answers to a request without a signature. */
const describeServer = <Address extends { readonly endpoint: string; readonly ca?: string | undefined }>(
  definition: ServerDefinition<Address>,
  status: number
): void =>
  onServer(definition, (server) => {
    it.live("answers, also after a reset", () =>
      Effect.gen(function*() {
        const { ca, endpoint, reset } = yield* server
        assert.strictEqual(yield* ask("GET", endpoint, ca), status)
        yield* reset
        assert.strictEqual(yield* ask("GET", endpoint, ca), status)
      }))
  })

describeServer(versitygw, 403)
describeServer(minio, 403)
describeServer(minioTls, 403)
describeServer(moto, 200)
describeServer(fakeGcs, 404)
describeServer(gcpStorageEmulator, 200)
describeServer(azurite, 400)
describeServer(azuriteTls, 400)
