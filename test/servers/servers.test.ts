import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { ask } from "./ask.ts"
import { minio, minioTls } from "./minio.ts"
import { moto } from "./moto.ts"
import { onServer } from "./onServer.ts"
import { versitygw } from "./versitygw.ts"

for (const definition of [versitygw, minio, minioTls, moto]) {
  onServer(definition, (server) => {
    it.live("answers, also after a reset, and stops", () =>
      Effect.gen(function*() {
        const { ca, endpoint, reset } = yield* server
        const strangers = definition === moto ? 200 : 403
        assert.strictEqual(yield* ask("GET", endpoint, ca), strangers)
        yield* reset
        assert.strictEqual(yield* ask("GET", endpoint, ca), strangers)
      }))
  })
}
